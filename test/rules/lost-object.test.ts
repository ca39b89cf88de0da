import { expect, test } from 'vitest';
import { FOLDER, NOTIFIER, VALUE } from './effects';
import { check, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

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

const BY = 'whose callbacks in v1 (pre_patch and post_unpatch) made';
const SO = 'the object that the kernel puts in its place has no callbacks, so nothing runs for';
const KEEP = 'in the list, with callbacks that take over or undo.';
const OBJECT =
  '{ .name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = hook, .post_unpatch = unhook, }, }';
const OBJECTS = '.objs = objs';

test('what is told of a draft that leaves it out', async () => {
  expect(
    await told(lineage(manifest(['released', 'draft']), on(NOTIFIER, 'ext4'), {}), 'lost-object'),
  ).toEqual([
    {
      severity: 'warning',
      certainty: 'must',
      message: `v2 does not list the object ext4, ${BY} the notifier nb: ${SO} ext4. Keep ext4 ${KEEP}`,
      versions: ['v2', 'v1'],
      on: `v2/a.c: ${OBJECTS}`,
      related: [`v1/a.c: ${OBJECT}: v1 lists ext4 here`],
      run: ['load ext4', 'load v1', 'load v2', 'unload v1'],
      fixes: [],
    },
  ]);
});

test('what is told of a draft whose object several versions leave out', async () => {
  const versions = [on(NOTIFIER, 'ext4'), {}, {}] as const;
  const telling = async (...status: readonly string[]) =>
    told(lineage(manifest(status), ...versions), 'lost-object');
  expect(await telling('draft', 'draft', 'released')).toEqual([
    {
      severity: 'warning',
      certainty: 'must',
      message: `v2 and v3 do not list the object ext4, ${BY} the notifier nb: ${SO} ext4. Keep ext4 ${KEEP}`,
      versions: ['v1', 'v2', 'v3'],
      on: `v1/a.c: ${OBJECT}`,
      related: [`v2/a.c: ${OBJECTS}: the objects of v2, a draft`],
      run: ['load ext4', 'load v1', 'load v2', 'unload v1'],
      fixes: [],
    },
  ]);
  expect((await telling('draft', 'released', 'draft'))[0]?.related).toEqual([
    `v2/a.c: ${OBJECTS}: the objects of v2`,
  ]);
});

test('of successors only those that leave it out are named', async () => {
  const kept = on(
    { body: 'static void idle(struct klp_object *obj) {}', callbacks: '.post_patch = idle,' },
    'ext4',
  );
  const found = await told(
    lineage(manifest(['draft', 'draft', 'draft']), on(NOTIFIER, 'ext4'), {}, kept),
    'lost-object',
  );
  expect(found.map(({ versions }) => versions)).toEqual([['v1', 'v2']]);
});

test('each object is told once, with all that its callbacks made', async () => {
  const both: LivepatchParts = {
    body: `${NOTIFIER.body}
static int make(struct klp_object *obj)
{
  int ret = register_reboot_notifier(&nb);

  if (ret)
    return ret;
  debugfs_create_dir("acme", NULL);
  return 0;
}
static void drop(struct klp_object *obj)
{
  debugfs_lookup_and_remove("acme", NULL);
  unregister_reboot_notifier(&nb);
}
${VALUE.body}`,
    objects: `  {
    .name = "ext4", .funcs = funcs,
    .callbacks = { .pre_patch = make, .post_unpatch = drop },
  },
  {
    .name = "xfs", .funcs = funcs,
    .callbacks = { .post_patch = louder, .pre_unpatch = back },
  },`,
  };
  const found = await told(lineage(manifest(['released', 'draft']), both, {}), 'lost-object');
  expect(found.map(({ message }) => message.split(':')[0])).toEqual([
    'v2 does not list the object ext4, whose callbacks in v1 (pre_patch and post_unpatch) made the notifier nb and the debugfs folder acme',
    'v2 does not list the object xfs, whose callbacks in v1 (post_patch and pre_unpatch) made the kernel variable console_loglevel',
  ]);
});

test('what stays is of the object that made it', async () => {
  const printing = `${NOTIFIER.body}\nstatic int say(struct klp_object *obj)\n{\n  pr_info("hello\\n");\n  return 0;\n}`;
  const objects = `  { .name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = say } },
  { .funcs = funcs, .callbacks = { .pre_patch = hook, .post_unpatch = unhook } },`;
  expect(
    await told(lineage(manifest(['released', 'draft']), { body: printing, objects }, {}), 'lost-object'),
  ).toEqual([]);
});

test('what init made is of no object', async () => {
  const init = '  register_reboot_notifier(&nb);\n  return klp_enable_patch(&patch);';
  const objects = '  { .name = "ext4", .funcs = funcs },';
  expect(
    await told(
      lineage(manifest(['released', 'draft']), { body: NOTIFIER.body ?? '', init }, { objects }),
      'lost-object',
    ),
  ).toEqual([]);
});

test('what may have gone by itself', async () => {
  const timer: LivepatchParts = {
    body: `static struct timer_list timer;
static void ring(struct timer_list *t) {}
static int start(struct klp_object *obj)
{
  timer_setup(&timer, ring, 0);
  mod_timer(&timer, jiffies + HZ);
  return 0;
}
static void stop(struct klp_object *obj)
{
  timer_delete_sync(&timer);
}`,
    callbacks: '.pre_patch = start,\n.post_unpatch = stop,',
  };
  expect(
    await told(lineage(manifest(['released', 'draft']), on(timer, 'ext4'), {}), 'lost-object'),
  ).toMatchObject([{ severity: 'information', certainty: 'may' }]);
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
