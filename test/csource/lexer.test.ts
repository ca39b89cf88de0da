import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHARACTER,
  FIRST_ON_LINE,
  lex,
  NAME,
  NUMBER,
  PUNCTUATOR,
  SPACE_BEFORE,
  STRAY,
  STRING,
  type Tokens,
} from '../../server/src/core/csource/lexer';

function texts(text: string): string[] {
  const tokens = lex(text);
  return Array.from({ length: tokens.count }, (_, i) => text.slice(tokens.start[i], tokens.end[i]));
}

function kinds(text: string): number[] {
  const tokens = lex(text);
  return [...tokens.kind.subarray(0, tokens.count)];
}

test('takes the longest punctuator', () => {
  expect(texts('a<<=b>>c->d...e##f!=g&&h||i++--j')).toEqual(
    'a <<= b >> c -> d ... e ## f != g && h || i ++ -- j'.split(' '),
  );
});

test('tells names, numbers, strings, characters and strays apart', () => {
  expect(kinds(`x 0x1fUL 1.5e-3 .5 "s" 'c' L"w" u8"x" @ ;`)).toEqual([
    NAME,
    NUMBER,
    NUMBER,
    NUMBER,
    STRING,
    CHARACTER,
    STRING,
    STRING,
    STRAY,
    PUNCTUATOR,
  ]);
});

test('0xe+1 is an addition', () => {
  expect(texts('0xe+1 1e+1')).toEqual(['0xe', '+', '1', '1e+1']);
});

test('steps over comments, continued lines and carriage returns', () => {
  expect(texts('a/* b */c // d \\\n e\nf\\\ng\r\nh\ri')).toEqual(['a', 'c', 'f', 'g', 'h', 'i']);
});

test('an unterminated string ends with its line, an unterminated comment with the text', () => {
  expect(texts('"abc\nd /* e')).toEqual(['"abc', 'd']);
  expect(texts(`'\nx`)).toEqual([`'`, 'x']);
  expect(texts('"a\\\nb" c')).toEqual(['"a\\\nb"', 'c']);
});

test('a byte order mark and NUL bytes are blanks', () => {
  expect(texts('\ufeffint\0x')).toEqual(['int', 'x']);
});

test('knows where lines begin and where blanks stand', () => {
  const tokens = lex('a b\n  #define c\n#');
  const flags = [...tokens.flags.subarray(0, tokens.count)];
  expect(flags.map((flag) => (flag & FIRST_ON_LINE) !== 0)).toEqual([true, false, true, false, false, true]);
  expect(flags.map((flag) => (flag & SPACE_BEFORE) !== 0)).toEqual([false, true, true, false, true, true]);
  expect(tokens.directives).toEqual([2, 5]);
});

test('a continued line is one line', () => {
  const tokens = lex('#define a \\\n b\nc');
  expect([...tokens.flags.subarray(0, tokens.count)].map((flag) => flag & FIRST_ON_LINE)).toEqual([
    1, 0, 0, 0, 1,
  ]);
});

test('one name is one number', () => {
  const tokens = lex('abc x abc "abc" abcd');
  expect(tokens.id[0]).toBe(tokens.id[2]);
  expect(tokens.id[0]).not.toBe(tokens.id[1]);
  expect(tokens.id[4]).not.toBe(tokens.id[0]);
});

test('an astral character is part of a name', () => {
  expect(texts('a\u{1d4d0}b + c')).toEqual(['a\u{1d4d0}b', '+', 'c']);
});

const PIECES = [
  'abc',
  '0x1f',
  '"s"',
  '"',
  "'",
  '/*',
  '*/',
  '//',
  '\\\n',
  '\n',
  '\r\n',
  '\r',
  ' ',
  '#',
  '##',
  '...',
  '->',
  '<<=',
  '\0',
  '\u{1f600}',
  '\ud800',
  '@',
  '\u2028',
];

test('tokens are in order, never empty, and leave out nothing but blanks and comments', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })), { maxLength: 60 }),
      (parts) => {
        const text = parts.join('');
        const tokens = lex(text);
        let at = 0;
        for (let i = 0; i < tokens.count; i++) {
          const start = tokens.start[i] as number;
          const end = tokens.end[i] as number;
          expect(start).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          const between = text.slice(at, start);
          expect(
            /^\/[/*]/.test(between.replace(/^(?:\s|\0|\ufeff|\\[ \t]*(?:\r\n|\r|\n))+/, '')) ||
              /^[\s\0\ufeff\\]*$/.test(between),
          ).toBe(true);
          at = end;
        }
      },
    ),
  );
});

test('five million characters on one line are read within the time limit of a test', () => {
  const text = `${'x+1;'.repeat(600_000)}"${'y'.repeat(2_000_000)}${'/* '.repeat(200_000)}`;
  const tokens = lex(text);
  expect(tokens.count).toBe(600_000 * 4 + 1);
});

describe('with the tokens of an earlier text', () => {
  /** All that stands in them, without what is allocated beyond. */
  function all({ text, count, kind, flags, id, start, end, directives, notes }: Tokens): unknown {
    const used = [kind, flags, id, start, end].map((array) => [...array.subarray(0, count + 1)]);
    return { text, count, used, directives, notes };
  }

  const PIECES = [
    'a',
    'bc',
    'L',
    'u8',
    '0x1e',
    '1e',
    '+',
    '-',
    '.',
    '..',
    '...',
    '"',
    "'",
    'x"y"',
    '/*',
    '*/',
    '//',
    '\\',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '#',
    '##',
    '#define A',
    '<<=',
    '=',
    '{',
    '}',
    ';',
    '/* livepatch-ignore */',
    '// livepatch-ignore x',
    '@',
    '\u00a0',
    '\ufeff',
    '\0',
    '😀',
    '->',
  ];
  const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 24 }).map((pieces) => pieces.join(''));

  test('gives what reading all of it gives', () => {
    fc.assert(
      fc.property(text, text, text, text, (before, gone, come, after) => {
        const earlier = lex(before + gone + after);
        const now = before + come + after;
        expect(all(lex(now, earlier))).toEqual(all(lex(now)));
      }),
      { numRuns: 20_000, seed: 7 },
    );
  });

  test.each([
    ['a stray backslash becomes a continued line', 'a \\     b\nc', 'a \\     \nb\nc'],
    ['a directive loses its line', 'x\n#define A\ny', 'x #define A\ny'],
    ['a hash comes to begin its line', 'x #define A\ny', 'x\n#define A\ny'],
    ['a comment opens over all that follows', 'a b c d', 'a /* b c d'],
    ['a comment closes', 'a /* b c d', 'a /* b */ c d'],
    ['nothing changes', 'a b', 'a b'],
    ['all goes', 'a b', ''],
    ['all comes', '', 'a b'],
    ['a note comes between tokens', 'a b', 'a /* livepatch-ignore */ b'],
    [
      'notes move',
      'a /* livepatch-ignore */ b // livepatch-ignore\nc',
      'aa a /* livepatch-ignore */ b // livepatch-ignore\nc',
    ],
  ])('%s', (_, before, now) => expect(all(lex(now, lex(before)))).toEqual(all(lex(now))));
});
