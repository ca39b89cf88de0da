import { expect, test } from 'vitest';
import { FILE, FOLDER, HEAP, marked, NOTIFIER, VALUE } from './effects';
import { check, expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { spoken } from './spoken';

const CODE = 'unpaired-acquire';
const DRAFT = manifest(['draft']);

const only = (parts: LivepatchParts, callbacks: string): LivepatchParts => ({ ...parts, callbacks });

/** Saves a text of the kernel, changes it and, so they say, brings it back. */
const renaming = (text: string, save: string, change: string, restore: string): LivepatchParts => ({
  body: `extern char acme_name[64];
static char saved[64];
static int rename(struct klp_object *obj)
{
  ${save};
  ${change};
  return 0;
}
static void back(struct klp_object *obj)
{
  ${restore};
}`.replaceAll('NAME', text),
  callbacks: '      .pre_patch = rename,\n      .post_unpatch = back,',
});
const SPRINTF = [
  'scnprintf(saved, 64, "%s", NAME)',
  'scnprintf(NAME, 64, "%s.1", "acme")',
  'scnprintf(NAME, 64, "%s", saved)',
] as const;
const STRSCPY = [
  'strscpy(saved, NAME, sizeof(saved))',
  'strscpy(NAME, "acme", 64)',
  'strscpy(NAME, saved, 64)',
] as const;

// What such a text says nobody knows; that it is the same again is known all the same.
test.each([
  ['in a structure, by scnprintf()', 'init_uts_ns.name.release', SPRINTF],
  ['in a structure, by strscpy()', 'init_uts_ns.name.release', STRSCPY],
  ['in an array, by scnprintf()', 'acme_name', SPRINTF],
  ['in an array, by strscpy()', 'acme_name', STRSCPY],
])('a text that comes back: %s', async (_, name, [save, change, restore]) => {
  expect(await spoken(lineage(DRAFT, renaming(name, save, change, restore)), CODE)).toEqual([]);
  const kept = await spoken(lineage(DRAFT, renaming(name, save, change, '(void)obj')), CODE);
  expect(kept).toHaveLength(1);
  expect(kept[0]).toMatch(
    /^error must v1: Nothing undoes what pre_patch does here: .* stays changed for good/,
  );
});

test('a notifier that no callback unregisters', async () => {
  const parts = marked(NOTIFIER, 'return register', `  //~ ${CODE}: Undo it in post_unpatch`);
  const findings = await expectMarked(lineage(DRAFT, only(parts, '      .pre_patch = hook,')), CODE);
  expect(findings[0]?.severity).toBe('error');
  expect(findings[0]?.run).toEqual(['load v1', 'disable v1', 'unload v1']);
});

test('a value that post_patch changes and nothing restores', async () => {
  const parts = marked(VALUE, 'console_loglevel = 15', `  //~ ${CODE}: Undo it in pre_unpatch`);
  await expectMarked(lineage(DRAFT, only(parts, '      .post_patch = louder,')), CODE);
});

test('memory of pre_patch that is never freed', async () => {
  const parts = marked(HEAP, 'kzalloc', `  //~ ${CODE}: nobody frees it`);
  await expectMarked(lineage(DRAFT, only(parts, '      .pre_patch = get,')), CODE);
});

test('an undo that a guard never lets through', async () => {
  const parts = {
    ...NOTIFIER,
    body: `static bool registered;\n${NOTIFIER.body}`.replace(
      '  unregister_reboot',
      '  if (registered)\n    unregister_reboot',
    ),
  };
  await expectMarked(lineage(DRAFT, marked(parts, 'return register', `  //~ ${CODE}`)), CODE);
});

test('an undo of something else', async () => {
  const parts = {
    ...FOLDER,
    body: (FOLDER.body ?? '')
      .replace('static struct dentry *dir;', 'static struct dentry *dir, *other;')
      .replace('debugfs_remove(dir)', 'debugfs_remove(other)'),
  };
  await expectMarked(lineage(DRAFT, marked(parts, 'debugfs_create_dir', `  //~ ${CODE}: acme`)), CODE);
});

test('an undo that only runs when the target module is still loaded', async () => {
  const body = (NOTIFIER.body ?? '').replace(
    '  unregister_reboot',
    '  if (obj->mod->state == MODULE_STATE_LIVE)\n    unregister_reboot',
  );
  const parts = {
    ...marked({ ...NOTIFIER, body }, 'return register', `  //~ ${CODE}`),
    objects:
      '  {\n    .name = "ext4",\n    .funcs = funcs,\n    .callbacks = {\n      .pre_patch = hook,\n      .post_unpatch = unhook,\n    },\n  },',
  };
  const findings = await expectMarked(lineage(DRAFT, parts), CODE);
  expect(findings[0]?.run).toEqual(['load ext4', 'load v1', 'unload ext4', 'disable v1', 'unload v1']);
});

test('what only may stay is a warning that says on what it depends', async () => {
  const body = (NOTIFIER.body ?? '').replace(
    '  unregister_reboot',
    '  if (acme_busy())\n    return;\n  unregister_reboot',
  );
  const findings = await expectMarked(
    lineage(DRAFT, marked({ ...NOTIFIER, body }, 'return register', `  //~ ${CODE}: depends on`)),
    CODE,
  );
  expect(findings[0]).toMatchObject({ severity: 'warning', certainty: 'may' });
});

test.each([
  ['a notifier', NOTIFIER],
  ['a file', FILE],
  ['a value', VALUE],
  ['memory', HEAP],
  ['a folder', FOLDER],
] as const)('%s with its undo in the partner', async (_, parts) => {
  await expectMarked(lineage(DRAFT, parts), CODE);
});

test('what the manifest keeps', async () => {
  const keeps = '    keeps:\n      - { effect: "=", key: console_loglevel, reason: by decision }\n';
  await expectMarked(lineage(manifest([{ more: keeps }]), only(VALUE, '      .post_patch = louder,')), CODE);
});

test('a pre_patch that fails is another matter', async () => {
  const body = (HEAP.body ?? '').replace(
    '  return 0;',
    '  if (acme_check())\n    return -EINVAL;\n  return 0;',
  );
  await expectMarked(lineage(DRAFT, { ...HEAP, body }), CODE);
});

test('callbacks that nobody registers', async () => {
  await expectMarked(lineage(DRAFT, { body: NOTIFIER.body ?? '' }), CODE);
});

const says = (parts: LivepatchParts): Promise<string[]> => spoken(lineage(DRAFT, parts), CODE);
const NB = 'the notifier nb';
const POINTS = 'and points into m_v1: a use-after-free once that module is removed';
const GONE = 'here: when v1 is disabled and removed,';
const IN_EXT4 = (callbacks: string): string =>
  `  { .name = "xfs", .funcs = funcs },
  { .name = "ext4", .funcs = funcs, .callbacks = { ${callbacks} } },`;

test('the whole sentences', async () => {
  expect(await says(only(NOTIFIER, '      .pre_patch = hook,'))).toEqual([
    `error must v1: Nothing undoes what pre_patch does ${GONE} ${NB} stays ${POINTS}. Undo it in post_unpatch.`,
  ]);
  expect(await says(only(VALUE, '      .post_patch = louder,'))).toEqual([
    `error must v1: Nothing undoes what post_patch does ${GONE} the kernel variable console_loglevel stays changed for good. Undo it in pre_unpatch.`,
  ]);
  const busy = (NOTIFIER.body ?? '').replace('  unreg', '  if (acme_busy())\n    return;\n  unreg');
  expect(await says({ ...NOTIFIER, body: busy })).toEqual([
    `warning may v1: What pre_patch does here is not always undone: when v1 is disabled and removed, ${NB} may stay ${POINTS.replace('points', 'point')}. It depends on acme_busy(), which is not known. Undo it in post_unpatch.`,
  ]);
});

test('what is done only while the target module comes', async () => {
  const body = (NOTIFIER.body ?? '').replace(
    '  return register_reboot_notifier(&nb);',
    '  if (obj->mod->state == MODULE_STATE_COMING)\n    return register_reboot_notifier(&nb);\n  return 0;',
  );
  const text = lineage(DRAFT, { body, objects: IN_EXT4('.pre_patch = hook') });
  const { findings } = await check(text);
  expect(findings.filter(({ code }) => code === CODE).map(({ run }) => run)).toEqual([
    ['load ext4', 'unload ext4', 'load v1', 'load ext4', 'disable v1', 'unload v1'],
  ]);
});

test('what is sure in another life counts more than what may be in a plain one', async () => {
  const body = (NOTIFIER.body ?? '').replace(
    '  unregister_reboot',
    '  if (obj->mod->state != MODULE_STATE_LIVE || acme_busy())\n    return;\n  unregister_reboot',
  );
  const objects = IN_EXT4('.pre_patch = hook, .post_unpatch = unhook');
  expect(await says({ body, objects })).toEqual([
    `error must v1: Nothing undoes what pre_patch does ${GONE} ${NB} stays ${POINTS}. Undo it in post_unpatch.`,
  ]);
});

test('what its init leaves is not a matter of callbacks, and without objects there is none', async () => {
  const init = '  console_loglevel = 15;\n  return klp_enable_patch(&patch);';
  expect(await says({ init })).toEqual([]);
  const none = lineage(DRAFT, livepatch().replace('  .objs = objs,\n', ''));
  expect(await spoken(none, CODE)).toEqual([]);
});

test('and what is sure in a plain life counts more than what may be in another', async () => {
  const body = (NOTIFIER.body ?? '').replace(
    '  unregister_reboot',
    '  if (obj->mod->state == MODULE_STATE_LIVE || acme_busy())\n    return;\n  unregister_reboot',
  );
  const text = lineage(DRAFT, { body, objects: IN_EXT4('.pre_patch = hook, .post_unpatch = unhook') });
  const { findings } = await check(text);
  const own = findings.filter(({ code }) => code === CODE);
  expect(own.map(({ certainty, run }) => [certainty, run])).toEqual([
    ['must', ['load ext4', 'load v1', 'disable v1', 'unload v1']],
  ]);
});

test('an undo that hangs on something unknown, whichever way is the one of success', async () => {
  const says = (undo: string): Promise<string[]> => {
    const body = (NOTIFIER.body ?? '').replace(/( {2}unregister\w+\([^;]*;)/, undo);
    return spoken(lineage(DRAFT, { ...NOTIFIER, body }), CODE);
  };
  const may = (on: string): string =>
    `warning may v1: What pre_patch does here is not always undone: when v1 is disabled and removed, the notifier nb may stay and point into m_v1: a use-after-free once that module is removed. It depends on ${on}, which is not known. Undo it in post_unpatch.`;
  expect(await says('  if (acme_ready())\n  $1')).toEqual([may('acme_ready()')]);
  expect(await says('  if (acme_busy())\n    return;\n$1')).toEqual([may('acme_busy()')]);
  // That the notifier is not registered on some way is no undo of it.
  const never = (NOTIFIER.body ?? '')
    .replace('  return register', '  if (acme_busy())\n    return 0;\n  return register')
    .replace(/ {2}unregister\w+\([^;]*;/, '');
  expect(await spoken(lineage(DRAFT, { ...NOTIFIER, body: never }), CODE)).toEqual([
    expect.stringMatching(/^error must v1: Nothing undoes what pre_patch does here: /),
  ]);
});

test('an entry of a list of the kernel that is reached through its neighbours', async () => {
  const says = (undo: string): Promise<string[]> =>
    spoken(
      lineage(DRAFT, {
        body: `#include <linux/list.h>
struct item { struct list_head node; };
static struct item item;
extern struct list_head acme_list;
static int on(struct klp_object *obj)
{
  list_add(&item.node, &acme_list);
  return 0;
}
static void off(struct klp_object *obj)
{
  struct item *i, *n;

  ${undo}
}`,
        callbacks: '      .pre_patch = on,\n      .post_unpatch = off,',
      }),
      CODE,
    );
  for (const undo of [
    'list_del(acme_list.next);',
    'i = list_first_entry(&acme_list, struct item, node); list_del(&i->node);',
    'i = list_first_entry_or_null(&acme_list, struct item, node); if (i) list_del_rcu(&i->node);',
    'list_for_each_entry_safe(i, n, &acme_list, node) if (i == &item) list_del(&i->node);',
  ])
    expect(await says(undo), undo).toEqual([]);
  const stay =
    'the list entry item.node may stay and point into m_v1: a use-after-free once that module is removed.';
  expect(await says('list_del(&acme_find()->node);')).toEqual([
    `warning may v1: What pre_patch does here is not always undone: when v1 is disabled and removed, ${stay} Undo it in post_unpatch.`,
  ]);
});
