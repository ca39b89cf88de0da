import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planOf, scoreOf } from '../../scripts/mutate-changed.mjs';

const ROOT = join(import.meta.dirname, '../..');
const there = (): boolean => true;

test('a rule faces its own tests, the kernel model those of the model, anything else is left out', () => {
  const changed = [
    'README.md',
    'server/src/rules/lost-object.ts',
    'server/src/core/kernel/nops.ts',
    'server/src/core/kernel/types.ts',
    'server/src/core/lineage/run.ts',
    'test/rules/lost-object.test.ts',
  ];
  expect(planOf(changed, there)).toEqual({
    mutate: [
      'server/src/rules/lost-object.ts',
      'server/src/core/kernel/nops.ts',
      'server/src/core/kernel/types.ts',
    ],
    tests: ['test/rules/lost-object.test.ts', 'test/kernel/*.test.ts'],
  });
});

test('what is shared by rules, or is there no more, is not mutated', () => {
  expect(planOf(['server/src/rules/context.ts', 'server/src/rules/no-such-rule.ts'])).toEqual({
    mutate: [],
    tests: [],
  });
});

test('the score counts what was found of what was tried', () => {
  const mutants = ['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored', 'CompileError', 'Killed'];
  const report = { files: { 'a.ts': { mutants: mutants.map((status) => ({ status })) } } };
  expect(scoreOf(report)).toEqual({ scored: 5, found: 3 });
  expect(scoreOf({})).toEqual({ scored: 0, found: 0 });
});

test('continuous integration mutates what has changed before it runs the tests', () => {
  const script = readFileSync(join(ROOT, '.ci/run'), 'utf8');
  const at = script.indexOf('node scripts/mutate-changed.mjs');
  expect(at).toBeGreaterThan(0);
  expect(at).toBeLessThan(script.indexOf('npm test'));
  // The whole, in a soak.
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(scripts.soak).toMatch(/stryker run$/);
});
