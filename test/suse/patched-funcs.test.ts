import { expect, test } from 'vitest';
import { readPatchedFuncs } from '../../server/src/core/csource/dialects/patched-funcs';

/** The rows with the text that their places cut out. */
function rows(text: string): unknown[] {
  return readPatchedFuncs(text).rows.map(({ object, old, sympos, replacement, condition, place }) => {
    for (const field of [object, old, replacement, ...(condition ? [condition] : [])])
      expect(text.slice(field.start, field.end)).toBe(field.text);
    return [
      object.text,
      old.text,
      sympos,
      replacement.text,
      condition?.text ?? null,
      text.slice(place.start, place.end),
    ];
  });
}

test('fields are parted by blanks and tabs, and what is left is the condition', () => {
  expect(rows('vmlinux do_one klpp_do_one\n')).toEqual([
    ['vmlinux', 'do_one', null, 'klpp_do_one', null, 'vmlinux do_one klpp_do_one'],
  ]);
  expect(rows('  net_mod\ttwo,3 \t klpp_two  IS_ENABLED(CONFIG_A) && defined(B)\t\r\n')).toEqual([
    [
      'net_mod',
      'two',
      '3',
      'klpp_two',
      'IS_ENABLED(CONFIG_A) && defined(B)',
      'net_mod\ttwo,3 \t klpp_two  IS_ENABLED(CONFIG_A) && defined(B)',
    ],
  ]);
});

test('empty lines and comments are passed over, and the last row needs no line break', () => {
  expect(rows('# object old new\n\n \t\nvmlinux a klpp_a\n  # more\nvmlinux b klpp_b')).toHaveLength(2);
});

test('a replacement may be a macro that names a system call', () => {
  expect(rows('vmlinux __x64_sys_openat KLP_SYSCALL_SYM(klpp_openat)')).toEqual([
    [
      'vmlinux',
      '__x64_sys_openat',
      null,
      'KLP_SYSCALL_SYM(klpp_openat)',
      null,
      'vmlinux __x64_sys_openat KLP_SYSCALL_SYM(klpp_openat)',
    ],
  ]);
});

test.each([
  ['vmlinux', 'names no function'],
  ['vmlinux do_one', 'names no replacement'],
  ['net/mod a klpp_a', 'net/mod is no name of an object'],
  ['vmlinux do_one,first klpp_do_one', 'do_one,first is no function'],
  ['vmlinux do_one, klpp_do_one', 'do_one, is no function'],
  ['vmlinux do_one "klpp_do_one"', '"klpp_do_one" is no name of a function'],
  ['vmlinux do_one },{', '},{ is no name of a function'],
])('%s is left out and said at its place', (row, words) => {
  const text = `vmlinux a klpp_a\n\t${row} \nvmlinux b klpp_b\n`;
  const { rows: read, problems } = readPatchedFuncs(text);
  expect(read.map(({ old }) => old.text)).toEqual(['a', 'b']);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.message).toContain(words);
  expect(problems[0]?.message).toContain('OBJECT OLD_FUNCTION[,SYMPOS] NEW_FUNCTION [CONDITION]');
  const { start = 0, end = 0 } = problems[0]?.place ?? {};
  expect(text.slice(start, end)).toBe(row);
});
