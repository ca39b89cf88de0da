import { expect, test } from 'vitest';
import { FILE, HEAP, marked, NOTIFIER, VALUE } from './effects';
import {
  asText,
  check,
  expectMarked,
  fixed,
  type LivepatchParts,
  lineage,
  livepatch,
  manifest,
} from './fixture';
import { spoken } from './spoken';

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

const says = (parts: LivepatchParts): Promise<string[]> => spoken(lineage(DRAFT, parts), CODE);
const EARLY = 'when v1 is disabled before it is fully enabled';
const LATE = `error must v1: When v1 is disabled before it is fully enabled, post_patch has not run, and post_unpatch`;
const busy = (body = ''): string => body.replace('  unreg', '  if (acme_busy())\n    return;\n  unreg');
const PUT = `static int *counter;
static void get(struct klp_object *obj)
{
  counter = kzalloc(sizeof(int), GFP_KERNEL);
}
static void put(struct klp_object *obj)
{
  pr_info("%d", *counter);
  kfree(counter);
}`;

test('the whole sentences', async () => {
  expect(await says(as(NOTIFIER, PRE_PRE))).toEqual([
    `error must v1: pre_unpatch undoes the notifier nb, which pre_patch made, and is not called ${EARLY}: it stays and points into m_v1: a use-after-free once that module is removed. Undo it in post_unpatch. | done here, in pre_patch`,
  ]);
  expect(await says(HOOK_LATE)).toEqual([
    `${LATE} undoes the notifier nb, which was never made. Undo in pre_unpatch what post_patch does.`,
  ]);
  expect(await says(as(VALUE, '      .post_patch = louder,\n      .post_unpatch = back,'))).toEqual([
    'error must v1: post_unpatch writes the kernel variable console_loglevel also when v1 is disabled before post_patch has run: there was nothing to put back, and it stays changed for good. Undo in pre_unpatch what post_patch does.',
  ]);
  const late = { body: PUT, callbacks: '      .post_patch = get,\n      .post_unpatch = put,' };
  expect(await says(late)).toEqual([
    `${LATE} runs into this: NULL pointer dereference. Undo in pre_unpatch what post_patch does.`,
  ]);
});

test('what hangs on something unknown is milder and says on what', async () => {
  const both = as({ body: busy(NOTIFIER.body) }, `${PRE_PRE}\n      .post_unpatch = unhook,`);
  expect(await says(both)).toEqual([
    `warning may v1: pre_unpatch undoes the notifier nb, which pre_patch made, and is not called ${EARLY}: it may stay and point into m_v1: a use-after-free once that module is removed. It depends on acme_busy(), which is not known. Undo it in post_unpatch. | done here, in pre_patch`,
  ]);
  const seldom = HOOK_LATE.body?.replace('  unreg', '  if (!acme_ready())\n    return;\n  unreg') ?? '';
  expect(await says({ ...HOOK_LATE, body: seldom })).toEqual([
    `${LATE.replace('error must', 'warning may')} undoes the notifier nb, which was never made. It depends on (acme_ready() == 0), which is not known. Undo in pre_unpatch what post_patch does.`,
  ]);
});

test('two undos of post_unpatch are two findings, the same one twice is one', async () => {
  const body = `${HOOK_LATE.body?.replace('(&nb);\n}\nstatic void unhook', '(&nb);\n  proc_mkdir("acme", NULL);\n}\nstatic void unhook').replace('  unregister_reboot_notifier(&nb);', '  unregister_reboot_notifier(&nb);\n  remove_proc_entry("acme", NULL);')}`;
  expect(await says({ ...HOOK_LATE, body })).toEqual([
    `${LATE} undoes the notifier nb, which was never made. Undo in pre_unpatch what post_patch does.`,
    `${LATE} undoes the proc entry acme, which was never made. Undo in pre_unpatch what post_patch does.`,
  ]);
});

test('what goes wrong in a plain disable as well has nothing to do with the order', async () => {
  const body = 'static void drop(struct klp_object *obj)\n{\n  remove_proc_entry("acme", NULL);\n}';
  expect(await says({ body, callbacks: '      .post_unpatch = drop,' })).toEqual([]);
  const faults = PUT.replace('  counter = kzalloc(sizeof(int), GFP_KERNEL);\n', '');
  expect(
    await says({ body: faults, callbacks: '      .post_patch = get,\n      .post_unpatch = put,' }),
  ).toEqual([]);
  const fails = `static int no(struct klp_object *obj)\n{\n  return -ENODEV;\n}\n${HOOK_LATE.body}`;
  expect(await says({ body: fails, callbacks: `      .pre_patch = no,\n${HOOK_LATE.callbacks}` })).toEqual(
    [],
  );
});

test('of several objects the one with callbacks, and a livepatch without objects', async () => {
  const objects = `  { .name = "ext4", .funcs = funcs },
  { .funcs = funcs, .callbacks = { .pre_patch = hook, .pre_unpatch = unhook } },`;
  expect(await says({ body: NOTIFIER.body ?? '', objects })).toHaveLength(1);
  const none = lineage(DRAFT, livepatch().replace('  .objs = objs,\n', ''));
  expect(await spoken(none, CODE)).toEqual([]);
});

test('where the partner is there already the statement moves into it', async () => {
  const other = 'static void more(struct klp_object *obj)\n{\n  pr_info("more");\n}\n';
  const parts = { body: `${other}${NOTIFIER.body}`, callbacks: `${PRE_PRE}\n      .post_unpatch = more,` };
  const { fixture, findings } = await check(lineage(DRAFT, parts));
  const [fix] = findings.filter(({ code }) => code === CODE).flatMap(({ fixes }) => fixes);
  const text = (fix && fixed(fixture, fix).get('v1/a.c')) ?? '';
  expect(text).toMatch(
    /static void more\(.*\)\n\{\n  pr_info\("more"\);\n  unregister_reboot_notifier\(&nb\);\n\}/,
  );
});
