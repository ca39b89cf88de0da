import { expect, test } from 'vitest';
import { NOTIFIER, VALUE } from './effects';
import { asText, check, expectMarked, fixed, lineage, livepatch, manifest } from './fixture';
import { told } from './told';

const CODE = 'callback-in-init-memory';
const MARK = `//~ ${CODE}`;
const HEAD = manifest(['draft']);

test('post_patch', async () => {
  const body = (VALUE.body ?? '').replace(
    'static void louder(struct klp_object *obj)',
    `static void __init louder(struct klp_object *obj)\n${MARK}: post_patch of vmlinux`,
  );
  const findings = await expectMarked(lineage(HEAD, { ...VALUE, body }), CODE);
  expect(findings[0]?.severity).toBe('error');
});

test('the fix takes the mark away', async () => {
  const body = (VALUE.body ?? '').replace('static void back', 'static void __init back');
  const { fixture, findings } = await check(lineage(HEAD, { ...VALUE, body }));
  const fix = findings.find((finding) => finding.code === CODE)?.fixes[0];
  expect(fix?.title).toBe('Remove __init from back');
  if (!fix) return;
  const files = fixed(fixture, fix);
  expect(files.get('v1/a.c')).toContain('static void back(struct klp_object *obj)');
  await expectMarked(asText(files), CODE);
});

test('a replacement function', async () => {
  const text = livepatch().replace(
    'static int klpp_acme_open(int n)',
    `static int __init klpp_acme_open(int n)\n${MARK}: replaces acme_open()`,
  );
  await expectMarked(lineage(HEAD, text), CODE);
});

test('the array of objects', async () => {
  const text = livepatch().replace(
    'static struct klp_object objs[] = {',
    `static struct klp_object objs[] __initdata = {\n${MARK}: __initdata`,
  );
  await expectMarked(lineage(HEAD, text), CODE);
});

test("a notifier's function", async () => {
  const body = (NOTIFIER.body ?? '').replace(
    'static int seen(struct notifier_block *nb, unsigned long event, void *data)',
    `static int __init seen(struct notifier_block *nb, unsigned long event, void *data)\n${MARK}: register_reboot_notifier()`,
  );
  await expectMarked(lineage(HEAD, { ...NOTIFIER, body }), CODE);
});

test('a table of operations', async () => {
  const body = `static const struct file_operations fops __initconst = { .owner = THIS_MODULE };
${MARK}: debugfs_create_file()
static int make(struct klp_object *obj)
{
  debugfs_create_file("acme", 0444, NULL, NULL, &fops);
  return 0;
}`;
  await expectMarked(lineage(HEAD, { body, callbacks: '      .pre_patch = make,' }), CODE);
});

test('pre_patch of a module object, which runs when the module is loaded later', async () => {
  const body = `static int __init hook(struct klp_object *obj)
${MARK}: pre_patch of ext4
{
  return 0;
}`;
  const objects =
    '  {\n    .name = "ext4",\n    .funcs = funcs,\n    .callbacks = {\n      .pre_patch = hook,\n    },\n  },';
  await expectMarked(lineage(HEAD, { body, objects }), CODE);
});

test('pre_patch of vmlinux runs while init does', async () => {
  const body = 'static int __init hook(struct klp_object *obj)\n{\n  return 0;\n}';
  await expectMarked(lineage(HEAD, { body, callbacks: '      .pre_patch = hook,' }), CODE);
});

test('module init itself', async () => {
  await expectMarked(lineage(HEAD, NOTIFIER), CODE);
});

test('a function that only init calls', async () => {
  await expectMarked(
    lineage(HEAD, {
      body: 'static int __init prepare(void)\n{\n  return 0;\n}',
      init: '  prepare();\n  return klp_enable_patch(&patch);',
    }),
    CODE,
  );
});

test('data that only init reads', async () => {
  await expectMarked(
    lineage(HEAD, {
      body: 'static int limits[] __initdata = { 1, 2 };',
      init: '  if (limits[0] > 1)\n    return -EINVAL;\n  return klp_enable_patch(&patch);',
    }),
    CODE,
  );
});

test('__exit is another matter', async () => {
  await expectMarked(lineage(HEAD, { ...NOTIFIER, exit: '  pr_info("bye\\n");' }), CODE);
});

test('what is told', async () => {
  const body = (VALUE.body ?? '').replace('static void back', 'static void __init back');
  expect(await told(lineage(HEAD, { ...VALUE, body }), CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message:
        'back is marked __init, so its memory is freed when module init has returned, ' +
        'but it is pre_unpatch of vmlinux, which is called later too. Take the mark away.',
      versions: ['v1'],
      on: 'v1/a.c: back',
      related: ['v1/a.c: .pre_unpatch = back: used here'],
      run: [],
      fixes: ['Remove __init from back'],
    },
  ]);
});

test('what is told of a table of the livepatch itself', async () => {
  const text = livepatch().replace('funcs[] = {', 'funcs[] __initdata = {');
  expect((await told(lineage(HEAD, text), CODE)).map(({ message }) => message)).toEqual([
    'funcs is marked __initdata, so its memory is freed when module init has returned, ' +
      'but the kernel works with it for as long as the livepatch is loaded. Take the mark away.',
  ]);
});

test.each([
  // The mark may stand at either end, on a line of its own, and twice in the file.
  ['static void louder(', '__init static void louder(', 'static void louder('],
  ['static void louder(', 'static void __init\nlouder(', 'static void \nlouder('],
  ['static int saved;', 'static int saved; static int __init louder_twice(void) { return 0; }', null],
])('the fix in %s', async (plain, written, after) => {
  const { fixture, findings } = await check(
    lineage(HEAD, { ...VALUE, body: (VALUE.body ?? '').replace(plain, written) }),
  );
  const found = findings.filter(({ code }) => code === CODE);
  expect(found).toHaveLength(after === null ? 0 : 1);
  const fix = found[0]?.fixes[0];
  if (after === null || !fix) return;
  expect(fixed(fixture, fix).get('v1/a.c')).toBe((fixture.files.get('v1/a.c') ?? '').replace(written, after));
});

test('the fix leaves another item on the line alone', async () => {
  const written = 'static int limit __initdata; static struct klp_object objs[] __initdata = {';
  const text = livepatch().replace('static struct klp_object objs[] = {', written);
  const { fixture, findings } = await check(lineage(HEAD, text));
  const fix = findings.find(({ code }) => code === CODE)?.fixes[0];
  expect(fix && fixed(fixture, fix).get('v1/a.c')).toContain(
    'static int limit __initdata; static struct klp_object objs[] = {',
  );
});

test('a mark that a macro makes is not taken away for all that use it', async () => {
  const body = `#define BOOT __init\n${(VALUE.body ?? '').replace('static void back', 'static void BOOT back')}`;
  expect((await told(lineage(HEAD, { ...VALUE, body }), CODE)).map(({ fixes }) => fixes)).toEqual([[]]);
});

test('a function that runs later', async () => {
  const body = `static struct work_struct work;
static void __init late(struct work_struct *w)
${MARK}: INIT_WORK() hands it to the kernel
{
}
static int arm(struct klp_object *obj)
{
  INIT_WORK(&work, late);
  return 0;
}`;
  await expectMarked(lineage(HEAD, { body, callbacks: '      .pre_patch = arm,' }), CODE);
});

test('whatever hangs from what the kernel is given', async () => {
  const body = `static ssize_t __init show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
${MARK}: sysfs_create_group() hands it to the kernel
{
  return 0;
}
static struct kobj_attribute level = __ATTR(level, 0444, show, NULL);
static struct attribute *attrs[] __initdata = { &level.attr, NULL };
${MARK}: sysfs_create_group() hands it to the kernel
static const struct attribute_group group = { .attrs = attrs };
static int make(struct klp_object *obj)
{
  return sysfs_create_group(kernel_kobj, &group);
}`;
  await expectMarked(lineage(HEAD, { body, callbacks: '      .pre_patch = make,' }), CODE);
});

test('a list that leads back to itself', async () => {
  const body = `static int seen(struct notifier_block *nb, unsigned long event, void *data);
extern struct notifier_block second;
static struct notifier_block first __initdata = { .notifier_call = seen, .next = &second };
${MARK}: register_reboot_notifier()
struct notifier_block second = { .notifier_call = seen, .next = &first };
static int seen(struct notifier_block *nb, unsigned long event, void *data)
{
  return NOTIFY_DONE;
}
static int hook(struct klp_object *obj)
{
  return register_reboot_notifier(&first);
}`;
  await expectMarked(lineage(HEAD, { body, callbacks: '      .pre_patch = hook,' }), CODE);
});

test('a static function is that of its own file, another one that of whichever file has it', async () => {
  const helper =
    'static int __init seen(void)\n{\n  return 0;\n}\nint helped(void)\n{\n  return seen();\n}\n';
  const shared = `void __init back(struct klp_object *obj)\n${MARK}: pre_unpatch of vmlinux\n{\n}\n`;
  const other = (VALUE.body ?? '').replace(/static void back[^}]*}/, 'void back(struct klp_object *obj);');
  await expectMarked(`${lineage(HEAD, NOTIFIER)}//- v1/0.c\n${helper}`, CODE);
  await expectMarked(`${lineage(HEAD, { ...VALUE, body: other })}//- v1/z.c\n${shared}`, CODE);
});

test('functions that nobody has written yet', async () => {
  await expectMarked(
    lineage(HEAD, {
      body: `static void __init back(struct klp_object *obj)\n${MARK}: pre_unpatch\n{\n}`,
      objects: `  {
    .funcs = (struct klp_func[]) { { .old_name = "acme_close", .new_func = missing }, { } },
    .callbacks = { .post_patch = absent, .pre_unpatch = back },
  },`,
    }),
    CODE,
  );
});

test('tables of other kinds, which only init reads', async () => {
  const body = `static struct acme_klp_object mine __initdata = { 1 };
static struct klp_object_plan plan __initdata = { 1 };
static struct klp_object *first __initdata = NULL;`;
  await expectMarked(
    lineage(HEAD, {
      body,
      init: '  if (mine.count > plan.count || first)\n    return -EINVAL;\n  return klp_enable_patch(&patch);',
    }),
    CODE,
  );
});

test('a livepatch without objects, or without a livepatch', async () => {
  const none = livepatch().replace('  .objs = objs,\n', '');
  await expectMarked(lineage(HEAD, none), CODE);
  await expectMarked(lineage(HEAD, {}).replace('v1/*.c', 'v2/*.c'), CODE);
  await expectMarked(
    lineage(HEAD, 'static int __init m_init(void)\n{\n  return 0;\n}\nmodule_init(m_init);\n'),
    CODE,
  );
});
