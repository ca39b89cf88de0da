import { describe, expect, test } from 'vitest';
import {
  compareLogs,
  compareStep,
  lineMatches,
  relevantLines,
} from '../../server/src/host/rehearsal/compare';

test.each([
  ['a', 'a', true],
  ['a', 'b', false],
  ['<?>', '', true],
  ['x <?> y', 'x 1 y', true],
  ['x <?> y', 'x  y', true],
  ['x <?> y', 'x y', false],
  ['<?> and <?>', '1 and 2', true],
  ['<?> and <?>', '1 and', false],
  ['<?>aa<?>', 'aaa', true],
  ['ab<?>ba', 'aba', false],
  ['v1: value <?>', 'v1: value (____ptrval____)', true],
  ['v1: <?>, <?>, end', 'v1: 1, end, 2, end', true],
])('%j matches %j: %j', (predicted, real, expected) => {
  expect(lineMatches(predicted, real)).toBe(expected);
});

test('many placeholders are matched without trying every way: that would not end', () => {
  const predicted = '<?>a'.repeat(2000);
  expect(lineMatches(predicted, `${'a'.repeat(1999)}b`)).toBe(false);
});

describe('lines that count', () => {
  const real = [
    "livepatch: enabling patch 'v1'",
    'tsc: Refined TSC clocksource calibration: 2599.972 MHz',
    'v1: loading out-of-tree module taints kernel.',
    'v1: tainting kernel with TAINT_LIVEPATCH',
    'v1: module verification failed: signature and/or required key missing - tainting kernel',
    'v1: hello',
    'own prefix: hello',
    'livepatch: signaling remaining tasks',
    "do_init_module: 'm'->init suspiciously returned 1, it should follow 0/-E convention",
  ];

  test('of livepatch, of the loader and of the modules', () => {
    expect(relevantLines(real, ['v1'])).toEqual([real[0], real[5], real[8]]);
  });

  test('and those that were predicted', () => {
    expect(relevantLines(real, ['v1'], ['own prefix: <?>'])).toEqual([real[0], real[5], real[6], real[8]]);
    expect(relevantLines(real, ['v1'], ['<?>'])).toEqual([real[0], real[5], real[8]]);
  });
});

describe('side by side', () => {
  test('equal logs have no difference', () => {
    expect(compareLogs(['a', 'b <?>'], ['a', 'b 1'])).toEqual([
      { predicted: 'a', real: 'a', same: true },
      { predicted: 'b <?>', real: 'b 1', same: true },
    ]);
  });

  test('a missing and a surplus line stand where they belong', () => {
    expect(compareLogs(['a', 'b', 'c', 'e'], ['a', 'c', 'd', 'e'])).toEqual([
      { predicted: 'a', real: 'a', same: true },
      { predicted: 'b', real: null, same: false },
      { predicted: 'c', real: 'c', same: true },
      { predicted: null, real: 'd', same: false },
      { predicted: 'e', real: 'e', same: true },
    ]);
  });

  test('one log is empty', () => {
    expect(compareLogs([], ['a'])).toEqual([{ predicted: null, real: 'a', same: false }]);
    expect(compareLogs(['a'], [])).toEqual([{ predicted: 'a', real: null, same: false }]);
    expect(compareLogs([], [])).toEqual([]);
  });

  test('nothing is lost and the order stays, whatever the logs', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const letters = (from: number): string[] =>
        Array.from({ length: (seed * 7 + from) % 9 }, (_, i) => 'abc'.charAt((seed * (i + 3) * from) % 3));
      const [predicted, real] = [letters(5), letters(11)];
      const rows = compareLogs(predicted, real);
      expect(rows.flatMap((row) => row.predicted ?? [])).toEqual(predicted);
      expect(rows.flatMap((row) => row.real ?? [])).toEqual(real);
      for (const row of rows) expect(row.same).toBe(row.predicted !== null && row.real !== null);
    }
  });

  test('very long logs are compared without the best alignment', () => {
    const many = Array.from({ length: 5000 }, (_, i) => `line ${i}`);
    const rows = compareLogs(many, ['first', ...many, 'last']);
    expect(rows.length).toBe(5002);
    expect(rows[0]?.same).toBe(false);
  });
});

test('a step is the same if its result and every line are', () => {
  const log = ['v1: x'];
  expect(compareStep({ result: 0, log }, { result: 0, log: ['noise', 'v1: x'] }, ['v1']).same).toBe(true);
  expect(compareStep({ result: 0, log }, { result: -22, log }, ['v1']).same).toBe(false);
  expect(compareStep({ result: 0, log }, { result: 0, log: [] }, ['v1']).same).toBe(false);
  expect(compareStep({ result: 0, log: [] }, null, ['v1'])).toEqual({
    results: { predicted: 0, real: null },
    lines: [],
    same: false,
  });
  const timed = ['livepatch: signaling remaining tasks'];
  expect(compareStep({ result: 0, log: timed }, { result: 0, log: [] }, []).same).toBe(true);
});
