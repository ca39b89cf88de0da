import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

const TWO = manifest(['released', 'draft']);
const NOTIFIER: LivepatchParts = {
  body: `static int seen(struct notifier_block *nb, unsigned long event, void *data)
{
  return NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = seen };
static int hook(struct klp_object *obj)
{
  klp_get_state(&patch, 7)->data = &nb;
  return register_reboot_notifier(&nb);
}
static void unhook(struct klp_object *obj)
{
  unregister_reboot_notifier(&nb);
}`,
  callbacks: '      .pre_patch = hook,\n      .post_unpatch = unhook,',
  states: '  { .id = 7, .version = 1 },',
};
const PROC: LivepatchParts = {
  body: `static const struct proc_ops ops = { };
static int make(struct klp_object *obj)
{
  return proc_create("acme", 0444, NULL, &ops) ? 0 : -ENOMEM;
}
static void drop(struct klp_object *obj)
{
  remove_proc_entry("acme", NULL);
}`,
  callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
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
const COUNT: LivepatchParts = {
  body: `extern struct static_key_false acme_key;
static void on(struct klp_object *obj)
{
  static_branch_inc(&acme_key);
}
static void off(struct klp_object *obj)
{
  static_branch_dec(&acme_key);
}`,
  callbacks: '      .post_patch = on,\n      .pre_unpatch = off,',
};
const FILE: LivepatchParts = {
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
};
const STATE = { states: '  { .id = 7, .version = 2 },' };
const post = (body: string, more: LivepatchParts = {}): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;\nstatic void tidy(struct klp_object *obj)\n{\n${body}\n}`,
  callbacks: '      .post_patch = tidy,',
  ...more,
});
const withState = (parts: LivepatchParts): LivepatchParts => ({
  ...parts,
  states: '  { .id = 7, .version = 1 },',
});
const IF_PREV = '  if (!klp_get_prev_state(7))\n    return;\n';

precision(
  'unguarded-cleanup',
  [
    {
      what: 'the data of a state that nobody had',
      lineage: lineage(
        TWO,
        NOTIFIER,
        post('  unregister_reboot_notifier(klp_get_prev_state(7)->data);', STATE),
      ),
      says: 'also where v1 was never installed',
      on: 'unregister_reboot_notifier',
      run: ['load v2'],
      severity: 'error',
    },
    {
      what: 'the same, over a variable',
      lineage: lineage(
        TWO,
        NOTIFIER,
        post(
          '  struct klp_state *prev = klp_get_prev_state(7);\n  void *nb = prev->data;\n\n  unregister_reboot_notifier(nb);',
          STATE,
        ),
      ),
      says: 'also where v1 was never installed',
    },
    {
      what: 'a proc file that is not there: the kernel warns',
      lineage: lineage(TWO, PROC, post('  remove_proc_entry("acme", NULL);')),
      says: 'gets something that is not there',
    },
    {
      what: 'a static key that somebody else may have switched on',
      lineage: lineage(TWO, KEY, post('  static_branch_disable(&acme_key);')),
      says: 'it changes the static key acme_key, whoever set it',
    },
    {
      what: 'a count that nobody raised',
      lineage: lineage(TWO, COUNT, post('  static_branch_dec(&acme_key);')),
      says: 'Guard it',
    },
  ],
  [
    {
      why: 'the previous state is asked',
      lineage: lineage(
        TWO,
        NOTIFIER,
        post(
          '  struct klp_state *prev = klp_get_prev_state(7);\n\n  if (prev)\n    unregister_reboot_notifier(prev->data);',
          STATE,
        ),
      ),
    },
    {
      why: 'an early return asks it',
      lineage: lineage(TWO, withState(PROC), post(`${IF_PREV}  remove_proc_entry("acme", NULL);`, STATE)),
    },
    {
      why: 'removing a name that is not there does nothing',
      lineage: lineage(TWO, FILE, post('  debugfs_lookup_and_remove("acme", NULL);')),
    },
    {
      why: 'freeing shadow variables that are not there does nothing',
      lineage: lineage(TWO, {}, post('  klp_shadow_free_all(9, NULL);')),
    },
    {
      why: 'the key is switched off behind the guard',
      lineage: lineage(TWO, withState(KEY), post(`${IF_PREV}  static_branch_disable(&acme_key);`, STATE)),
    },
    { why: 'it is its own, undone in its own post_unpatch', lineage: lineage(TWO, {}, PROC) },
  ],
);
