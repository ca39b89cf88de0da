import { expect, test } from 'vitest';
import { PROC_FILE, PUBLISHED_NOTIFIER, STATIC_KEY } from './effects';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

const TWO = manifest(['released', 'draft']);

/** Makes something and publishes what its undo needs. */
const V1 = {
  notifier: PUBLISHED_NOTIFIER,
  proc: PROC_FILE,
  key: STATIC_KEY,
  shadow: {
    body: `static int make(struct klp_object *obj)
{
  return klp_shadow_alloc(NULL, 9, 4, GFP_KERNEL, NULL, NULL) ? 0 : -ENOMEM;
}
static void drop(struct klp_object *obj)
{
  klp_shadow_free(NULL, 9, NULL);
}`,
    callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
  },
  file: {
    body: `static struct dentry *dir;
static int make(struct klp_object *obj)
{
  dir = debugfs_create_dir("acme", NULL);
  return PTR_ERR_OR_ZERO(dir);
}
static void drop(struct klp_object *obj)
{
  debugfs_remove(dir);
}`,
    callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
  },
} satisfies Record<string, LivepatchParts>;

const pre = (body: string, more: LivepatchParts = {}): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;\nstatic int tidy(struct klp_object *obj)\n{\n${body}\n  return 0;\n}`,
  callbacks: '      .pre_patch = tidy,',
  ...more,
});
const post = (body: string, more: LivepatchParts = {}): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;\nstatic void tidy(struct klp_object *obj)\n{\n${body}\n}`,
  callbacks: '      .post_patch = tidy,',
  ...more,
});
const BY_STATE = `  struct klp_state *prev = klp_get_prev_state(7);

  if (prev)
    unregister_reboot_notifier(prev->data);`;
const STATE = { states: '  { .id = 7, .version = 2 },' };
const REVERSED = ['load v1', 'stall', 'load v2', 'disable v2', 'resume'];

precision(
  'cleanup-in-pre-patch',
  [
    {
      what: 'a notifier that the state hands over',
      lineage: lineage(TWO, V1.notifier, pre(BY_STATE, STATE)),
      says: 'v2 removes the notifier',
      on: 'unregister_reboot_notifier',
      run: REVERSED,
      severity: 'error',
    },
    {
      what: 'a proc file by its name',
      lineage: lineage(TWO, V1.proc, pre('  remove_proc_subtree("acme", NULL);')),
      says: 'of v1 in pre_patch',
      run: REVERSED,
    },
    {
      what: 'a static key',
      lineage: lineage(TWO, V1.key, pre('  static_branch_disable(&acme_key);')),
      says: 'acme_key',
    },
    {
      what: 'a shadow variable',
      lineage: lineage(TWO, V1.shadow, pre('  klp_shadow_free_all(9, NULL);')),
      says: 'Do it in post_patch',
    },
    {
      what: 'a debugfs folder, looked up',
      lineage: lineage(TWO, V1.file, pre('  debugfs_lookup_and_remove("acme", NULL);')),
      says: 'v1 stays enabled without it',
    },
    {
      what: 'of two versions alike',
      lineage: lineage(
        manifest(['released', 'released', 'draft']),
        V1.file,
        {
          ...V1.file,
          body: V1.file.body.replace(
            'dir = debugfs_create',
            'debugfs_lookup_and_remove("acme", NULL);\n  dir = debugfs_create',
          ),
        },
        post('  debugfs_lookup_and_remove("acme", NULL);'),
      ),
      says: 'v2 removes the debugfs',
      severity: 'warning',
    },
  ],
  [
    { why: 'post_patch is the place', lineage: lineage(TWO, V1.notifier, post(BY_STATE, STATE)) },
    {
      why: 'by name in post_patch',
      lineage: lineage(TWO, V1.proc, post('  remove_proc_subtree("acme", NULL);')),
    },
    {
      why: 'pre_patch only looks',
      lineage: lineage(TWO, V1.shadow, pre('  if (klp_shadow_get(NULL, 9))\n    pr_info("there\\n");')),
    },
    {
      why: 'a reversal makes it anew',
      lineage: lineage(TWO, V1.shadow, {
        body: `static int tidy(struct klp_object *obj)
{
  klp_shadow_free_all(9, NULL);
  return 0;
}
static void anew(struct klp_object *obj)
{
  klp_shadow_alloc(NULL, 9, 4, GFP_KERNEL, NULL, NULL);
}`,
        callbacks: '      .pre_patch = tidy,\n      .post_unpatch = anew,',
      }),
    },
    {
      why: 'it undoes what it has just done itself',
      lineage: lineage(TWO, {}, pre('  void *p = kzalloc(8, GFP_KERNEL);\n\n  kfree(p);')),
    },
    { why: 'its own undo stands in post_unpatch', lineage: lineage(TWO, V1.proc, {}) },
  ],
);

const CODE = 'cleanup-in-pre-patch';
const SAID = (to: string, what: string, from: string): string =>
  `${to} removes ${what} of ${from} in pre_patch: v1's code still runs then, and if the transition is reversed or fails, ` +
  'v1 stays enabled without it. Do it in post_patch.';

test('what is told', async () => {
  const text = lineage(TWO, V1.proc, pre('  remove_proc_subtree("acme", NULL);'));
  expect(await told(text, CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: SAID('v2', 'the proc entry acme', 'v1'),
      versions: ['v2', 'v1'],
      on: 'v2/a.c: remove_proc_subtree("acme", NULL)',
      related: ['v1/a.c: proc_create("acme", 0444, NULL, &ops): v1: the proc entry acme is made here'],
      run: REVERSED,
      fixes: [],
    },
  ]);
});

test('what is told of several predecessors, and of several effects', async () => {
  const both: LivepatchParts = {
    body: `${V1.file.body}\nstatic const struct proc_ops ops = { };
static int make_both(struct klp_object *obj)
{
  if (!proc_create("acme", 0444, NULL, &ops))
    return -ENOMEM;
  return make(obj);
}
static void drop_both(struct klp_object *obj)
{
  drop(obj);
  remove_proc_entry("acme", NULL);
}`,
    callbacks: '      .pre_patch = make_both,\n      .post_unpatch = drop_both,',
  };
  const three = lineage(
    manifest(['released', 'released', 'draft']),
    both,
    both,
    pre('  debugfs_lookup_and_remove("acme", NULL);\n  remove_proc_subtree("acme", NULL);'),
  );
  const found = (await told(three, CODE)).map(({ message, versions }) => ({ message, versions }));
  expect(found).toEqual([
    { message: SAID('v3', 'the debugfs folder acme', 'v1 and v2'), versions: ['v3', 'v1', 'v2'] },
    { message: SAID('v3', 'the proc entry acme', 'v1 and v2'), versions: ['v3', 'v1', 'v2'] },
  ]);
});

test('what a callback of a module made is shown with that module loaded', async () => {
  const v1: LivepatchParts = {
    ...V1.proc,
    objects: `  { .name = "ext4", .funcs = funcs, .callbacks = {\n${V1.proc.callbacks}\n    } },`,
  };
  const [found] = await told(lineage(TWO, v1, pre('  remove_proc_subtree("acme", NULL);')), CODE);
  expect(found?.run).toEqual(['load ext4', ...REVERSED]);
});
