import { ELLIPSIS, NAME, PUNCTUATOR, SPACE_BEFORE, type Tokens } from './lexer';
import { type Macro, type Token, tokenAt, VA_ARGS } from './macro-table';
import { names } from './names';
import { punctuatorText } from './token-text';

const MAX_BODY = 20_000;

/** Reads what stands behind `#define`, tokens `from` to `to`; null if no name does. */
export function defineMacro(tokens: Tokens, from: number, to: number): Macro | null {
  if (from >= to || tokens.kind[from] !== NAME) return null;
  const name = tokens.id[from] as number;
  let at = from + 1;
  let parameters: number[] | null = null;
  let variadic = false;
  if (
    at < to &&
    tokens.kind[at] === PUNCTUATOR &&
    tokens.id[at] === 40 &&
    ((tokens.flags[at] as number) & SPACE_BEFORE) === 0
  ) {
    parameters = [];
    for (at++; at < to && !isPunctuator(tokens, at, 41); at++) {
      if (tokens.kind[at] === NAME) {
        parameters.push(tokens.id[at] as number);
        if (isPunctuator(tokens, at + 1, ELLIPSIS)) {
          variadic = true;
          at++;
        }
      } else if (isPunctuator(tokens, at, ELLIPSIS)) {
        variadic = true;
        parameters.push(VA_ARGS);
      }
    }
    at++;
  }
  const body: Token[] = [];
  let hash = parameters === null ? 7 : 11 + (variadic ? 1 : 0);
  for (const parameter of parameters ?? []) hash = (Math.imul(hash, 31) + names.hash(parameter)) | 0;
  for (; at < to && body.length < MAX_BODY; at++) {
    const token = tokenAt(tokens, at);
    body.push(token);
    const own = token.kind === PUNCTUATOR ? Math.imul(token.id, 2654435761) : names.hash(token.id);
    hash = (Math.imul(hash, 31) + own + (token.space ? 1 : 0)) | 0;
  }
  return { name, parameters, variadic, body, hash };
}

/** A macro's body as text, blanks where the definition has any. */
export function macroBodyText(macro: Macro): string {
  let text = '';
  for (const token of macro.body) {
    if (text !== '' && token.space) text += ' ';
    text += token.kind === PUNCTUATOR ? punctuatorText(token.id) : names.text(token.id);
  }
  return text;
}

function isPunctuator(tokens: Tokens, at: number, id: number): boolean {
  return tokens.kind[at] === PUNCTUATOR && tokens.id[at] === id;
}
