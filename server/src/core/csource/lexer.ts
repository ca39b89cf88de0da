import { names } from './names';

/** Kinds of tokens. */
export const END = 0;
export const NAME = 1;
export const NUMBER = 2;
export const STRING = 3;
export const CHARACTER = 4;
export const PUNCTUATOR = 5;
/** A character that C has no use for. */
export const STRAY = 6;

/** Flags of tokens. */
export const FIRST_ON_LINE = 1;
export const SPACE_BEFORE = 2;

/** Numbers of punctuators: the character's code, or one of these for longer ones. */
export const ARROW = 128;
export const INCREMENT = 129;
export const DECREMENT = 130;
export const SHIFT_LEFT = 131;
export const SHIFT_RIGHT = 132;
export const LESS_EQUAL = 133;
export const GREATER_EQUAL = 134;
export const EQUAL = 135;
export const NOT_EQUAL = 136;
export const AND_AND = 137;
export const OR_OR = 138;
export const ELLIPSIS = 139;
export const PASTE = 140;
/** `op=` is the number of `op` plus this. */
export const ASSIGN = 256;

/** The tokens of one text, without its comments and white space. Offsets in UTF-16 units from 0. */
export interface Tokens {
  readonly text: string;
  readonly count: number;
  readonly kind: Uint8Array;
  readonly flags: Uint8Array;
  /** Number of the name (names.ts) or punctuator; 0 for the rest. */
  readonly id: Int32Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Indices of the `#` that begin a directive. */
  readonly directives: readonly number[];
  /** Starts and ends, in turn, of the comments that hold `livepatch-ignore`. */
  readonly notes: readonly number[];
}

const SPACE = 1;
const NEWLINE = 2;
const LETTER = 3;
const DIGIT = 4;
const classes = new Uint8Array(128);
for (const c of '\0\t\v\f ') classes[c.charCodeAt(0)] = SPACE;
classes[10] = NEWLINE;
classes[13] = NEWLINE;
for (let c = 48; c < 58; c++) classes[c] = DIGIT;
for (let c = 65; c < 91; c++) classes[c] = classes[c + 32] = LETTER;
classes[95] = LETTER;
classes[36] = LETTER;

const NOTE = 'livepatch-ignore';

/** How far behind a token its reader may look: `...` at its first dot, `u8` at a quote. */
const LOOKAHEAD = 2;

/** What two texts begin and end with alike, in UTF-16 units; the two do not overlap. */
function alike(before: string, after: string): readonly [start: number, end: number] {
  const most = Math.min(before.length, after.length);
  let start = 0;
  let end = 0;
  // Slices are compared at once, characters are not.
  for (let step = most; step > 0; step >>= 1) {
    while (start + step <= most && before.slice(start, start + step) === after.slice(start, start + step))
      start += step;
    while (
      start + end + step <= most &&
      before.slice(before.length - end - step, before.length - end) ===
        after.slice(after.length - end - step, after.length - end)
    )
      end += step;
  }
  return [start, Math.min(end, most - start)];
}

/**
 * Takes a text apart. Never fails: an unterminated comment reaches to the end of the text, an unterminated string
 * to the end of its line, and what is no token of C is STRAY. With the tokens of an earlier text, only what an edit
 * can have changed is read; the answer is the same.
 */
export function lex(text: string, earlier: Tokens | null = null): Tokens {
  const length = text.length;
  let capacity = (earlier === null ? Math.ceil(length / 5) : earlier.count) + 32;
  let kind = new Uint8Array(capacity);
  let flags = new Uint8Array(capacity);
  let id = new Int32Array(capacity);
  let start = new Int32Array(capacity);
  let end = new Int32Array(capacity);
  const directives: number[] = [];
  const notes: number[] = [];
  const hasNotes = text.includes(NOTE);
  let n = 0;
  let flag = FIRST_ON_LINE;
  let i = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  /** From here on the text is the earlier one's, whose token with the number `next` is the next to begin. */
  let same = Number.POSITIVE_INFINITY;
  let next = 0;
  let moved = 0;
  if (earlier !== null) {
    const [begin, finish] = alike(earlier.text, text);
    moved = length - earlier.text.length;
    same = length - finish;
    let low = 0;
    for (let high = earlier.count; low < high; ) {
      const middle = (low + high) >> 1;
      if ((earlier.end[middle] as number) + LOOKAHEAD <= begin) low = middle + 1;
      else high = middle;
    }
    // A stray backslash looks for the end of its line behind any number of blanks.
    while (low > 0 && earlier.kind[low - 1] === STRAY) low--;
    next = low;
    if (low > 0) {
      n = low;
      i = earlier.end[low - 1] as number;
      flag = 0;
      kind.set(earlier.kind.subarray(0, n));
      flags.set(earlier.flags.subarray(0, n));
      id.set(earlier.id.subarray(0, n));
      start.set(earlier.start.subarray(0, n));
      end.set(earlier.end.subarray(0, n));
      for (const at of earlier.directives) if (at < n) directives.push(at);
      for (let at = 0; at < earlier.notes.length; at += 2) {
        const [from, to] = [earlier.notes[at] as number, earlier.notes[at + 1] as number];
        if (from < i) notes.push(from, to);
      }
    }
  }
  while (i < length) {
    const c = text.charCodeAt(i);
    const of = c < 128 ? (classes[c] as number) : c === 0xa0 || c === 0x2028 || c === 0x2029 ? SPACE : LETTER;
    if (of === SPACE) {
      flag |= SPACE_BEFORE;
      i++;
      continue;
    }
    if (of === NEWLINE) {
      flag = FIRST_ON_LINE | SPACE_BEFORE;
      i++;
      continue;
    }
    if (i >= same && earlier !== null) {
      while (next < earlier.count && (earlier.start[next] as number) + moved < i) next++;
      if (next < earlier.count && (earlier.start[next] as number) + moved === i) {
        return endedAs(
          earlier,
          next,
          moved,
          { text, count: n, kind, flags, id, start, end, directives, notes },
          flag,
        );
      }
    }
    if (n + 1 >= capacity) {
      capacity *= 2;
      kind = grown(kind, new Uint8Array(capacity));
      flags = grown(flags, new Uint8Array(capacity));
      id = grown(id, new Int32Array(capacity));
      start = grown(start, new Int32Array(capacity));
      end = grown(end, new Int32Array(capacity));
    }
    const from = i;
    let what = PUNCTUATOR;
    let number = 0;
    if (of === LETTER) {
      let hash = c;
      let d = c;
      i++;
      while (i < length) {
        d = text.charCodeAt(i);
        if (d < 128 ? (classes[d] as number) < LETTER : d === 0xa0 || d === 0x2028 || d === 0x2029) break;
        hash = (Math.imul(hash, 31) + d) | 0;
        i++;
      }
      if ((d === 34 || d === 39) && i - from <= 2 && isEncodingPrefix(c, text, from, i)) {
        i = literalEnd(text, i, d);
        what = d === 34 ? STRING : CHARACTER;
      } else {
        what = NAME;
        number = names.slice(text, from, i, hash);
      }
    } else if (of === DIGIT || (c === 46 && isDigit(text.charCodeAt(i + 1)))) {
      what = NUMBER;
      i = numberEnd(text, i);
    } else if (c === 34 || c === 39) {
      what = c === 34 ? STRING : CHARACTER;
      i = literalEnd(text, i, c);
    } else if (c === 47 && text.charCodeAt(i + 1) === 42) {
      const close = text.indexOf('*/', i + 2);
      i = close < 0 ? length : close + 2;
      if (hasNotes && holdsNote(text, from, i)) notes.push(from, i);
      flag |= SPACE_BEFORE;
      continue;
    } else if (c === 47 && text.charCodeAt(i + 1) === 47) {
      i = lineEnd(text, i);
      if (hasNotes && holdsNote(text, from, i)) notes.push(from, i);
      flag |= SPACE_BEFORE;
      continue;
    } else if (c === 92) {
      const after = continuation(text, i);
      if (after > 0) {
        i = after;
        flag |= SPACE_BEFORE;
        continue;
      }
      what = STRAY;
      i++;
    } else {
      const found = punctuator(text, i, c);
      number = found & 0xfff;
      i += found >> 12;
      if (number === 0) what = STRAY;
      if (number === 35 && (flag & FIRST_ON_LINE) !== 0) directives.push(n);
    }
    kind[n] = what;
    flags[n] = flag;
    id[n] = number;
    start[n] = from;
    end[n] = i;
    n++;
    flag = 0;
  }
  kind[n] = END;
  flags[n] = FIRST_ON_LINE;
  start[n] = length;
  end[n] = length;
  return { text, count: n, kind, flags, id, start, end, directives, notes };
}

/** The rest of the tokens is that of an earlier text from its token `next` on, `moved` characters further. */
function endedAs(earlier: Tokens, next: number, moved: number, begun: Tokens, flag: number): Tokens {
  const { text, count: n, directives, notes } = begun;
  const rest = earlier.count + 1 - next;
  const size = n + rest;
  const fits = size <= begun.kind.length;
  const kind = fits ? begun.kind : grown(begun.kind.subarray(0, n), new Uint8Array(size + 32));
  const flags = fits ? begun.flags : grown(begun.flags.subarray(0, n), new Uint8Array(size + 32));
  const id = fits ? begun.id : grown(begun.id.subarray(0, n), new Int32Array(size + 32));
  const start = fits ? begun.start : grown(begun.start.subarray(0, n), new Int32Array(size + 32));
  const end = fits ? begun.end : grown(begun.end.subarray(0, n), new Int32Array(size + 32));
  kind.set(earlier.kind.subarray(next, next + rest), n);
  flags.set(earlier.flags.subarray(next, next + rest), n);
  id.set(earlier.id.subarray(next, next + rest), n);
  flags[n] = flag;
  for (let k = 0; k < rest; k++) {
    start[n + k] = (earlier.start[next + k] as number) + moved;
    end[n + k] = (earlier.end[next + k] as number) + moved;
  }
  // Whether the first of them stands at the start of its line may be another matter now.
  const isHash = kind[n] === PUNCTUATOR && id[n] === 35;
  if (isHash && (flag & FIRST_ON_LINE) !== 0) (directives as number[]).push(n);
  for (const at of earlier.directives) if (at > next) (directives as number[]).push(at - next + n);
  const from = earlier.start[next] as number;
  for (let at = 0; at < earlier.notes.length; at += 2) {
    const note = earlier.notes[at] as number;
    if (note > from) (notes as number[]).push(note + moved, (earlier.notes[at + 1] as number) + moved);
  }
  return { text, count: size - 1, kind, flags, id, start, end, directives, notes };
}

function grown<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function isDigit(c: number): boolean {
  return c >= 48 && c < 58;
}

function isEncodingPrefix(c: number, text: string, from: number, to: number): boolean {
  if (to - from === 1) return c === 76 || c === 85 || c === 117;
  return c === 117 && text.charCodeAt(from + 1) === 56;
}

/** Behind the backslash-newline at `i`, or 0 if there is none. Blanks between the two are let pass, as GCC does. */
function continuation(text: string, i: number): number {
  let j = i + 1;
  let c = text.charCodeAt(j);
  while (c === 32 || c === 9) c = text.charCodeAt(++j);
  if (c === 10) return j + 1;
  if (c === 13) return text.charCodeAt(j + 1) === 10 ? j + 2 : j + 1;
  return 0;
}

function lineEnd(text: string, i: number): number {
  for (;;) {
    while (i < text.length) {
      const c = text.charCodeAt(i);
      if (c === 10 || c === 13) break;
      i++;
    }
    if (i >= text.length || text.charCodeAt(i - 1) !== 92) return i;
    i += text.charCodeAt(i) === 13 && text.charCodeAt(i + 1) === 10 ? 2 : 1;
  }
}

function literalEnd(text: string, i: number, quote: number): number {
  i++;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === quote) return i + 1;
    if (c === 10 || c === 13) return i;
    if (c === 92) {
      const after = continuation(text, i);
      i = after > 0 ? after : i + 2;
    } else i++;
  }
  return text.length;
}

function numberEnd(text: string, i: number): number {
  i++;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c < 128 ? (classes[c] as number) >= LETTER || c === 46 : c > 0xa0 && c !== 0x2028 && c !== 0x2029)
      i++;
    else if ((c === 43 || c === 45) && isExponent(text, i)) i++;
    else break;
  }
  return i;
}

function isExponent(text: string, i: number): boolean {
  const c = text.charCodeAt(i - 1) | 32;
  if (c === 112) return true;
  if (c !== 101) return false;
  // 0xe+1 is an addition for every author and a single number only for the standard.
  let from = i - 1;
  while (from > 0 && (isDigit(text.charCodeAt(from - 1)) || text.charCodeAt(from - 1) === 46)) from--;
  return (text.charCodeAt(from - 1) | 32) !== 120;
}

function holdsNote(text: string, from: number, to: number): boolean {
  const at = text.indexOf(NOTE, from);
  return at >= 0 && at < to;
}

/** Number of the punctuator at `i` in the low 12 bits, its length above; number 0 for a stray character. */
function punctuator(text: string, i: number, c: number): number {
  const next = text.charCodeAt(i + 1);
  switch (c) {
    case 35:
      return next === 35 ? one(PASTE, 2) : one(35, 1);
    case 45:
      if (next === 62) return one(ARROW, 2);
      if (next === 45) return one(DECREMENT, 2);
      return next === 61 ? one(45 + ASSIGN, 2) : one(45, 1);
    case 43:
      if (next === 43) return one(INCREMENT, 2);
      return next === 61 ? one(43 + ASSIGN, 2) : one(43, 1);
    case 60:
      if (next === 60) {
        return text.charCodeAt(i + 2) === 61 ? one(SHIFT_LEFT + ASSIGN, 3) : one(SHIFT_LEFT, 2);
      }
      return next === 61 ? one(LESS_EQUAL, 2) : one(60, 1);
    case 62:
      if (next === 62) {
        return text.charCodeAt(i + 2) === 61 ? one(SHIFT_RIGHT + ASSIGN, 3) : one(SHIFT_RIGHT, 2);
      }
      return next === 61 ? one(GREATER_EQUAL, 2) : one(62, 1);
    case 61:
      return next === 61 ? one(EQUAL, 2) : one(61, 1);
    case 33:
      return next === 61 ? one(NOT_EQUAL, 2) : one(33, 1);
    case 38:
      if (next === 38) return one(AND_AND, 2);
      return next === 61 ? one(38 + ASSIGN, 2) : one(38, 1);
    case 124:
      if (next === 124) return one(OR_OR, 2);
      return next === 61 ? one(124 + ASSIGN, 2) : one(124, 1);
    case 42:
    case 47:
    case 37:
    case 94:
      return next === 61 ? one(c + ASSIGN, 2) : one(c, 1);
    case 46:
      return next === 46 && text.charCodeAt(i + 2) === 46 ? one(ELLIPSIS, 3) : one(46, 1);
    case 40:
    case 41:
    case 44:
    case 58:
    case 59:
    case 63:
    case 91:
    case 93:
    case 123:
    case 125:
    case 126:
      return one(c, 1);
    default:
      return one(0, 1);
  }
}

function one(number: number, length: number): number {
  return number | (length << 12);
}
