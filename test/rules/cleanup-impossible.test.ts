import { expect, test } from 'vitest';
import { FILE, FOLDER, HEAP, marked, NOTIFIER, NOTIFIER_BY_STATE, STATIC_KEY, VALUE } from './effects';
import { check, expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

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

/** pre_patch and its undo, in post_unpatch. */
const pair = (data: string, make: string, drop: string): LivepatchParts => ({
  body: `${data}
static int make(struct klp_object *obj)
{
${make}
}
static void drop(struct klp_object *obj)
{
${drop}
}`,
  callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
});
const BUFFER = 'kzalloc(64, GFP_KERNEL)';
const EXPORTED = pair(
  'extern void *acme_buffer;',
  `  acme_buffer = ${BUFFER};\n  return acme_buffer ? 0 : -ENOMEM;`,
  '  kfree(acme_buffer);\n  acme_buffer = NULL;',
);
const HANGING = pair(
  'struct root { void *buffer; };\nextern struct root *acme_root;',
  `  acme_root = kzalloc(sizeof(*acme_root), GFP_KERNEL);
  if (!acme_root)
    return -ENOMEM;
  acme_root->buffer = ${BUFFER};
  return 0;`,
  '  kfree(acme_root->buffer);\n  kfree(acme_root);\n  acme_root = NULL;',
);
const CHRDEV = pair(
  'static int major;\nstatic const struct file_operations fops = { };',
  '  major = register_chrdev(0, "acme", &fops);\n  return major < 0 ? major : 0;',
  '  unregister_chrdev(major, "acme");',
);
const REGION = pair(
  '',
  '  return register_chrdev_region(MKDEV(240, 0), 1, "acme");',
  '  unregister_chrdev_region(MKDEV(240, 0), 1);',
);
const ENTRY = pair(
  'extern struct xarray acme_entries;\nstatic int entry;',
  '  return xa_err(xa_store(&acme_entries, 5, &entry, GFP_KERNEL));',
  '  xa_erase(&acme_entries, 5);',
);
const NUMBER = (publish: string): LivepatchParts =>
  pair(
    'extern struct ida acme_ids;\nstatic int id;',
    `  int *known = klp_shadow_alloc(NULL, 9, sizeof(*known), GFP_KERNEL, NULL, NULL);

  if (!known)
    return -ENOMEM;
  id = ida_alloc(&acme_ids, GFP_KERNEL);
  if (id < 0)
    return id;
  ${publish}
  return 0;`,
    '  ida_free(&acme_ids, id);\n  klp_shadow_free(NULL, 9, NULL);',
  );
const COUNT = pair(
  'extern atomic_t acme_users;',
  '  atomic_inc(&acme_users);\n  return 0;',
  '  atomic_dec(&acme_users);',
);
const HELD = pair(
  'static struct task_struct *task;',
  '  task = get_task_struct(current);\n  return 0;',
  '  put_task_struct(task);',
);

test.each([
  [
    NOTIFIER,
    'warning',
    'the notifier nb: that needs a pointer',
    'register_reboot_notifier(&nb)',
    'unregister_reboot_notifier(&nb)',
    ' in post_unpatch',
  ],
  [
    VALUE,
    'warning',
    'the kernel variable console_loglevel: that needs the original value',
    'console_loglevel = 15',
    'console_loglevel = saved',
    ' in pre_unpatch',
  ],
  [
    HEAP,
    'information',
    'the allocation kzalloc in get: that needs what the call returned',
    BUFFER,
    'kfree(buffer)',
    ' in post_unpatch',
  ],
  [
    CHRDEV,
    'warning',
    'the character device acme: that needs what the call returned',
    'register_chrdev(0, "acme", &fops)',
    'unregister_chrdev(major, "acme")',
    ' in post_unpatch',
  ],
  [
    THREAD,
    'warning',
    'the kernel thread acme: that needs what the call returned',
    'kthread_run(loop, NULL, "acme")',
    'kthread_stop(worker)',
    ' in pre_unpatch',
  ],
] as const)('what is told of %#', async (parts, severity, what, on, undo, during) => {
  expect(await told(lineage(ONE, parts), 'cleanup-impossible')).toMatchObject([
    {
      severity,
      certainty: 'must',
      message:
        `No later version can undo ${what}, which only v1's own data holds. ` +
        'Publish it in the data of a state or in a shadow variable before v1 is released.',
      versions: ['v1'],
      on: `v1/a.c: ${on}`,
      run: ['load v1'],
      fixes: [],
    },
  ]);
  const [{ related } = { related: [] }] = await told(lineage(ONE, parts), 'cleanup-impossible');
  expect(related[0]).toBe(`v1/a.c: ${undo}: v1 itself undoes it here,${during}`);
});

/** A fixed number, which a later version may know as well. */
const FIXED: LivepatchParts = {
  ...CHRDEV,
  body: (CHRDEV.body ?? '').replace('register_chrdev(0', 'register_chrdev(240').replace('(major, ', '(240, '),
};
const TIDY: LivepatchParts = {
  body: 'static void tidy(struct klp_object *obj)\n{\n  unregister_chrdev(240, "acme");\n}',
  callbacks: '      .post_patch = tidy,',
};
const REFUSING: LivepatchParts = {
  ...TIDY,
  body: `${TIDY.body}\nstatic int no(struct klp_object *obj)\n{\n  return -ENODEV;\n}`,
  callbacks: `${TIDY.callbacks}\n      .pre_patch = no,`,
};

test.each([
  ['the next version does', [FIXED, TIDY], []],
  ['one of those after it does', [FIXED, {}, TIDY], []],
  ['none does', [FIXED, {}], ['v1']],
  ['it came before', [TIDY, FIXED], ['v2']],
  ['it does not replace anything', [FIXED, { ...TIDY, replace: '' }], ['v1']],
  ['it is never loaded', [FIXED, REFUSING], ['v1']],
] as const)('whether a later version shows how: %s', async (_what, versions, expected) => {
  const { findings } = await check(lineage(manifest(versions.map(() => 'draft')), ...versions));
  // Where a replacement does leave it behind, that is the finding and this belongs to it.
  const impossible = findings.filter(
    ({ code, related }) =>
      code === 'cleanup-impossible' ||
      related.some(({ message }) => message.startsWith('also cleanup-impossible')),
  );
  expect(impossible.map((finding) => finding.versions[0])).toEqual(expected);
});

test('a later version that shows how for one of two effects', async () => {
  const body = (FIXED.body ?? '')
    .replace('  major = ', '  if (register_chrdev(241, "acme2", &fops))\n    return -EBUSY;\n  major = ')
    .replace('  unregister', '  unregister_chrdev(241, "acme2");\n  unregister');
  const { findings } = await check(lineage(manifest(['draft', 'draft']), { ...FIXED, body }, TIDY));
  const texts = findings.flatMap((finding) => [finding, ...finding.related]).map(({ message }) => message);
  const impossible = texts.filter((message) => message.includes('No later version'));
  expect(impossible.map((message) => /the character device (\w+)/.exec(message)?.[1])).toEqual(['acme2']);
});

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
      what: 'a number that only the call tells',
      lineage: lineage(ONE, NUMBER('(void)known;')),
      says: 'needs what the call returned',
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
    { why: "the kernel's variable leads to it", lineage: lineage(ONE, EXPORTED) },
    { why: "memory that the kernel's variable leads to holds it", lineage: lineage(ONE, HANGING) },
    {
      why: 'the state holds the handle',
      lineage: lineage(ONE, {
        ...pair(
          'static struct ctl_table table[] = { { .procname = "acme" }, { } };\nstatic struct ctl_table_header *header;',
          '  header = register_sysctl("kernel", table);\n  klp_get_state(&patch, 7)->data = header;\n  return header ? 0 : -ENOMEM;',
          '  unregister_sysctl_table(header);',
        ),
        states: '  { .id = 7, .version = 1 },',
      }),
    },
    {
      why: 'what the kernel points to',
      lineage: lineage(ONE, {
        ...ENTRY,
        body: (ENTRY.body ?? '')
          .replace(
            'extern struct xarray acme_entries;',
            'struct acme { struct xarray entries; };\nextern struct acme *acme;',
          )
          .replaceAll('&acme_entries', '&acme->entries'),
      }),
    },
    { why: 'a number that everybody can write down', lineage: lineage(ONE, REGION) },
    { why: 'an entry of an array of the kernel', lineage: lineage(ONE, ENTRY) },
    {
      why: 'a number of the kernel that a shadow variable holds',
      lineage: lineage(ONE, NUMBER('*known = id;')),
    },
    {
      why: 'the state holds the thread',
      lineage: lineage(ONE, {
        ...THREAD,
        body: (THREAD.body ?? '').replace('"acme");', '"acme");\n  klp_get_state(&patch, 7)->data = worker;'),
        states: '  { .id = 7, .version = 1 },',
      }),
    },
    { why: 'a count of the kernel is known by its name', lineage: lineage(ONE, COUNT) },
    { why: 'a reference is for another rule', lineage: lineage(ONE, HELD) },
    {
      why: 'exit undoes it whenever it runs',
      lineage: lineage(ONE, {
        ...NOTIFIER,
        callbacks: '      .pre_patch = hook,',
        exit: '  unregister_reboot_notifier(&nb);',
      }),
    },
    {
      why: 'it does not do it alone: nothing is there to be undone',
      lineage: lineage(ONE, {
        ...NOTIFIER,
        body: (NOTIFIER.body ?? '').replace(
          '  return register_reboot',
          '  return -ENODEV;\n  return register_reboot',
        ),
      }),
    },
    { why: 'a file has a name', lineage: lineage(ONE, FILE) },
    { why: 'a folder has a name', lineage: lineage(ONE, FOLDER) },
    { why: 'a static key is known by its name', lineage: lineage(ONE, STATIC_KEY) },
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
