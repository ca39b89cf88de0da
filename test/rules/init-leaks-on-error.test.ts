import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';
import { told } from './told';

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

const UNDO =
  '  ret = klp_enable_patch(&patch);\n  if (ret)\n    unregister_reboot_notifier(&nb);\n  return ret;';
const LEFT =
  'module init leaves the notifier nb behind: module exit is not called then, the module is freed at once, and it';
const ADVICE = 'Undo it on the error path, or do it in a callback.';
const POINTS = 'points into m_v1: a use-after-free once that module is removed.';

test('what is told', async () => {
  const text = draft(
    '  register_reboot_notifier(&nb);\n  return klp_enable_patch(&patch);',
    '  pr_info("bye\\n");',
  );
  expect(await told(text, CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: `When klp_enable_patch() fails (-EBUSY is enough: another livepatch is in transition), ${LEFT} stays and ${POINTS} ${ADVICE}`,
      versions: ['v1'],
      on: 'v1/a.c: register_reboot_notifier(&nb)',
      related: ['v1/a.c: klp_enable_patch(&patch): what fails'],
      run: ['fail v1 klp_enable_patch=EBUSY', 'load v1'],
      fixes: [],
    },
  ]);
});

test.each([
  ['if (acme_quirk(1,\n      2))', 'acme_quirk(1, 2) is true', 'acme_quirk(1,\n      2)'],
  ['if (acme_lookup(1)) {\n  } else', 'acme_lookup(1) is false', 'acme_lookup(1)'],
  ['if (!acme_ready())', '(acme_ready() == 0) is true', '!acme_ready()'],
])('a value that nobody knows: %s', async (condition, because, place) => {
  const text = draft(
    `  int ret;

  b = kzalloc(8, GFP_KERNEL);
  register_reboot_notifier(&nb);
  ${condition}
    return -ENODEV;
${UNDO}`,
    '',
    `extern void *acme_lookup(int n);\n${BODY}`,
  );
  const found = (await told(text, CODE)).filter(({ on }) => on.includes('register_reboot'));
  expect(found).toMatchObject([
    {
      severity: 'warning',
      certainty: 'may',
      message: `When ${because}, ${LEFT} may stay and ${POINTS.replace('points', 'point')} ${ADVICE}`,
      related: [`v1/a.c: ${place.replace(/\s+/g, ' ')}: what fails`],
      run: ['load v1'],
    },
  ]);
});

test.each([
  // What is certain is told, in whichever order the two ways are met.
  ['a = kzalloc(8, GFP_KERNEL)', '!a', 'kzalloc() fails', 'kzalloc'],
  ['a = kzalloc(8, GFP_KERNEL);\n  b = kzalloc(9, GFP_KERNEL)', '!b', 'kzalloc() fails', 'kzalloc#2'],
])('%s fails, and a value is not known', async (call, failed, because, step) => {
  const text = draft(
    `  int ret;

  register_reboot_notifier(&nb);
  if (acme_quirk())
    return -ENODEV;
  ${call};
  if (${failed})
    return -ENOMEM;
${UNDO}`,
    '',
  );
  const found = (await told(text, CODE)).filter(({ on }) => on.includes('register_reboot'));
  expect(found).toMatchObject([
    {
      severity: 'error',
      certainty: 'must',
      message: `When ${because}, ${LEFT} stays and ${POINTS} ${ADVICE}`,
      related: [`v1/a.c: ${call.replace(/^.*= /s, '')}: what fails`],
      run: [`fail v1 ${step}`, 'load v1'],
    },
  ]);
});

test('the call that fails is the one that is written', async () => {
  const text = draft(
    `  int ret;

  register_reboot_notifier(&nb);
  a = klp_shadow_get_or_alloc(NULL, 9, 4, GFP_KERNEL, NULL, NULL);
  if (!a)
    return -ENOMEM;
${UNDO}`,
    '',
  );
  const [found] = (await told(text, CODE)).filter(({ on }) => on.includes('register_reboot'));
  expect(found?.message).toContain('When klp_shadow_get_or_alloc() fails,');
  expect(found?.run).toEqual(['fail v1 klp_shadow_get_or_alloc', 'load v1']);
});

test.each([
  ['try_module_get(THIS_MODULE)', 1],
  // What answers false has not failed: it was queued before.
  ['schedule_work(&work)', 0],
])('whether %s can fail', async (call, expected) => {
  const body = `static void run(struct work_struct *w) {}\nstatic DECLARE_WORK(work, run);\n${BODY}`;
  const text = draft(
    `  int ret;\n\n  register_reboot_notifier(&nb);\n  if (!${call})\n    return -ENODEV;\n${UNDO}`,
    '',
    body,
  );
  const found = (await told(text, CODE)).filter(({ on }) => on.includes('register_reboot'));
  expect(found.filter(({ certainty }) => certainty === 'must')).toHaveLength(expected);
});

test('a step asks for the ninth call of a function at most', async () => {
  const allocating = (before: number): string =>
    draft(
      `  int ret;\n\n${Array.from(
        { length: 10 },
        (_, n) =>
          `${n + 1 === before ? '  register_reboot_notifier(&nb);\n' : ''}  m[${n}] = kzalloc(8, GFP_KERNEL);\n  if (!m[${n}])\n    return -ENOMEM;\n`,
      ).join('')}${UNDO}`,
      '',
      `static void *m[10];\n${BODY}`,
    );
  const runs = async (before: number) =>
    (await told(allocating(before), CODE)).filter(({ on }) => on.includes('register')).map(({ run }) => run);
  expect(await runs(9)).toEqual([['fail v1 kzalloc#9', 'load v1']]);
  expect(await runs(10)).toEqual([]);
});

test('two that stay are two', async () => {
  const text = draft(
    '  register_reboot_notifier(&nb);\n  debugfs_create_dir("acme", NULL);\n  return klp_enable_patch(&patch);',
    '',
  );
  expect((await told(text, CODE)).map(({ on }) => on)).toEqual([
    'v1/a.c: register_reboot_notifier(&nb)',
    'v1/a.c: debugfs_create_dir("acme", NULL)',
  ]);
});

test('what pre_patch leaves is for another rule', async () => {
  const body = `${BODY}
static int hook(struct klp_object *obj)
{
  int ret = setup();

  if (ret)
    return ret;
  return acme_quirk() ? -ENODEV : 0;
}`;
  const text = lineage(DRAFT, { body, callbacks: '      .pre_patch = hook,' });
  expect(await told(text, CODE)).toEqual([]);
  expect(await told(text, 'pre-patch-leaks-on-error')).toHaveLength(1);
});
