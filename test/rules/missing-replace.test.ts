import { expect, test } from 'vitest';
import { appended } from '../dialects/diff-text';
import { asText, check, expectMarked, fixed, lineage, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

const WITHOUT = '  //~ missing-replace';

test('the newest lacks what the others have', async () => {
  const findings = await expectMarked(
    lineage(manifest(['released', 'draft']), {}, { replace: '' }).replace(
      /(v2[\s\S]*static struct klp_patch patch = \{)/,
      '$1\n  //~ missing-replace: v2 lacks `.replace = true`, which v1 has',
    ),
  );
  expect(findings[0]?.versions).toEqual(['v2', 'v1']);
  expect(findings[0]?.related).toHaveLength(1);
});

test('a draft in the middle', async () => {
  const text = lineage(manifest(['released', 'draft', 'draft']), {}, { replace: '' }, {});
  await expectMarked(
    text.replace(
      /(v2\/a[\s\S]*?static struct klp_patch patch = \{)/,
      '$1\n  //~ missing-replace: which v1 and v3 have',
    ),
  );
});

test('it is false in so many words', async () => {
  await expectMarked(
    lineage(manifest(['released', 'draft']), {}, { replace: `  .replace = false,\n${WITHOUT}` }),
  );
});

test('nobody has it: the lineage is not cumulative', async () => {
  await expectMarked(lineage(manifest(['released', 'draft']), { replace: '' }, { replace: '' }));
});

test('everybody has it', async () => {
  await expectMarked(lineage(manifest(['released', 'draft']), {}, {}));
});

test('a parameter decides', async () => {
  const body = 'static bool replace;\nmodule_param(replace, bool, 0644);';
  await expectMarked(
    lineage(
      manifest(['released', 'draft']),
      {},
      { body, replace: '', init: '  patch.replace = replace;\n  return klp_enable_patch(&patch);' },
    ),
  );
});

test('a released version that a later one sweeps away', async () => {
  await expectMarked(lineage(manifest(['released', 'draft']), { replace: '' }, {}));
});

test.each(['', '  .replace = false,'])('the fix puts it in: "%s"', async (replace) => {
  const { fixture, findings } = await check(lineage(manifest(['released', 'draft']), {}, { replace }));
  expect(findings.map((finding) => finding.code)).toEqual(['missing-replace']);
  const fix = findings[0]?.fixes[0];
  const after = fix ? fixed(fixture, fix) : new Map<string, string>();
  expect(after.get('v2/a.c')).toContain('  .objs = objs,\n  .replace = true,\n};');
  await expectMarked(asText(after));
});

precision(
  'missing-replace',
  [
    {
      what: 'the element stands under an #if that is not taken',
      lineage: lineage(
        manifest(['released', 'draft']),
        {},
        { replace: '#ifdef LP_CUMULATIVE\n  .replace = true,\n#endif' },
      ),
      says: 'v2 lacks `.replace = true`, which v1 has',
    },
    {
      what: 'init takes it away again',
      lineage: lineage(
        manifest(['released', 'draft']),
        {},
        { init: '  patch.replace = false;\n  return klp_enable_patch(&patch);' },
      ),
      says: 'v2 lacks',
    },
    {
      what: 'the newest, which is released',
      lineage: lineage(manifest(['released', 'released']), {}, { replace: '' }),
      says: 'v2 lacks',
      severity: 'warning',
    },
  ],
  [
    {
      why: 'init sets it',
      lineage: lineage(
        manifest(['released', 'draft']),
        {},
        { replace: '', init: '  patch.replace = true;\n  return klp_enable_patch(&patch);' },
      ),
    },
    {
      why: 'a macro says true',
      lineage: lineage(
        manifest(['released', 'draft']),
        {},
        { body: '#define LP_REPLACE 1', replace: '  .replace = LP_REPLACE,' },
      ),
    },
    {
      why: 'a helper in another file sets it',
      lineage: `${lineage(
        manifest(['released', 'draft']),
        {},
        {
          body: 'void lp_setup(struct klp_patch *p);\nstatic struct klp_patch patch;',
          replace: '',
          init: '  lp_setup(&patch);\n  return klp_enable_patch(&patch);',
        },
      )}//- v2/b.c\n#include <linux/livepatch.h>\nvoid lp_setup(struct klp_patch *p)\n{\n  p->replace = true;\n}\n`,
    },
  ],
);

const CODE = 'missing-replace';
const STACKS = 'the kernel stacks it on what is installed instead of replacing that.';

test('what is told', async () => {
  const released = ['released', 'released', 'released', 'released'];
  const text = lineage(manifest([...released, 'draft']), {}, {}, {}, {}, { replace: '' });
  expect(await told(text, CODE)).toEqual([
    {
      severity: 'warning',
      certainty: 'must',
      message: `v5 lacks \`.replace = true\`, which v1, v2, v3 and v4 have: ${STACKS} Add it.`,
      versions: ['v5', 'v1', 'v2', 'v3', 'v4'],
      on: expect.stringMatching(/^v5\/a.c: /),
      // Three of them are enough.
      related: ['v1', 'v2', 'v3'].map((name) => `${name}/a.c: .replace = true: ${name} has it`),
      run: [],
      fixes: ['Add `.replace = true`'],
    },
  ]);
});

test('what is told of one that says false', async () => {
  const text = lineage(manifest(['released', 'draft']), {}, { replace: '  .replace = false,' });
  expect(await told(text, CODE)).toMatchObject([
    {
      message: `v2 lacks \`.replace = true\`, which v1 has: ${STACKS} Add it.`,
      on: 'v2/a.c: .replace = false',
      fixes: ['Change to `.replace = true`'],
    },
  ]);
});

test('a value that is written otherwise is for the person to change', async () => {
  const text = lineage(manifest(['released', 'draft']), {}, { replace: '  .replace = 0,' });
  expect((await told(text, CODE)).map(({ fixes }) => fixes)).toEqual([[]]);
});

test('what is told of a build that does not replace', async () => {
  const text = `//- livepatch.yaml
lineage: l
kernel: "6.1"
versions:
  - version: v1
    module: m_v1
    sources: v1/*.patch
    dialect: kpatch
    status: released
  - version: v2
    module: m_v2
    sources: v2/*.patch
    dialect: kpatch
    status: draft
    replace: false
//- v1/a.patch
${appended('kernel/a.c', 'int a(void)\n{\n\treturn 1;\n}')}//- v2/a.patch
${appended('kernel/b.c', 'int b(void)\n{\n\treturn 1;\n}')}`;
  expect(await told(text, CODE)).toMatchObject([
    {
      message: `v2 is built not to replace, unlike v1: ${STACKS} Build it without that flag.`,
      on: 'livepatch.yaml: false',
      fixes: [],
    },
  ]);
});

test('a released version that an older one replaced is told, one that a later one sweeps away is not', async () => {
  const versions = async (status: readonly string[], ...replace: readonly (string | undefined)[]) =>
    (
      await told(
        lineage(manifest(status), ...replace.map((it) => (it === undefined ? {} : { replace: it }))),
        CODE,
      )
    ).map((one) => one.versions[0]);
  expect(await versions(['released', 'released', 'released'], undefined, '', undefined)).toEqual([]);
  expect(await versions(['released', 'released', 'released'], undefined, undefined, '')).toEqual(['v3']);
});

test('a version without a livepatch lacks nothing', async () => {
  await expectMarked(lineage(manifest(['released', 'draft']), {}, 'static int nothing;\n'), CODE);
});
