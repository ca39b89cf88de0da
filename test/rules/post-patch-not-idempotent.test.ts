import { expect, test } from 'vitest';
import { HEAP, marked, NOTIFIER, VALUE } from './effects';
import {
  asText,
  check,
  expectMarked,
  fixed,
  type LivepatchParts,
  lineage,
  livepatch,
  manifest,
} from './fixture';
import { spoken } from './spoken';

const CODE = 'post-patch-not-idempotent';
const DRAFT = manifest(['draft']);
const MARK = `  //~ ${CODE}`;

const late = (parts: LivepatchParts, undo: string, undoing = 'post_unpatch'): LivepatchParts => {
  const body = (parts.body ?? '')
    .replace(/static int (hook|get)/, 'static void $1')
    .replace('  return register', '  register')
    .replace('  if (!buffer)\n    return -ENOMEM;\n  return 0;', '');
  const name = /static void (hook|get|louder)/.exec(body)?.[1] ?? '';
  return { body, callbacks: `      .post_patch = ${name},\n      .${undoing} = ${undo},` };
};

test('a notifier that post_unpatch unregisters is registered twice', async () => {
  const parts = marked(late(NOTIFIER, 'unhook'), '  register', `${MARK}: Undo it in pre_unpatch`);
  const findings = await expectMarked(lineage(DRAFT, parts), CODE);
  expect(findings[0]?.severity).toBe('warning');
  expect(findings[0]?.run?.slice(0, 5)).toEqual(['load v1', 'stall', 'disable v1', 'enable v1', 'resume']);
});

test('a value whose original is overwritten by the changed one', async () => {
  const parts = marked(late(VALUE, 'back'), 'console_loglevel = 15', `${MARK}: stays changed`);
  await expectMarked(lineage(DRAFT, parts), CODE);
});

test('memory that is allocated a second time', async () => {
  const parts = marked(late(HEAP, 'put'), 'kzalloc', `${MARK}: nobody frees it`);
  await expectMarked(lineage(DRAFT, parts), CODE);
});

test('a count that goes up twice', async () => {
  const parts: LivepatchParts = {
    body: `static void up(struct klp_object *obj)
{
  static_branch_inc(&acme_key);
${MARK}: counts it twice
}
static void down(struct klp_object *obj)
{
  static_branch_dec(&acme_key);
}`,
    callbacks: '      .post_patch = up,\n      .post_unpatch = down,',
  };
  await expectMarked(
    lineage(DRAFT, { ...parts, body: `extern struct static_key_false acme_key;\n${parts.body}` }),
    CODE,
  );
});

test('a file of a name that is taken', async () => {
  const parts: LivepatchParts = {
    body: `static void make(struct klp_object *obj)
{
  proc_mkdir("acme", NULL);
${MARK}: fails
}
static void drop(struct klp_object *obj)
{
  remove_proc_entry("acme", NULL);
}`,
    callbacks: '      .post_patch = make,\n      .post_unpatch = drop,',
  };
  await expectMarked(lineage(DRAFT, parts), CODE);
});

test('what is undone nowhere is done twice as well', async () => {
  const parts = marked(late(NOTIFIER, 'unhook'), '  register', `${MARK}: nothing undoes it`);
  await expectMarked(lineage(DRAFT, { ...parts, callbacks: '      .post_patch = hook,' }), CODE);
});

test('the fix calls the undo as pre_unpatch', async () => {
  const { fixture, findings } = await check(lineage(DRAFT, late(VALUE, 'back')));
  const fix = findings.find((finding) => finding.code === CODE)?.fixes[0];
  expect(fix?.title).toBe('Call back() as pre_unpatch');
  if (!fix) return;
  await expectMarked(asText(fixed(fixture, fix)), CODE);
});

test.each([
  ['a notifier', late(NOTIFIER, 'unhook', 'pre_unpatch')],
  ['a value', VALUE],
  ['memory', late(HEAP, 'put', 'pre_unpatch')],
] as const)('%s that pre_unpatch undoes', async (_, parts) => {
  await expectMarked(lineage(DRAFT, parts), CODE);
});

test('pre_patch is not called again', async () => {
  await expectMarked(lineage(DRAFT, NOTIFIER), CODE);
});

test('post_patch remembers that it is done', async () => {
  const parts = late(NOTIFIER, 'unhook');
  const body = `static bool registered;\n${parts.body}`
    .replace('  register_', '  if (registered)\n    return;\n  registered = true;\n  register_')
    .replace('  unregister_', '  if (!registered)\n    return;\n  registered = false;\n  unregister_');
  await expectMarked(lineage(DRAFT, { ...parts, body }), CODE);
});

test('queueing work that is queued already does nothing', async () => {
  const parts: LivepatchParts = {
    body: `static void run(struct work_struct *work)
{
}
static DECLARE_DELAYED_WORK(job, run);
static void start(struct klp_object *obj)
{
  schedule_delayed_work(&job, HZ);
}
static void end(struct klp_object *obj)
{
  cancel_delayed_work_sync(&job);
}`,
    callbacks: '      .post_patch = start,\n      .post_unpatch = end,',
  };
  await expectMarked(lineage(DRAFT, parts), CODE);
});

const SAID = (what: string, undo: string): string =>
  `When a disable of v1 is reversed, post_patch runs again and makes ${what}: ${undo} Undo it in pre_unpatch.`;
const LATE = 'its undo stands in post_unpatch, which is not called in between.';
const UNDONE = ' | undone here, in post_unpatch';

test('the whole sentences', async () => {
  expect(await spoken(lineage(DRAFT, late(NOTIFIER, 'unhook')), CODE)).toEqual([
    `warning must v1: ${SAID('the notifier nb a second time, which fails', LATE)}${UNDONE}`,
  ]);
  expect(await spoken(lineage(DRAFT, late(VALUE, 'back')), CODE)).toEqual([
    `warning must v1: ${SAID('the kernel variable console_loglevel a second time, and later, when it is disabled for good, it stays changed for good', LATE)}${UNDONE}`,
  ]);
  const nowhere = { ...late(NOTIFIER, 'unhook'), callbacks: '      .post_patch = hook,' };
  expect(await spoken(lineage(DRAFT, nowhere), CODE)).toEqual([
    `warning must v1: ${SAID('the notifier nb a second time, which fails', 'nothing undoes it in between.')}`,
  ]);
});

/** post_patch and one that undoes. */
const both = (make: string, undo: string, undoing = 'post_unpatch', before = ''): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;
${before}static void up(struct klp_object *obj)
{
${make}
}
static void down(struct klp_object *obj)
{
${undo}
}`,
  callbacks: `      .post_patch = up,\n      .${undoing} = down,`,
});

test('what post_patch does twice by itself has nothing to do with a reversal', async () => {
  const twice = both(
    '  static_branch_inc(&acme_key);\n  static_branch_inc(&acme_key);',
    '  static_branch_dec(&acme_key);\n  static_branch_dec(&acme_key);',
    'pre_unpatch',
  );
  expect(await spoken(lineage(DRAFT, twice), CODE)).toEqual([]);
});

test('a shadow variable has a rule of its own, and what stays anyway has others', async () => {
  const shadow = both(
    '  klp_shadow_alloc(NULL, 7, 8, GFP_KERNEL, NULL, NULL);',
    '  klp_shadow_free(NULL, 7, NULL);',
  );
  expect(await spoken(lineage(DRAFT, shadow), CODE)).toEqual([]);
  expect(await spoken(lineage(DRAFT, both('  console_loglevel = 15;', '  acme_note();')), CODE)).toEqual([]);
});

test('what hangs on something unknown is milder, and says on what', async () => {
  const busy = both(
    '  static_branch_inc(&acme_key);',
    '  if (acme_busy())\n    return;\n  static_branch_dec(&acme_key);',
    'pre_unpatch',
  );
  const said = SAID(
    'the static key acme_key a second time, which counts it twice',
    'its undo in pre_unpatch is left out then. It depends on acme_busy(), which is not known.',
  );
  expect(await spoken(lineage(DRAFT, busy), CODE)).toEqual([
    `information may v1: ${said} | undone here, in pre_unpatch`,
  ]);
});

test('of several objects one has a post_patch, and a livepatch has none', async () => {
  const objects = `  { .name = "ext4", .funcs = funcs },
  { .funcs = funcs, .callbacks = { .post_patch = hook, .post_unpatch = unhook } },`;
  expect(await spoken(lineage(DRAFT, { ...late(NOTIFIER, 'unhook'), objects }), CODE)).toHaveLength(1);
  const none = livepatch().replace('  .objs = objs,\n', '');
  expect(await spoken(lineage(DRAFT, none), CODE)).toEqual([]);
});

test('a pre_patch that refuses: no post_patch, no reversal', async () => {
  const parts = late(NOTIFIER, 'unhook');
  const refuses = {
    body: `static int no(struct klp_object *obj)\n{\n  return -ENODEV;\n}\n${parts.body}`,
    callbacks: `      .pre_patch = no,\n${parts.callbacks}`,
  };
  expect(await spoken(lineage(DRAFT, refuses), CODE)).toEqual([]);
});

test('an undo that hangs on something unknown may be left out, whichever way is the one of success', async () => {
  const says = async (undo: string, undoing: string): Promise<string[]> => {
    const parts = late(NOTIFIER, 'unhook', undoing);
    const body = (parts.body ?? '').replace(/( {2}unregister\w+\([^;]*;)/, undo);
    return spoken(lineage(DRAFT, { ...parts, body }), CODE);
  };
  const may = (on: string): string =>
    `information may v1: When a disable of v1 is reversed, post_patch runs again and makes the notifier nb a second time, which fails: its undo in pre_unpatch is left out then. It depends on ${on}, which is not known. Undo it in pre_unpatch. | undone here, in pre_unpatch`;
  expect(await says('  if (acme_ready())\n  $1', 'pre_unpatch')).toEqual([may('acme_ready()')]);
  expect(await says('  if (acme_busy())\n    return;\n$1', 'pre_unpatch')).toEqual([may('acme_busy()')]);
  // In post_unpatch it comes too late, whether it comes or not.
  const must =
    'warning must v1: When a disable of v1 is reversed, post_patch runs again and makes the notifier nb a second time, which fails: its undo stands in post_unpatch, which is not called in between. Undo it in pre_unpatch. | undone here, in post_unpatch';
  expect(await says('  if (acme_ready())\n  $1', 'post_unpatch')).toEqual([must]);
  expect(await says('$1', 'post_unpatch')).toEqual([must]);
  expect(await says('$1', 'pre_unpatch')).toEqual([]);
});

test('what a plain disable may leave as well is not told twice', async () => {
  const parts = late(HEAP, 'put', 'pre_unpatch');
  const body = (parts.body ?? '').replace(/( {2}kfree\([^;]*;)/, '  if (acme_ready())\n  $1');
  expect(await spoken(lineage(DRAFT, { ...parts, body }), CODE)).toEqual([]);
});
