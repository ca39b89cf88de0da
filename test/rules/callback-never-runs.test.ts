import { expect, test } from 'vitest';
import { expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { told } from './told';

const CODE = 'callback-never-runs';
const MARK = `//~ ${CODE}`;

/** A livepatch whose pre_patch consists of these statements; the marks stand under the entries. */
function behind(statements: string, mark = '', objects?: string, before = ''): string {
  return lineage(manifest(['draft']), {
    body: `${before}static int hook(struct klp_object *obj)
{
${statements}
}
static void on(struct klp_object *obj)
{
  pr_info("on\\n");
}
static void off(struct klp_object *obj)
{
  pr_info("off\\n");
}`,
    ...(objects === undefined
      ? {
          callbacks: `      .pre_patch = hook,\n      .post_patch = on,\n${mark}\n      .post_unpatch = off,\n${mark}`,
        }
      : { objects }),
  });
}

test('a constant that is an error', async () => {
  const findings = await expectMarked(behind('  return -EINVAL;', `${MARK}: hook() in front of it`), CODE);
  expect(findings.map((it) => [it.severity, it.unnecessary])).toEqual([
    ['hint', true],
    ['hint', true],
  ]);
});

// As klp_pre_patch_callback() in kernel/livepatch/core.h: any value but 0.
test('a positive number is an error, too', async () => {
  await expectMarked(behind('  return 1;', MARK), CODE);
});

test('an error behind work that is undone', async () => {
  await expectMarked(
    behind('  void *p = kzalloc(8, GFP_KERNEL);\n\n  kfree(p);\n  return -ENODEV;', MARK),
    CODE,
  );
});

test('both ways lead to an error', async () => {
  await expectMarked(behind('  if (!acme_supported())\n    return -ENODEV;\n  return -EBUSY;', MARK), CODE);
});

test('a variable that only ever holds an error', async () => {
  await expectMarked(behind('  return wrong;', MARK, undefined, 'static int wrong = -EIO;\n'), CODE);
});

test('a module object that refuses its module; vmlinux is not concerned', async () => {
  const objects = `  {
    .funcs = funcs,
    .callbacks = { .post_patch = on },
  },
  {
    .name = "ext4",
    .funcs = funcs,
    .callbacks = {
      .pre_patch = hook,
      .post_unpatch = off,
${MARK}: ext4
    },
  },`;
  await expectMarked(behind('  return -EINVAL;', '', objects), CODE);
});

test.each([
  ['success', '  return 0;', ''],
  ['one way to success', '  if (!acme_supported())\n    return -ENODEV;\n  return 0;', ''],
  [
    'what a kernel function returns',
    '  return register_reboot_notifier(&nb);',
    'static struct notifier_block nb;\n',
  ],
  ['a parameter', '  return ret;', 'static int ret = -ENODEV;\nmodule_param(ret, int, 0644);\n'],
  ['a lack of memory', '  return kzalloc(8, GFP_KERNEL) ? 0 : -ENOMEM;', ''],
])('silent: %s', async (_, statements, before) => {
  await expectMarked(behind(statements, '', undefined, before), CODE);
});

test('silent: nothing stands behind it', async () => {
  await expectMarked(
    behind(
      '  return -EINVAL;',
      '',
      '  {\n    .funcs = funcs,\n    .callbacks = { .pre_patch = hook },\n  },',
    ),
    CODE,
  );
});

test('what is told', async () => {
  expect(await told(behind('  return -EINVAL;'), CODE)).toEqual(
    [
      ['on', 'post_patch'],
      ['off', 'post_unpatch'],
    ].map(([name, kind]) => ({
      severity: 'hint',
      certainty: 'must',
      message: `${name}(), ${kind} of vmlinux, can never run: hook() in front of it always fails.`,
      versions: ['v1'],
      on: `v1/a.c: .${kind} = ${name}`,
      related: ['v1/a.c: hook: this pre_patch always fails'],
      run: [],
      fixes: [],
    })),
  );
});

/** Two versions, of which the second is refused unless a version with its state was there before. */
const successor = (first: LivepatchParts): string =>
  lineage(manifest(['released', 'draft']), first, {
    body: `static int hook(struct klp_object *obj)
{
  return klp_get_prev_state(7) ? 0 : -ENODEV;
}
static void on(struct klp_object *obj)
{
  pr_info("on\\n");
}`,
    callbacks: '      .pre_patch = hook,\n      .post_patch = on,',
    states: '  { .id = 7, .version = 1 },',
  });

test('what a clean kernel refuses runs over the version that it is made for', async () => {
  expect(await told(successor({ states: '  { .id = 7, .version = 1 },' }), CODE)).toEqual([]);
  expect((await told(successor({}), CODE)).map((it) => it.on)).toEqual(['v2/a.c: .post_patch = on']);
});

const objectsOf = (...callbacks: readonly string[]): string =>
  callbacks
    .map((text, n) => `  { ${n ? `.name = "m${n}", ` : ''}.funcs = funcs, .callbacks = { ${text} } },`)
    .join('\n');

test('the objects behind one that refuses never get there, those in front of it do', async () => {
  const on = async (...callbacks: readonly string[]) =>
    (await told(behind('  return -EINVAL;', '', objectsOf(...callbacks)), CODE)).map((one) => one.on);
  expect(await on('.post_unpatch = off, .post_patch = on', '.pre_patch = hook, .post_patch = on')).toEqual([
    'v1/a.c: .post_patch = on',
  ]);
  expect(await on('.pre_patch = hook', '.post_patch = on')).toEqual(['v1/a.c: .post_patch = on']);
  expect(await on('.post_patch = on', '.post_unpatch = off')).toEqual([]);
});

test('on one way it succeeds: where the module is there before, or comes later', async () => {
  const alive = '  return obj->mod->state == MODULE_STATE_LIVE ? 0 : -EBUSY;';
  const objects = objectsOf('.post_patch = on', '.pre_patch = hook, .post_patch = on');
  expect(await told(behind(alive, '', objects), CODE)).toEqual([]);
  const never = '  return obj->mod->state == MODULE_STATE_UNFORMED ? 0 : -EBUSY;';
  expect(await told(behind(never, '', objects), CODE)).toHaveLength(1);
});

test('a version without a livepatch, and one of which nothing is known', async () => {
  await expectMarked(lineage(manifest(['draft']), livepatch().replace('  .objs = objs,\n', '')), CODE);
  await expectMarked(lineage(manifest(['draft']), 'static int nothing;\n'), CODE);
  await expectMarked(lineage(manifest(['draft']), {}).replace('v1/*.c', 'v2/*.c'), CODE);
});
