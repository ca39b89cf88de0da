import { expect, test } from 'vitest';
import { FILE, FOLDER, HEAP, marked, NOTIFIER, VALUE } from './effects';
import { expectMarked, type LivepatchParts, lineage, manifest } from './fixture';

const CODE = 'unpaired-acquire';
const DRAFT = manifest(['draft']);

const only = (parts: LivepatchParts, callbacks: string): LivepatchParts => ({ ...parts, callbacks });

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
