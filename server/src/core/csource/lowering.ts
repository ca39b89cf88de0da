import type { Relocate } from '../place';
import type { TokenList } from './expand';
import type { FileScope } from './file-scope';
import type { Local, Positions, VariableIr } from './ir';
import { END, NAME, PUNCTUATOR } from './lexer';
import { joinTokens } from './token-text';
import type { CType } from './types';

/** What a name means inside a function. */
export type Binding =
  | { readonly k: 'slot'; readonly slot: number }
  | { readonly k: 'static'; readonly name: string; type: CType }
  | { readonly k: 'typedef'; readonly type: CType }
  | { readonly k: 'enumerator'; readonly value: number | bigint }
  | { readonly k: 'extern'; readonly type: CType };

export const MAX_DEPTH = 120;

/** Small arrays of their own cost more than what they hold: tables of positions are stretches of larger ones. */
const CHUNK = 1 << 14;
let chunk = new Int32Array(CHUNK);
let used = 0;

function keepPositions(positions: readonly number[]): Int32Array {
  const { length } = positions;
  if (length > CHUNK / 4) return Int32Array.from(positions);
  if (used + length > CHUNK) {
    chunk = new Int32Array(CHUNK);
    used = 0;
  }
  for (let i = 0; i < length; i++) chunk[used + i] = positions[i] as number;
  used += length;
  return chunk.subarray(used - length, used);
}

/**
 * One reading of the expanded tokens of an item: where the reader stands, what names mean there, and what it has
 * made so far. Declarations, expressions and statements are functions over it.
 */
export class Lowering {
  readonly kind: Uint8Array;
  readonly id: Int32Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly count: number;
  /** Index of the next token. */
  at = 0;
  /** How deep the reader is nested; what lies deeper than MAX_DEPTH becomes unknown. */
  depth = 0;
  locals: Local[] = [];
  statics: VariableIr[] = [];
  functionName = '';
  returns: CType | null = null;
  /** Heads of items bind nothing: made for the first name that is bound. */
  private bindings: Map<number, Binding> | null = null;
  private undo: (number | Binding | undefined)[] = [];
  private positions: number[] = [];

  constructor(
    tokens: TokenList,
    readonly scope: FileScope,
    readonly base: number,
    readonly file: string,
    readonly revision: string | undefined,
    private readonly relocate?: Relocate,
  ) {
    tokens.push(END, 0, 0, 0);
    tokens.push(END, 0, 0, 0);
    tokens.push(END, 0, 0, 0);
    this.kind = tokens.kind;
    this.id = tokens.id;
    this.start = tokens.start;
    this.end = tokens.end;
    this.count = tokens.count - 3;
  }

  /** Number of the punctuator at hand, or `ahead` tokens further; 0 if there is another token. */
  punctuator(ahead = 0): number {
    const i = this.at + ahead;
    return this.kind[i] === PUNCTUATOR ? (this.id[i] as number) : 0;
  }

  /** Number of the name at hand, or `ahead` tokens further; 0 if there is another token. */
  name(ahead = 0): number {
    const i = this.at + ahead;
    return this.kind[i] === NAME ? (this.id[i] as number) : 0;
  }

  get ended(): boolean {
    return this.at >= this.count;
  }

  /** Steps over the punctuator if it is at hand. */
  take(id: number): boolean {
    if (this.kind[this.at] !== PUNCTUATOR || this.id[this.at] !== id) return false;
    this.at++;
    return true;
  }

  takeName(id: number): boolean {
    if (this.kind[this.at] !== NAME || this.id[this.at] !== id) return false;
    this.at++;
    return true;
  }

  /** Records the text between token `from` and the last one read; the number that nodes carry as `at`. */
  place(from: number, to = this.at): number {
    const n = this.positions.length;
    // Where nothing follows any more, the end of the item is meant.
    const final = Math.max(0, this.count - 1);
    const last = Math.min(Math.max(from, to - 1), final);
    const end = this.end[last] as number;
    const start = from > final ? end : (this.start[from] as number);
    if (start <= end) this.positions.push(start - this.base, end - this.base);
    else this.positions.push(end - this.base, start - this.base);
    return n >> 1;
  }

  /** Takes out the positions recorded since the last call. */
  takePositions(): Int32Array {
    const table = keepPositions(this.positions);
    this.positions = [];
    return table;
  }

  /** A table of stretches with what tells where they stand. */
  positionsOf(table: Int32Array): Positions {
    const { file, revision, base, relocate } = this;
    return {
      file,
      ...(revision === undefined ? {} : { revision }),
      base,
      table,
      ...(relocate === undefined ? {} : { relocate }),
    };
  }

  /** Positions of an inner item (a static local), recorded apart. */
  apart<T>(make: () => T): { readonly made: T; readonly table: Int32Array } {
    const outer = this.positions;
    this.positions = [];
    const made = make();
    const table = keepPositions(this.positions);
    this.positions = outer;
    return { made, table };
  }

  /** The tokens as text. */
  text(from: number, to = this.at): string {
    return joinTokens(this.kind, this.id, from, Math.min(to, this.count));
  }

  binding(name: number): Binding | undefined {
    return this.bindings === null ? undefined : this.bindings.get(name);
  }

  bind(name: number, binding: Binding): void {
    this.bindings ??= new Map();
    this.undo.push(name, this.bindings.get(name));
    this.bindings.set(name, binding);
  }

  /** A mark to give to `leave` at the end of a block. */
  enter(): number {
    return this.undo.length;
  }

  leave(mark: number): void {
    while (this.undo.length > mark) {
      const before = this.undo.pop() as Binding | undefined;
      const name = this.undo.pop() as number;
      if (before === undefined) this.bindings?.delete(name);
      else this.bindings?.set(name, before);
    }
  }

  /** A new local or parameter, its name bound. */
  local(name: number, text: string, type: CType): number {
    const slot = this.locals.length;
    this.locals.push({ name: text, type });
    if (name !== 0) this.bind(name, { k: 'slot', slot });
    return slot;
  }

  /** Steps behind the bracket that closes the one at hand. */
  skipBalanced(): void {
    let level = 0;
    while (this.at < this.count) {
      const id = this.punctuator();
      this.at++;
      if (id === 40 || id === 91 || id === 123) level++;
      else if (id === 41 || id === 93 || id === 125) {
        if (--level <= 0) return;
      }
    }
  }

  /**
   * Steps on until a `,`, `;` or closing bracket of the level at hand, or another one of `stops`, is next.
   */
  skipTo(...stops: readonly number[]): void {
    while (this.at < this.count) {
      const id = this.punctuator();
      if (id === 41 || id === 93 || id === 125 || id === 59 || stops.includes(id)) return;
      if (id === 40 || id === 91 || id === 123) this.skipBalanced();
      else this.at++;
    }
  }
}
