import { expect, test } from 'vitest';
import { expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { spoken } from './spoken';

const CODE = 'pre-patch-blocks-module';
const MARK = `//~ ${CODE}`;

const OBJECTS =
  '  {\n    .name = "ext4",\n    .funcs = funcs,\n    .callbacks = {\n      .pre_patch = hook,\n    },\n  },';

/** pre_patch of ext4, unless told otherwise. */
const hooking = (
  statements: string,
  mark = '',
  before = '',
  parts: LivepatchParts = { objects: OBJECTS },
): string =>
  lineage(manifest(['draft']), {
    body: `${before}static int hook(struct klp_object *obj)\n${mark === '' ? '' : `${mark}\n`}{\n${statements}\n}`,
    ...parts,
  });

test('an error of its own', async () => {
  const findings = await expectMarked(
    hooking('  if (!acme_supported())\n    return -ENODEV;\n  return 0;', `${MARK}: -ENODEV`),
    CODE,
  );
  expect(findings[0]?.severity).toBe('warning');
  expect(findings[0]?.message).toContain('ext4 from being loaded');
});

test('the result of a kernel function', async () => {
  await expectMarked(
    hooking('  return register_reboot_notifier(&nb);', `${MARK}: what register_reboot_notifier() returns`),
    CODE,
  );
});

test('a variable', async () => {
  await expectMarked(
    hooking(
      '  int ret = 0;\n\n  if (obj->mod)\n    ret = acme_setup();\n  return ret;',
      `${MARK}: acme_setup()`,
    ),
    CODE,
  );
});

test('a parameter of the module', async () => {
  const before = 'static int answer;\nmodule_param(answer, int, 0644);\n';
  await expectMarked(hooking('  return answer;', `${MARK}: the value of answer`, before), CODE);
});

test('a function of its own', async () => {
  const before = 'static int check(void)\n{\n  return acme_ok() ? 0 : -EINVAL;\n}\n';
  await expectMarked(hooking('  return check();', `${MARK}: -EINVAL`, before), CODE);
});

test('no memory is an information', async () => {
  const findings = await expectMarked(
    hooking(
      '  void *p = kzalloc(8, GFP_KERNEL);\n\n  if (!p)\n    return -ENOMEM;\n  return 0;',
      `${MARK}: until there is memory`,
    ),
    CODE,
  );
  expect(findings[0]?.severity).toBe('information');
});

test('it always returns 0', async () => {
  await expectMarked(hooking('  register_reboot_notifier(&nb);\n  return 0;'), CODE);
});

test('a variable that is always 0', async () => {
  await expectMarked(hooking('  int ret = 0;\n\n  return ret;'), CODE);
});

test('a function of its own that always returns 0', async () => {
  await expectMarked(hooking('  return check();', '', 'static int check(void)\n{\n  return 0;\n}\n'), CODE);
});

test('vmlinux is not loaded later', async () => {
  await expectMarked(hooking('  return -ENODEV;', '', '', { callbacks: '      .pre_patch = hook,' }), CODE);
});

test('other callbacks have no say', async () => {
  const body = 'static void hook(struct klp_object *obj)\n{\n  register_reboot_notifier(&nb);\n}';
  await expectMarked(
    lineage(manifest(['draft']), { body, objects: OBJECTS.replace('pre_patch', 'post_patch') }),
    CODE,
  );
});

test('a function that is no callback', async () => {
  await expectMarked(hooking('  return -ENODEV;', '', '', {}), CODE);
});

const SAYS = (what: string): string =>
  `warning may v1: hook() may return ${what}. As pre_patch of ext4 it runs also when ext4 is loaded later, and an error then keeps ext4 from being loaded at all. | pre_patch of ext4`;

test.each([
  ['  return 1;', '1'],
  ['  return -EIO;', '-EIO'],
  ['  return acme_a() ?: acme_b();', 'what acme_a() returns and what acme_b() returns'],
  ['  return obj->mod ? -EPERM : -EBUSY;', '-EBUSY and -EPERM'],
  ['  return (int)acme_long();', 'what acme_long() returns'],
  ['  return acme_note(), -ENODEV;', '-ENODEV'],
  ['  return acme_ops.prepare(1);', 'a value that is not known'],
  ['  return !obj->mod;', 'a value that is not known'],
  ['  return -acme_level;', 'a value that is not known'],
  ['  return obj->patched;', 'a value that is not known'],
  ['  int ret = acme_setup(), other = acme_other();\n\n  return ret;', 'what acme_setup() returns'],
  [
    '  int ret, other;\n\n  other = acme_other();\n  ret = acme_setup();\n  return ret;',
    'what acme_setup() returns',
  ],
  ['  int ret = 0, n = 3;\n\n  ret = ret ?: -EAGAIN;\n  return ret;', '-EAGAIN'],
])('%s: %s', async (statements, what) => {
  expect(await spoken(hooking(statements), CODE)).toEqual([SAYS(what)]);
});

test.each([
  ['  return -0;'],
  ['  int n = 7;\n\n  return 0;'],
  ['  int values[] = { 1, 2 }, ret = 0;\n\n  values[0] = 5;\n  return ret;'],
])('%s is no error', async (statements) => {
  expect(await spoken(hooking(statements), CODE)).toEqual([]);
});

test('what a function hands through is not known; one that calls itself ends', async () => {
  const through = 'static int pass(int n)\n{\n  return n;\n}\n';
  expect(await spoken(hooking('  return pass(acme_n());', '', through), CODE)).toEqual([
    SAYS('a value that is not known'),
  ]);
  const again = 'static int again(int n)\n{\n  return n ? again(n - 1) : -EIO;\n}\n';
  expect(await spoken(hooking('  return again(2);', '', again), CODE)).toEqual([SAYS('-EIO')]);
});

test('no memory beside another error is no excuse', async () => {
  const text = hooking('  if (obj->patched)\n    return -ENOMEM;\n  return -ENODEV;');
  expect(await spoken(text, CODE)).toEqual([SAYS('-ENODEV and -ENOMEM')]);
  expect(await spoken(hooking('  return -ENOMEM;'), CODE)).toEqual([
    'information may v1: hook() may return -ENOMEM. As pre_patch of ext4 it runs also when ext4 is loaded later, and an error then keeps ext4 from being loaded at all, until there is memory again. | pre_patch of ext4',
  ]);
});

test('one function for two modules is one finding', async () => {
  const objects = `${OBJECTS}\n${OBJECTS.replace('ext4', 'xfs')}`;
  expect(await spoken(hooking('  return -ENODEV;', '', '', { objects }), CODE)).toEqual([
    'warning may v1: hook() may return -ENODEV. As pre_patch of ext4 and xfs it runs also when ext4 and xfs are loaded later, and an error then keeps ext4 and xfs from being loaded at all. | pre_patch of ext4 and xfs',
  ]);
});

test('a static function of the same name in another file has no say', async () => {
  const other = (result: string): string =>
    `//- v1/a.c\n#include <linux/livepatch.h>\nstatic int hook(struct klp_object *obj) { return ${result}; }\nint use(void) { return hook(NULL); }\n`;
  const source = livepatch({
    body: 'int use(void);\nstatic int hook(struct klp_object *obj) { return HOOK; }\nstatic void after(struct klp_object *obj) { use(); }',
    objects: `  { .funcs = funcs, .callbacks = { .post_patch = after } },\n${OBJECTS}`,
  });
  const of = (result: string, others: string): string =>
    `//- livepatch.yaml\n${manifest(['draft'])}${other(others)}//- v1/b.c\n${source.replace('HOOK', result)}`;
  expect(await spoken(of('0', '-EIO'), CODE)).toEqual([]);
  expect(await spoken(of('-EIO', '0'), CODE)).toEqual([SAYS('-EIO')]);
});

test('its own functions are those of its file, or else of another', async () => {
  const check = (name: string, head: string, result: string): string =>
    `//- v1/${name}.c\n#include <linux/livepatch.h>\n${head}int check(void) { return ${result}; }\nint use_${name}(void) { return check(); }\n`;
  const own = 'static int check(void)\n{\n  return 0;\n}\n';
  expect(await spoken(hooking('  return check();', '', own) + check('b', 'static ', '-EIO'), CODE)).toEqual(
    [],
  );
  const elsewhere = 'int check(void);\n';
  expect(await spoken(hooking('  return check();', '', elsewhere) + check('b', '', '-EIO'), CODE)).toEqual([
    SAYS('-EIO'),
  ]);
});

test('a livepatch without objects', async () => {
  const text = lineage(manifest(['draft']), livepatch().replace('  .objs = objs,\n', ''));
  expect(await spoken(text, CODE)).toEqual([]);
});

test('a pre_patch beside other callbacks', async () => {
  const objects = OBJECTS.replace('.pre_patch = hook,', '.post_unpatch = hook,\n      .pre_patch = easy,');
  const easy = 'static int easy(struct klp_object *obj)\n{\n  return 0;\n}\n';
  expect(await spoken(hooking('  return -EIO;', '', easy, { objects }), CODE)).toEqual([]);
});
