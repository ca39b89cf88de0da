import { expect, test } from 'vitest';
import { asText, check, expectMarked, fixed, lineage, manifest } from './fixture';
import { precision } from './precision';

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
