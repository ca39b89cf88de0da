import { expect, test } from 'vitest';
import { expectMarked, lineage, livepatch, manifest } from './fixture';
import { spoken } from './spoken';

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

const says = (statements: string, callback?: string, known?: boolean): Promise<string[]> =>
  spoken(acting(statements, callback, known), CODE);
const SAID = (what: string): string =>
  `This is a callback of acme, and ${what}. Look at obj->mod->state first.`;
const MADE = `warning must v1: ${SAID('table is not made yet when acme is just being loaded: its init does that')} | acme does it here`;
const FREED = `warning must v1: ${SAID('table is freed already when acme is being removed: its exit has done that')} | acme does it here`;
const LATE = 'not registered yet when acme is just being loaded';

test('the whole sentences', async () => {
  expect(await says('  table->limit = 8;')).toEqual([MADE]);
  expect(await says('  table->limit = 8;', 'pre_unpatch')).toEqual([FREED]);
  expect(await says('  static_branch_enable(&fast);')).toEqual([
    `warning must v1: ${SAID(`the static key fast of acme is ${LATE}`)}`,
  ]);
  expect(await says('  static_branch_enable(&acme_fast);', 'post_patch', false)).toEqual([
    `information may v1: ${SAID(`the static key acme_fast is, if it belongs to acme, ${LATE}`)}`,
  ]);
  expect(await says('  register_trace_acme_open(probe, NULL);', 'pre_patch', false)).toEqual([
    `information may v1: ${SAID(`the tracepoint acme_open is, if it belongs to acme, ${LATE}`)}`,
  ]);
});

test.each([
  ['  table->limit = 8;', 1],
  ['  (*table).limit = 8;', 1],
  ['  *table = (struct table){ 8 };', 1],
  ['  table[1].limit = 8;', 1],
  ['  table->limit = 8;\n  table->limit = 9;', 2],
  ['  level = 8;', 0],
  ['  acme_use(table);', 0],
  ['  table = NULL;', 0],
  ['  extern struct table tables[];\n\n  tables[1].limit = 8;', 0],
  ['  if (!table)\n    return;\n  table->limit = 8;', 0],
  ['  if (table != NULL && level)\n    table->limit = 8;', 0],
  ['  if (level || (void *)table)\n    table->limit = 8;', 0],
  ['  if (IS_ERR_OR_NULL(table))\n    return;\n  table->limit = 8;', 0],
  ['  level = table ? table->limit : 0;', 0],
  ['  level = table && table->limit;', 0],
  ['  while (table)\n    table->limit = 8;', 0],
  ['  if (level) {\n  } else if (table) {\n    table->limit = 8;\n  }', 0],
  ['  for (;;) {\n    if (table)\n      table->limit = 8;\n  }', 0],
  ['  switch (level) {\n  case 1:\n    if (table)\n      table->limit = 8;\n  }', 0],
  ['  if (table->limit > 3)\n    level = 8;', 1],
  ['  if (level > 3)\n    table->limit = 8;', 1],
  ['  if (module_is_live(obj->mod))\n    table->limit = 8;', 0],
])('%s', async (statements, count) => {
  expect(await says(statements)).toEqual(Array.from({ length: count }, () => MADE));
});

/** The same callback with other sources of acme. */
const of = (from: string | RegExp, to: string, statements: string, callback?: string): Promise<string[]> =>
  spoken(acting(statements, callback).replace(SOURCE, SOURCE.replace(from, to)), CODE);

test.each([
  [
    'acme_setup()',
    '  acme_setup();',
    1,
    'static void acme_setup(void)\n{\n  table = kzalloc(8, GFP_KERNEL);\n}\n',
  ],
  ['nothing', '  level = 4;', 0, ''],
  ['another name', '  struct table *other = kzalloc(8, GFP_KERNEL);', 0, ''],
])('init that calls %s', async (_what, statement, count, before) => {
  const from = /static int __init acme_init[^]*?\n\}\n/;
  const init = `${before}static int __init acme_init(void)\n{\n${statement}\n  return 0;\n}\n`;
  expect(await of(from, init, '  table->limit = 8;')).toHaveLength(count);
});

test('a pointer that has a value before init, one of another file, and one of the kernel', async () => {
  const set = 'static struct table first;\nstruct table *table = &first;';
  expect(await of('struct table *table;', set, '  table->limit = 8;')).toEqual([]);
  expect(await of('struct table *table;', 'extern struct table *table;', '  table->limit = 8;')).toEqual([]);
  const own = acting('  table->limit = 8;').replace(
    'extern struct table *table;',
    'static struct table *table;',
  );
  expect(await spoken(own, CODE)).toEqual([]);
  const key = acting('  static_branch_enable(&fast);').replace(
    'extern struct static_key_false fast, acme_fast;',
    'static DEFINE_STATIC_KEY_FALSE(fast);',
  );
  expect(await spoken(key, CODE)).toEqual([]);
});

test.each([
  ['kfree(table)', 1],
  ['kvfree(table)', 1],
  ['free_percpu(table)', 1],
  ['kfree_sensitive(table)', 1],
  ['acme_put(table)', 1],
  ['acme_destroy(3, table)', 1],
  ['acme_release_all(table)', 1],
  ['acme_output(table)', 0],
  ['input_sync(table)', 0],
  ['acme_freeze(table)', 0],
  ['kfree(other)', 0],
  ['(*acme_free)(table)', 0],
])('exit that calls %s', async (call, count) => {
  expect(await of('kfree(table)', call, '  table->limit = 8;', 'post_unpatch')).toEqual(
    Array.from({ length: count }, () => FREED),
  );
});

test.each([
  ['DEFINE_STATIC_KEY_TRUE(quick);', 'static_branch_enable(&quick)', 'static key quick'],
  ['DEFINE_TRACE(acme_open);', 'register_trace_acme_open(probe, NULL)', 'tracepoint acme_open'],
  [
    'DEFINE_TRACE(acme_open);',
    'tracepoint_probe_register(&__tracepoint_acme_open, probe, NULL)',
    'tracepoint acme_open',
  ],
  ['struct static_key_false quick;', 'static_branch_enable(&quick)', 'static key quick'],
])('%s in the sources of the target: %s', async (line, call, what) => {
  const extern = 'extern struct static_key_false quick;\nextern struct tracepoint __tracepoint_acme_open;\n';
  const text = acting(`  ${call};`).replace('struct table { int limit; };', `$&\n${extern}`);
  expect(await spoken(text.replace(SOURCE, SOURCE.replace('int level', `${line}\nint level`)), CODE)).toEqual(
    [`warning must v1: ${SAID(`the ${what} of acme is ${LATE}`)}`],
  );
  // What the sources of acme do not have is not acme's, whatever its name begins with.
  expect(await spoken(text, CODE)).toEqual([]);
});

test('calls that register nothing, or nothing with a name', async () => {
  for (const call of [
    'acme_call(&acme_fast)',
    'static_branch_enable(acme_key(1))',
    'tracepoint_probe_register()',
    'unregister_trace_acme_open(probe, NULL)',
  ])
    expect(await says(`  ${call};`, 'post_patch', false), call).toEqual([]);
  // What goes is gone from the lists of its own accord.
  expect(await says('  static_branch_enable(&fast);', 'post_unpatch')).toEqual([]);
});

test('a livepatch without objects', async () => {
  const none = lineage(manifest(['draft']), livepatch().replace('  .objs = objs,\n', ''));
  expect(await spoken(none, CODE)).toEqual([]);
});
