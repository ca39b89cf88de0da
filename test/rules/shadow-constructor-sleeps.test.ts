import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';
import { spoken } from './spoken';

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

const CTOR =
  'ctor() is the constructor that klp_shadow_alloc() calls under a spinlock with interrupts off, and';
const ADVICE = 'Do it before the call and hand the result in. | ctor() is handed over here';

test('the whole sentences', async () => {
  expect(await spoken(making('  *(void **)data = kzalloc(8, GFP_KERNEL);'), CODE)).toEqual([
    `error must v1: ${CTOR} kzalloc() with GFP_KERNEL may sleep. ${ADVICE}`,
  ]);
  expect(await spoken(making('  mutex_lock(&acme);'), CODE)).toEqual([
    `error must v1: ${CTOR} mutex_lock() may sleep. ${ADVICE}`,
  ]);
  expect(await spoken(making('', '  iput(data);'), CODE)).toEqual([
    'error must v1: dtor() is the destructor that klp_shadow_free_all() calls under a spinlock with interrupts off, and iput() may sleep. Do it before the call and hand the result in. | dtor() is handed over here',
  ]);
  const helper = 'static void helper(void)\n{\n  msleep(1);\n  helper();\n}\n';
  expect(await spoken(making('  helper();\n  acme_note();', '', helper), CODE)).toEqual([
    `error must v1: ${CTOR.replace('ctor()', 'ctor(), which calls helper(),')} msleep() may sleep. ${ADVICE}`,
  ]);
});

test.each([
  ['GFP_KERNEL | __GFP_ZERO', 'GFP_KERNEL'],
  ['__GFP_NOWARN | GFP_NOFS', 'GFP_NOFS'],
  ['(gfp_t)GFP_NOIO', 'GFP_NOIO'],
  ['GFP_NOWAIT | __GFP_ZERO', null],
  ['acme_flags', null],
  ['acme_flags()', null],
])('an allocation with %s', async (flags, named) => {
  expect(await spoken(making(`  *(void **)data = kzalloc(8, ${flags});`), CODE)).toEqual(
    named === null ? [] : [`error must v1: ${CTOR} kzalloc() with ${named} may sleep. ${ADVICE}`],
  );
});

test('several that sleep are several findings; without a function there is none', async () => {
  expect(
    await spoken(making('  mutex_lock(&acme);\n  mutex_lock(&acme);', '  msleep(1);'), CODE),
  ).toHaveLength(3);
  const none = making('  mutex_lock(&acme);').replace(
    'GFP_KERNEL, ctor, NULL',
    'GFP_KERNEL, acme_ctor, NULL',
  );
  expect(await spoken(none, CODE)).toEqual([]);
});

test('of two functions of one name that of the file is meant, or else that of another file', async () => {
  const other = (head: string, body: string): string =>
    `//- v1/0.c\n#include <linux/livepatch.h>\n${head}int ctor(void *obj, void *data, void *more)\n{\n${body}\n  return 0;\n}\nint use(void) { return klp_shadow_alloc(NULL, 9, 8, GFP_KERNEL, ctor, NULL) ? 0 : 1; }\n`;
  const split = (text: string, file: string): string => text.replace('//- v1/a.c', `${file}//- v1/a.c`);
  const use = (text: string): string =>
    text
      .replace('static int make', 'int use(void);\nstatic int make')
      .replace('  return klp_shadow_alloc', '  use();\n  return klp_shadow_alloc');
  const own = split(use(making('  acme_note();')), other('static ', '  msleep(1);'));
  expect((await spoken(own, CODE)).map((said) => said.split(' | ').length)).toEqual([2]);
  const { length } = await spoken(
    split(use(making('  msleep(1);')), other('static ', '  acme_note();')),
    CODE,
  );
  expect(length).toBe(1);
  const extern = making('').replace(
    /static int ctor\([^]*?\n\}\n/,
    'int ctor(void *obj, void *data, void *more);\n',
  );
  expect(await spoken(split(use(extern), other('', '  msleep(1);')), CODE)).toHaveLength(1);
});
