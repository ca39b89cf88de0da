import { expect, test } from 'vitest';
import { asText, check, expectMarked, fixed, lineage, manifest } from './fixture';

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
