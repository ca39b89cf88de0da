import { lex, NAME, NUMBER, PASTE, PUNCTUATOR, STRING, type Tokens } from './lexer';
import {
  configured,
  type HideSet,
  type Macro,
  type MacroTable,
  type Token,
  tokenAt,
  tokenId,
} from './macro-table';
import { names } from './names';
import { tokenText } from './token-text';

/** A stretch of a text's tokens between two directives. With `place`, all of them stand there. */
export interface Stretch {
  readonly tokens: Tokens;
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
  readonly place: { readonly start: number; readonly end: number } | null;
}

/** Expanded tokens in arrays; `id` is the number of the text for all but punctuators. */
export class TokenList {
  count = 0;
  kind = new Uint8Array(64);
  id = new Int32Array(64);
  start = new Int32Array(64);
  end = new Int32Array(64);

  push(kind: number, id: number, start: number, end: number): void {
    const n = this.count;
    if (n === this.kind.length) this.grow();
    this.kind[n] = kind;
    this.id[n] = id;
    this.start[n] = start;
    this.end[n] = end;
    this.count = n + 1;
  }

  private grow(): void {
    const size = this.kind.length * 2;
    const kind = new Uint8Array(size);
    kind.set(this.kind);
    this.kind = kind;
    const next: Int32Array<ArrayBuffer>[] = [this.id, this.start, this.end].map((from) => {
      const to = new Int32Array(size);
      to.set(from);
      return to;
    });
    [this.id, this.start, this.end] = next as [
      Int32Array<ArrayBuffer>,
      Int32Array<ArrayBuffer>,
      Int32Array<ArrayBuffer>,
    ];
  }
}

/** Tokens that macros may bring into one item. */
const BUDGET = 100_000;
const MAX_DEPTH = 60;
const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const HASH = 35;
const VA_OPT = names.id('__VA_OPT__');

/**
 * Replaces macros as the C standard says: arguments are expanded on their own first, `#` and `##` see them
 * unexpanded, the result is scanned again with what follows, and a name met within its own replacement stays.
 * GNU `, ##__VA_ARGS__` and named variadic parameters are known. Bounded: beyond the budget names stay as they are.
 */
export class Expander {
  private stretch = 0;
  private index = 0;
  private stack: Token[] = [];
  private budget = BUDGET;

  /** `seen` is told of every name that comes by, expanded or not. */
  constructor(
    private readonly macros: MacroTable,
    private readonly seen: ((name: number) => void) | null = null,
  ) {}

  expand(stretches: readonly Stretch[], out: TokenList): void {
    const { macros, seen } = this;
    this.stack = [];
    for (this.stretch = 0; this.stretch < stretches.length; this.stretch++) {
      let run = stretches[this.stretch] as Stretch;
      this.index = run.from;
      while (this.index < run.to) {
        const { tokens } = run;
        const i = this.index++;
        const kind = tokens.kind[i] as number;
        const start = tokens.start[i] as number;
        const end = tokens.end[i] as number;
        let id = tokens.id[i] as number;
        if (kind === NAME) {
          if (seen !== null) seen(id);
          if (macros.at(id, run.sequence) !== null) {
            this.stack.push(placed(tokenAt(tokens, i), run.place));
            this.drain(stretches, out);
            run = stretches[this.stretch] ?? run;
            if (this.stretch >= stretches.length) return;
            continue;
          }
        } else if (kind !== PUNCTUATOR) id = tokenId(tokens, i, kind, start, end);
        if (run.place === null) out.push(kind, id, start, end);
        else out.push(kind, id, run.place.start, run.place.end);
      }
    }
  }

  /** Expands a list on its own, as in a directive or an argument. */
  expandList(list: readonly Token[], sequence: number, depth = 0): readonly Token[] {
    if (depth > MAX_DEPTH || !this.holdsMacro(list, sequence)) return list;
    const inner = new Expander(this.macros, this.seen);
    inner.budget = this.budget;
    inner.stack = [...list].reverse();
    const out: Token[] = [];
    while (inner.stack.length > 0) {
      const token = inner.stack.pop() as Token;
      if (token.kind !== NAME || !inner.replace(token, sequence, null, depth)) out.push(token);
    }
    this.budget = inner.budget;
    return out;
  }

  private holdsMacro(list: readonly Token[], sequence: number): boolean {
    let found = false;
    for (const token of list) {
      if (token.kind !== NAME) continue;
      if (this.seen !== null) this.seen(token.id);
      if (this.macros.at(token.id, sequence) !== null) found = true;
    }
    return found;
  }

  private drain(stretches: readonly Stretch[], out: TokenList): void {
    while (this.stack.length > 0) {
      const token = this.stack.pop() as Token;
      if (token.kind === NAME) {
        const sequence = (stretches[this.stretch] ?? (stretches[stretches.length - 1] as Stretch)).sequence;
        if (this.replace(token, sequence, stretches, 0)) continue;
      }
      out.push(token.kind, token.id, token.start, token.end);
    }
  }

  /** Puts a macro's replacement on the stack; false if the token stays as it is. */
  private replace(
    token: Token,
    sequence: number,
    stretches: readonly Stretch[] | null,
    depth: number,
  ): boolean {
    if (this.seen !== null) this.seen(token.id);
    const macro = this.macros.at(token.id, sequence);
    if (macro === null || hidden(token.hide, token.id) || this.budget <= 0) return false;
    if (macro.parameters === null) {
      this.put(this.substitute(macro, [], { name: token.id, next: token.hide }, token, sequence, depth));
      return true;
    }
    const read: Token[] = [];
    const first = this.next(stretches);
    if (first === null) return false;
    read.push(first);
    if (first.kind !== PUNCTUATOR || first.id !== OPEN) {
      this.stack.push(first);
      return false;
    }
    const args: Token[][] = [[]];
    let level = 1;
    let close: Token | null = null;
    while (read.length < BUDGET) {
      const next = this.next(stretches);
      if (next === null) break;
      read.push(next);
      if (next.kind === PUNCTUATOR) {
        if (next.id === OPEN) level++;
        else if (next.id === CLOSE && --level === 0) {
          close = next;
          break;
        } else if (
          next.id === COMMA &&
          level === 1 &&
          !(macro.variadic && args.length >= macro.parameters.length)
        ) {
          args.push([]);
          continue;
        }
      }
      (args[args.length - 1] as Token[]).push(next);
    }
    this.budget -= read.length;
    if (close === null) {
      for (let i = read.length - 1; i >= 0; i--) this.stack.push(read[i] as Token);
      return false;
    }
    if (macro.asks !== undefined) {
      const about = args[0]?.[0];
      const yes = about !== undefined && configured(this.macros, about.id, macro.asks, sequence);
      if (about !== undefined && this.seen !== null) this.seen(about.id);
      this.stack.push({ ...token, kind: NUMBER, id: names.id(yes ? '1' : '0') });
      return true;
    }
    const hide = { name: token.id, next: common(token.hide, close.hide) };
    this.put(this.substitute(macro, args, hide, token, sequence, depth));
    return true;
  }

  private put(list: readonly Token[]): void {
    this.budget -= list.length + 1;
    for (let i = list.length - 1; i >= 0; i--) this.stack.push(list[i] as Token);
  }

  private next(stretches: readonly Stretch[] | null): Token | null {
    const top = this.stack.pop();
    if (top !== undefined) return top;
    if (stretches === null) return null;
    for (;;) {
      const run = stretches[this.stretch];
      if (run === undefined) return null;
      if (this.index < run.to) return placed(tokenAt(run.tokens, this.index++), run.place);
      const following = stretches[this.stretch + 1];
      if (following === undefined) return null;
      this.stretch++;
      this.index = following.from;
    }
  }

  private substitute(
    macro: Macro,
    args: readonly (readonly Token[])[],
    hide: HideSet,
    at: Token,
    sequence: number,
    depth: number,
  ): Token[] {
    const { parameters } = macro;
    const out: Token[] = [];
    const expanded: (readonly Token[] | undefined)[] = [];
    const argument = (n: number): readonly Token[] => args[n] ?? [];
    const full = (n: number): readonly Token[] =>
      (expanded[n] ??= this.expandList(argument(n), sequence, depth + 1));
    const which = (token: Token | undefined): number =>
      token === undefined || token.kind !== NAME || parameters === null ? -1 : parameters.indexOf(token.id);
    const rest = macro.variadic && parameters !== null ? parameters.length - 1 : -1;
    const body = rest < 0 ? macro.body : withOptional(macro.body, argument(rest).length > 0);
    // Whether the left operand of the next ## is empty.
    let empty = false;
    const add = (token: Token): void => {
      if (this.budget-- > 0) out.push(withHide(token, joined(token.hide, hide)));
    };
    const own = (token: Token): Token => ({
      kind: token.kind,
      id: token.id,
      start: at.start,
      end: at.end,
      space: token.space,
      hide,
    });
    for (let i = 0; i < body.length && this.budget > 0; i++) {
      const token = body[i] as Token;
      const next = body[i + 1];
      if (isHash(token) && parameters !== null) {
        const n = which(next);
        if (n >= 0) {
          out.push(stringify(argument(n), at, hide));
          i++;
          continue;
        }
      }
      if (isPaste(token) && i > 0 && next !== undefined) {
        i++;
        const n = which(next);
        const left = out[out.length - 1];
        if (n === rest && n >= 0 && left !== undefined && left.kind === PUNCTUATOR && left.id === COMMA) {
          if (argument(n).length === 0) out.pop();
          else for (const one of full(n)) add(one);
          continue;
        }
        const right = n >= 0 ? argument(n).map((one) => withHide(one, joined(one.hide, hide))) : [own(next)];
        if (right.length === 0) continue;
        if (left === undefined || empty) out.push(...right);
        else {
          out.pop();
          out.push(...paste(left, right[0] as Token, at, hide), ...right.slice(1));
        }
        empty = false;
        continue;
      }
      const n = which(token);
      if (n < 0) {
        out.push(own(token));
        empty = false;
      } else {
        const list = isPaste(next) ? argument(n) : full(n);
        empty = list.length === 0;
        for (const one of list) add(one);
      }
    }
    return out;
  }
}

function placed(token: Token, place: { readonly start: number; readonly end: number } | null): Token {
  return place === null ? token : { ...token, start: place.start, end: place.end };
}

function withHide(token: Token, hide: HideSet): Token {
  const { kind, id, start, end, space } = token;
  return { kind, id, start, end, space, hide };
}

function isHash(token: Token): boolean {
  return token.kind === PUNCTUATOR && token.id === HASH;
}

function isPaste(token: Token | undefined): boolean {
  return token !== undefined && token.kind === PUNCTUATOR && token.id === PASTE;
}

/** The body with what stands in `__VA_OPT__(…)`, or without it. */
function withOptional(body: readonly Token[], given: boolean): readonly Token[] {
  if (!body.some((token) => token.id === VA_OPT && token.kind === NAME)) return body;
  const out: Token[] = [];
  for (let i = 0; i < body.length; i++) {
    const token = body[i] as Token;
    if (token.id !== VA_OPT || token.kind !== NAME) {
      out.push(token);
      continue;
    }
    const end = closing(body, i + 1);
    if (given) out.push(...body.slice(i + 2, end));
    i = end;
  }
  return out;
}

/** Index of the parenthesis that closes the one at `i`. */
function closing(body: readonly Token[], i: number): number {
  let level = 0;
  for (; i < body.length; i++) {
    const token = body[i] as Token;
    if (token.kind !== PUNCTUATOR) continue;
    if (token.id === OPEN) level++;
    else if (token.id === CLOSE && --level <= 0) return i;
  }
  return i;
}

function hidden(hide: HideSet | null, name: number): boolean {
  for (let at = hide; at !== null; at = at.next) if (at.name === name) return true;
  return false;
}

function joined(one: HideSet | null, other: HideSet): HideSet {
  if (one === null) return other;
  let all: HideSet = other;
  for (let at: HideSet | null = one; at !== null; at = at.next) {
    if (!hidden(all, at.name)) all = { name: at.name, next: all };
  }
  return all;
}

function common(one: HideSet | null, other: HideSet | null): HideSet | null {
  if (one === other) return one;
  let both: HideSet | null = null;
  for (let at = one; at !== null; at = at.next) {
    if (hidden(other, at.name)) both = { name: at.name, next: both };
  }
  return both;
}

function stringify(list: readonly Token[], at: Token, hide: HideSet): Token {
  let text = '';
  list.forEach((token, i) => {
    const part = tokenText(token.kind, token.id);
    if (i > 0 && token.space) text += ' ';
    text += part.startsWith('"') || part.startsWith("'") ? part.replace(/["\\]/g, '\\$&') : part;
  });
  return { kind: STRING, id: names.id(`"${text}"`), start: at.start, end: at.end, space: true, hide };
}

function paste(left: Token, right: Token, at: Token, hide: HideSet): Token[] {
  const text = tokenText(left.kind, left.id) + tokenText(right.kind, right.id);
  const tokens = lex(text);
  if (tokens.count !== 1) return [left, right];
  return [
    { ...tokenAt(tokens, 0), start: at.start, end: at.end, space: left.space, hide: joined(left.hide, hide) },
  ];
}
