import { expect, test } from 'vitest';
import { asText, check, expectMarked, fixed, type LivepatchParts, lineage, manifest } from './fixture';

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
