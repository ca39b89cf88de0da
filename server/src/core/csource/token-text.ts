import {
  AND_AND,
  ARROW,
  ASSIGN,
  DECREMENT,
  ELLIPSIS,
  EQUAL,
  GREATER_EQUAL,
  INCREMENT,
  LESS_EQUAL,
  NAME,
  NOT_EQUAL,
  NUMBER,
  OR_OR,
  PASTE,
  PUNCTUATOR,
  SHIFT_LEFT,
  SHIFT_RIGHT,
} from './lexer';
import { names } from './names';

const LONG = new Map<number, string>([
  [ARROW, '->'],
  [INCREMENT, '++'],
  [DECREMENT, '--'],
  [SHIFT_LEFT, '<<'],
  [SHIFT_RIGHT, '>>'],
  [LESS_EQUAL, '<='],
  [GREATER_EQUAL, '>='],
  [EQUAL, '=='],
  [NOT_EQUAL, '!='],
  [AND_AND, '&&'],
  [OR_OR, '||'],
  [ELLIPSIS, '...'],
  [PASTE, '##'],
]);

/** How a punctuator is written. */
export function punctuatorText(id: number): string {
  if (id >= ASSIGN) return `${punctuatorText(id - ASSIGN)}=`;
  return LONG.get(id) ?? String.fromCharCode(id);
}

/** A token as written. */
export function tokenText(kind: number, id: number): string {
  return kind === PUNCTUATOR ? punctuatorText(id) : names.text(id);
}

const TIGHT_BEFORE = new Set(['(', ')', '[', ']', ',', ';', '.', '->', '++', '--']);

/**
 * Tokens as one text that does not depend on how they were spaced: the identity of what could not be read.
 * At most 400 characters.
 */
export function joinTokens(
  kinds: ArrayLike<number>,
  ids: ArrayLike<number>,
  from: number,
  to: number,
): string {
  let text = '';
  let last = '';
  let lastWord = false;
  for (let i = from; i < to && text.length < 400; i++) {
    const kind = kinds[i] as number;
    const part = tokenText(kind, ids[i] as number);
    const word = kind === NAME || kind === NUMBER;
    const apart =
      (word && lastWord) ||
      last === ',' ||
      (last !== '' && !TIGHT_BEFORE.has(part) && !TIGHT_BEFORE.has(last) && !(isPrefix(last) && word));
    text += apart ? ` ${part}` : part;
    last = part;
    lastWord = word;
  }
  return text.length > 400 ? text.slice(0, 400) : text;
}

function isPrefix(text: string): boolean {
  return text === '!' || text === '~' || text === '&' || text === '*' || text === '-';
}
