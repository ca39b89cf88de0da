import { expect, test } from 'vitest';
import { HEAP, VALUE } from './effects';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

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

const says = (head: string, ...parts: readonly LivepatchParts[]): Promise<string[]> =>
  spoken(lineage(head, ...parts), 'repeated-side-effect');
const SAID = (again: string, why: string, made: string): string =>
  `${again}: ${why}. Ask first whether a predecessor made it, and take it over. | ${made}`;
const MADE = (what: string, callback = 'pre_patch'): string =>
  `v1: the ${what} is made here, in ${callback}, and stays when v1 is replaced`;

const STILL = (to: string, callback: string, what: string, from = 'v1'): string =>
  `${to}'s ${callback} makes the ${what} again, which is still there from ${from}`;

test('the upgrade is refused, in whole sentences', async () => {
  const three = manifest(['released', 'released', 'draft']);
  const why = 'that fails with -17, and the kernel refuses v3 (-12)';
  expect(await says(three, PROC, {}, PROC)).toEqual([
    SAID(`error must v3 v1: ${STILL('v3', 'pre_patch', 'proc entry acme')}`, why, MADE('proc entry acme')),
  ]);
  const [second, third] = await says(three, PROC, PROC, PROC);
  expect(second?.slice(0, 'warning must v2 v1: '.length)).toBe('warning must v2 v1: ');
  expect(third).toBe(
    SAID(
      `error must v3 v1 v2: ${STILL('v3', 'pre_patch', 'proc entry acme', 'v1 and v2')}`,
      why,
      MADE('proc entry acme'),
    ),
  );
});

test('two names in one callback, and the same call for each', async () => {
  const two = vmlinux(
    (PROC.body ?? '')
      .replace(
        'static int make(',
        'static int one(const char *name)\n{\n  proc_create(name, 0444, NULL, &ops);\n  return 0;\n}\nstatic int make(',
      )
      .replace(
        '  if (!proc_create("acme", 0444, NULL, &ops))\n    return -ENOMEM;',
        '  one("a");\n  one("b");',
      )
      .replace(
        '  remove_proc_entry("acme", NULL);',
        '  remove_proc_entry("a", NULL);\n  remove_proc_entry("b", NULL);',
      ),
    PROC.callbacks ?? '',
    STATE,
  );
  const clears = {
    ...two,
    body: `static void clear(struct klp_object *obj)\n{\n  if (klp_get_prev_state(7)) {\n    remove_proc_entry("a", NULL);\n    remove_proc_entry("b", NULL);\n  }\n}\n${two.body}`,
    callbacks: `${two.callbacks}\n      .post_patch = clear,`,
  };
  const why = 'that fails with -17, and in the end it is not there at all';
  expect(await says(TWO, two, clears)).toEqual(
    ['proc entry a', 'proc entry b'].map((what) =>
      SAID(`error must v2 v1: ${STILL('v2', 'pre_patch', what)}`, why, MADE(what)),
    ),
  );
  expect(await says(TWO, two, two)).toEqual([]);
});

test('an object of the kernel in a list twice', async () => {
  const list = vmlinux(
    `extern struct list_head acme_list;
extern struct list_head acme_node;
static void on(struct klp_object *obj)
{
  list_add(&acme_node, &acme_list);
}
static void off(struct klp_object *obj)
{
  list_del(&acme_node);
}`,
    '      .post_patch = on,\n      .pre_unpatch = off,',
  );
  expect(await says(TWO, list, list)).toEqual([
    SAID(
      `error must v2 v1: ${STILL('v2', 'post_patch', 'list entry acme_node')}`,
      'the same object is linked in twice, which corrupts the list',
      MADE('list entry acme_node', 'post_patch'),
    ),
  ]);
});

test('a count that goes up again: here where nobody takes both back, elsewhere where one is', async () => {
  const count = (undo: string): LivepatchParts =>
    vmlinux(
      `extern struct static_key_false acme_key;
static void on(struct klp_object *obj)
{
  static_branch_inc(&acme_key);
}
static void off(struct klp_object *obj)
{
${undo}
}`,
      '      .post_patch = on,\n      .pre_unpatch = off,',
    );
  const DEC = '  static_branch_dec(&acme_key);';
  const twice = SAID(
    `error must v2 v1: ${STILL('v2', 'post_patch', 'static key acme_key')}`,
    'it is counted twice, and nobody takes both back',
    MADE('static key acme_key', 'post_patch'),
  );
  expect(await says(TWO, count(''), count(''))).toEqual([twice]);
  expect(await says(TWO, count(DEC), count(''))).toEqual([twice]);
  expect(await says(TWO, count(DEC), count(DEC))).toEqual([]);
  expect(await says(TWO, count(DEC), count(`${DEC}\n${DEC}`))).toEqual([]);
});

test('a version that the kernel refuses even alone, or that only does a thing twice itself', async () => {
  const fails = (PROC.body ?? '').replace('  return 0;', '  return -EIO;');
  expect(await says(TWO, PROC, { ...PROC, body: fails })).toEqual([]);
  const body = (PROC.body ?? '').replace(
    '  return 0;',
    '  proc_create("acme", 0444, NULL, &ops);\n  return 0;',
  );
  expect(await says(TWO, {}, { ...PROC, body })).toEqual([]);
});
