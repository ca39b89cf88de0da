import { HEAP, VALUE } from './effects';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

const TWO = manifest(['released', 'draft']);
const vmlinux = (body: string, callbacks: string, more: LivepatchParts = {}): LivepatchParts => ({
  body,
  callbacks,
  ...more,
});

const SYSFS = vmlinux(
  `static struct kobj_attribute attr = __ATTR(acme, 0444, NULL, NULL);
static int make(struct klp_object *obj)
{
  return sysfs_create_file(kernel_kobj, &attr.attr);
}
static void drop(struct klp_object *obj)
{
  sysfs_remove_file(kernel_kobj, &attr.attr);
}`,
  '      .pre_patch = make,\n      .post_unpatch = drop,',
);
const PROC = vmlinux(
  `static const struct proc_ops ops = { };
static int make(struct klp_object *obj)
{
  if (!proc_create("acme", 0444, NULL, &ops))
    return -ENOMEM;
  return 0;
}
static void drop(struct klp_object *obj)
{
  remove_proc_entry("acme", NULL);
}`,
  '      .pre_patch = make,\n      .post_unpatch = drop,',
);
const DEBUGFS = vmlinux(
  `static struct dentry *dir;
static int make(struct klp_object *obj)
{
  dir = debugfs_create_dir("acme", NULL);
  return PTR_ERR_OR_ZERO(dir);
}
static void drop(struct klp_object *obj)
{
  debugfs_remove(dir);
}`,
  '      .pre_patch = make,\n      .post_unpatch = drop,',
);
/** The kernel's own notifier block, registered by each version. */
const SHARED = vmlinux(
  `extern struct notifier_block acme_nb;
static int hook(struct klp_object *obj)
{
  return register_reboot_notifier(&acme_nb);
}
static void unhook(struct klp_object *obj)
{
  unregister_reboot_notifier(&acme_nb);
}`,
  '      .pre_patch = hook,\n      .post_unpatch = unhook,',
);
const asking = (parts: LivepatchParts, test: string): LivepatchParts => ({
  ...parts,
  body: (parts.body ?? '').replace(
    '(struct klp_object *obj)\n{',
    `(struct klp_object *obj)\n{\n  if (${test})\n    return 0;`,
  ),
});
const STATE = { states: '  { .id = 7, .version = 1 },' };

precision(
  'repeated-side-effect',
  [
    {
      what: 'a sysfs file of the same name: -EEXIST refuses the upgrade',
      lineage: lineage(TWO, SYSFS, SYSFS),
      says: 'the kernel refuses v2 (-17)',
      on: 'sysfs_create_file',
      run: ['load v1', 'load v2'],
      severity: 'error',
    },
    {
      what: 'a proc file of the same name',
      lineage: lineage(TWO, PROC, PROC),
      says: 'refuses v2',
      on: 'proc_create',
    },
    {
      what: 'a debugfs folder of the same name',
      lineage: lineage(TWO, DEBUGFS, DEBUGFS),
      says: 'refuses v2',
    },
    {
      what: 'an object of the kernel is linked in twice',
      lineage: lineage(TWO, SHARED, SHARED),
      says: 'again, which is still there from v1',
      on: 'register_reboot_notifier',
    },
    {
      what: 'it asks its own previous state, which the released version does not declare',
      lineage: lineage(TWO, SYSFS, { ...asking(SYSFS, 'klp_get_prev_state(7)'), ...STATE }),
      says: 'refuses v2',
    },
    {
      what: 'after a faulty version, which was loaded once',
      lineage: lineage(manifest(['released', 'faulty', 'draft']), {}, PROC, PROC),
      says: 'still there from v2',
    },
  ],
  [
    {
      why: 'the state says that a predecessor did it',
      lineage: lineage(TWO, { ...SYSFS, ...STATE }, { ...asking(SYSFS, 'klp_get_prev_state(7)'), ...STATE }),
    },
    {
      why: 'a shadow variable says it',
      lineage: lineage(
        TWO,
        asking(SYSFS, '!klp_shadow_alloc(NULL, 7, 1, GFP_KERNEL, NULL, NULL)'),
        asking(SYSFS, 'klp_shadow_get(NULL, 7)'),
      ),
    },
    {
      why: 'the names differ',
      lineage: lineage(TWO, PROC, { ...PROC, body: (PROC.body ?? '').replaceAll('"acme"', '"acme2"') }),
    },
    { why: 'each has memory of its own', lineage: lineage(TWO, HEAP, HEAP) },
    { why: 'writing a value again does no harm by itself', lineage: lineage(TWO, VALUE, VALUE) },
    {
      why: 'the old file is removed by name before',
      lineage: lineage(TWO, PROC, {
        ...PROC,
        body: (PROC.body ?? '').replace(
          '  if (!proc_create',
          '  remove_proc_subtree("acme", NULL);\n  if (!proc_create',
        ),
      }),
    },
    {
      why: 'that it exists is expected, and the file is the one that is wanted',
      lineage: lineage(TWO, SYSFS, {
        ...SYSFS,
        body: (SYSFS.body ?? '').replace(
          '  return sysfs_create_file(kernel_kobj, &attr.attr);',
          '  int ret = sysfs_create_file(kernel_kobj, &attr.attr);\n\n  return ret == -EEXIST ? 0 : ret;',
        ),
      }),
    },
    {
      why: 'the last version is withdrawn: history',
      lineage: lineage(manifest(['released', 'withdrawn']), SYSFS, SYSFS),
    },
  ],
);
