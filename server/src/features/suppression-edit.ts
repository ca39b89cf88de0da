import type { Place } from '../core/place';
import type { Finding } from '../rules/rule';
import type { Suppression } from '../rules/suppressions';

/** An insertion: `place` is empty. */
export interface SuppressionEdit {
  readonly place: Place;
  readonly text: string;
}

/** What the person replaces by the reason. */
const REASON = 'reason';

/**
 * Where and how a comment is written that hides one finding in C: on the line above, or in front of the code itself
 * where a line of its own would change the meaning (a macro over several lines, the rest of a comment). A comment
 * that already speaks for the line gets the code as one more, for a second comment between them would silence the
 * first. Null where there is nothing to hide this way.
 */
export function suppressionInC(
  text: string,
  finding: Finding,
  known: readonly Suppression[],
): SuppressionEdit | null {
  const { code, place } = finding;
  const listed = addToList(text, code, place, known);
  if (listed) return listed;
  const comment = `/* livepatch-ignore ${code}: ${REASON} */`;
  const start = lineStart(text, place.start);
  const continued = /\\\r?\n?$/.test(text.slice(Math.max(0, start - 3), start));
  if (continued || insideComment(text, start)) return insertion(place, place.start, `${comment} `);
  return insertion(place, start, `${indentOf(text, start)}${comment}${lineBreakOf(text, start)}`);
}

/**
 * As suppressionInC, in a diff: behind the code on an added line, for a line more would not fit the hunk's header.
 * Null where the finding stands on no such line, or on one that goes on.
 */
export function suppressionInDiff(
  text: string,
  finding: Finding,
  known: readonly Suppression[],
): SuppressionEdit | null {
  const { code, place } = finding;
  const listed = addToList(text, code, place, known);
  if (listed) return listed;
  const start = lineStart(text, place.start);
  const [line = ''] = /[^\r\n]*/.exec(text.slice(start, start + 2000)) ?? [];
  if (!line.startsWith('+') || /\\$|\/\/|\/\*(?![^]*\*\/)|^\+\s*\*/.test(line)) return null;
  return insertion(place, start + line.length, ` /* livepatch-ignore ${code}: ${REASON} */`);
}

/** As suppressionInC, in the manifest; a line inside a text over several lines has no room for a comment. */
export function suppressionInManifest(
  text: string,
  finding: Finding,
  known: readonly Suppression[],
  scalars: readonly { readonly start: number; readonly end: number }[],
): SuppressionEdit | null {
  const { code, place } = finding;
  const listed = addToList(text, code, place, known);
  if (listed) return listed;
  const start = lineStart(text, place.start);
  if (scalars.some((span) => span.start < start && start < span.end)) return null;
  const comment = `# livepatch-ignore ${code}: ${REASON}`;
  return insertion(place, start, `${indentOf(text, start)}${comment}${lineBreakOf(text, start)}`);
}

function addToList(
  text: string,
  code: string,
  place: Place,
  known: readonly Suppression[],
): SuppressionEdit | null {
  for (const comment of known) {
    const { covers } = comment;
    const last = comment.codes[comment.codes.length - 1];
    if (comment.place.file !== place.file || comment.place.revision !== place.revision) continue;
    if (last === undefined || place.start < covers.start || place.start > covers.end) continue;
    const words = text.slice(comment.place.start, comment.place.end);
    const colon = words.indexOf(':');
    const at = words.lastIndexOf(last, colon < 0 ? words.length : colon);
    if (at < 0) continue;
    return insertion(comment.place, comment.place.start + at + last.length, `, ${code}`);
  }
  return null;
}

function insertion(place: Place, at: number, text: string): SuppressionEdit {
  return { place: { ...place, start: at, end: at }, text };
}

/** Start of the line that holds the offset; behind a byte order mark on the first one. */
function lineStart(text: string, offset: number): number {
  let start = Math.min(offset, text.length);
  while (start > 0 && text[start - 1] !== '\n' && text[start - 1] !== '\r') start--;
  return start === 0 && text.startsWith('\uFEFF') ? 1 : start;
}

function indentOf(text: string, start: number): string {
  let end = start;
  while (text[end] === ' ' || text[end] === '\t') end++;
  return text.slice(start, end);
}

/** The line break of the line at `start`, or of the one before where it is the last. */
function lineBreakOf(text: string, start: number): string {
  const here = /\r\n|\n|\r/g;
  here.lastIndex = start;
  const found = here.exec(text);
  if (found) return found[0];
  return text.slice(Math.max(0, start - 2), start) === '\r\n' ? '\r\n' : '\n';
}

/** Whether the offset stands inside a block comment. Linear in the text before it. */
function insideComment(text: string, offset: number): boolean {
  for (let i = 0; i < offset; i++) {
    const c = text[i];
    if (c === '/' && text[i + 1] === '*') {
      const end = text.indexOf('*/', i + 2);
      if (end < 0 || end + 2 > offset) return true;
      i = end + 1;
    } else if (c === '/' && text[i + 1] === '/') {
      const end = text.indexOf('\n', i);
      if (end < 0) return false;
      i = end;
    } else if (c === '"' || c === "'") {
      i++;
      while (i < text.length && text[i] !== c && text[i] !== '\n') i += text[i] === '\\' ? 2 : 1;
    }
  }
  return false;
}
