import { expect, test } from 'vitest';
import { expectMarked, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const one = (body: string, callbacks: string): string => lineage(manifest(['draft']), { body, callbacks });

test('pre_patch that returns nothing', async () => {
  const findings = await expectMarked(
    one(
      'static void prepare(struct klp_object *obj)\n//          ^^^^^^^ wrong-callback-signature: returns nothing\n{\n}',
      '      .pre_patch = prepare,',
    ),
  );
  expect(findings[0]?.related.map((item) => item.message)).toEqual(['used as pre_patch here']);
  expect(findings[0]?.severity).toBe('error');
});

test.each([
  ['static int f(struct klp_object *obj)', 'post_patch', 'returns a value'],
  ['static int f(struct klp_object *obj)', 'pre_unpatch', 'returns a value'],
  ['static bool f(struct klp_object *obj)', 'post_unpatch', 'returns a value'],
  ['static long f(struct klp_object *obj)', 'pre_patch', 'does not return int'],
  ['static bool f(struct klp_object *obj)', 'pre_patch', 'does not return int'],
  ['static void f(void)', 'post_patch', 'takes no argument'],
  ['static void f(struct klp_object *obj, int flags)', 'post_patch', 'takes 2 arguments'],
  ['static void f(struct klp_patch *patch)', 'post_patch', 'something other than a struct klp_object *'],
  ['static int f(int n)', 'pre_patch', 'something other than a struct klp_object *'],
  ['static int f(int *n)', 'pre_patch', 'something other than a struct klp_object *'],
  ['static void f (\tvoid )', 'post_patch', 'takes no argument'],
])('%s as %s', async (head, callback, words) => {
  await expectMarked(
    one(`${head}\n//~ wrong-callback-signature: ${words}\n{\n  return 0;\n}`, `      .${callback} = f,`),
  );
});

test.each([
  ['static int f(struct klp_object *obj)', 'pre_patch'],
  ['static signed int f(struct klp_object *obj)', 'pre_patch'],
  ['static void f(struct klp_object *obj)', 'post_patch'],
  ['static void f(const struct klp_object *obj)', 'pre_unpatch'],
  ['static void f(patch_object *obj)', 'post_unpatch'],
  ['static void f()', 'post_unpatch'],
  ['static result_t f(object_t *obj)', 'post_unpatch'],
  ['static void f(object_pointer_t obj)', 'post_unpatch'],
])('%s as %s is right, or cannot be told', async (head, callback) => {
  await expectMarked(one(`${head}\n{\n  return 0;\n}`, `      .${callback} = f,`));
});

test.each([
  [
    'pre_patch',
    'static void f(struct klp_object *obj, int n)',
    'returns nothing: whether the livepatch is refused is left to chance and takes 2 arguments. The kernel calls it as `int f(struct klp_object *obj)`.',
  ],
  [
    'pre_unpatch',
    'static int f(void)',
    'returns a value, which nobody looks at and takes no argument. The kernel calls it as `void f(struct klp_object *obj)`.',
  ],
])('two faults of one %s are one finding', async (callback, head, words) => {
  const text = one(`${head}\n{\n}`, `      .${callback} = f,`);
  expect(await spoken(text, 'wrong-callback-signature')).toEqual([
    `error must v1: f() is used as ${callback} but ${words} | used as ${callback} here`,
  ]);
});

test('a function from elsewhere is not judged', async () => {
  await expectMarked(one('extern void elsewhere(void);', '      .post_patch = elsewhere,'));
});

test('empty parentheses say nothing, whatever the body casts', async () => {
  await expectMarked(one('static void f()\n{\n  (void)acme_level;\n}', '      .post_unpatch = f,'));
});

test('of two static functions of one name each file is judged by its own', async () => {
  const elsewhere = '#include <linux/livepatch.h>\nstatic void f(void) { }\n';
  const text = `//- livepatch.yaml\n${manifest(['draft'])}//- v1/a.c\n${elsewhere}//- v1/b.c\n`;
  const source = livepatch({
    body: 'static void f(struct klp_object *obj) { }',
    callbacks: '      .post_patch = f,',
  });
  await expectMarked(text + source);
});

test('a livepatch without objects, and a version of which only the name is known', async () => {
  const text = lineage(manifest(['released', 'draft']), livepatch().replace('  .objs = objs,\n', ''));
  await expectMarked(text, 'wrong-callback-signature');
});

precision(
  'wrong-callback-signature',
  [
    {
      what: 'one function in two roles',
      lineage: one(
        'static int f(struct klp_object *obj) { return 0; }',
        '      .pre_patch = f,\n      .post_unpatch = f,',
      ),
      says: 'used as post_unpatch but returns a value',
    },
    {
      what: 'a cast that hides it',
      lineage: one('static void f(struct klp_object *obj) { }', '      .pre_patch = (void *)f,'),
      says: 'returns nothing',
    },
    {
      what: 'a typedef of bool',
      lineage: one(
        'typedef bool ok_t;\nstatic ok_t f(struct klp_object *obj) { return 0; }',
        '      .pre_patch = f,',
      ),
      says: 'does not return int',
    },
    {
      what: 'in another file of the module',
      lineage: `${one('int f(struct klp_patch *p);', '      .pre_patch = f,')}//- v1/b.c\n#include <linux/livepatch.h>\nint f(struct klp_patch *p) { return 0; }\n`,
      says: 'something other than',
    },
    {
      what: 'set in init',
      lineage: lineage(manifest(['draft']), {
        body: 'static void f(struct klp_object *obj) { }',
        init: '  objs[0].callbacks.pre_patch = f;\n  return klp_enable_patch(&patch);',
      }),
      says: 'returns nothing',
    },
  ],
  [
    {
      why: 'a typedef of int',
      lineage: one(
        'typedef int err_t;\nstatic err_t f(struct klp_object *obj) { return 0; }',
        '      .pre_patch = f,',
      ),
    },
    {
      why: 'annotations',
      lineage: one(
        'static int __used noinline f(struct klp_object *__restrict obj) { return 0; }',
        '      .pre_patch = f,',
      ),
    },
    {
      why: 'a macro that makes the head',
      lineage: one(
        '#define CALLBACK(name) static int name(struct klp_object *obj)\nCALLBACK(f) { return 0; }',
        '      .pre_patch = f,',
      ),
    },
    {
      why: 'a prototype above',
      lineage: one(
        'static void f(struct klp_object *);\nstatic void f(struct klp_object *obj) { }',
        '      .post_patch = f,',
      ),
    },
  ],
);
