import { FIRST_ON_LINE, lex, PUNCTUATOR, type Tokens } from '../csource/lexer';
import type { Span } from '../place';

const OPEN = 123;
const CLOSE = 125;
const COMMA = 44;
const EQUALS = 61;
const HASH = 35;

/** One element of an initialiser as it stands in the text; offsets in UTF-16 units. */
export interface TableElement extends Span {
  /** `.name`, `.callbacks.post_patch`, `[0]` as written but without blanks; empty for a positional element. */
  readonly designator: string;
  readonly value: Span;
  /** The value is a list in braces. */
  readonly list: boolean;
}

/** An initialiser `{ … }` in a text: `start` is the offset of its brace, `end` the one behind the closing brace. */
export interface TableList extends Span {
  readonly elements: readonly TableElement[];
  /** There is a preprocessor line in it: what the compiler sees of it cannot be told from the text. */
  readonly conditional: boolean;
}

/** The initialisers of one text by their tokens: for changing them without touching anything else. */
export class TableText {
  readonly #tokens: Tokens;

  constructor(readonly text: string) {
    this.#tokens = lex(text);
  }

  /** The initialiser of the variable whose definition is the stretch `item`, or null where that has no `= {`. */
  ofVariable(item: Span): TableList | null {
    const { kind, id, start, count } = this.#tokens;
    let depth = 0;
    for (let i = this.#first(item.start); i < count && (start[i] as number) < item.end; i++) {
      if (kind[i] !== PUNCTUATOR) continue;
      if (id[i] === OPEN) depth++;
      else if (id[i] === CLOSE) depth--;
      else if (id[i] === EQUALS && depth === 0) {
        return kind[i + 1] === PUNCTUATOR && id[i + 1] === OPEN ? this.#list(i + 1) : null;
      }
    }
    return null;
  }

  /** The list in braces that begins at this offset. */
  at(offset: number): TableList | null {
    const i = this.#first(offset);
    const { kind, id, start, count } = this.#tokens;
    return i < count && start[i] === offset && kind[i] === PUNCTUATOR && id[i] === OPEN
      ? this.#list(i)
      : null;
  }

  /** The offset behind a comma that is the next token at or after `offset`, or null where another token follows. */
  pastComma(offset: number): number | null {
    const i = this.#first(offset);
    const { kind, id, end, count } = this.#tokens;
    return i < count && kind[i] === PUNCTUATOR && id[i] === COMMA ? (end[i] as number) : null;
  }

  /** Whether the token at this offset is the first one on its line. */
  firstOnLine(offset: number): boolean {
    const i = this.#first(offset);
    return ((this.#tokens.flags[i] as number) & FIRST_ON_LINE) !== 0;
  }

  /** Whether a token stands on the line behind `offset`. */
  moreOnLine(offset: number): boolean {
    const i = this.#first(offset);
    const { flags, count } = this.#tokens;
    return i < count && ((flags[i] as number) & FIRST_ON_LINE) === 0;
  }

  /** The blanks that begin the line of `offset`. */
  indentAt(offset: number): string {
    const from = lineStart(this.text, offset);
    return /^[ \t]*/.exec(this.text.slice(from, Math.min(offset, from + 200)))?.[0] ?? '';
  }

  /** Index of the first token that starts at or after `offset`. */
  #first(offset: number): number {
    const { start, count } = this.#tokens;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((start[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #list(open: number): TableList | null {
    const { kind, id, start, end, flags, count } = this.#tokens;
    const elements: TableElement[] = [];
    let conditional = false;
    let depth = 1;
    let from = open + 1;
    let equals = -1;
    const push = (to: number): void => {
      if (to <= from) return;
      const value = equals < 0 ? from : equals + 1;
      if (value >= to) return;
      let designator = '';
      for (let k = from; k < equals; k++) designator += this.text.slice(start[k], end[k]);
      elements.push({
        start: start[from] as number,
        end: end[to - 1] as number,
        designator,
        value: { start: start[value] as number, end: end[to - 1] as number },
        list: kind[value] === PUNCTUATOR && id[value] === OPEN,
      });
    };
    for (let i = open + 1; i < count; i++) {
      if (kind[i] !== PUNCTUATOR) continue;
      const what = id[i] as number;
      if (what === HASH && ((flags[i] as number) & FIRST_ON_LINE) !== 0) conditional = true;
      else if (what === OPEN || what === 40 || what === 91) depth++;
      else if (what === CLOSE || what === 41 || what === 93) {
        depth--;
        if (depth > 0) continue;
        push(i);
        return { start: start[open] as number, end: end[i] as number, elements, conditional };
      } else if (depth === 1 && what === COMMA) {
        push(i);
        from = i + 1;
        equals = -1;
      } else if (depth === 1 && what === EQUALS && equals < 0) equals = i;
    }
    return null;
  }
}

/** The offset of the beginning of the line of `offset`. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** The beginning of the comment that stands directly above a line, or the line itself. */
export function aboveComment(text: string, line: number): number {
  let at = line;
  for (let lines = 0; lines < 60 && at > 0; lines++) {
    const previous = lineStart(text, at - 1);
    const words = text.slice(previous, at).trim();
    if (words.startsWith('/*') || words.startsWith('//')) {
      at = previous;
      if (words.startsWith('/*')) return at;
    } else if (words.startsWith('*') && (lines > 0 || words.endsWith('*/'))) at = previous;
    else return lines > 0 && text.slice(at).startsWith('//') ? at : line;
  }
  return line;
}
