import { expect, test } from 'vitest';
import { codeLenses } from '../../server/src/features/code-lens';
import { inlayHints } from '../../server/src/features/inlay-hints';
import { signatureHelp } from '../../server/src/features/signature-help';
import { analyseTexts } from '../support/project';
import { cursorAt, FILES, livepatch, shown } from './fixture';

/** v2 does not know of v1's file: the kernel calls none of v1's callbacks, so file and shadow variable stay. */
const FORGETFUL = livepatch(2)
  .replace(/\n\tfile = debugfs[^]*?NULL\);\n/, '\n')
  .replace('\tdebugfs_remove(file);\n\tklp_shadow_free_all(NOTE_ID, NULL);\n', '');

async function lenses(second: string): Promise<string[]> {
  const analysis = await analyseTexts({ ...FILES, 'v2.c': second });
  return codeLenses(analysis, '/lineage/v1.c').map(
    ({ place, title, command }) =>
      `${shown(analysis, [place])[0]} | ${title} | ${Object.values(command).join(' ').replace('livepatch.', '')}`,
  );
}

test('a klp_patch says what stays when another one replaces it, a callback that it is skipped', async () => {
  const patch = 'v1.c: static struct klp_patch «patch» = {';
  expect(await lenses(FORGETFUL)).toEqual([
    `${patch} | replaced by v2: 1 callback skipped, 2 leftovers | explainTransition v1 v2`,
    `${patch} | show in stack | showStack`,
    `${patch} | simulate | simulate load nf_tables; load v1; load v2; unload v1`,
    'v1.c: static int «demo_pre_patch»(struct klp_object *obj) | v1 pre_patch | showStack',
    'v1.c: static void «demo_post_unpatch»(struct klp_object *obj) | v1 post_unpatch: skipped when replaced by v2 | explainTransition v1 v2',
  ]);
});

test('a version that nothing replaces has no such lens', async () => {
  const alone = livepatch(2).replace('\t.replace = true,\n', '');
  expect((await lenses(alone)).filter((it) => it.includes('replaced'))).toEqual([]);
});

test('an entry of a callback says that a replacement skips it, a version that something stays', async () => {
  const analysis = await analyseTexts({ ...FILES, 'v2.c': FORGETFUL });
  const all = { start: 0, end: 100_000 };
  const hints = (name: string, span = all): string[] =>
    inlayHints(analysis, `/lineage/${name}`, span).map(({ at, label, tooltip }) => {
      expect(tooltip).not.toBe('');
      const text = analysis.text(`/lineage/${name}`);
      return `${text.slice(text.lastIndexOf('\n', at - 1) + 1, at).trim()} «${label}»`;
    });
  expect(hints('v1.c')).toEqual(['.post_unpatch = demo_post_unpatch «skipped when replaced»']);
  expect(hints('v1.c', { start: 0, end: 100 })).toEqual([]);
  expect(hints('livepatch.yaml')).toEqual([
    '- version: v1 «leaves something when v2 replaces it»',
    // The kernel's state check: v1 has the state in a lower version.
    '- version: v2 «cannot be replaced by v1»',
  ]);
});

async function signature(before: string, after: string): Promise<string | null> {
  const { analysis, file, offset } = await cursorAt('v1.c', before, after);
  const found = signatureHelp(analysis, file, offset);
  if (found)
    expect(found.label.slice(found.parameter.start, found.parameter.end)).toBe('struct klp_object *obj');
  return found?.label ?? null;
}

// As include/linux/livepatch.h declares the members of struct klp_callbacks.
test.each([
  ['.pre_patch = demo_pre_patch', '.pre_patch = $0', 'int pre_patch(struct klp_object *obj)'],
  ['.post_unpatch = demo', '.post_unpatch = de$0mo', 'void post_unpatch(struct klp_object *obj)'],
  ['void demo_post_unpatch(', 'void demo_post_unpatch($0', 'void demo_post_unpatch(struct klp_object *obj)'],
  ['if (before)', 'if ($0before)', null],
  ['debugfs_remove(file', 'debugfs_remove($0file', null],
  ['.old_name = "info_show"', '.old_name = $0', null],
  ['int demo_info_show(', 'int demo_info_show($0', null],
  ['debugfs_remove(file);', 'demo_post_unpatch($0);', null],
  ['.replace = true', '.replace = $0', null],
])('signature: %s becomes %s', async (before, after, expected) => {
  expect(await signature(before, after)).toBe(expected);
});
