import { KEYWORDS } from './annotations';
import { FIRST_ON_LINE, NAME, PUNCTUATOR, type Tokens } from './lexer';
import { nameSet } from './names';
import type { Layer } from './preprocess';

/** A top-level item: tokens `from` to `to` of its layer, directives and inactive ones between them included. */
export interface ItemSpan {
  readonly from: number;
  readonly to: number;
}

const STATEMENT_WORDS = nameSet(
  'if else for while do switch case default break continue return goto asm __asm__ sizeof',
);
const STATIC = nameSet('static extern');
const MAX_RETRIES = 8;

/**
 * Finds the top-level items among the active tokens `from` to `to` of a layer by its brackets. Where those do not
 * match, as in half-typed text, an item ends at a `}` or in front of a name in column 0.
 */
export function splitTokens(layer: Layer, from: number, to: number): ItemSpan[] {
  const active = activeTokens(layer, from, to);
  const out: ItemSpan[] = [];
  let at = 0;
  for (let retries = 0; at < active.length; retries++) {
    const open = run(layer.tokens, active, at, false, retries > MAX_RETRIES, out);
    if (open < 0) break;
    at = run(layer.tokens, active, open, true, retries >= MAX_RETRIES, out);
    if (at < 0) break;
  }
  return out;
}

/** The top-level items of a layer whose brackets all match; null for any other. */
export function splitSound(layer: Layer): ItemSpan[] | null {
  const out: ItemSpan[] = [];
  return run(layer.tokens, activeTokens(layer), 0, false, false, out) < 0 ? out : null;
}

/** Indices of the active tokens, included files left out. */
export function activeTokens(layer: Layer, from = 0, to = layer.tokens.count): Int32Array {
  let count = 0;
  for (const segment of layer.segments) {
    if (segment.layer === null) count += Math.max(0, Math.min(to, segment.to) - Math.max(from, segment.from));
  }
  const out = new Int32Array(count);
  let n = 0;
  for (const segment of layer.segments) {
    if (segment.layer !== null) continue;
    const last = Math.min(to, segment.to);
    for (let i = Math.max(from, segment.from); i < last; i++) out[n++] = i;
  }
  return out;
}

/**
 * Splits from position `at` of `active` on. Answers the position of an item that never ended; with `recover`, the
 * position behind the first item; -1 when all is done.
 */
function run(
  tokens: Tokens,
  active: Int32Array,
  at: number,
  recover: boolean,
  throughout: boolean,
  out: ItemSpan[],
): number {
  const { kind, id } = tokens;
  let start = -1;
  let level = 0;
  let assigned = false;
  let inBody = false;
  let last = 0;
  for (let n = at; n < active.length; n++) {
    const i = active[n] as number;
    const isPunctuator = kind[i] === PUNCTUATOR;
    const what = isPunctuator ? (id[i] as number) : 0;
    if (recover && level > 0 && start >= 0 && inFirstColumn(tokens, i)) {
      if (what === 125) level = 1;
      else if (kind[i] === NAME && beginsItem(tokens, i)) {
        out.push({ from: active[start] as number, to: last + 1 });
        if (!throughout) return n;
        start = -1;
        level = 0;
      }
    }
    if (start < 0) {
      if (what === 59 || what === 125 || what === 41 || what === 93) continue;
      start = n;
      assigned = false;
      inBody = false;
    }
    let ends = false;
    if (what === 40 || what === 91) level++;
    else if (what === 123) {
      if (level === 0) {
        const before = n > start ? (active[n - 1] as number) : -1;
        inBody = !assigned && before >= 0 && endsHead(tokens, active, start, n);
      }
      level++;
    } else if (what === 41 || what === 93) {
      if (level > 0) level--;
      if (level === 0 && what === 41) ends = isBareCall(tokens, active, start, n);
    } else if (what === 125) {
      if (level > 0) level--;
      if (level === 0 && inBody) ends = true;
    } else if (what === 59) ends = level === 0;
    else if (what === 61 && level === 0) assigned = true;
    last = i;
    if (ends) {
      out.push({ from: active[start] as number, to: i + 1 });
      start = -1;
      if (recover && !throughout) return n + 1;
    }
  }
  if (start < 0) return -1;
  if (level > 0 && !recover) return start;
  out.push({ from: active[start] as number, to: last + 1 });
  return -1;
}

/** Whether the `{` at position `n` opens a function's body: a `)` stands in front, annotations at most between. */
function endsHead(tokens: Tokens, active: Int32Array, start: number, n: number): boolean {
  for (let k = n - 1; k > start && k > n - 4; k--) {
    const i = active[k] as number;
    if (tokens.kind[i] === PUNCTUATOR) return tokens.id[i] === 41;
  }
  return false;
}

/** `NAME(…)` without a semicolon, followed by a new line that begins something else. */
function isBareCall(tokens: Tokens, active: Int32Array, start: number, n: number): boolean {
  let first = start;
  while (first < n && STATIC.has(tokens.id[active[first] as number] as number)) first++;
  const name = active[first] as number;
  const open = active[first + 1];
  if (tokens.kind[name] !== NAME || KEYWORDS.has(tokens.id[name] as number)) return false;
  if (open === undefined || tokens.kind[open] !== PUNCTUATOR || tokens.id[open] !== 40) return false;
  let level = 0;
  for (let k = first + 1; k <= n; k++) {
    const i = active[k] as number;
    if (tokens.kind[i] !== PUNCTUATOR) continue;
    if (tokens.id[i] === 40) level++;
    else if (tokens.id[i] === 41 && --level === 0 && k < n) return false;
  }
  const next = active[n + 1];
  if (next === undefined) return true;
  return tokens.kind[next] === NAME && ((tokens.flags[next] as number) & FIRST_ON_LINE) !== 0;
}

function inFirstColumn(tokens: Tokens, i: number): boolean {
  if (((tokens.flags[i] as number) & FIRST_ON_LINE) === 0) return false;
  const start = tokens.start[i] as number;
  if (start === 0) return true;
  const c = tokens.text.charCodeAt(start - 1);
  return c === 10 || c === 13 || c === 0xfeff;
}

function beginsItem(tokens: Tokens, i: number): boolean {
  if (STATEMENT_WORDS.has(tokens.id[i] as number)) return false;
  const next = tokens.kind[i + 1] === PUNCTUATOR ? (tokens.id[i + 1] as number) : 0;
  return next !== 58 && next !== 44 && next !== 41 && next !== 61;
}
