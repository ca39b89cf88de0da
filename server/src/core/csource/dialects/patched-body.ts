import type { KnownLine } from './patched-file';
import type { Piece } from './patched-items';

/** What is shown of a function, closed where it is cut off. */
export interface ShownBody {
  /** The lines of its head with the opening brace; null where the head is not shown. */
  readonly opening: readonly KnownLine[] | null;
  /** Lines of the function, and between them what is made up so that brackets match. */
  readonly lines: readonly (KnownLine | string)[];
}

interface Count {
  /** Brackets open behind the line. */
  readonly parentheses: number;
  readonly braces: number;
  readonly lowest: number;
  /** The line ends inside of a comment. */
  readonly comment: boolean;
}

/** The parts of one function that diffs show, joined into one body. */
export function bodyOf(parts: readonly Piece[]): ShownBody {
  let opening: KnownLine[] | null = null;
  const lines: (KnownLine | string)[] = [];
  for (const part of parts) {
    let shown = part.stretch.lines.slice(part.from, part.to);
    if (part.kind === 'head') {
      const brace = shown.findIndex((line) => /\{\s*(?:\/\*.*)?$/.test(line.text));
      const head = brace < 0 ? null : shown.slice(0, brace + 1);
      shown = brace < 0 ? [] : shown.slice(brace + 1);
      if (opening === null && head) opening = head;
    } else {
      // The head of the function may be shown in part: `\tint b)` and `{`.
      const brace = shown.findIndex((line) => line.text.startsWith('{'));
      if (brace >= 0) shown = shown.slice(brace + 1);
      if (shown[shown.length - 1]?.text.startsWith('}')) shown = shown.slice(0, -1);
    }
    lines.push(...closed(shown));
  }
  return { opening, lines };
}

/** A run of lines out of a body, made whole: what is cut off inside of parentheses goes, braces get partners. */
function closed(shown: readonly KnownLine[]): (KnownLine | string)[] {
  const start: Count = { parentheses: 0, braces: 0, lowest: 0, comment: false };
  let from = 0;
  let state = start;
  let kept = { to: 0, state };
  const quiet = shown.filter((line) => !/^\s*#/.test(line.text));
  for (let at = 0; at < quiet.length; at++) {
    const text = quiet[at]?.text ?? '';
    const ends = !state.comment && text.includes('*/') && !text.includes('/*');
    if (!ends) state = count(text, state);
    if (ends || state.parentheses < 0) {
      // The statement or comment began above: forget what was taken of it so far.
      from = at + 1;
      state = start;
      kept = { to: from, state };
    } else if (!state.comment && state.parentheses === 0 && /[;{}:/]\s*(?:\/[*/].*)?$|^\s*$/.test(text))
      kept = { to: at + 1, state };
  }
  if (kept.to <= from) return [];
  const { lowest, braces } = kept.state;
  const before = Array.from({ length: -lowest }, () => 'if (klp_not_shown) {');
  const behind = Array.from({ length: braces - lowest }, () => '}');
  return [...before, ...quiet.slice(from, kept.to), ...behind];
}

function count(text: string, before: Count): Count {
  let { parentheses, braces, lowest, comment } = before;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (comment) {
      const end = text.indexOf('*/', i);
      if (end < 0) break;
      comment = false;
      i = end + 1;
    } else if (c === '/' && text[i + 1] === '*') {
      comment = true;
      i++;
    } else if (c === '/' && text[i + 1] === '/') break;
    else if (c === '"' || c === "'") {
      for (i++; i < text.length && text[i] !== c; i++) if (text[i] === '\\') i++;
    } else if (c === '(') parentheses++;
    else if (c === ')') parentheses--;
    else if (c === '{') braces++;
    else if (c === '}') lowest = Math.min(lowest, --braces);
  }
  return { parentheses, braces, lowest, comment };
}
