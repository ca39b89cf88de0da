import type { Relocate } from '../place';
import { Expander, TokenList } from './expand';
import { readExternals } from './externals';
import type { FileScope } from './file-scope';
import { Fingerprint } from './fingerprint';
import { completed, readInit } from './initialisers';
import type { FunctionIr, Init, VariableIr } from './ir';
import type { Definition, ItemPlace } from './items';
import { Lowering } from './lowering';
import type { MacroTable } from './macro-table';
import { names } from './names';
import { type Segment, stretches } from './preprocess';
import { readStatements } from './statements';
import type { CType } from './types';

export interface LowerInput {
  readonly macros: MacroTable;
  readonly scope: FileScope;
  readonly revision: string | undefined;
  readonly relocate: Relocate | undefined;
}

/** A lowered item with what it depends on: reusable as long as text and dependencies mean the same. */
export interface Lowered<T> {
  readonly ir: T;
  readonly key: string;
  /** Numbers of all names the item mentions, macros' bodies included. */
  readonly mentions: readonly number[];
  /** What each of them meant, in the same order. */
  readonly meanings: readonly number[];
}

/** Text of an item, and which parts of it are active, as a key. Null where an included file takes part. */
export function itemKey(item: ItemPlace): string | null {
  const { tokens } = item.layer;
  const base = tokens.start[item.from] as number;
  let shape = '';
  for (const run of stretches(item.layer, item.from, item.to)) {
    if (run.place !== null) return null;
    if (run.from !== item.from || run.to !== item.to) {
      shape += `${(tokens.start[run.from] as number) - base}-${(tokens.end[run.to - 1] as number) - base},`;
    }
  }
  return `${shape}\0${tokens.text.slice(base, tokens.end[item.to - 1])}`;
}

/** Whether what the item mentions still means the same. */
export function stillHolds(lowered: Lowered<unknown>, item: ItemPlace, input: LowerInput): boolean {
  const { mentions, meanings } = lowered;
  const sequence = sequencesOf(item);
  for (let i = 0; i < mentions.length; i++) {
    const name = mentions[i] as number;
    if (meaning(name, sequence, input.scope.meaning(name), input.macros) !== meanings[i]) return false;
  }
  return true;
}

/** Numbers of the first and the last stretch of an item: the definitions in force there. */
function sequencesOf({ layer, from, to }: ItemPlace): readonly [number, number] {
  return [sequenceAt(layer.segments, from), sequenceAt(layer.segments, to - 1)];
}

function sequenceAt(segments: readonly Segment[], token: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((segments[middle] as Segment).from <= token) low = middle + 1;
    else high = middle;
  }
  return segments[low - 1]?.sequence ?? 0;
}

/** What a name means to an item: `own` is its meaning in the scope. */
function meaning(
  name: number,
  [first, last]: readonly [number, number],
  own: number,
  macros: MacroTable,
): number {
  let hash = own;
  const macro = macros.at(name, first);
  if (macro !== null) hash = (Math.imul(hash, 31) + macro.hash) | 0;
  if (first !== last) {
    const other = macros.at(name, last);
    if (other !== macro) hash = (Math.imul(hash, 31) + (other?.hash ?? 1)) | 0;
  }
  return hash;
}

/** Which names have come by since `reset`, each once. */
class Mentions {
  private stamps = new Int32Array(1 << 12);
  private generation = 0;
  list: number[] = [];

  reset(): void {
    this.generation++;
    this.list = [];
  }

  readonly add = (name: number): void => {
    if (name >= this.stamps.length) {
      const grown = new Int32Array(Math.max(names.size, name) * 2);
      grown.set(this.stamps);
      this.stamps = grown;
    }
    if (this.stamps[name] === this.generation) return;
    this.stamps[name] = this.generation;
    this.list.push(name);
  };
}

const mentions = new Mentions();

/** Token lists to use again: one is needed for each item being lowered at the same time. */
const spare: TokenList[] = [];

function read(
  item: ItemPlace,
  input: LowerInput,
): { l: Lowering; list: TokenList; count: number; named: number[] } {
  const list = spare.pop() ?? new TokenList();
  list.count = 0;
  mentions.reset();
  new Expander(input.macros, mentions.add).expand(stretches(item.layer, item.from, item.to), list);
  const named = mentions.list;
  const count = list.count;
  const base = item.layer.tokens.start[item.from] as number;
  const l = new Lowering(list, input.scope, base, item.layer.file, input.revision, input.relocate);
  return { l, list, count, named };
}

function finish(
  item: ItemPlace,
  input: LowerInput,
  list: TokenList,
  count: number,
  named: readonly number[],
): { meanings: number[]; fingerprint: string } {
  const hash = new Fingerprint();
  hash.tokens(list, count);
  if (list.kind.length < 1 << 16) spare.push(list);
  const meanings: number[] = [];
  const sequence = sequencesOf(item);
  for (const name of named) {
    const own = input.scope.meaning(name);
    meanings.push(meaning(name, sequence, own, input.macros));
    if (own !== 0) hash.add(own);
  }
  return { meanings, fingerprint: hash.value };
}

/** Lowers a function's body. Null if the item turns out not to hold the function. */
export function lowerFunction(
  definition: Definition,
  key: string | null,
  input: LowerInput,
): Lowered<FunctionIr> | null {
  const { item, external } = definition;
  const { l, list, count, named } = read(item, input);
  let ir: Omit<FunctionIr, 'fingerprint'> | null = null;
  readExternals(l, false, (found) => {
    if (found.name !== external.name || found.form !== 'function') return false;
    const { declarator } = found;
    const returns: CType = declarator.type.k === 'function' ? declarator.type.returns : declarator.type;
    l.functionName = found.name;
    l.returns = returns;
    for (const parameter of declarator.parameters ?? [])
      l.local(parameter.id, parameter.name, parameter.type);
    l.take(123);
    const body = readStatements(l);
    ir = {
      name: found.name,
      returns,
      parameters: declarator.parameters?.length ?? 0,
      variadic: declarator.variadic,
      locals: l.locals,
      statics: l.statics,
      body,
      positions: l.positionsOf(l.takePositions()),
    };
    return true;
  });
  if (ir === null) return null;
  const { meanings, fingerprint } = finish(item, input, list, count, named);
  return {
    ir: { ...(ir as Omit<FunctionIr, 'fingerprint'>), fingerprint },
    key: key ?? '',
    mentions: named,
    meanings,
  };
}

/** Lowers a variable's initialiser. Null if the item turns out not to hold the variable. */
export function lowerVariable(
  definition: Definition,
  key: string | null,
  input: LowerInput,
): Lowered<VariableIr> | null {
  const { item, external } = definition;
  const { l, list, count, named } = read(item, input);
  let ir: Omit<VariableIr, 'fingerprint'> | null = null;
  readExternals(l, false, (found) => {
    if (found.name !== external.name || found.form !== 'variable') return false;
    let { type } = found.declarator;
    let init: Init | null = null;
    if (found.initialised) {
      init = readInit(l, type);
      type = completed(l, type, init);
    }
    ir = {
      name: found.name,
      type,
      static: found.specifiers.static,
      init,
      positions: l.positionsOf(l.takePositions()),
    };
    return true;
  });
  if (ir === null) return null;
  const others = named.filter((name) => name !== external.id);
  const { meanings, fingerprint } = finish(item, input, list, count, others);
  return {
    ir: { ...(ir as Omit<VariableIr, 'fingerprint'>), fingerprint },
    key: key ?? '',
    mentions: others,
    meanings,
  };
}
