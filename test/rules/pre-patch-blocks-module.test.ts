import { expect, test } from 'vitest';
import { expectMarked, type LivepatchParts, lineage, manifest } from './fixture';

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
