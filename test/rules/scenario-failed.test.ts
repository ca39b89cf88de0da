import { expect, test } from 'vitest';
import { FILE, FOLDER, HEAP, NOTIFIER, VALUE } from './effects';
import { check, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

const scenario = (
  steps: string,
  expected: string,
  statuses: readonly string[] = ['released', 'draft'],
): string =>
  manifest(statuses, {
    end: `scenarios:\n  - name: way\n    steps: [${steps}]\n    expect: ${expected}\n`,
  });
const UPGRADE = 'load v1, load v2, unload v1';
const guarded = (parts: LivepatchParts): LivepatchParts => ({
  ...parts,
  body: (parts.body ?? '').replace('  saved = ', '  if (!acme_wants_more())\n    return;\n  saved = '),
  callbacks: '      .post_patch = louder,',
});

precision(
  'scenario-failed',
  [
    {
      what: 'clean is expected, and a notifier dangles',
      lineage: lineage(scenario(UPGRADE, 'clean'), NOTIFIER, {}),
      says: 'The scenario "way" ends unsafe, not clean',
      on: 'clean',
      run: ['load v1', 'load v2', 'unload v1'],
      severity: 'error',
    },
    {
      what: 'clean is expected, and memory stays',
      lineage: lineage(scenario(UPGRADE, 'clean'), HEAP, {}),
      says: 'ends leaves, not clean',
    },
    {
      what: 'clean is expected, and the kernel refuses',
      lineage: lineage(scenario('load v1, load v1', 'clean'), {}, {}),
      says: '"load v1" answers -17',
    },
    {
      what: 'unsafe is expected, and it is clean by now',
      lineage: lineage(scenario(UPGRADE, 'unsafe'), {}, {}),
      says: 'ends clean, not unsafe',
    },
    {
      what: 'only where an unknown value goes the other way',
      lineage: lineage(scenario('load v1, disable v1, unload v1', 'clean', ['draft']), guarded(VALUE)),
      says: 'may end leaves',
      severity: 'warning',
    },
    {
      what: 'in a lineage where nothing replaces',
      lineage: lineage(scenario('load v1, disable v1, unload v1', 'clean', ['draft']), {
        ...NOTIFIER,
        callbacks: '      .pre_patch = hook,',
        replace: '',
      }),
      says: 'ends unsafe',
    },
  ],
  [
    { why: 'it ends as expected: clean', lineage: lineage(scenario(UPGRADE, 'clean'), {}, {}) },
    { why: 'it ends as expected: unsafe', lineage: lineage(scenario(UPGRADE, 'unsafe'), FILE, {}) },
    { why: 'it ends as expected: leaves', lineage: lineage(scenario(UPGRADE, 'leaves'), FOLDER, {}) },
    {
      why: 'it ends as expected: refused',
      lineage: lineage(scenario('load v1, load v1', 'refused'), {}, {}),
    },
    {
      why: 'disabling first calls the unpatch callbacks',
      lineage: lineage(scenario('load v1, disable v1, unload v1, load v2', 'clean'), NOTIFIER, {}),
    },
    { why: 'a step could not be read', lineage: lineage(scenario('load v1, jump v2', 'unsafe'), {}, {}) },
    { why: 'a step names nobody', lineage: lineage(scenario('load v1, load v9', 'unsafe'), {}, {}) },
  ],
);

test('a step that names nobody is an error of the manifest, at the name, with a fix', async () => {
  const { findings, fixture } = await check(lineage(scenario('load v1, load v9', 'clean'), {}, {}));
  const found = findings.filter((finding) => finding.code === 'manifest-invalid');
  expect(found).toHaveLength(1);
  const { place, fixes, severity } = found[0] as (typeof found)[0];
  expect(fixture.files.get('livepatch.yaml')?.slice(place.start, place.end)).toBe('v9');
  expect(severity).toBe('error');
  expect(fixes).toHaveLength(1);
});

test('an object of a version may be named in a step', async () => {
  const objects = '  {\n    .name = "ext4",\n    .funcs = funcs,\n  },';
  const { findings } = await check(lineage(scenario('load ext4, load v1', 'clean', ['draft']), { objects }));
  expect(findings.map((finding) => finding.code)).toEqual([]);
});

test('it can be suppressed in the manifest', async () => {
  const head = scenario(UPGRADE, 'clean').replace(
    'expect: clean',
    'expect: clean # livepatch-ignore scenario-failed: v2 is not done yet',
  );
  const { findings } = await check(lineage(head, HEAP, {}));
  expect(findings.map((finding) => finding.code)).toEqual(['orphaned-side-effect']);
});
