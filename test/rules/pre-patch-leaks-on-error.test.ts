import { expect, test } from 'vitest';
import { HEAP, NOTIFIER } from './effects';
import { expectMarked, lineage, manifest } from './fixture';
import { spoken } from './spoken';

const CODE = 'pre-patch-leaks-on-error';
const DRAFT = manifest(['draft']);
const MARK = `  //~ ${CODE}`;
const PAIR = '      .pre_patch = begin,\n      .post_unpatch = end,';

const DATA = `static int seen(struct notifier_block *nb, unsigned long event, void *data)
{
  return NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = seen };
static void *a, *b;
`;

/** A lineage of one version whose pre_patch is `begin` and whose post_unpatch is `end`. */
const draft = (begin: string, end: string): string =>
  lineage(DRAFT, {
    body: `${DATA}static int begin(struct klp_object *obj)\n{\n${begin}\n}\nstatic void end(struct klp_object *obj)\n{\n${end}\n}`,
    callbacks: PAIR,
  });

test('a notifier stays registered when the allocation after it fails', async () => {
  const findings = await expectMarked(
    draft(
      `  register_reboot_notifier(&nb);
${MARK}: When kzalloc() fails, pre_patch of vmlinux fails
  a = kzalloc(8, GFP_KERNEL);
  if (!a)
    return -ENOMEM;
  return 0;`,
      '  kfree(a);\n  unregister_reboot_notifier(&nb);',
    ),
    CODE,
  );
  expect(findings[0]).toMatchObject({
    severity: 'error',
    certainty: 'must',
    run: ['fail v1 kzalloc', 'load v1'],
  });
});

test('the first of two allocations', async () => {
  const findings = await expectMarked(
    draft(
      `  a = kzalloc(8, GFP_KERNEL);
${MARK}: nobody frees it
  if (!a)
    return -ENOMEM;
  b = kzalloc(8, GFP_KERNEL);
  if (!b)
    return -ENOMEM;
  return 0;`,
      '  kfree(a);\n  kfree(b);',
    ),
    CODE,
  );
  expect(findings[0]?.run).toEqual(['fail v1 kzalloc#2', 'load v1']);
});

test('a goto to the wrong label', async () => {
  await expectMarked(
    draft(
      `  int ret = -ENOMEM;

  a = kzalloc(8, GFP_KERNEL);
  if (!a)
    return ret;
  b = kmalloc(8, GFP_KERNEL);
${MARK}
  if (!b)
    goto free_a;
  ret = register_reboot_notifier(&nb);
  if (ret)
    goto free_a;
  return 0;
free_a:
  kfree(a);
  return ret;`,
      '  unregister_reboot_notifier(&nb);\n  kfree(b);\n  kfree(a);',
    ),
    CODE,
  );
});

test('a shadow variable', async () => {
  await expectMarked(
    draft(
      `  if (!klp_shadow_alloc(NULL, 7, 8, GFP_KERNEL, NULL, NULL))
${MARK}: shadow variable
    return -ENOMEM;
  return register_reboot_notifier(&nb);`,
      '  unregister_reboot_notifier(&nb);\n  klp_shadow_free(NULL, 7, NULL);',
    ),
    CODE,
  );
});

test('a function of the kernel that is not known may fail', async () => {
  const findings = await expectMarked(
    draft(
      `  int ret;

  a = kzalloc(8, GFP_KERNEL);
${MARK}: acme_setup
  if (!a)
    return -ENOMEM;
  ret = acme_setup();
  if (ret)
    return ret;
  return 0;`,
      '  kfree(a);',
    ),
    CODE,
  );
  expect(findings[0]).toMatchObject({ severity: 'warning', certainty: 'may', run: ['load v1'] });
});

test('everything is undone before the error is returned', async () => {
  await expectMarked(
    draft(
      `  int ret = register_reboot_notifier(&nb);

  if (ret)
    return ret;
  a = kzalloc(8, GFP_KERNEL);
  if (!a) {
    unregister_reboot_notifier(&nb);
    return -ENOMEM;
  }
  return 0;`,
      '  kfree(a);\n  unregister_reboot_notifier(&nb);',
    ),
    CODE,
  );
});

test('the way back by goto', async () => {
  await expectMarked(
    draft(
      `  a = kzalloc(8, GFP_KERNEL);
  if (!a)
    goto out;
  b = kzalloc(8, GFP_KERNEL);
  if (!b)
    goto free_a;
  return 0;
free_a:
  kfree(a);
out:
  return -ENOMEM;`,
      '  kfree(b);\n  kfree(a);',
    ),
    CODE,
  );
});

test('what can fail comes first', async () => {
  await expectMarked(
    draft(
      `  a = kzalloc(8, GFP_KERNEL);
  if (!a)
    return -ENOMEM;
  console_loglevel = 15;
  return 0;`,
      '  kfree(a);\n  console_loglevel = 7;',
    ),
    CODE,
  );
});

test('a failure that is not passed on', async () => {
  await expectMarked(
    draft(
      '  a = kzalloc(8, GFP_KERNEL);\n  b = kzalloc(8, GFP_KERNEL);\n  return 0;',
      '  kfree(a);\n  kfree(b);',
    ),
    CODE,
  );
});

test('an earlier object has its post_unpatch', async () => {
  const second = `${HEAP.body}\n${(NOTIFIER.body ?? '').replaceAll('hook', 'catch')}`;
  await expectMarked(
    lineage(DRAFT, {
      body: second,
      objects: `  {
    .funcs = funcs,
    .callbacks = { .pre_patch = catch, .post_unpatch = uncatch },
  },
  {
    .name = "ext4",
    .funcs = funcs,
    .callbacks = { .pre_patch = get, .post_unpatch = put },
  },`,
    }),
    CODE,
  );
});

test('one call is no partial work', async () => {
  await expectMarked(lineage(DRAFT, HEAP), CODE);
});

const SAID = (when: string, object: string, what: string, stuck: string): string =>
  `When ${when}, pre_patch of ${object} fails and leaves ${what} behind: no further callback of ${object} runs, the module is freed at once, and it ${stuck}. Undo it before the error is returned.`;

test('the whole sentences, for what is sure and what is not', async () => {
  const notifier = draft(
    '  register_reboot_notifier(&nb);\n  a = kzalloc(8, GFP_KERNEL);\n  return a ? 0 : -ENOMEM;',
    '  kfree(a);\n  unregister_reboot_notifier(&nb);',
  );
  expect(await spoken(notifier, CODE)).toEqual([
    `error must v1: ${SAID('kzalloc() fails', 'vmlinux', 'the notifier nb', 'stays and points into m_v1: a use-after-free once that module is removed')} | what fails`,
  ]);
  const unknown = (test: string): string =>
    draft(
      `  a = kzalloc(8, GFP_KERNEL);\n  if (!a)\n    return -ENOMEM;\n  if (${test})\n    return -EIO;\n  return 0;`,
      '  kfree(a);',
    );
  for (const [test, when] of [
    ['acme_setup()', 'acme_setup() is true'],
    ['acme_setup() < 0', '(acme_setup() < 0) is true'],
    ['acme_level() > 3', '(acme_level() > 3) is true'],
  ] as const)
    expect(await spoken(unknown(test), CODE)).toEqual([
      `warning may v1: ${SAID(when, 'vmlinux', 'the allocation kzalloc in begin', 'may stay and nobody frees it')} | what fails`,
    ]);
});

test('what is sure counts more than what may be', async () => {
  const text = draft(
    '  a = kzalloc(8, GFP_KERNEL);\n  return acme_setup() ?: kzalloc(8, GFP_KERNEL) ? 0 : -ENOMEM;',
    '  kfree(a);',
  );
  expect(await spoken(text, CODE)).toEqual([
    `error must v1: ${SAID('kzalloc() fails', 'vmlinux', 'the allocation kzalloc in begin', 'stays and nobody frees it')} | what fails`,
  ]);
});

test('the object whose pre_patch fails is the one of a module, and an earlier one is left out', async () => {
  const body = `static void *a, *b;
static int one(struct klp_object *obj)
{
  a = kzalloc(8, GFP_KERNEL);
  return a ? 0 : -ENOMEM;
}
static int two(struct klp_object *obj)
{
  b = kmalloc(9, GFP_KERNEL);
  if (!b)
    return -ENOMEM;
  return acme_setup();
}`;
  const objects = `  { .funcs = funcs, .callbacks = { .pre_patch = one } },
  { .name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = two } },`;
  expect(await spoken(lineage(DRAFT, { body, objects }), CODE)).toEqual([
    `warning may v1: ${SAID('acme_setup() is true', 'ext4', 'the allocation kmalloc in two', 'may stay and nobody frees it')}`,
  ]);
});

test('what init did before is said elsewhere', async () => {
  const text = lineage(DRAFT, {
    body: 'static int no(struct klp_object *obj)\n{\n  return acme_setup();\n}',
    callbacks: '      .pre_patch = no,',
    init: '  console_loglevel = 15;\n  return klp_enable_patch(&patch);',
  });
  expect(await spoken(text, CODE)).toEqual([]);
});
