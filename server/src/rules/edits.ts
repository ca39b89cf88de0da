import type { Place } from '../core/place';
import type { Fix } from './rule';

/** Text edits for fixes in C. Whatever does not look as expected gets no edit. */

interface Edit {
  readonly place: Place;
  readonly text: string;
}

export function fix(title: string, edits: readonly Edit[], preferred = true): Fix {
  return { title, preferred, edits };
}

/** A list with that fix, or an empty one where there is no edit. */
export function fixWith(title: string, edit: Edit | null): Fix[] {
  return edit ? [fix(title, [edit])] : [];
}

/** The last element of the initialiser that stands at `place` (`{ … }`, or the name in front of it) gets a successor. */
export function appendElement(text: string, place: Place, element: string): Edit | null {
  const open = initialiserAt(text, place);
  const close = open === null ? null : closing(text, open);
  if (open === null || close === null) return null;
  const last = lastSignificant(text, open, close);
  const lineBreak = text.slice(last + 1, close).includes('\n');
  const comma = text[last] === ',' || last === open ? '' : ',';
  const indent = lineBreak ? indentOf(text, last === open ? close : last) + (last === open ? '\t' : '') : '';
  const separator = lineBreak ? `\n${indent}` : ' ';
  const end = lineBreak && element !== '{ }' ? ',' : last === open && !lineBreak ? ' ' : '';
  return { place: at(place, last + 1, last + 1), text: `${comma}${separator}${element}${end}` };
}

/** A member's value together with the `.member =` in front of it, where that is written. */
export function withDesignator(text: string, place: Place): Place {
  const from = Math.max(0, place.start - 200);
  const designator = /\.\w+\s*=\s*$/.exec(text.slice(from, place.start));
  return designator ? { ...place, start: from + designator.index } : place;
}

/** Takes away the element at `place` with the comma and the blanks behind it. */
export function removeElement(text: string, place: Place): Edit {
  let end = place.end;
  const comma = /^\s*,/.exec(text.slice(end, end + 200));
  if (comma) end += comma[0].length;
  const lineStart = text.lastIndexOf('\n', place.start - 1) + 1;
  const rest = /^[ \t]*\r?\n/.exec(text.slice(end, end + 200));
  if (rest && text.slice(lineStart, place.start).trim() === '') {
    return { place: at(place, lineStart, end + rest[0].length), text: '' };
  }
  const blanks = /^[ \t]*/.exec(text.slice(end, end + 200));
  return { place: at(place, place.start, end + (blanks?.[0].length ?? 0)), text: '' };
}

/** Replaces the only occurrence of `old` within `place`. */
export function replaceWithin(text: string, place: Place, old: string, by: string): Edit | null {
  const within = text.slice(place.start, place.end);
  const first = within.indexOf(old);
  if (first < 0 || within.indexOf(old, first + 1) >= 0) return null;
  const start = place.start + first;
  return { place: at(place, start, start + old.length), text: by };
}

/** A new line behind the line on which `place` ends. */
export function lineAfter(text: string, place: Place, line: string): Edit {
  const end = text.indexOf('\n', place.end);
  if (end < 0) return { place: at(place, text.length, text.length), text: `\n${line}\n` };
  return { place: at(place, end + 1, end + 1), text: `${line}\n` };
}

/** A new line in front of the line on which `place` begins. */
export function lineBefore(text: string, place: Place, line: string): Edit {
  const start = text.lastIndexOf('\n', place.start - 1) + 1;
  return { place: at(place, start, start), text: `${line}\n` };
}

/** A new last line of a file. */
export function lastLine(text: string, place: Place, line: string): Edit {
  const newline = text === '' || text.endsWith('\n') ? '' : '\n';
  return { place: at(place, text.length, text.length), text: `${newline}${line}\n` };
}

function at(place: Place, start: number, end: number): Place {
  return { ...place, start, end };
}

function indentOf(text: string, offset: number): string {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart, lineStart + 200))?.[0] ?? '';
}

/** Offset of the `{` at the place, or of the one behind `name[…] =`. */
function initialiserAt(text: string, place: Place): number | null {
  if (text[place.start] === '{') return place.start;
  const behind = /^(?:\s|\[[^\]{}]{0,80}\])*=\s*\{/.exec(text.slice(place.end, place.end + 400));
  return behind ? place.end + behind[0].length - 1 : null;
}

/** Walks over code, skipping comments and literals; `visit` gets each character that counts and ends it with true. */
function walk(text: string, from: number, visit: (offset: number) => boolean): void {
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    const next = text[i + 1];
    if (c === '/' && next === '*') {
      const end = text.indexOf('*/', i + 2);
      if (end < 0) return;
      i = end + 1;
    } else if (c === '/' && next === '/') {
      const end = text.indexOf('\n', i);
      if (end < 0) return;
      i = end;
    } else if (c === '"' || c === "'") {
      let j = i + 1;
      while (j < text.length && text[j] !== c && text[j] !== '\n') j += text[j] === '\\' ? 2 : 1;
      i = j;
      if (visit(i)) return;
    } else if (visit(i)) return;
  }
}

function closing(text: string, open: number): number | null {
  let depth = 0;
  let found: number | null = null;
  walk(text, open, (i) => {
    if (text[i] === '{') depth++;
    else if (text[i] === '}') depth--;
    if (depth > 0) return false;
    found = i;
    return true;
  });
  return found;
}

/** The last character in front of the closing brace that is neither blank nor comment. */
function lastSignificant(text: string, open: number, close: number): number {
  let last = open;
  walk(text, open, (i) => {
    if (i >= close) return true;
    if (!/\s/.test(text[i] ?? '')) last = i;
    return false;
  });
  return last;
}
