import { expect, test } from 'vitest';
import { HEAP, NOTIFIER } from './effects';
import { expectMarked, lineage, manifest } from './fixture';

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
