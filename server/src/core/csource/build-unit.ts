import type { Place } from '../place';
import { baseFor } from './base';
import { type CSource, MAX_TEXT } from './c-source';
import { macroBodyText } from './define';
import { FileScope } from './file-scope';
import { Fingerprint } from './fingerprint';
import type { FunctionIr, Positions, VariableIr } from './ir';
import { standAgain } from './item-places';
import { type Definition, type Items, readItems } from './items';
import { lex, type Tokens } from './lexer';
import { itemKey, type Lowered, type LowerInput, lowerFunction, lowerVariable, stillHolds } from './lower';
import { names } from './names';
import { type Preprocessed, preprocess } from './preprocess';
import { isActive, readSuppressions } from './suppressions';
import type { CType, StructType } from './types';
import type {
  FileScopeCall,
  FunctionItem,
  ModuleParameter,
  SourceProvider,
  SuppressionComment,
  Unit,
  UnitOptions,
  VariableItem,
} from './unit';

/**
 * Reads the translation unit that begins with `file`. Never fails: a file that is missing, too large or no text
 * gives a unit without content that is not complete. `source` remembers tokens, trees and lowered items between
 * readings.
 */
export function openUnit(
  file: string,
  provider: SourceProvider,
  options: UnitOptions,
  source: CSource,
  revision?: string,
): Unit {
  return new TranslationUnit(file, provider, options, source, revision);
}

type Unreadable = NonNullable<Unit['unread']>[number];

/** Why a text cannot be read, null if it can. Binary is what has a NUL among its first 8,192 characters. */
export function unreadable(text: string | undefined): Unreadable['because'] | null {
  if (text === undefined) return 'missing';
  if (text.length > MAX_TEXT) return 'too large';
  const nul = text.slice(0, 8192).indexOf('\0');
  return nul < 0 ? null : 'not a text file';
}

class TranslationUnit implements Unit {
  readonly revision?: string;
  readonly functions: ReadonlyMap<string, FunctionItem>;
  readonly variables: ReadonlyMap<string, VariableItem>;
  readonly calls: readonly FileScopeCall[];
  readonly moduleInit: { readonly function: string; readonly place: Place } | null;
  readonly moduleExit: { readonly function: string; readonly place: Place } | null;
  readonly parameters: readonly ModuleParameter[];
  readonly files: readonly string[];
  readonly missingIncludes: Unit['missingIncludes'];
  readonly assumptions: Unit['assumptions'];
  readonly complete: boolean;
  readonly unread: readonly Unreadable[];
  readonly suppressions: readonly SuppressionComment[];
  private readonly scope: FileScope;
  private readonly items: Items;
  private readonly input: LowerInput;
  private readonly pre: Preprocessed;
  private readonly lowered = new Map<string, Lowered<FunctionIr> | null>();
  private readonly values = new Map<string, Lowered<VariableIr> | null>();
  private readonly busy = new Set<string>();
  private tables: { readonly size: number; readonly tables: ReadonlyMap<string, Positions> } | null = null;

  constructor(
    readonly file: string,
    private readonly provider: SourceProvider,
    options: UnitOptions,
    private readonly source: CSource,
    revision: string | undefined,
  ) {
    if (revision !== undefined) this.revision = revision;
    const base = baseFor(options);
    this.scope = new FileScope(base.scope);
    const unread: Unreadable[] = [];
    const lexed = (name: string): Tokens | undefined => {
      const text = provider.text(name);
      const because = unreadable(text);
      if (because === null) return source.update(this.key(name), text as string);
      if (unread.every((one) => one.file !== name)) unread.push({ file: name, because });
      return because === 'missing' ? undefined : lex('');
    };
    const root = lexed(file);
    this.pre = preprocess({
      file,
      tokens: root ?? lex(''),
      provider,
      base: base.macros,
      decided: base.decided,
      lexed,
      place: this.place,
    });
    const { pre, scope } = this;
    this.input = { macros: pre.macros, scope, revision, relocate: provider.relocate };
    this.items = readItems({
      root: pre.root,
      macros: pre.macros,
      scope,
      spans: (layer) => source.spans(this.key(layer.file), layer),
      place: this.place,
    });
    scope.complete = (name) => this.value(names.text(name))?.ir.type;
    const { items } = this;
    this.functions = new Map([...items.functions].map(([name, found]) => [name, functionItem(found)]));
    this.variables = new Map([...items.variables].map(([name, found]) => [name, variableItem(found)]));
    this.calls = items.calls;
    this.parameters = items.parameters;
    this.moduleInit = hook(items, isInit, 'init_module');
    this.moduleExit = hook(items, isExit, 'cleanup_module');
    this.files = [...new Set(pre.layers.map((layer) => layer.file))];
    this.missingIncludes = pre.missing;
    this.assumptions = pre.assumptions;
    this.unread = unread;
    this.complete = unread.length === 0 && pre.complete && pre.missing.length === 0;
    this.suppressions = this.files.flatMap((name) => {
      const layers = pre.layers.filter((one) => one.file === name);
      const tokens = layers[0]?.tokens;
      if (tokens === undefined || tokens.notes.length === 0) return [];
      return readSuppressions(tokens, (start, end) => this.place(name, start, end)).map((comment) =>
        layers.some((layer) => isActive(tokens, layer.segments, comment.at))
          ? comment
          : { ...comment, uncompiled: true as const },
      );
    });
  }

  readonly struct = (tag: string): StructType | undefined => this.scope.struct(tag);

  enumerator(name: string): number | bigint | undefined {
    return this.scope.enumerator(names.id(name));
  }

  typedef(name: string): CType | undefined {
    return this.scope.typedef(names.id(name));
  }

  macro(name: string): { readonly parameters: readonly string[] | null; readonly body: string } | undefined {
    const found = this.pre.macros.last(names.id(name));
    if (found === null) return undefined;
    const parameters = found.parameters === null ? null : found.parameters.map((one) => names.text(one));
    return { parameters, body: macroBodyText(found) };
  }

  lower(name: string): FunctionIr | undefined {
    return this.body(name)?.ir;
  }

  variable(name: string): VariableIr | undefined {
    return this.value(name)?.ir;
  }

  loweredPositions(): ReadonlyMap<string, Positions> {
    // Asked once as what is now, and once more as what was before the next edit.
    const size = this.lowered.size + this.values.size;
    if (this.tables?.size !== size) this.tables = { size, tables: this.tablesByItem() };
    return this.tables.tables;
  }

  private tablesByItem(): ReadonlyMap<string, Positions> {
    const tables = new Map<string, Positions>();
    for (const [name, found] of this.lowered) {
      if (found === null) continue;
      tables.set(`f:${name}`, found.ir.positions);
      for (const one of found.ir.statics) tables.set(`s:${one.name}`, one.positions);
    }
    for (const [name, found] of this.values) if (found !== null) tables.set(`v:${name}`, found.ir.positions);
    return tables;
  }

  fingerprint(roots: readonly string[]): string {
    const hash = new Fingerprint();
    const seen = new Set(roots);
    for (const name of seen) {
      const found = this.items.functions.has(name) ? this.body(name) : this.value(name);
      hash.text(name);
      if (found === null || found === undefined) continue;
      hash.text(found.ir.fingerprint);
      for (const mentioned of found.mentions) {
        const text = names.text(mentioned);
        if (this.items.functions.has(text) || this.items.variables.has(text)) seen.add(text);
      }
    }
    return hash.value;
  }

  private body(name: string): Lowered<FunctionIr> | null {
    const known = this.lowered.get(name);
    if (known !== undefined) return known;
    const definition = this.items.functions.get(name);
    if (definition === undefined) return null;
    const made = this.reuse(definition, name, 'f', lowerFunction);
    this.lowered.set(name, made);
    return made;
  }

  private value(name: string): Lowered<VariableIr> | null {
    const known = this.values.get(name);
    if (known !== undefined) return known;
    const definition = this.items.variables.get(name);
    // While a variable is being lowered, its own initialiser may mention it.
    if (definition === undefined || this.busy.has(name)) return null;
    this.busy.add(name);
    const made = this.reuse(definition, name, 'v', lowerVariable);
    this.busy.delete(name);
    this.values.set(name, made);
    return made;
  }

  /** Takes the item from an earlier reading if nothing it depends on has changed, else lowers it. */
  private reuse<T extends FunctionIr | VariableIr>(
    definition: Definition,
    name: string,
    kind: string,
    lower: (definition: Definition, key: string | null, input: LowerInput) => Lowered<T> | null,
  ): Lowered<T> | null {
    const { item } = definition;
    const { counters } = this.source;
    const slot = `${kind}:${name}`;
    const key = itemKey(item);
    const store = this.source.lowered(this.key(item.layer.file));
    const known = key === null ? undefined : (store.get(slot) as Lowered<T> | undefined);
    if (known !== undefined && known.key === key && stillHolds(known, item, this.input)) {
      counters.reused++;
      return this.moved(known, definition);
    }
    counters.lowered++;
    const made = lower(definition, key, this.input);
    if (made !== null && key !== null) store.set(slot, made);
    return made;
  }

  /** The same item, perhaps at another place. */
  private moved<T extends FunctionIr | VariableIr>(known: Lowered<T>, definition: Definition): Lowered<T> {
    const { layer, from } = definition.item;
    const base = layer.tokens.start[from] as number;
    const { positions } = known.ir;
    const { relocate } = this.provider;
    if (
      positions.base === base &&
      positions.file === layer.file &&
      positions.revision === this.revision &&
      positions.relocate === relocate
    ) {
      standAgain(positions);
      return known;
    }
    const next = {
      file: layer.file,
      ...(this.revision === undefined ? {} : { revision: this.revision }),
      base,
      table: positions.table,
      ...(relocate === undefined ? {} : { relocate }),
    };
    const ir: T = { ...known.ir, positions: next };
    if ('statics' in ir && ir.statics.length > 0) {
      const statics = ir.statics.map((one) => ({
        ...one,
        positions: { ...next, table: one.positions.table },
      }));
      return { ...known, ir: { ...ir, statics } };
    }
    return { ...known, ir };
  }

  /** The file's name in the memory of the front end: texts of a revision are apart from those of the work tree. */
  private key(file: string): string {
    return this.revision === undefined ? file : `${this.revision}\0${file}`;
  }

  private readonly place = (file: string, start: number, end: number): Place => {
    const place =
      this.revision === undefined ? { file, start, end } : { file, revision: this.revision, start, end };
    const { relocate } = this.provider;
    return relocate === undefined ? place : relocate(place);
  };
}

/** In a module every initcall macro is module_init() (include/linux/module.h). */
const isInit = (macro: string): boolean =>
  macro === 'module_init' || /^[a-z]+_initcall(?:_sync)?$/.test(macro);
const isExit = (macro: string): boolean => macro === 'module_exit';

/** What the macro names, or else the function by the name that the loader looks for. */
function hook(
  { calls, functions }: Pick<Items, 'calls' | 'functions'>,
  is: (macro: string) => boolean,
  plain: string,
): { function: string; place: Place } | null {
  const found = calls.find((call) => is(call.macro));
  if (found !== undefined) return { function: found.args[0] ?? '', place: found.place };
  const named = functions.get(plain);
  return named && !named.external.specifiers.static ? { function: plain, place: named.namePlace } : null;
}

function functionItem({ external, namePlace, place }: Definition): FunctionItem {
  const { declarator, specifiers } = external;
  return {
    name: external.name,
    static: specifiers.static,
    annotations: external.annotations,
    returns: declarator.type.k === 'function' ? declarator.type.returns : declarator.type,
    parameters: (declarator.parameters ?? []).map(({ name, type }) => ({ name, type })),
    namePlace,
    place,
  };
}

function variableItem({ external, namePlace, place }: Definition): VariableItem {
  return {
    name: external.name,
    static: external.specifiers.static,
    extern: external.specifiers.extern,
    annotations: external.annotations,
    type: external.declarator.type,
    hasInitialiser: external.initialised,
    namePlace,
    place,
  };
}
