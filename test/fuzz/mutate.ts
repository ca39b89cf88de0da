import type { Random } from '../execution/random';

/** What makes text difficult wherever it stands. */
const TROUBLE = [
  '\r',
  '\r\n',
  '\n',
  '\0',
  '\ufeff',
  '\u{1f600}',
  '\ud800',
  '\udc00',
  '\u2028',
  '\u202e',
  '\u001b[31m',
  '\t',
  '"',
  "'",
  '`',
  '\\',
  '/*',
  '*/',
  '//',
  '#',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ',',
  ';',
  ':',
  '%s%n',
  '..',
  '../../etc/passwd',
  '-1',
  '0',
  '4294967296',
  '9223372036854775808',
  '99999999999999999999999',
  '__proto__',
  'constructor',
  'toString',
];

/** A stretch of the text, mostly a short one: what breaks something is mostly small, and a small input is quick. */
export function stretch(random: Random, text: string, longest = 400, wholeOneIn = 4): string {
  if (random.below(wholeOneIn) === 0) return text;
  const at = random.below(text.length);
  return text.slice(at, at + 1 + random.below(longest));
}

/** The text with a few random changes: something out, in, twice, elsewhere, or from another text. */
export function mutated(
  random: Random,
  text: string,
  words: readonly string[],
  others: readonly string[] = [],
): string {
  let result = text;
  for (let left = 1 + random.below(random.below(3) === 0 ? 12 : 3); left > 0; left--)
    result = once(random, result, words, others);
  return result.slice(0, 60_000);
}

function once(random: Random, text: string, words: readonly string[], others: readonly string[]): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + random.below(random.below(4) === 0 ? 400 : 24));
  const insert = (what: string): string => text.slice(0, at) + what + text.slice(at);
  switch (random.below(11)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + random.pick(words) + text.slice(end);
    case 2:
      return insert(random.pick(words));
    case 3:
      return insert(random.pick(TROUBLE));
    case 4:
      return insert(text.slice(at, end));
    case 5: {
      const to = random.below(text.length + 1);
      return text.slice(0, to) + text.slice(at, end) + text.slice(to);
    }
    case 6: {
      const other = random.pick([text, ...others]);
      const from = random.below(other.length + 1);
      return insert(other.slice(from, from + random.below(300)));
    }
    case 7:
      return insert(random.pick([...TROUBLE, ...words]).repeat(1 + random.below(200)));
    case 8:
      return insert(String.fromCharCode(random.below(random.below(2) === 0 ? 128 : 65_536)));
    case 9:
      return line(random, text, words);
    default:
      return text.slice(0, at);
  }
}

/** A whole line goes, comes twice, or becomes another. */
function line(random: Random, text: string, words: readonly string[]): string {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  const kept = lines[at] ?? '';
  const instead = random.pick([[], [kept, kept], [random.pick(words)], [kept.trim()], [`  ${kept}`]]);
  lines.splice(at, 1, ...instead);
  return lines.join('\n');
}

/** Numbers that headers choke on. */
const NUMBERS = [0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff];

/** The bytes with some of them, or whole fields, overwritten; sometimes cut short or grown. */
export function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  let copy = Uint8Array.from(bytes);
  for (let left = 1 + random.below(6); left > 0; left--) {
    const at = random.below(copy.length + 1);
    const kind = random.below(8);
    if (kind === 0) copy = copy.slice(0, at);
    else if (kind === 1) copy = Uint8Array.from([...copy, ...copy.subarray(at, at + random.below(200))]);
    else if (kind < 4) copy[at] = random.below(256);
    else {
      const size = random.pick([2, 4, 8]);
      let value = random.below(3) === 0 ? random.below(copy.length + 1) : random.pick(NUMBERS);
      const aligned = at - (at % size);
      for (let i = 0; i < size && aligned + i < copy.length; i++) {
        copy[aligned + i] = value & 0xff;
        value = i === 3 ? 0 : value >>> 8;
      }
    }
  }
  return copy;
}
