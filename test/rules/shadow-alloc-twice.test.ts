import { expect, test } from 'vitest';
import { asText, check, expectMarked, fixed, type LivepatchParts, lineage, manifest } from './fixture';
import { spoken } from './spoken';

const CODE = 'shadow-alloc-twice';
const MARK = `  //~ ${CODE}`;

/** pre_patch allocates the shadow variable <NULL, 7>; `free` is what post_unpatch does. */
const making = (
  alloc: string,
  free = '  klp_shadow_free(NULL, 7, NULL);',
  callback = 'pre_patch',
): LivepatchParts => ({
  body: `static ${callback === 'pre_patch' ? 'int' : 'void'} make(struct klp_object *obj)
{
${alloc}
${callback === 'pre_patch' ? '  return 0;' : ''}
}
static void drop(struct klp_object *obj)
{
${free}
}`,
  callbacks: `      .${callback} = make,\n      .post_unpatch = drop,`,
});

const ALLOC = '  klp_shadow_alloc(NULL, 7, 8, GFP_KERNEL, NULL, NULL);';
const MARKED = `${ALLOC}\n${MARK}`;

test('the predecessor has left it', async () => {
  const findings = await expectMarked(
    lineage(manifest(['released', 'draft']), making(ALLOC), making(`${MARKED}: v1 has left it`)),
    CODE,
  );
  expect(findings[0]).toMatchObject({ severity: 'warning', run: ['load v1', 'load v2', 'unload v1'] });
  expect(findings[0]?.related.map(({ message }) => message)).toEqual(['v1 allocates it here']);
});

test('nobody frees it, and the livepatch is loaded again', async () => {
  const findings = await expectMarked(lineage(manifest(['draft']), making(MARKED, '')), CODE);
  expect(findings[0]?.run).toEqual(['load v1', 'disable v1', 'unload v1', 'load v1']);
});

test('post_patch runs again after a reversed disable', async () => {
  await expectMarked(lineage(manifest(['draft']), making(MARKED, undefined, 'post_patch')), CODE);
});

test('the target module comes back', async () => {
  const parts = making(MARKED, '');
  const objects =
    '  {\n    .name = "ext4",\n    .funcs = funcs,\n    .callbacks = {\n      .pre_patch = make,\n    },\n  },';
  await expectMarked(lineage(manifest(['draft']), { body: parts.body ?? '', objects }), CODE);
});

test('a patched function, for one variable for all', async () => {
  const text = lineage(manifest(['draft']), {}).replace(
    '  return n;',
    `${MARKED}: again and again\n  return n;`,
  );
  await expectMarked(text, CODE);
});

test('the fix asks for the one that is there', async () => {
  const { fixture, findings } = await check(lineage(manifest(['draft']), making(ALLOC, '')));
  const fix = findings.find((finding) => finding.code === CODE)?.fixes[0];
  expect(fix?.title).toBe('Use klp_shadow_get_or_alloc()');
  if (fix) await expectMarked(asText(fixed(fixture, fix)), CODE);
});

test('freed when it is disabled', async () => {
  await expectMarked(lineage(manifest(['draft']), making(ALLOC)), CODE);
});

test('klp_shadow_get_or_alloc()', async () => {
  const parts = making('  klp_shadow_get_or_alloc(NULL, 7, 8, GFP_KERNEL, NULL, NULL);');
  await expectMarked(lineage(manifest(['released', 'draft']), parts, parts), CODE);
});

test('asked for before', async () => {
  const parts = making(`  if (!klp_shadow_get(NULL, 7))\n  ${ALLOC}`);
  await expectMarked(lineage(manifest(['released', 'draft']), parts, parts), CODE);
});

test('another id', async () => {
  const other = making(ALLOC.replace('7', '8'), '  klp_shadow_free(NULL, 8, NULL);');
  await expectMarked(lineage(manifest(['released', 'draft']), making(ALLOC), other), CODE);
});

test('a patched function, for an object that it has just made', async () => {
  const text = lineage(manifest(['draft']), {}).replace(
    '  return n;',
    '  void *made = kzalloc(8, GFP_KERNEL);\n\n  klp_shadow_alloc(made, 7, 8, GFP_KERNEL, NULL, NULL);\n  return n;',
  );
  await expectMarked(text, CODE);
});

test('a patched function that asks before', async () => {
  const text = lineage(manifest(['draft']), {}).replace(
    '  return n;',
    `  if (!klp_shadow_get(NULL, 7))\n  ${ALLOC}\n  return n;`,
  );
  await expectMarked(text, CODE);
});

const SAID = (why: string, is = 'is'): string =>
  `The shadow variable <NULL, 0x7> ${is} there already when this runs (${why}): klp_shadow_alloc() then warns and answers NULL. Use klp_shadow_get_or_alloc().`;
const SURVIVES = 'it survives a disable and the target module';
const DRAFT = manifest(['draft']);
const UNSURE = making(ALLOC, '  if (acme_busy())\n    return;\n  klp_shadow_free(NULL, 7, NULL);');

test('the whole sentences', async () => {
  const over = lineage(manifest(['released', 'draft']), making(ALLOC), making(ALLOC));
  expect(await spoken(over, CODE)).toEqual([
    `warning must v2 v1: ${SAID('v1 has left it')} | v1 allocates it here`,
  ]);
  expect(await spoken(lineage(DRAFT, making(ALLOC, '')), CODE)).toEqual([
    `warning must v1: ${SAID(SURVIVES)}`,
  ]);
  expect(await spoken(lineage(DRAFT, UNSURE), CODE)).toEqual([
    `information may v1: ${SAID(SURVIVES, 'may be')}`,
  ]);
  const patched = lineage(DRAFT, {}).replace('  return n;', `${ALLOC}\n  return n;`);
  expect(await spoken(patched, CODE)).toEqual([
    'warning must v1: acme_open() runs again and again, and the shadow variable 0x7 is one for all: the second klp_shadow_alloc() warns and answers NULL. Use klp_shadow_get_or_alloc().',
  ]);
});

test('what is sure over a predecessor counts more than what may be alone', async () => {
  const text = lineage(manifest(['released', 'released', 'draft']), making(ALLOC), making(ALLOC), UNSURE);
  expect((await spoken(text, CODE)).filter((said) => said.includes(' v3'))).toEqual([
    `warning must v3 v1: ${SAID('v1 has left it')} | v1 allocates it here`,
  ]);
});

test('only where a target comes back, and of several targets that one is in the run', async () => {
  const object = (name: string, more: string): string =>
    `  {\n    ${name === '' ? '' : `.name = "${name}", `}.funcs = funcs,\n    .callbacks = { ${more} },\n  },\n`;
  const objects =
    object('', '.post_unpatch = drop') +
    object('xfs', '.post_patch = note') +
    object('ext4', '.pre_patch = make') +
    '  { .name = "btrfs", .funcs = funcs },';
  const body = `static void note(struct klp_object *obj) { }\n${making(ALLOC).body}`;
  const { findings } = await check(lineage(DRAFT, { body, objects }));
  const own = findings.filter((finding) => finding.code === CODE);
  expect(own.map(({ run }) => run)).toEqual([['load ext4', 'load v1', 'unload ext4', 'load ext4']]);
});

test('the predecessor allocates others as well', async () => {
  const others = making(`${ALLOC.replace('7', '8')}\n${ALLOC}`, '');
  const text = lineage(manifest(['released', 'draft']), others, making(ALLOC));
  const { findings, fixture } = await check(text);
  const [finding] = findings.filter(({ code, versions }) => code === CODE && versions[0] === 'v2');
  const place = finding?.related[0]?.place;
  expect(place && fixture.files.get('v1/a.c')?.slice(place.start).split('\n')[0]).toBe(ALLOC.trim());
});

test.each([
  ['for another variable', '  if (!klp_shadow_get(NULL, 8))\n  '],
  ['in another function', '  '],
])('a patched function does not help itself by asking %s', async (_where, before) => {
  const text = lineage(DRAFT, { functions: ['acme_open', 'acme_close'] })
    .replace('  return n;', `${before}${ALLOC}\n  return n;`)
    .replace('{\n  return n;', '{\n  klp_shadow_get(NULL, 7);\n  return n;');
  expect(await spoken(text, CODE)).toHaveLength(1);
});

test('one function for two patched ones, of which one asks before', async () => {
  const body = `static void make(void)\n{\n${ALLOC}\n}`;
  const text = lineage(DRAFT, { functions: ['acme_open', 'acme_close'] })
    .replace('static int klpp_acme_open', `${body}\n$&`)
    .replace('  return n;', '  if (!klp_shadow_get(NULL, 7))\n    make();\n  return n;')
    .replace('{\n  return n;', '{\n  make();\n  return n;');
  expect(await spoken(text, CODE)).toEqual([]);
});

test('another warning of the kernel at another call is not taken for it', async () => {
  const parts = making(ALLOC);
  const body = `static void asks(struct klp_object *obj)\n{\n  klp_get_prev_state(7);\n}\n${parts.body}`;
  const objects = `  { .funcs = funcs, .callbacks = { .pre_patch = make, .post_unpatch = drop } },
  { .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = asks } },`;
  const text = lineage(DRAFT, { body, objects });
  const { findings } = await check(text);
  expect(findings.map(({ code }) => code)).toContain('prev-state-outside-transition');
  expect(await spoken(text, CODE)).toEqual([]);
});

test('two files with the call at the same offset are two findings', async () => {
  const file = (name: string, id: number): string =>
    `//- v1/${name}.c\n#include <linux/livepatch.h>\nvoid make_${name}(void)\n{\n  klp_shadow_alloc(NULL, ${id}, 8, GFP_KERNEL, NULL, NULL);\n}\n`;
  const parts = making('  make_b();\n  make_c();', '');
  const text = lineage(DRAFT, { ...parts, body: `void make_b(void);\nvoid make_c(void);\n${parts.body}` });
  expect(
    (await spoken(text + file('b', 7) + file('c', 8), CODE)).map((said) => /<.*?>/.exec(said)?.[0]),
  ).toEqual(['<NULL, 0x7>', '<NULL, 0x8>']);
});
