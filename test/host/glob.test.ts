import fc from 'fast-check';
import picomatch from 'picomatch';
import { expect, test } from 'vitest';
import { isGlob, readGlob } from '../../server/src/host/glob';

test.each([
  ['*.c', ['a.c', 'b.c'], ['a.h', 'x/a.c', '.a.c', '.c']],
  ['v1/*.c', ['v1/a.c'], ['v2/a.c', 'v1/x/a.c', 'a.c']],
  ['**/*.c', ['a.c', 'x/a.c', 'x/y/a.c'], ['x/.git/a.c', 'a.h']],
  ['src/**/fix?.c', ['src/fix1.c', 'src/a/b/fix2.c'], ['src/fix.c', 'src/fix10.c', 'fix1.c']],
  ['{v1,v2}/*.{c,h}', ['v1/a.c', 'v2/a.h'], ['v3/a.c', 'v1/a.o']],
  ['bsc[0-9][0-9]*/*.c', ['bsc12/a.c', 'bsc123/a.c'], ['bsc1/a.c', 'bscxx/a.c']],
  ['[!a]*.c', ['b.c'], ['a.c']],
  ['./a/*.c', ['a/x.c'], ['x.c']],
  ['a[.c', ['a[.c'], ['a.c']],
])('%s', (pattern, yes, no) => {
  const glob = readGlob(pattern);
  expect(yes.filter((path) => !glob.matches(path))).toEqual([]);
  expect(no.filter((path) => glob.matches(path))).toEqual([]);
});

test('the base is what stands in front of the first wildcard', () => {
  expect(readGlob('a/b/*.c')).toMatchObject({ base: 'a/b', depth: 1 });
  expect(readGlob('*.c')).toMatchObject({ base: '', depth: 1 });
  expect(readGlob('a/**/x.c').depth).toBe(Number.POSITIVE_INFINITY);
  expect(readGlob('{a,b}/x/*.c')).toMatchObject({ base: '', depth: 3 });
  expect([isGlob('a/b.c'), isGlob('a/*.c'), isGlob('a(1).c')]).toEqual([false, true, false]);
});

test('a well-known implementation agrees on random patterns and paths', () => {
  const name = fc.stringMatching(/^[ab]{1,3}$/);
  const segment = fc.oneof(name, fc.constantFrom('*', '**', 'a*', '*b', '?', 'a?', '[ab]', '{a,bb}', '*a*'));
  const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(pattern, path, (glob, file) => {
      // It also lets a trailing `**` match nothing at all, which no file is.
      fc.pre(!glob.endsWith('**'));
      expect(readGlob(glob).matches(file), `${glob} on ${file}`).toBe(picomatch.isMatch(file, glob));
    }),
    { numRuns: 2_000 },
  );
});

test('no pattern makes it slow', () => {
  const evil = `${'*a'.repeat(200)}b`;
  expect(readGlob(evil).matches('a'.repeat(5_000))).toBe(false);
  expect(readGlob(`${'**/a/'.repeat(100)}b`).matches(`${'a/'.repeat(2_000)}c`)).toBe(false);
  expect(readGlob('{a,b}'.repeat(40)).matches('a'.repeat(40))).toBeTypeOf('boolean');
});
