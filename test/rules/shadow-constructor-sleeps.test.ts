import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';

const CODE = 'shadow-constructor-sleeps';
const MARK = `  //~ ${CODE}`;

/** One version whose pre_patch allocates with `ctor`, and whose post_unpatch frees with `dtor`. */
const making = (ctor: string, dtor = '', before = '', alloc = 'klp_shadow_alloc'): string =>
  lineage(manifest(['draft']), {
    body: `${before}static int ctor(void *obj, void *data, void *more)
{
${ctor}
  return 0;
}
static void dtor(void *obj, void *data)
{
${dtor}
}
static int make(struct klp_object *obj)
{
  return ${alloc}(NULL, 7, 8, GFP_KERNEL, ctor, NULL) ? 0 : -ENOMEM;
}
static void drop(struct klp_object *obj)
{
  klp_shadow_free_all(7, dtor);
}`,
    callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
  });

test('an allocation that sleeps, in a constructor', async () => {
  const findings = await expectMarked(
    making(`  *(void **)data = kzalloc(8, GFP_KERNEL);\n${MARK}: with GFP_KERNEL`),
    CODE,
  );
  expect(findings[0]?.severity).toBe('error');
});

test('a mutex, in a constructor of klp_shadow_get_or_alloc()', async () => {
  await expectMarked(making(`  mutex_lock(&acme);\n${MARK}`, '', '', 'klp_shadow_get_or_alloc'), CODE);
});

test('waiting for work, in a destructor', async () => {
  await expectMarked(making('', `  cancel_work_sync(data);\n${MARK}: destructor`), CODE);
});

test('synchronize_rcu(), in a destructor', async () => {
  await expectMarked(making('', `  synchronize_rcu();\n${MARK}`), CODE);
});

test('in a function that the constructor calls', async () => {
  const helper = `static void helper(void)\n{\n  msleep(1);\n${MARK}: which calls helper()\n}\n`;
  await expectMarked(making('  helper();', '', helper), CODE);
});

test.each([
  ['an atomic allocation', '  *(void **)data = kzalloc(8, GFP_ATOMIC);'],
  ['a spinlock', '  spin_lock(&acme);\n  spin_unlock(&acme);'],
  ['plain initialisation', '  *(int *)data = 5;'],
  ['taking over what was prepared', '  *(void **)data = more;'],
])('%s', async (_, ctor) => {
  await expectMarked(making(ctor), CODE);
});

test.each(['unregister_reboot_notifier', 'misc_deregister', 'debugfs_remove', 'vfree', 'iput'])(
  'an undo that may sleep, in a destructor: %s()',
  async (undo) => {
    await expectMarked(making('', `  ${undo}(data);\n${MARK}: destructor`), CODE);
  },
);

test.each(['cancel_work(data)', 'kvfree_rcu(data, rcu)', 'put_device(data)', 'timer_delete_sync(data)'])(
  'an undo that never sleeps, in a destructor: %s',
  async (undo) => {
    await expectMarked(making('', `  ${undo};`), CODE);
  },
);

test('kfree() does not sleep', async () => {
  await expectMarked(making('', '  kfree(*(void **)data);'), CODE);
});

test('the allocation of the variable itself may', async () => {
  await expectMarked(making(''), CODE);
});

test('the callback around it may', async () => {
  const text = making('').replace(
    '  return klp_shadow_alloc',
    '  mutex_lock(&acme);\n  return klp_shadow_alloc',
  );
  await expectMarked(text, CODE);
});
