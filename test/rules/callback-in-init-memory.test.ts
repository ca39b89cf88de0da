import { expect, test } from 'vitest';
import { NOTIFIER, VALUE } from './effects';
import { asText, check, expectMarked, fixed, lineage, livepatch, manifest } from './fixture';

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
