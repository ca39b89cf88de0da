import { expect, test } from 'vitest';
import { asText, check, expectMarked, fixed, lineage, livepatch, manifest } from './fixture';

const without = (part: string, by = ''): string =>
  lineage(manifest(['draft']), livepatch().replace(part, by));

const AT_PATCH = (text: string, words: string): string =>
  text.replace('klp_patch patch = {', `klp_patch patch = {\n  //~ not-a-livepatch: ${words}`);

test('nothing is missing', async () => {
  await expectMarked(lineage(manifest(['draft']), {}));
});

test.each([
  ['MODULE_INFO(livepatch, "Y");\n', 'MODULE_INFO(livepatch, "Y") is missing'],
  ['  .mod = THIS_MODULE,\n', 'has no `.mod`'],
  ['MODULE_LICENSE("GPL");\n', 'MODULE_LICENSE() is missing'],
])('without %s', async (part, words) => {
  const text = without(part);
  await expectMarked(AT_PATCH(text, words));
  const { fixture, findings } = await check(text);
  const fix = findings[0]?.fixes[0];
  expect(fix?.title).toMatch(/^Add /);
  await expectMarked(asText(fix ? fixed(fixture, fix) : new Map()));
});

test('without .objs', async () => {
  await expectMarked(AT_PATCH(without('  .objs = objs,\n'), 'has no `.objs`'));
});

test('an object without .funcs', async () => {
  const objects = '  {\n    .name = "ext4",\n  },\n  {\n    .funcs = funcs,\n  },';
  const { findings } = await check(lineage(manifest(['draft']), { objects }));
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringContaining('not-a-livepatch: The object ext4 has no `.funcs`'),
  ]);
});

test('another licence', async () => {
  const findings = await expectMarked(
    without('MODULE_LICENSE("GPL");', 'MODULE_LICENSE("Proprietary");\n//~ not-a-livepatch: not compatible'),
  );
  expect(findings[0]?.fixes).toEqual([]);
});

test.each(['GPL v2', 'Dual BSD/GPL', 'Dual MIT/GPL', 'GPL and additional rights'])(
  '%s will do',
  async (licence) => {
    await expectMarked(without('"GPL"', `"${licence}"`));
  },
);

test.each([
  ['the functions', '},\n  { }\n};\nstatic struct klp_object', '},\n};\nstatic struct klp_object', 'funcs'],
  ['the objects', '},\n  { }\n};\nstatic struct klp_patch', '},\n};\nstatic struct klp_patch', 'objs'],
])('%s do not end', async (_what, part, by, name) => {
  const text = without(part, by);
  const { fixture, findings } = await check(text);
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringContaining(`not-a-livepatch: The array ${name}`),
  ]);
  const fix = findings[0]?.fixes[0];
  const after = fix ? fixed(fixture, fix) : new Map<string, string>();
  expect(after.get('v1/a.c')).toBe(livepatch());
});

test('states that do not end', async () => {
  const source = livepatch({ states: '  { .id = 7, .version = 1 },' });
  const { fixture, findings } = await check(
    lineage(manifest(['draft']), source.replace('.version = 1 },\n  { }', '.version = 1 },')),
  );
  expect(findings.map((finding) => finding.code)).toEqual(['not-a-livepatch']);
  const fix = findings[0]?.fixes[0];
  expect(fix && fixed(fixture, fix).get('v1/a.c')).toBe(source);
});

test('init that enables nothing', async () => {
  await expectMarked(
    lineage(
      manifest(['draft']),
      livepatch({ init: '  return 0;' }).replace(
        'm_init(void)',
        'm_init(void)\n//~ not-a-livepatch: never calls klp_enable_patch()',
      ),
    ),
  );
});

test('init that enables through a function of its own', async () => {
  const body =
    'static struct klp_patch patch;\nstatic int enable(void)\n{\n  return klp_enable_patch(&patch);\n}';
  await expectMarked(lineage(manifest(['draft']), { body, init: '  return enable();' }));
});

test('no exit, and the fix', async () => {
  const source = livepatch()
    .replace('module_exit(m_exit);\n', '')
    .replace('static void __exit m_exit(void)\n{\n\n}\n', '');
  await expectMarked(
    lineage(
      manifest(['draft']),
      source.replace('module_init(m_init);', 'module_init(m_init);\n//~ not-a-livepatch: module_exit()'),
    ),
  );
  const { fixture, findings } = await check(lineage(manifest(['draft']), source));
  const fix = findings[0]?.fixes[0];
  await expectMarked(asText(fix ? fixed(fixture, fix) : new Map()));
});

test('what may stand in a file that is not there is not missed', async () => {
  await expectMarked(without('MODULE_INFO(livepatch, "Y");', '#include "common.h"'));
  await expectMarked(without('MODULE_LICENSE("GPL");', '#include "common.h"'));
});

test('a version of which only the name is known', async () => {
  await expectMarked(
    '//- livepatch.yaml\nlineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m\n',
  );
});
