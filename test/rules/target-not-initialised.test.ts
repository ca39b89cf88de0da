import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';

const CODE = 'target-not-initialised';
const MARK = `  //~ ${CODE}`;

const SOURCE = `//- acme.c
#include <linux/module.h>
DEFINE_STATIC_KEY_FALSE(fast);
struct table { int limit; };
struct table *table;
int level = 3;
static int __init acme_init(void)
{
  table = kzalloc(sizeof(*table), GFP_KERNEL);
  return table ? 0 : -ENOMEM;
}
static void __exit acme_exit(void)
{
  kfree(table);
}
module_init(acme_init);
module_exit(acme_exit);
MODULE_LICENSE("GPL");
`;

/** One version with one callback of acme; with the sources of acme, or without. */
const acting = (statements: string, callback = 'post_patch', known = true): string => {
  const pre = callback === 'pre_patch';
  const text = lineage(
    manifest(['draft'], { end: known ? 'targets:\n  - { module: acme, sources: acme.c }\n' : '' }),
    {
      body: `struct table { int limit; };
extern struct table *table;
extern int level;
extern struct static_key_false fast, acme_fast;
static ${pre ? 'int' : 'void'} act(struct klp_object *obj)
{
${statements}
${pre ? '  return 0;' : ''}
}`,
      objects: `  {\n    .name = "acme",\n    .funcs = funcs,\n    .callbacks = {\n      .${callback} = act,\n    },\n  },`,
    },
  );
  return known ? `${text}${SOURCE}` : text;
};

test('a table that init allocates, in post_patch', async () => {
  const findings = await expectMarked(acting(`  table->limit = 8;\n${MARK}: its init does that`), CODE);
  expect(findings[0]?.severity).toBe('warning');
  expect(findings[0]?.related.map(({ message }) => message)).toEqual(['acme does it here']);
});

test('the same in pre_patch', async () => {
  await expectMarked(acting(`  table->limit = 8;\n${MARK}`, 'pre_patch'), CODE);
});

test('a table that exit has freed', async () => {
  await expectMarked(acting(`  table->limit = 8;\n${MARK}: its exit has done that`, 'post_unpatch'), CODE);
});

test('a static key of the module', async () => {
  const findings = await expectMarked(
    acting(`  static_branch_enable(&fast);\n${MARK}: static key fast of acme`),
    CODE,
  );
  expect(findings[0]?.certainty).toBe('must');
});

test('a static key by its name only may be one of the module', async () => {
  const findings = await expectMarked(
    acting(`  static_branch_enable(&acme_fast);\n${MARK}: if it belongs to acme`, 'post_patch', false),
    CODE,
  );
  expect(findings[0]).toMatchObject({ severity: 'information', certainty: 'may' });
});

test('a tracepoint by its name', async () => {
  await expectMarked(
    acting(`  register_trace_acme_open(probe, NULL);\n${MARK}: tracepoint acme_open`, 'post_patch', false),
    CODE,
  );
});

test("it looks at the module's state", async () => {
  await expectMarked(acting('  if (obj->mod->state == MODULE_STATE_LIVE)\n    table->limit = 8;'), CODE);
});

test('it looks at the pointer', async () => {
  await expectMarked(acting('  if (table)\n    table->limit = 8;'), CODE);
});

test('data that is there from the start', async () => {
  await expectMarked(acting('  level = 8;'), CODE);
});

test('a static key of vmlinux', async () => {
  await expectMarked(acting('  static_branch_enable(&vm_fast);', 'post_patch', false), CODE);
});

test('a callback of vmlinux', async () => {
  const text = acting('  table->limit = 8;').replace('    .name = "acme",\n', '');
  await expectMarked(text, CODE);
});

test('a patched function of the module runs when the module does', async () => {
  const text = acting('').replace('  return n;', '  return table->limit;');
  await expectMarked(text, CODE);
});
