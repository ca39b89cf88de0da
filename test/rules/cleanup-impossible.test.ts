import { expect, test } from 'vitest';
import { FILE, FOLDER, HEAP, marked, NOTIFIER, NOTIFIER_BY_STATE, VALUE } from './effects';
import { check, expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

const ONE = manifest(['draft']);
const DEVICE: LivepatchParts = {
  body: `static struct miscdevice dev = { .name = "acme" };
static int add(struct klp_object *obj)
{
  return misc_register(&dev);
}
static void drop(struct klp_object *obj)
{
  misc_deregister(&dev);
}`,
  callbacks: '      .pre_patch = add,\n      .post_unpatch = drop,',
};
const THREAD: LivepatchParts = {
  body: `static struct task_struct *worker;
static int loop(void *data)
{
  while (!kthread_should_stop())
    msleep(1000);
  return 0;
}
static void start(struct klp_object *obj)
{
  worker = kthread_run(loop, NULL, "acme");
}
static void stop(struct klp_object *obj)
{
  kthread_stop(worker);
}`,
  callbacks: '      .post_patch = start,\n      .pre_unpatch = stop,',
};
const KEY: LivepatchParts = {
  body: `extern struct static_key_false acme_key;
static void on(struct klp_object *obj)
{
  static_branch_enable(&acme_key);
}
static void off(struct klp_object *obj)
{
  static_branch_disable(&acme_key);
}`,
  callbacks: '      .post_patch = on,\n      .pre_unpatch = off,',
};

precision(
  'cleanup-impossible',
  [
    {
      what: 'a notifier in static data',
      lineage: lineage(ONE, NOTIFIER),
      says: "needs a pointer, which only v1's own data holds",
      on: 'register_reboot_notifier',
      run: ['load v1'],
      severity: 'warning',
    },
    {
      what: 'an original value in static data',
      lineage: lineage(ONE, VALUE),
      says: 'needs the original value',
    },
    { what: 'a device', lineage: lineage(ONE, DEVICE), says: 'Publish it', severity: 'warning' },
    { what: 'a thread', lineage: lineage(ONE, THREAD), says: 'needs what the call returned' },
    {
      what: 'memory: a leak is an information',
      lineage: lineage(ONE, HEAP),
      says: 'Publish it',
      severity: 'information',
    },
    {
      what: 'a state that is declared and holds something else',
      lineage: lineage(ONE, {
        ...NOTIFIER_BY_STATE,
        body: (NOTIFIER_BY_STATE.body ?? '').replace('->data = &nb', '->data = "notifier"'),
      }),
      says: 'No later version can undo the notifier',
    },
  ],
  [
    { why: 'the state leads to it', lineage: lineage(ONE, NOTIFIER_BY_STATE) },
    {
      why: 'memory behind the state holds it',
      lineage: lineage(ONE, {
        ...HEAP,
        body: (HEAP.body ?? '').replace(
          '  if (!buffer)',
          '  klp_get_state(&patch, 7)->data = &buffer;\n  if (!buffer)',
        ),
        states: '  { .id = 7, .version = 1 },',
      }),
    },
    {
      why: 'a shadow variable holds it',
      lineage: lineage(ONE, {
        ...NOTIFIER,
        body: (NOTIFIER.body ?? '').replace(
          '  return register_reboot',
          '  void **known = klp_shadow_alloc(NULL, 9, sizeof(*known), GFP_KERNEL, NULL, NULL);\n\n  if (!known)\n    return -ENOMEM;\n  *known = &nb;\n  return register_reboot',
        ),
      }),
    },
    { why: 'a file has a name', lineage: lineage(ONE, FILE) },
    { why: 'a folder has a name', lineage: lineage(ONE, FOLDER) },
    { why: 'a static key is known by its name', lineage: lineage(ONE, KEY) },
    { why: 'what is released cannot publish any more', lineage: lineage(manifest(['released']), NOTIFIER) },
    { why: 'it replaces nothing and nobody else does', lineage: lineage(ONE, { ...NOTIFIER, replace: '' }) },
    {
      why: 'a later version does undo it',
      lineage: lineage(manifest(['draft', 'draft']), NOTIFIER_BY_STATE, NOTIFIER_BY_STATE),
    },
  ],
);

test('where a replacement does leave it behind, that is said, and this belongs to it', async () => {
  const findings = await expectMarked(
    lineage(
      manifest(['draft', 'released']),
      marked(NOTIFIER, 'return register_reboot', '  //~ dangling-module-pointer: replaced by v2'),
      {},
    ),
  );
  const related = findings[0]?.related.map(({ message }) => message).join('\n') ?? '';
  expect(related).toContain('also cleanup-impossible: No later version can undo');
  expect(related).toContain('also unpublished-pointer:');
  expect(related).toContain('also undo-only-in-own-unpatch:');
});

test('one finding for one cause', async () => {
  const { findings } = await check(lineage(ONE, NOTIFIER));
  expect(findings.map((finding) => finding.code)).toEqual(['cleanup-impossible']);
});
