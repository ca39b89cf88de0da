import { expect, test } from 'vitest';
import type { Hazard } from '../../server/src/core/execution/catalogue-row';
import type { Effect } from '../../server/src/core/execution/effects';
import type { LineageVersion } from '../../server/src/core/lineage/lineage';
import type { Run } from '../../server/src/core/lineage/run';
import { dependingOn } from '../../server/src/rules/own-life';
import {
  byStateOrShadow,
  consequence,
  errnoText,
  hazardOf,
  heldConsequence,
  inStateOrShadow,
  listed,
  listedUpTo,
  milder,
  shortened,
  uncertainty,
} from '../../server/src/rules/wording';

/** As much of an effect as the words look at. */
function effectOf(hazards: readonly Hazard[], repeated?: string, holds: readonly string[] = []): Effect {
  return { row: { hazards, repeated }, holds } as unknown as Effect;
}

const runOf = (...unknown: readonly (readonly [kind: string, text: string])[]): Run =>
  ({ unknown: unknown.map(([kind, text]) => ({ kind, text, place: null })) }) as unknown as Run;

test('a list of words', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b and c']);
  const words = ['a', 'b', 'c', 'd'];
  expect([4, 3, 2].map((most) => listedUpTo(words, most))).toEqual([
    'a, b, c and d',
    'a, b, c and 1 more',
    'a, b and 2 more',
  ]);
});

test('what becomes of an effect, for sure and perhaps', () => {
  const says = (hazard: Hazard, repeated?: string): string[] =>
    (['must', 'may'] as const).map((certainty) =>
      consequence(effectOf([hazard], repeated), hazard, 'm', certainty),
    );
  expect(says('use-after-free')).toEqual([
    'stays and points into m: a use-after-free once that module is removed',
    'may stay and point into m: a use-after-free once that module is removed',
  ]);
  expect(says('stuck-value')).toEqual(['stays changed for good', 'may stay changed for good']);
  expect(says('leak')).toEqual(['stays and nobody frees it', 'may stay and nobody frees it']);
  for (const [repeated, again] of [
    ['corrupts', 'corrupts a list'],
    ['counts', 'counts it twice'],
    ['errno', 'fails'],
    [undefined, 'does it twice'],
  ] as const)
    expect(says('double-application', repeated)).toEqual([
      `stays, and doing it again ${again}`,
      `may stay, and doing it again ${again}`,
    ]);
  expect((['must', 'may'] as const).map((certainty) => heldConsequence('m', certainty))).toEqual([
    'stays, and the kernel goes on using m, which something holds in memory',
    'may stay, and the kernel goes on using m, which something holds in memory',
  ]);
});

test('only what holds a pointer can be used after it is freed', () => {
  const all: readonly Hazard[] = ['leak', 'stuck-value', 'use-after-free', 'double-application'];
  expect(hazardOf(effectOf(all, undefined, ['nb']))).toBe('use-after-free');
  expect(hazardOf(effectOf(all))).toBe('double-application');
  expect(hazardOf(effectOf(['leak', 'stuck-value']))).toBe('stuck-value');
  expect(hazardOf(effectOf(['use-after-free']))).toBe('leak');
  expect(hazardOf(effectOf([], undefined, ['nb']))).toBe('leak');
});

test('what only may be so is one step less severe', () => {
  expect((['error', 'warning', 'information', 'hint'] as const).map(milder)).toEqual([
    'warning',
    'information',
    'hint',
    'hint',
  ]);
});

test('why something is not certain: a branch before what could not be followed', () => {
  expect(uncertainty(runOf())).toBe('');
  expect(uncertainty(runOf(['opaque-call', 'acme_fn']))).toBe(' Not everything could be followed: acme_fn.');
  expect(uncertainty(runOf(['opaque-call', 'acme_fn'], ['unknown-branch', 'acme_mode() == 3']))).toBe(
    ' It depends on acme_mode() == 3, which is not known.',
  );
  expect([null, '  a &&\n\t\tb '].map(dependingOn)).toEqual([
    '',
    ' It depends on a && b, which is not known.',
  ]);
});

test('code in a sentence stays short', () => {
  expect(shortened(' a\n   b ')).toBe('a b');
  expect(shortened('x'.repeat(80))).toBe('x'.repeat(80));
  expect(shortened('x'.repeat(81))).toBe(`${'x'.repeat(79)}…`);
});

test('a livepatch from diffs has no states', () => {
  const words = (dialect: string): string[] =>
    [byStateOrShadow, inStateOrShadow].map((of) => of({ dialect } as unknown as LineageVersion));
  expect(words('kpatch')).toEqual(['a shadow variable', 'a shadow variable']);
  expect(words('klp-build')).toEqual(words('kpatch'));
  expect(words('module')).toEqual([
    'a state or a shadow variable',
    'the data of a state or in a shadow variable',
  ]);
});

test('what a function of the kernel answers', () => {
  expect([-22, -9999, 0, 1].map(errnoText)).toEqual(['-EINVAL', '-9999', '0', '1']);
});
