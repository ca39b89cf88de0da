import { lex, NAME, type Tokens } from '../core/csource/lexer';
import type { Span } from '../core/place';

/** Which of the structures of include/linux/livepatch.h an initialiser fills. */
export type Structure = 'klp_patch' | 'klp_object' | 'klp_callbacks' | 'klp_func' | 'klp_state';

/** Where in livepatch code the cursor stands, found from the tokens in front of it, so also in half-typed text. */
export interface CCursor {
  /** The name in front of the innermost open parenthesis, and how many commas stand between. */
  readonly call: { readonly name: string; readonly argument: number } | null;
  /** The structure whose initialiser is open innermost. */
  readonly structure: Structure | null;
  /** The member that is being given a value there: `.pre_patch = |`. */
  readonly member: string | null;
  /** Offset of the dot of a member name that is being written. */
  readonly dot: number | null;
  /** The name or number that the cursor is in or behind, else empty at the cursor. */
  readonly word: Span;
}

const STRUCTURES: readonly Structure[] = [
  'klp_patch',
  'klp_object',
  'klp_callbacks',
  'klp_func',
  'klp_state',
];

/** The struct that a member of another one holds or points to. */
const MEMBERS: Readonly<Record<string, Structure>> = {
  callbacks: 'klp_callbacks',
  objs: 'klp_object',
  funcs: 'klp_func',
  states: 'klp_state',
};

/** Tokens in front of the cursor that are looked at. */
const FAR = 20_000;

/** Null inside comments, strings and directives. */
export function cursorIn(text: string, offset: number): CCursor | null {
  const tokens = lex(text);
  let last = tokenBefore(tokens, offset);
  const word = { start: offset, end: offset };
  if (last >= 0 && (tokens.end[last] ?? 0) >= offset) {
    if (tokens.kind[last] === NAME || /^\d/.test(textOf(tokens, last))) {
      word.start = tokens.start[last] ?? offset;
      word.end = tokens.end[last] ?? offset;
      last--;
    } else if ((tokens.end[last] ?? 0) > offset) return null;
  }
  if (isSilent(text, offset, tokens, last)) return null;
  const isDot = textOf(tokens, last) === '.';
  const nested = isDot && textOf(tokens, last - 1) === 'callbacks' && textOf(tokens, last - 2) === '.';
  const isMember = nested || (isDot && ['{', ','].includes(textOf(tokens, last - 1)));
  const found = structureAround(tokens, nested ? last - 3 : isMember ? last - 1 : last);
  if (nested && found.structure === 'klp_object') found.structure = 'klp_callbacks';
  const member = textOf(tokens, last) === '=' ? textOf(tokens, last - 1) : null;
  return { ...found, member, dot: isMember ? (tokens.start[last] ?? null) : null, word };
}

/** Goes back over the open brackets. */
function structureAround(
  tokens: Tokens,
  from: number,
): { call: CCursor['call']; structure: Structure | null } {
  let depth = 0;
  let commas = 0;
  let arrays = 0;
  for (let i = from; i >= 0 && i > from - FAR; i--) {
    const c = textOf(tokens, i);
    if (c === ')' || c === ']' || c === '}') depth++;
    else if (c === '(' || c === '[' || c === '{') {
      if (depth > 0) {
        depth--;
        continue;
      }
      if (c === '(' && tokens.kind[i - 1] === NAME)
        return { call: { name: textOf(tokens, i - 1), argument: commas }, structure: null };
      if (c !== '{') return { call: null, structure: null };
      const structure = openedBy(tokens, i, arrays);
      if (structure !== undefined) return { call: null, structure };
      arrays++;
      commas = 0;
    } else if (depth === 0 && c === ',') commas++;
    else if (depth === 0 && c === ';') break;
  }
  return { call: null, structure: null };
}

/** What the `{` at a token begins; undefined where an outer brace has to say. */
function openedBy(tokens: Tokens, brace: number, inner: number): Structure | null | undefined {
  const before = textOf(tokens, brace - 1);
  if (before === '{' || before === ',') return undefined;
  if (before === ')') {
    // `(struct klp_object []) {`; a function's parameters end in the same way.
    let tag = brace - 2;
    while (tag > 0 && textOf(tokens, tag) === ']') tag -= textOf(tokens, tag - 1) === '[' ? 2 : 3;
    const literal = textOf(tokens, tag - 1) === 'struct' && textOf(tokens, tag - 2) === '(';
    return literal ? behindStruct(tokens, tag - 1, inner, tag < brace - 2) : null;
  }
  if (before !== '=') return null;
  let i = brace - 2;
  let array = false;
  while (textOf(tokens, i) === ']') {
    array = true;
    while (i > 0 && textOf(tokens, i) !== '[') i--;
    i--;
  }
  // `[0] = {` inside an array.
  if (array && '{,'.includes(textOf(tokens, i))) return undefined;
  if (textOf(tokens, i - 1) === '.') return MEMBERS[textOf(tokens, i)] ?? null;
  return behindStruct(tokens, i - 1, inner, array);
}

/** The structure that is named in front of a variable, or in the parentheses of a compound literal. */
function behindStruct(tokens: Tokens, from: number, inner: number, array: boolean): Structure | null {
  for (let at = from; at > from - 8; at--) {
    if (textOf(tokens, at) !== 'struct') continue;
    const tag = textOf(tokens, at + 1);
    const known = STRUCTURES.find((it) => it === tag);
    return known !== undefined && inner === (array ? 1 : 0) ? known : null;
  }
  return null;
}

function textOf({ text, start, end, count }: Tokens, i: number): string {
  return i < 0 || i >= count ? '' : text.slice(start[i], end[i]);
}

/** The last token that begins in front of the offset, by bisection. */
function tokenBefore({ start, count }: Tokens, offset: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((start[middle] ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Whether the cursor stands in a comment, or on the line of a directive. */
function isSilent(text: string, offset: number, tokens: Tokens, last: number): boolean {
  const gap = text.slice(tokens.end[last] ?? 0, offset);
  if (gap.lastIndexOf('/*') > gap.lastIndexOf('*/') || gap.lastIndexOf('//') > gap.lastIndexOf('\n'))
    return true;
  return /^\s*#/.test(text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset));
}
