import { expect, test } from 'vitest';
import { HEAP, marked, NOTIFIER, VALUE } from './effects';
import { asText, check, expectMarked, fixed, type LivepatchParts, lineage, manifest } from './fixture';

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
