import { expect, test } from 'vitest';
import { FILE, FOLDER, HEAP, NOTIFIER, VALUE } from './effects';
import { check, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

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

const ALONE = 'load v1, disable v1, unload v1';
const only = (expected: string, parts: LivepatchParts, steps = ALONE): Promise<string[]> =>
  spoken(lineage(scenario(steps, expected, ['draft']), parts), 'scenario-failed');

test('the whole sentences, worst end first', async () => {
  const says = (steps: string, expected: string, parts: LivepatchParts): Promise<string[]> =>
    spoken(lineage(scenario(steps, expected), parts, {}), 'scenario-failed');
  expect(await says(UPGRADE, 'clean', NOTIFIER)).toEqual([
    'error must v1 v2: The scenario "way" ends unsafe, not clean: the kernel still points into m_v1: notifier nb, at "load v2". | v1: the kernel still points into m_v1: notifier nb',
  ]);
  expect(await says('load v1, load v1', 'clean', NOTIFIER)).toEqual([
    'error must v1: The scenario "way" ends refused, not clean: "load v1" answers -17.',
  ]);
  expect(await says(UPGRADE, 'clean', HEAP)).toEqual([
    'error must v1 v2: The scenario "way" ends leaves, not clean: the allocation kzalloc in get of v1 stays behind (leak). | v1: the allocation kzalloc in get is made here',
  ]);
  expect(await says(UPGRADE, 'unsafe', {})).toEqual([
    'error must v1 v2: The scenario "way" ends clean, not unsafe: no load is refused and nothing stays behind.',
  ]);
});

test('a version counts by its name or by that of its module, and steps without a name by none', async () => {
  const text = lineage(
    scenario('stall, load m_v1, resume, load v3', 'clean', ['released', 'released', 'draft']),
    HEAP,
    {},
    {},
  );
  expect((await spoken(text, 'scenario-failed')).map((said) => said.split(':')[0])).toEqual([
    'error must v1 v3',
  ]);
});

test('what is not known makes a worse end possible, and a better one unsure only if nobody could look', async () => {
  const WAY = 'warning may v1: The scenario "way" may end';
  expect(await only('clean', guarded(VALUE))).toEqual([
    `${WAY} leaves, not clean: the kernel variable console_loglevel of v1 stays behind (stuck-value). It depends on (acme_wants_more() == 0), which is not known. | v1: the kernel variable console_loglevel is made here`,
  ]);
  const calls = (statement: string): LivepatchParts => ({
    body: `static void f(struct klp_object *obj)\n{\n  ${statement}\n}`,
    callbacks: '      .post_patch = f,',
  });
  const clean = 'clean, not leaves: no load is refused and nothing stays behind.';
  expect(await only('leaves', calls('acme_ops->start();'))).toEqual([
    `${WAY} ${clean} Not everything could be followed: acme_ops->start.`,
  ]);
  const stays = (statement: string): LivepatchParts => calls(`console_loglevel = 15; ${statement}`);
  const left = 'the kernel variable console_loglevel of v1 stays behind (stuck-value).';
  const made = ' | v1: the kernel variable console_loglevel is made here';
  expect(await only('unsafe', stays('acme_ops->start();'))).toEqual([
    `${WAY} leaves, not unsafe: ${left} Not everything could be followed: acme_ops->start.${made}`,
  ]);
  for (const [expected, statement] of [
    ['unsafe', 'if (jiffies > 3) pr_info("late");'],
    ['clean', 'acme_ops->start();'],
  ] as const)
    expect(await only(expected, stays(statement))).toEqual([
      `error must v1: The scenario "way" ends leaves, not ${expected}: ${left}${made}`,
    ]);
  expect(await only('leaves', calls(''))).toEqual([`error must v1: The scenario "way" ends ${clean}`]);
});

test('a load that is refused only where something unknown goes the other way', async () => {
  const body = 'static int f(struct klp_object *obj)\n{\n  return acme_busy() ? -EBUSY : 0;\n}';
  expect(await only('clean', { body, callbacks: '      .pre_patch = f,' })).toEqual([
    'warning may v1: The scenario "way" may end refused, not clean: "load v1" answers -16. It depends on acme_busy(), which is not known.',
  ]);
});

test('what is refused may leave something behind as well, which is not why', async () => {
  const text = lineage(scenario('load v1, load v1', 'clean', ['draft']), {
    ...VALUE,
    callbacks: '      .post_patch = louder,',
  });
  expect(await spoken(text, 'scenario-failed')).toEqual([
    'error must v1: The scenario "way" ends refused, not clean: "load v1" answers -17.',
  ]);
});
