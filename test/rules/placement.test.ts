import { expect, test } from 'vitest';
import { FOLDER, marked, VALUE } from './effects';
import { check, expectMarked, lineage, manifest } from './fixture';

const ON_REPLACE = '  .replace = true,\n//~ orphaned-side-effect';
const AT_LINE = '  //~ orphaned-side-effect';
const atLine = (words: string): typeof VALUE =>
  marked(VALUE, 'console_loglevel = 15', `${AT_LINE}: ${words}`);
const RESTORES_15 = {
  body: 'static void fix(struct klp_object *obj)\n{\n  int *saved = klp_shadow_get(NULL, 7);\n\n  if (saved)\n    console_loglevel = *saved;\n}',
  callbacks: '      .post_patch = fix,',
};

test('from a draft: once at the line, for all that follow', async () => {
  const findings = await expectMarked(
    lineage(manifest(['draft', 'draft', 'released']), atLine('replaced by v2 and v3'), {}, {}),
  );
  expect(findings[0]?.versions).toEqual(['v1', 'v2', 'v3']);
});

test('to several drafts: on the first', async () => {
  await expectMarked(
    lineage(
      manifest(['released', 'draft', 'draft']),
      VALUE,
      { replace: `${ON_REPLACE}: replaced by v2` },
      {},
    ),
  );
});

test('to a released version and a draft: on the draft', async () => {
  await expectMarked(
    lineage(
      manifest(['released', 'released', 'draft']),
      VALUE,
      {},
      { replace: `${ON_REPLACE}: replaced by v3` },
    ),
  );
});

test('no draft: at the line, a warning at most', async () => {
  const folder = marked(FOLDER, 'debugfs_create_dir', AT_LINE);
  const findings = await expectMarked(lineage(manifest(['released', 'released']), folder, {}));
  expect(findings[0]?.severity).toBe('warning');
  expect(findings[0]?.message).toContain('No version of the lineage can be changed');
});

test('to a faulty or withdrawn version: history', async () => {
  await expectMarked(lineage(manifest(['released', 'faulty', 'withdrawn']), VALUE, {}, {}));
});

test('a draft that answers for what two released versions left', async () => {
  const folder = {
    body: 'static void fix(struct klp_object *obj)\n{\n  debugfs_lookup_and_remove("acme", NULL);\n}',
    callbacks: '      .post_patch = fix,',
  };
  await expectMarked(lineage(manifest(['released', 'released', 'draft']), FOLDER, {}, folder));
});

test('a draft that answers for one way and not for the other', async () => {
  const publishes = {
    body: `static int louder(struct klp_object *obj)
{
  int *saved = klp_shadow_alloc(NULL, 7, sizeof(int), GFP_KERNEL, NULL, NULL);

  if (!saved)
    return -ENOMEM;
  *saved = console_loglevel;
  console_loglevel = 15;
  return 0;
}
static void back(struct klp_object *obj)
{
  int *saved = klp_shadow_get(NULL, 7);

  if (saved)
    console_loglevel = *saved;
  klp_shadow_free(NULL, 7, NULL);
}`,
    callbacks: '      .pre_patch = louder,\n      .post_unpatch = back,',
  };
  // v2 throws away what v3 would have needed.
  const forgets = {
    body: 'static void forget(struct klp_object *obj)\n{\n  klp_shadow_free(NULL, 7, NULL);\n}',
    callbacks: '      .post_patch = forget,',
  };
  const { findings } = await check(
    lineage(manifest(['released', 'released', 'draft']), publishes, forgets, RESTORES_15),
  );
  const value = findings.filter((finding) => finding.message.includes('console_loglevel'));
  expect(value.map(({ code, versions, run }) => ({ code, versions, run }))).toEqual([
    {
      code: 'orphaned-side-effect',
      versions: ['v3', 'v1', 'v2'],
      run: ['load v1', 'load v2', 'load v3', 'unload v1', 'unload v2'],
    },
  ]);
});

test('an object of a module: its load is part of the run', async () => {
  const objects = `  {
    .name = "ext4",
    .funcs = funcs,
    .callbacks = {
${VALUE.callbacks}
    },
  },`;
  const { findings } = await check(
    lineage(
      manifest(['released', 'draft']),
      { ...VALUE, objects },
      { objects: objects.replace(/ {4}\.callbacks[\s\S]*?\},\n/, '') },
    ),
  );
  const orphan = findings.find((finding) => finding.code === 'orphaned-side-effect');
  expect(orphan?.run).toEqual(['load ext4', 'load v1', 'load v2', 'unload v1']);
});
