import { describe, expect, test, vi } from 'vitest';
import {
  faultyVersions,
  goodVersions,
  readWish,
  suggestName,
} from '../../client/src/commands/cleanup-choice';
import { nameProblem } from '../../client/src/commands/name-problem';

vi.mock('vscode', async () => (await import('./fake-vscode')).fakeVscode());

const V = (version: string, status = 'released'): { version: string; module: string; status: string } => ({
  version,
  module: `lp_${version.replaceAll(/\W/g, '_')}`,
  status,
});
const LINEAGE = [V('v1'), V('v2', 'faulty'), V('v3', 'withdrawn'), V('v4', 'draft')];

describe('choices', () => {
  test('no bad version is offered as the good one', () => {
    expect(goodVersions(LINEAGE).map((one) => one.version)).toEqual(['v4', 'v1']);
  });

  test('the faulty ones are ticked, the good one is not among them', () => {
    expect(faultyVersions(LINEAGE, 'v1').map((one) => [one.version.version, one.picked])).toEqual([
      ['v4', false],
      ['v3', false],
      ['v2', true],
    ]);
  });
});

describe('the name that follows', () => {
  test.each([
    [['v1', 'v2'], 'v3'],
    [['v9'], 'v10'],
    [['1.2'], '1.3'],
    [['2024-a'], '2025-a'],
    [['base'], 'base-2'],
    [[], 'v1'],
    [['v3', 'v2'], 'v4'],
  ])('after %j is %s', (names, expected) => {
    expect(suggestName(names.map((name) => V(name)))).toBe(expected);
  });

  test('is one that the manifest allows and nobody has', () => {
    for (const name of ['v5', 'x', '9.9_b']) expect(nameProblem(name, LINEAGE)).toBeNull();
    for (const name of [
      '',
      '-v3',
      'a b',
      'a;b',
      'a,b',
      'a=b',
      "a'b",
      'a\u202Eb',
      'none',
      'v1',
      'lp_v1',
      'x'.repeat(101),
    ])
      expect(nameProblem(name, LINEAGE), name).not.toBeNull();
  });
});

test("the command's argument is read field by field", () => {
  expect(readWish({ manifest: 'file:///m', restore: 'v1', after: ['v2'] })).toEqual({
    manifest: 'file:///m',
    restore: 'v1',
    after: ['v2'],
  });
  for (const value of [
    undefined,
    null,
    3,
    'v1',
    {},
    { manifest: 1, restore: {}, after: 'v2' },
    { after: [1] },
  ])
    expect(readWish(value)).toEqual({});
});
