import { expect, test } from 'vitest';
import { FOLDER, NOTIFIER, VALUE } from './effects';
import { check, type LivepatchParts, lineage, manifest } from './fixture';

const on = (parts: LivepatchParts, name: string): LivepatchParts => ({
  ...parts,
  objects: `  {
    .name = "${name}",
    .funcs = funcs,
    .callbacks = {
${parts.callbacks}
    },
  },`,
});

async function lost(
  text: string,
): Promise<{ severity: string; versions: readonly string[]; message: string }[]> {
  const { findings } = await check(text);
  return findings
    .filter((finding) => finding.code === 'lost-object')
    .map(({ severity, versions, message }) => ({ severity, versions, message }));
}

test.each([
  ['a notifier', NOTIFIER, 'the notifier nb'],
  ['a value', VALUE, 'console_loglevel'],
  ['a folder', FOLDER, 'debugfs folder acme'],
])('%s of a module object, which the draft no longer lists', async (_what, parts, words) => {
  expect(await lost(lineage(manifest(['released', 'draft']), on(parts, 'ext4'), {}))).toEqual([
    {
      severity: 'warning',
      versions: ['v2', 'v1'],
      message: expect.stringMatching(new RegExp(`^v2 does not list the object ext4, .*${words}`)),
    },
  ]);
});

test('of a draft: at its object', async () => {
  expect(await lost(lineage(manifest(['draft', 'draft']), on(NOTIFIER, 'ext4'), {}))).toMatchObject([
    { versions: ['v1', 'v2'] },
  ]);
});

test('of vmlinux', async () => {
  const objects = '  {\n    .name = "ext4",\n    .funcs = funcs,\n  },';
  expect(await lost(lineage(manifest(['released', 'draft']), VALUE, { objects }))).toMatchObject([
    { message: expect.stringContaining('the object vmlinux') },
  ]);
});

test('the object is still there, and cleans up', async () => {
  const cleanup = {
    body: 'static void clean(struct klp_object *obj)\n{\n  debugfs_lookup_and_remove("acme", NULL);\n}',
    callbacks: '      .post_patch = clean,',
  };
  expect(
    await lost(lineage(manifest(['released', 'draft']), on(FOLDER, 'ext4'), on(cleanup, 'ext4'))),
  ).toEqual([]);
});

test('the object is still there, without callbacks: that is for another rule', async () => {
  const objects = '  {\n    .name = "ext4",\n    .funcs = funcs,\n  },';
  expect(await lost(lineage(manifest(['released', 'draft']), on(FOLDER, 'ext4'), { objects }))).toEqual([]);
});

test('another object of the successor cleans up', async () => {
  const cleanup = {
    body: 'static void clean(struct klp_object *obj)\n{\n  debugfs_lookup_and_remove("acme", NULL);\n}',
    callbacks: '      .post_patch = clean,',
  };
  expect(await lost(lineage(manifest(['released', 'draft']), on(FOLDER, 'ext4'), cleanup))).toEqual([]);
});

test('callbacks that only print lose nothing', async () => {
  const printing = {
    body: 'static int say(struct klp_object *obj)\n{\n  pr_info("hello\\n");\n  return 0;\n}',
    callbacks: '      .pre_patch = say,',
  };
  expect(await lost(lineage(manifest(['released', 'draft']), on(printing, 'ext4'), {}))).toEqual([]);
});

test('an object without callbacks', async () => {
  const objects = '  {\n    .name = "ext4",\n    .funcs = funcs,\n  },';
  expect(await lost(lineage(manifest(['released', 'draft']), { objects }, {}))).toEqual([]);
});
