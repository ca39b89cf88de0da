import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { offsetOf, sizeOf } from '../../server/src/core/csource/layout';
import { read } from './reader';

const STRUCTS = `
struct a { char c; int i; char d; };
struct b { char c; long l; short s; } ;
struct c { char c; struct a a; char d[3]; };
struct d { char c; int i; } __attribute__((packed));
struct e { unsigned int x : 3, y : 5; unsigned int z : 30; char c; };
struct f { unsigned char x : 3; unsigned short y : 9; int : 0; char z; };
union g { char c[5]; int i; };
struct h { struct { char c; long l; }; union { int i; char d; }; char last; };
struct i { int n; long flexible[]; };
struct j { void (*f)(int); char c[2][3]; _Bool b; };
struct k { long l : 40; long m : 30; char c; };
struct l { struct d d; int i; };
`;

const QUESTIONS = [
  ...'abcdefhijkl'.split('').map((tag) => [`sizeof(struct ${tag})`, `struct ${tag}`, ''] as const),
  ['sizeof(union g)', 'union g', ''] as const,
  ['__builtin_offsetof(struct a, d)', 'struct a', 'd'] as const,
  ['__builtin_offsetof(struct b, s)', 'struct b', 's'] as const,
  ['__builtin_offsetof(struct c, a.i)', 'struct c', 'a.i'] as const,
  ['__builtin_offsetof(struct c, d[2])', 'struct c', 'd[2]'] as const,
  ['__builtin_offsetof(struct h, l)', 'struct h', 'l'] as const,
  ['__builtin_offsetof(struct h, d)', 'struct h', 'd'] as const,
  ['__builtin_offsetof(struct h, last)', 'struct h', 'last'] as const,
  ['__builtin_offsetof(struct j, c[1][2])', 'struct j', 'c[1][2]'] as const,
  ['__builtin_offsetof(struct e, c)', 'struct e', 'c'] as const,
  ['__builtin_offsetof(struct f, z)', 'struct f', 'z'] as const,
  ['__builtin_offsetof(struct i, flexible)', 'struct i', 'flexible'] as const,
];

function ours(): (number | undefined)[] {
  const unit = read(STRUCTS);
  return QUESTIONS.map(([, name, path]) => {
    const type = { k: 'struct', tag: name.split(' ')[1] as string } as const;
    return path === '' ? sizeOf(type, unit.struct) : offsetOf(type, path, unit.struct)?.offset;
  });
}

test('sizes and offsets worked out by hand', () => {
  const unit = read(STRUCTS);
  const size = (tag: string): number | undefined => sizeOf({ k: 'struct', tag }, unit.struct);
  expect([size('a'), size('b'), size('c'), size('d'), size('g'), size('i'), size('l')]).toEqual([
    12, 24, 20, 5, 8, 8, 12,
  ]);
  expect(size('unheard')).toBeUndefined();
});

test('sizes and offsets are those of the compiler', ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), 'layout-'));
  try {
    const prints = QUESTIONS.map(([text]) => `printf("%lu\\n", (unsigned long)${text});`).join('\n');
    writeFileSync(
      join(folder, 'a.c'),
      `#include <stdio.h>\n${STRUCTS}\nint main(void) {\n${prints}\nreturn 0; }\n`,
    );
    try {
      execFileSync('cc', ['-w', '-o', join(folder, 'a'), join(folder, 'a.c')], { stdio: 'ignore' });
    } catch {
      return skip('needs a C compiler');
    }
    const theirs = execFileSync(join(folder, 'a'), { encoding: 'utf8' }).trim().split('\n').map(Number);
    expect(ours()).toEqual(theirs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
