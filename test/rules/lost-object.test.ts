import { expect, test } from 'vitest';
import { FOLDER, NOTIFIER, VALUE } from './effects';
import { check, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

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

const REPLACED = manifest(['released', 'draft']);
const QUIET = '  {\n    .name = "ext4",\n    .funcs = no_funcs,\n  },\n  {\n    .funcs = funcs,\n  },';

precision(
  'lost-object',
  [
    {
      what: 'the object stands under an #if that is not taken any more',
      lineage: lineage(REPLACED, on(NOTIFIER, 'nf_tables'), {
        body: 'static struct klp_func nft_funcs[] = { { } };',
        objects:
          '#ifdef LP_FIX_NFT\n  {\n    .name = "nf_tables",\n    .funcs = nft_funcs,\n  },\n#endif\n  {\n    .funcs = funcs,\n  },',
      }),
      says: 'the object nf_tables',
    },
    {
      what: 'another module in its place',
      lineage: lineage(REPLACED, on(NOTIFIER, 'ext4'), {
        objects: '  {\n    .name = "xfs",\n    .funcs = funcs,\n  },',
      }),
      says: 'the object ext4',
    },
  ],
  [
    {
      why: 'the object is kept with an empty list of functions',
      lineage: lineage(REPLACED, on(FOLDER, 'ext4'), {
        body: 'static struct klp_func no_funcs[] = { { } };',
        objects: QUIET,
      }),
    },
    {
      why: 'the table of the successor cannot be read to its end',
      lineage: lineage(REPLACED, on(FOLDER, 'ext4'), {
        objects: '  LP_OBJECTS,\n  {\n    .funcs = funcs,\n  },',
      }),
    },
    {
      why: 'the successor is stacked and replaces nothing',
      lineage: lineage(REPLACED, on(FOLDER, 'ext4'), { replace: '' }),
    },
  ],
);
