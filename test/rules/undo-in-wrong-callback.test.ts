import { expect, test } from 'vitest';
import { FILE, HEAP, marked, NOTIFIER, VALUE } from './effects';
import { asText, check, expectMarked, fixed, type LivepatchParts, lineage, manifest } from './fixture';

const CODE = 'undo-in-wrong-callback';
const DRAFT = manifest(['draft']);
const MARK = `  //~ ${CODE}`;

const as = (parts: LivepatchParts, callbacks: string): LivepatchParts => ({ ...parts, callbacks });
const PRE_PRE = '      .pre_patch = hook,\n      .pre_unpatch = unhook,';

test('a notifier of pre_patch that pre_unpatch unregisters', async () => {
  const parts = as(marked(NOTIFIER, '  unregister', `${MARK}: Undo it in post_unpatch`), PRE_PRE);
  const findings = await expectMarked(lineage(DRAFT, parts), CODE);
  expect(findings[0]?.severity).toBe('error');
  expect(findings[0]?.run).toEqual(['stall', 'load v1', 'disable v1', 'resume', 'unload v1']);
});

test('the fix calls the function as the partner, and nothing is left to say', async () => {
  const { fixture, findings } = await check(lineage(DRAFT, as(NOTIFIER, PRE_PRE)));
  const fix = findings.find((finding) => finding.code === CODE)?.fixes[0];
  expect(fix?.title).toBe('Call unhook() as post_unpatch');
  if (!fix) return;
  const files = fixed(fixture, fix);
  expect(files.get('v1/a.c')).toContain('.post_unpatch = unhook');
  await expectMarked(asText(files), CODE);
});

test('memory of pre_patch that pre_unpatch frees', async () => {
  const parts = as(marked(HEAP, 'kfree', MARK), '      .pre_patch = get,\n      .pre_unpatch = put,');
  await expectMarked(lineage(DRAFT, parts), CODE);
});

test('a file of pre_patch that pre_unpatch removes', async () => {
  const parts = as(
    marked(FILE, 'debugfs_remove', MARK),
    '      .pre_patch = make,\n      .pre_unpatch = drop,',
  );
  await expectMarked(lineage(DRAFT, parts), CODE);
});

const HOOK_LATE: LivepatchParts = {
  body: (NOTIFIER.body ?? '')
    .replace('static int hook', 'static void hook')
    .replace('  return register', '  register'),
  callbacks: '      .post_patch = hook,\n      .post_unpatch = unhook,',
};

test('post_unpatch unregisters what post_patch has not registered yet', async () => {
  await expectMarked(lineage(DRAFT, marked(HOOK_LATE, '  unregister', `${MARK}: never made`)), CODE);
});

test('post_unpatch puts back a value that was never saved', async () => {
  const parts = as(
    marked(VALUE, '  console_loglevel = saved', `${MARK}: nothing to put back`),
    '      .post_patch = louder,\n      .post_unpatch = back,',
  );
  await expectMarked(lineage(DRAFT, parts), CODE);
});

test('post_unpatch uses memory that post_patch has not allocated yet', async () => {
  const body = `static int *counter;
static void get(struct klp_object *obj)
{
  counter = kzalloc(sizeof(int), GFP_KERNEL);
}
static void put(struct klp_object *obj)
{
  pr_info("%d\\n", *counter);
${MARK}
  kfree(counter);
}`;
  const callbacks = '      .post_patch = get,\n      .post_unpatch = put,';
  // The NULL pointer is read in the argument of pr_info().
  await expectMarked(lineage(DRAFT, { body, callbacks }), CODE);
});

test.each([
  ['pre_patch and post_unpatch', NOTIFIER],
  ['post_patch and pre_unpatch', VALUE],
  ['memory in pre_patch and post_unpatch', HEAP],
] as const)('%s are partners', async (_, parts) => {
  await expectMarked(lineage(DRAFT, parts), CODE);
});

test('post_unpatch looks whether post_patch has run', async () => {
  const body = `static bool registered;\n${HOOK_LATE.body}`
    .replace('  register_', '  registered = true;\n  register_')
    .replace('  unregister_', '  if (registered)\n    unregister_');
  await expectMarked(lineage(DRAFT, { ...HOOK_LATE, body }), CODE);
});

test('pre_unpatch and post_unpatch both undo, and whoever comes first does it', async () => {
  const body = `${(HEAP.body ?? '').replace('kfree(buffer);', 'kfree(buffer);\n  buffer = NULL;')}`;
  const callbacks = '      .pre_patch = get,\n      .pre_unpatch = put,\n      .post_unpatch = put,';
  await expectMarked(lineage(DRAFT, { body, callbacks }), CODE);
});

test('post_patch frees NULL at worst', async () => {
  const body = (HEAP.body ?? '').replace('static int get', 'static void get').replace(
    `  if (!buffer)
    return -ENOMEM;
  return 0;`,
    '',
  );
  await expectMarked(
    lineage(DRAFT, { body, callbacks: '      .post_patch = get,\n      .post_unpatch = put,' }),
    CODE,
  );
});

test('what is never undone at all is unpaired', async () => {
  await expectMarked(lineage(DRAFT, as(NOTIFIER, '      .pre_patch = hook,')), CODE);
});
