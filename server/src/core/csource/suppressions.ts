import type { Place } from '../place';
import type { Tokens } from './lexer';
import type { SuppressionComment } from './unit';

const WORD = 'livepatch-ignore';
const MAX_COMMENT = 4000;

/**
 * The `livepatch-ignore CODE[, CODE]: reason` comments of a text. Without a code, one speaks for nothing. `at` is the
 * comment's offset in the text itself, which `place` may show elsewhere.
 */
export function readSuppressions(
  tokens: Tokens,
  place: (start: number, end: number) => Place,
): (SuppressionComment & { readonly at: number })[] {
  const { text, notes } = tokens;
  const out: (SuppressionComment & { readonly at: number })[] = [];
  for (let n = 0; n + 1 < notes.length; n += 2) {
    const start = notes[n] as number;
    const end = notes[n + 1] as number;
    const behind = text.indexOf(WORD, start) + WORD.length;
    let close = Math.min(end, start + MAX_COMMENT);
    if (text.startsWith('*/', end - 2) && text.startsWith('/*', start)) close = Math.min(close, end - 2);
    const said = text.slice(behind, Math.max(behind, close));
    const colon = said.indexOf(':');
    const codes = (colon < 0 ? said : said.slice(0, colon))
      .split(/[\s,]+/)
      .filter((code) => /^[A-Za-z0-9][\w-]*$/.test(code));
    const reason = colon < 0 ? '' : tidy(said.slice(colon + 1));
    const lineStart = Math.max(lastBreak(text, start), 0);
    const alone = text.slice(lineStart, start).trim() === '';
    let coversEnd = lineEnd(text, end);
    if (alone && text.slice(end, coversEnd).trim() === '')
      coversEnd = lineEnd(text, nextLine(text, coversEnd));
    const covers = place(lineStart, coversEnd);
    out.push({ codes, reason, place: place(start, end), covers, at: start });
  }
  return out;
}

/** A reason over several lines as one. */
function tidy(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim().replace(/^\*+\s?/, ''))
    .join(' ')
    .trim();
}

/** Start of the line that `at` stands in. */
function lastBreak(text: string, at: number): number {
  let i = at;
  while (i > 0 && text.charCodeAt(i - 1) !== 10 && text.charCodeAt(i - 1) !== 13) i--;
  return i;
}

function lineEnd(text: string, at: number): number {
  let i = at;
  while (i < text.length && text.charCodeAt(i) !== 10 && text.charCodeAt(i) !== 13) i++;
  return i;
}

function nextLine(text: string, end: number): number {
  return text.startsWith('\r\n', end) ? end + 2 : Math.min(text.length, end + 1);
}

/** Whether what stands at the offset is between tokens of which one is compiled. `segments` are ranges of tokens. */
export function isActive(
  { start, count }: Pick<Tokens, 'start' | 'count'>,
  segments: readonly { readonly from: number; readonly to: number }[],
  offset: number,
): boolean {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((start[middle] as number) < offset) low = middle + 1;
    else high = middle;
  }
  return segments.some(({ from, to }) => (from <= low && low < to) || (from < low && low <= to));
}
