import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';

const CODE = 'init-leaks-on-error';
const DRAFT = manifest(['draft']);
const MARK = `  //~ ${CODE}`;

const BODY = `static int seen(struct notifier_block *nb, unsigned long event, void *data)
{
  return NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = seen };
static void *a, *b;
static int setup(void)
{
  return register_reboot_notifier(&nb);
}`;

const draft = (init: string, exit: string, body = BODY): string => lineage(DRAFT, { body, init, exit });

test('a notifier that is registered before', async () => {
  const findings = await expectMarked(
    draft(
      `  register_reboot_notifier(&nb);\n${MARK}: use-after-free\n  return klp_enable_patch(&patch);`,
      '  unregister_reboot_notifier(&nb);',
    ),
    CODE,
  );
  expect(findings[0]).toMatchObject({
    severity: 'error',
    run: ['fail v1 klp_enable_patch=EBUSY', 'load v1'],
  });
  expect(findings[0]?.message).toContain('-EBUSY is enough');
});

test('memory', async () => {
  await expectMarked(
    draft(
      `  a = kzalloc(8, GFP_KERNEL);\n${MARK}: nobody frees it\n  if (!a)\n    return -ENOMEM;\n  return klp_enable_patch(&patch);`,
      '  kfree(a);',
    ),
    CODE,
  );
});

test('a changed value', async () => {
  await expectMarked(
    draft(`  console_loglevel = 15;\n${MARK}: stays changed\n  return klp_enable_patch(&patch);`, ''),
    CODE,
  );
});

test('in a function that init calls', async () => {
  const body = BODY.replace(
    'return register_reboot_notifier(&nb);',
    `return register_reboot_notifier(&nb);\n${MARK}`,
  );
  await expectMarked(
    draft(
      '  int ret = setup();\n\n  if (ret)\n    return ret;\n  return klp_enable_patch(&patch);',
      '  unregister_reboot_notifier(&nb);',
      body,
    ),
    CODE,
  );
});

test('an error path of init itself', async () => {
  const findings = await expectMarked(
    draft(
      `  int ret;

  a = kzalloc(8, GFP_KERNEL);
${MARK}: kzalloc() fails
  if (!a)
    return -ENOMEM;
  b = kzalloc(8, GFP_KERNEL);
  if (!b)
    return -ENOMEM;
  ret = klp_enable_patch(&patch);
  if (ret) {
    kfree(a);
    kfree(b);
  }
  return ret;`,
      '  kfree(a);\n  kfree(b);',
    ),
    CODE,
  );
  expect(findings[0]?.run).toEqual(['fail v1 kzalloc#2', 'load v1']);
});

test('undone when klp_enable_patch() fails', async () => {
  await expectMarked(
    draft(
      `  int ret;

  register_reboot_notifier(&nb);
  ret = klp_enable_patch(&patch);
  if (ret)
    unregister_reboot_notifier(&nb);
  return ret;`,
      '  unregister_reboot_notifier(&nb);',
    ),
    CODE,
  );
});

test('by goto', async () => {
  await expectMarked(
    draft(
      `  int ret = -ENOMEM;

  a = kzalloc(8, GFP_KERNEL);
  if (!a)
    return ret;
  ret = klp_enable_patch(&patch);
  if (ret)
    goto out;
  return 0;
out:
  kfree(a);
  return ret;`,
      '  kfree(a);',
    ),
    CODE,
  );
});

test('in pre_patch instead', async () => {
  const body = `${BODY}
static int hook(struct klp_object *obj)
{
  return setup();
}
static void unhook(struct klp_object *obj)
{
  unregister_reboot_notifier(&nb);
}`;
  await expectMarked(
    lineage(DRAFT, { body, callbacks: '      .pre_patch = hook,\n      .post_unpatch = unhook,' }),
    CODE,
  );
});

test('init that only prints', async () => {
  await expectMarked(draft('  pr_info("hello\\n");\n  return klp_enable_patch(&patch);', ''), CODE);
});

test('an error that init keeps to itself: the module stays, and exit runs', async () => {
  await expectMarked(
    draft(
      '  register_reboot_notifier(&nb);\n  klp_enable_patch(&patch);\n  return 0;',
      '  unregister_reboot_notifier(&nb);',
    ),
    CODE,
  );
});

test('after klp_enable_patch() has succeeded', async () => {
  await expectMarked(
    draft(
      '  int ret = klp_enable_patch(&patch);\n\n  if (!ret)\n    register_reboot_notifier(&nb);\n  return ret;',
      '  unregister_reboot_notifier(&nb);',
    ),
    CODE,
  );
});
