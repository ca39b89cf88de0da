import { expect, test } from 'vitest';
import { Catalogue } from '../../server/src/core/execution/catalogue';
import {
  allEffects,
  type PatchedEffect,
  patchedEffects,
} from '../../server/src/core/lineage/patched-effects';
import { lineage, livepatch, manifest, parseFixture } from '../rules/fixture';
import { projectOfTexts } from '../support/project';

const CATALOGUE = new Catalogue();

/** The effects of a lineage's only version. */
async function effectsOf(
  source: string,
  of: typeof patchedEffects = patchedEffects,
): Promise<readonly PatchedEffect[]> {
  const { files } = parseFixture(lineage(manifest(['draft']), source));
  const { project } = await projectOfTexts(Object.fromEntries(files));
  const [version] = project.analyse().lineage.versions;
  return version ? of(version, CATALOGUE) : [];
}

const patching = (body: string, before = ''): string =>
  livepatch().replace(
    'static int klpp_acme_open(int n)\n{',
    `${before}\nstatic int klpp_acme_open(int n)\n{\n${body}`,
  );

const ORIGIN = 'patched@vmlinux:acme_open:1';

test('an allocation: id, size, type and members', async () => {
  const [effect, ...rest] = await effectsOf(
    patching(
      '  struct box *p = klp_shadow_alloc(acme, 0x51, sizeof(*p), GFP_KERNEL, NULL, NULL);',
      'struct box { int a; u64 b; };',
    ),
  );
  expect(rest).toEqual([]);
  expect(effect).toMatchObject({ k: 'allocates', callee: 'klp_shadow_alloc', patched: [ORIGIN] });
  expect(effect?.shadow).toEqual({
    id: '0x51',
    object: 'each',
    size: 16,
    type: 'struct box',
    layout: 'struct{s32 a;u64 b}',
  });
});

test('a get that goes into a variable later, and one through a cast', async () => {
  const found = await effectsOf(
    patching(
      '  int *p;\n  u64 v = *(u64 *)klp_shadow_get(acme, 8);\n\n  p = klp_shadow_get(acme, 7);\n  n = *p + v;',
    ),
  );
  expect(found.map(({ k, shadow }) => [k, shadow?.id, shadow?.type])).toEqual([
    ['finds', '0x8', 'u64'],
    ['finds', '0x7', 's32'],
  ]);
});

test('frees, one by one and all at once', async () => {
  const found = await effectsOf(
    patching(
      '  klp_shadow_free(acme, ACME_ID, NULL);\n  klp_shadow_free_all(9, NULL);\n  klp_shadow_free(NULL, 7, NULL);',
    ),
  );
  expect(found.map(({ k, shadow }) => [k, shadow?.id, shadow?.object])).toEqual([
    ['frees', 'ACME_ID', 'each'],
    ['frees', '0x9', 'all'],
    ['frees', '0x7', 'one'],
  ]);
});

test('catalogued calls, through functions that the patched one calls', async () => {
  const helper = `static void helper(void)
{
  register_reboot_notifier(nb);
  kfree(nb);
}`;
  const found = await effectsOf(patching('  helper();', helper));
  expect(found.map(({ k, callee, function: name, patched }) => [k, callee, name, patched])).toEqual([
    ['does', 'register_reboot_notifier', 'helper', [ORIGIN]],
    ['undoes', 'kfree', 'helper', [ORIGIN]],
  ]);
  expect(found[0]?.rows.map((row) => row.do)).toEqual(['register_reboot_notifier']);
});

test('two patched functions that reach the same call', async () => {
  const source = livepatch({ functions: ['acme_open', 'acme_read'] })
    .replaceAll('  return n;', '  helper();\n  return n;')
    .replace(
      'static int klpp_acme_open',
      'static void helper(void)\n{\n  klp_shadow_free(acme, 7, NULL);\n}\nstatic int klpp_acme_open',
    );
  const [effect] = await effectsOf(source);
  expect(effect?.patched.toSorted()).toEqual([ORIGIN, 'patched@vmlinux:acme_read:1']);
});

test('what only callbacks do is not among them, but among all effects', async () => {
  const source = livepatch({
    body: 'static void clean(struct klp_object *obj)\n{\n  klp_shadow_free_all(7, NULL);\n}',
    callbacks: '      .post_patch = clean,',
  });
  expect(await effectsOf(source)).toEqual([]);
  const [effect] = await effectsOf(source, allEffects);
  expect(effect).toMatchObject({ k: 'frees', function: 'clean', patched: [] });
});

test('calls that no catalogue knows, and functions that nobody reaches', async () => {
  const unused = 'static void unused(void)\n{\n  klp_shadow_free_all(7, NULL);\n}';
  expect(await effectsOf(patching('  acme_magic(n);', unused), allEffects)).toEqual([]);
});

test('a type without members at hand', async () => {
  const [effect] = await effectsOf(patching('  struct far *p = klp_shadow_get(acme, 7);'));
  expect(effect?.shadow).toMatchObject({ type: 'struct far', layout: null, size: null });
});
