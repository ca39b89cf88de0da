import { expect, test } from 'vitest';
import { appended } from '../dialects/diff-text';
import { NOTIFIER, NOTIFIER_BY_STATE, VALUE } from './effects';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { told } from './told';

const CODE = 'orphaned-side-effect';
const SKIPPED =
  "v1's pre_unpatch, which undoes the kernel variable console_loglevel, is not called when v1 is";
const STAYS = 'it stays changed for good.';
const MADE =
  'v1/a.c: console_loglevel = 15: v1: the kernel variable console_loglevel is made here, in post_patch';
const UNDONE =
  'v1/a.c: console_loglevel = saved: v1: undone here, in pre_unpatch, which a replacement does not call';

const value = (status: readonly string[], ...more: readonly LivepatchParts[]) =>
  told(lineage(manifest(status), VALUE, ...status.slice(1).map((_, i) => more[i] ?? {})), CODE);

test('on the draft that replaces it', async () => {
  expect(await value(['released', 'draft'])).toEqual([
    {
      severity: 'warning',
      certainty: 'must',
      message: `${SKIPPED} replaced by v2: ${STAYS} Undo it in v2's post_patch, or take it over there.`,
      versions: ['v2', 'v1'],
      on: 'v2/a.c: .replace = true',
      related: [MADE, UNDONE],
      run: ['load v1', 'load v2', 'unload v1'],
      fixes: [],
    },
  ]);
});

test('on the first draft, which answers for the versions in between as well', async () => {
  expect(await value(['released', 'released', 'draft'])).toMatchObject([
    {
      message: `${SKIPPED} replaced by v3: ${STAYS} Undo it in v3's post_patch, or take it over there.`,
      versions: ['v3', 'v1'],
      on: 'v3/a.c: .replace = true',
      related: [MADE, UNDONE],
    },
  ]);
});

test('on a draft that undoes it only where no other version came in between', async () => {
  const states = '  { .id = 7, .version = 1 },';
  const undoing: LivepatchParts = {
    body: `static void unhook_previous(struct klp_object *obj)
{
  struct klp_state *previous = klp_get_prev_state(7);

  if (previous && previous->data)
    unregister_reboot_notifier(previous->data);
}`,
    callbacks: '      .post_patch = unhook_previous,',
    states,
  };
  const text = lineage(manifest(['released', 'released', 'draft']), NOTIFIER_BY_STATE, { states }, undoing);
  expect(await told(text, 'dangling-module-pointer')).toMatchObject([
    {
      message:
        "v1's post_unpatch, which undoes the notifier nb, is not called when v1 is replaced by v2 and that by v3: it stays and " +
        "points into m_v1: a use-after-free once that module is removed. Undo it in v3's post_patch, or take it over there.",
      versions: ['v3', 'v1', 'v2'],
      on: 'v3/a.c: .replace = true',
      run: ['load v1', 'load v2', 'load v3', 'unload v1', 'unload v2'],
    },
  ]);
});

test('on the draft that leaves it behind', async () => {
  const hand = 'a state, a shadow variable or its name';
  const replaces = (name: string): string => `${name}/a.c: .replace = true: ${name} replaces v1 here`;
  expect(await value(['draft', 'draft', 'released', 'draft'])).toMatchObject([
    {
      message: `${SKIPPED} replaced by v2, v3 and v4: ${STAYS} Let v2 and v4 undo it in post_patch or take it over; ${hand} can hand it on.`,
      versions: ['v1', 'v2', 'v3', 'v4'],
      on: 'v1/a.c: console_loglevel = 15',
      related: [
        expect.stringContaining(UNDONE),
        ...['v2', 'v3', 'v4'].map((name) => expect.stringContaining(replaces(name))),
        expect.stringContaining('also '),
      ],
    },
  ]);
  expect(await value(['draft', 'released'])).toMatchObject([
    {
      message: `${SKIPPED} replaced by v2: ${STAYS} Hand it on by ${hand}, so that a successor can take it over or undo it.`,
    },
  ]);
});

test('where nothing can be changed any more', async () => {
  expect(await value(['released', 'released'])).toMatchObject([
    {
      message: `${SKIPPED} replaced by v2: ${STAYS} No version of the lineage can be changed to answer this: the next one has to undo it in its post_patch.`,
      versions: ['v1', 'v2'],
      on: 'v1/a.c: console_loglevel = 15',
      related: [UNDONE, 'v2/a.c: .replace = true: v2 replaces v1 here'],
    },
  ]);
});

test('a module that something holds in memory is used on', async () => {
  const held: LivepatchParts = {
    ...NOTIFIER,
    body: (NOTIFIER.body ?? '').replace(
      '  return register',
      '  __module_get(THIS_MODULE);\n  return register',
    ),
  };
  const [found] = (await told(lineage(manifest(['released', 'draft']), held, {}), CODE)).filter(
    ({ message }) => message.includes('notifier'),
  );
  expect(found?.message).toContain(
    'replaced by v2: it stays, and the kernel goes on using m_v1, which something holds in memory. Undo it',
  );
});

test('a livepatch from diffs has no states to hand it on', async () => {
  const head = `//- livepatch.yaml
lineage: l
kernel: "6.1"
versions:
  - { version: v1, module: m_v1, sources: v1/*.patch, dialect: kpatch, status: draft }
  - { version: v2, module: m_v2, sources: v2/*.patch, dialect: kpatch, status: draft }
`;
  const code = `static int saved;
static void louder(struct klp_object *obj)
{
\tsaved = console_loglevel;
\tconsole_loglevel = 15;
}
KPATCH_POST_PATCH_CALLBACK(louder);
static void back(struct klp_object *obj)
{
\tconsole_loglevel = saved;
}
KPATCH_PRE_UNPATCH_CALLBACK(back);`;
  const text = `${head}//- v1/0.patch\n${appended('kernel/a.c', code)}//- v2/0.patch\n${appended('kernel/a.c', 'int f(void)\n{\n\treturn 1;\n}')}`;
  expect((await told(text, CODE)).map(({ message }) => message)).toEqual([
    `${SKIPPED} replaced by v2: ${STAYS} Let v2 undo it in post_patch or take it over; a shadow variable or its name can hand it on.`,
  ]);
});
