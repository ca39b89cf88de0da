import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RULES } from '../../server/src/rules/registry';
import { count, ENOUGH, FEWER, fileOf, lacking, type Tried } from './counting';

const file = (code: string): string => join(import.meta.dirname, `${fileOf(code)}.test.ts`);

test.for(RULES.map(({ code }) => code))(
  '%s has a file of lineages, which are counted when it runs',
  (code) => {
    expect(existsSync(file(code))).toBe(true);
    // Both helpers check lineages through the one function that counts them.
    expect(readFileSync(file(code), 'utf8')).toMatch(/from '\.\/(?:fixture|precision)';/);
  },
);

test('what has fewer is a rule, and says how many', () => {
  const codes = new Set(RULES.map(({ code }) => code));
  for (const [code, [firing, silent]] of Object.entries(FEWER)) {
    expect(codes.has(code), code).toBe(true);
    expect(Math.min(firing, silent), code).toBeLessThan(ENOUGH);
  }
});

const lineage = (text: string, found: readonly string[], hasLivepatch = true): Tried => ({
  text,
  found: new Set(found),
  hasLivepatch,
});

test('counted is what was found, and each lineage once', () => {
  const tried = [
    lineage('a', ['x']),
    lineage('a\n  //~ x: words\n', ['x']),
    lineage('b', ['x', 'y']),
    lineage('c', ['y']),
    lineage(' c ', ['y']),
    lineage('d', [], false),
  ];
  expect(count(tried, 'x')).toEqual([2, 1]);
  expect(count(tried, 'y')).toEqual([2, 1]);
  expect(count(tried, 'z')).toEqual([0, 3]);
});

test('four are not enough, of either kind', () => {
  const rule = RULES.map(({ code }) => code).find((code) => FEWER[code] === undefined) ?? '';
  expect(lacking(rule, [5, 5])).toBeNull();
  expect(lacking(rule, [4, 9])).toContain('speaks of 4');
  expect(lacking(rule, [9, 4])).toContain('silent about 4');
});
