import type { Place } from '../place';
import { KEYWORDS } from './annotations';
import { constantValue } from './constants';
import { Expander, type Stretch, TokenList } from './expand';
import { conditional } from './expressions';
import { type External, readExternals } from './externals';
import type { FileScope } from './file-scope';
import { NAME, PUNCTUATOR, type Tokens } from './lexer';
import { Lowering } from './lowering';
import type { MacroTable } from './macro-table';
import { nameSet, names } from './names';
import { type Layer, stretches } from './preprocess';
import type { ItemSpan } from './split';
import type { FileScopeCall, ModuleParameter } from './unit';

/** Where a definition stands: its item's layer and tokens. */
export interface ItemPlace extends ItemSpan {
  readonly layer: Layer;
}

/** A function or variable at file scope. */
export interface Definition {
  readonly item: ItemPlace;
  readonly external: External;
  readonly namePlace: Place;
  readonly place: Place;
}

export interface Items {
  readonly functions: Map<string, Definition>;
  readonly variables: Map<string, Definition>;
  readonly calls: FileScopeCall[];
  readonly parameters: ModuleParameter[];
}

export interface ItemsInput {
  readonly root: Layer;
  readonly macros: MacroTable;
  readonly scope: FileScope;
  readonly spans: (layer: Layer) => readonly ItemSpan[];
  readonly place: (file: string, start: number, end: number) => Place;
}

const STORAGE = nameSet('static extern');
const PARAMETERS = nameSet(`
module_param module_param_unsafe module_param_named module_param_named_unsafe module_param_cb module_param_cb_unsafe
module_param_array module_param_array_named module_param_string module_param_hw module_param_hw_named core_param
`);

/** Reads the heads of all top-level items in the order of the text; bodies and initialisers stay unread. */
export function readItems(input: ItemsInput): Items {
  const reader = new ItemReader(input);
  reader.layer(input.root);
  return reader.items;
}

class ItemReader {
  readonly items: Items = { functions: new Map(), variables: new Map(), calls: [], parameters: [] };
  private readonly expander: Expander;
  private readonly list = new TokenList();

  constructor(private readonly input: ItemsInput) {
    this.expander = new Expander(input.macros);
  }

  /** Items of a layer, those of included files at the place of the directive. */
  layer(layer: Layer): void {
    const included = layer.segments.filter((segment) => segment.layer !== null && !segment.layer.inside);
    let next = 0;
    for (const span of this.input.spans(layer)) {
      for (; next < included.length && (included[next] as { from: number }).from < span.from; next++) {
        this.layer(included[next]?.layer as Layer);
      }
      this.item({ layer, from: span.from, to: span.to });
    }
    for (; next < included.length; next++) this.layer(included[next]?.layer as Layer);
  }

  private item(item: ItemPlace): void {
    const { tokens } = item.layer;
    const all = stretches(item.layer, item.from, item.to);
    if (this.call(item, all)) return;
    const head = headOf(all);
    const start = tokens.start[item.from] as number;
    const end = tokens.end[item.to - 1] as number;
    const place = this.input.place(item.layer.file, start, end);
    const { list } = this;
    list.count = 0;
    this.expander.expand(head, list);
    const lowering = new Lowering(list, this.input.scope, 0, item.layer.file, undefined);
    readExternals(lowering, true, (external) => {
      this.define(external, {
        item,
        external,
        place,
        namePlace: this.input.place(
          item.layer.file,
          lowering.start[external.declarator.token] as number,
          lowering.end[external.declarator.token] as number,
        ),
      });
      return false;
    });
  }

  private define(external: External, definition: Definition): void {
    const { scope } = this.input;
    const { type } = external.declarator;
    const before = scope.globals.get(external.id);
    const better =
      before === undefined ||
      external.initialised ||
      external.form === 'function' ||
      (before.k === 'array' && before.length === null) ||
      before.k === 'unknown';
    if (better) scope.globals.set(external.id, type);
    if (external.form === 'function') {
      this.items.functions.set(external.name, definition);
      return;
    }
    if (external.form !== 'variable') return;
    const { variables } = this.items;
    const known = variables.get(external.name);
    const replaces =
      known === undefined ||
      external.initialised ||
      (!known.external.initialised && known.external.specifiers.extern && !external.specifiers.extern);
    if (replaces) variables.set(external.name, definition);
  }

  /** A macro call at file scope; true if there is nothing more to read in it. */
  private call(item: ItemPlace, all: readonly Stretch[]): boolean {
    const { tokens } = item.layer;
    const first = all[0];
    if (first === undefined || all.length > 3) return false;
    let at = item.from;
    while (tokens.kind[at] === NAME && STORAGE.has(tokens.id[at] as number)) at++;
    const name = tokens.id[at] as number;
    if (tokens.kind[at] !== NAME || KEYWORDS.has(name) || !isPunctuator(tokens, at + 1, 40)) return false;
    let level = 0;
    let close = at + 1;
    for (; close < item.to; close++) {
      if (isPunctuator(tokens, close, 40)) level++;
      else if (isPunctuator(tokens, close, 41) && --level === 0) break;
    }
    const rest = close + 1;
    const whole = rest >= item.to || (isPunctuator(tokens, rest, 59) && rest + 1 >= item.to);
    if (close >= item.to || (!whole && !isPunctuator(tokens, rest, 61))) return false;
    const args = splitArguments(tokens, at + 2, close);
    const place = this.input.place(
      item.layer.file,
      tokens.start[item.from] as number,
      tokens.end[whole ? item.to - 1 : close] as number,
    );
    const macro = names.text(name);
    this.items.calls.push({ macro, args, place });
    if (PARAMETERS.has(name)) this.parameter(macro, args, place, tokens, all);
    return this.input.macros.at(name, first.sequence) === null;
  }

  private parameter(
    macro: string,
    args: readonly string[],
    place: Place,
    tokens: Tokens,
    all: readonly Stretch[],
  ): void {
    const plain = macro === 'module_param' || macro === 'module_param_unsafe' || macro === 'module_param_hw';
    const array = macro === 'module_param_array';
    const isCallback = macro.includes('_cb');
    const name = args[0] ?? '';
    const variable = plain || array ? name : isCallback ? (args[2] ?? '').replace(/^&/, '') : (args[1] ?? '');
    const type =
      plain || array
        ? args[1]
        : isCallback
          ? (/^&param_ops_(\w+)$/.exec(args[1] ?? '')?.[1] ?? 'callback')
          : macro === 'module_param_string'
            ? 'string'
            : args[2];
    const last = args[args.length - 1] ?? '';
    const counted = /^&\s*(\w+)$/.exec(args[args.length - 2] ?? '')?.[1] ?? null;
    this.items.parameters.push({
      name,
      variable,
      type: type ?? '',
      permissions: this.permissions(last, tokens, all),
      count: macro.startsWith('module_param_array') ? counted : null,
      place,
    });
  }

  private permissions(text: string, tokens: Tokens, all: readonly Stretch[]): number {
    if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
    // Read the last argument where it stands, so that its macros are those of the place.
    const last = all[all.length - 1] as Stretch;
    let from = last.to;
    while (from > last.from && !isPunctuator(tokens, from - 1, 44)) from--;
    const { list } = this;
    list.count = 0;
    this.expander.expand([{ ...last, from }], list);
    const value = constantValue(
      conditional(new Lowering(list, this.input.scope, 0, '', undefined)),
      () => undefined,
    );
    return value === null ? 0 : Number(value);
  }
}

function isPunctuator(tokens: Tokens, at: number, id: number): boolean {
  return tokens.kind[at] === PUNCTUATOR && tokens.id[at] === id;
}

function splitArguments(tokens: Tokens, from: number, to: number): string[] {
  const out: string[] = [];
  let level = 0;
  let start = from;
  for (let i = from; i <= to; i++) {
    const id = tokens.kind[i] === PUNCTUATOR ? (tokens.id[i] as number) : 0;
    if (i === to || (id === 44 && level === 0)) {
      if (i > start) out.push(tokens.text.slice(tokens.start[start], tokens.end[i - 1]).trim());
      else if (i < to || out.length > 0) out.push('');
      start = i + 1;
    } else if (id === 40 || id === 91 || id === 123) level++;
    else if (id === 41 || id === 93 || id === 125) level--;
  }
  return out;
}

/** The stretches without the function's body and without initialisers: of those only the `=` stays. */
function headOf(all: readonly Stretch[]): Stretch[] {
  const out: Stretch[] = [];
  let level = 0;
  let skipping = false;
  for (const run of all) {
    const { tokens } = run;
    let from = run.from;
    for (let i = run.from; i < run.to; i++) {
      if (tokens.kind[i] !== PUNCTUATOR) continue;
      switch (tokens.id[i]) {
        case 123:
          if (level === 0 && !skipping && endsHead(tokens, run.from, i)) {
            if (i > from) out.push({ ...run, from, to: i });
            return out;
          }
          level++;
          break;
        case 40:
        case 91:
          level++;
          break;
        case 41:
        case 93:
        case 125:
          if (level > 0) level--;
          break;
        case 61:
          if (level === 0 && !skipping) {
            out.push({ ...run, from, to: i + 1 });
            skipping = true;
          }
          break;
        case 44:
        case 59:
          if (level === 0 && skipping) {
            skipping = false;
            from = i;
          }
          break;
      }
    }
    if (!skipping && run.to > from) out.push({ ...run, from });
  }
  return out;
}

function endsHead(tokens: Tokens, from: number, brace: number): boolean {
  for (let i = brace - 1; i >= from && i > brace - 4; i--) {
    if (tokens.kind[i] === PUNCTUATOR) return tokens.id[i] === 41;
  }
  return false;
}
