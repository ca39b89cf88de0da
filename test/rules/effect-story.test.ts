import { expect, test } from 'vitest';
import type { Effect } from '../../server/src/core/execution/effects';
import { targetsLoaded } from '../../server/src/core/lineage/run';
import { duringWords, load, moduleObjectOf, undoneBy } from '../../server/src/rules/effect-story';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { contextOf } from './told';

test.each([
  ['pre_patch', 'pre_patch'],
  ['post_unpatch', 'post_unpatch'],
  ['init', 'module init'],
  ['exit', 'module exit'],
  ['patched', 'the patched function f()'],
  ['work', 'f()'],
  ['timer', 'f()'],
])('what runs during %s, in words: %s', (during, words) => {
  expect(duringWords({ during, function: 'f' })).toBe(words);
});

/** The effects of the first version when it alone is loaded, and what is told of each. */
async function effectsOf<T>(
  versions: readonly (LivepatchParts | string)[],
  tell: (
    effect: Effect,
    context: Awaited<ReturnType<typeof contextOf>>,
    version: Awaited<ReturnType<typeof contextOf>>['lineage']['versions'][number],
  ) => T,
): Promise<Record<string, T>> {
  const context = await contextOf(lineage(manifest(versions.map(() => 'draft')), ...versions));
  const [version] = context.lineage.versions;
  if (!version) throw new Error('no version');
  const { end } = context.transitions.runOf([...targetsLoaded(context.lineage), load(version)], [version]);
  return Object.fromEntries(end.effects().map((effect) => [effect.key, tell(effect, context, version)]));
}

const undoing = (parts: LivepatchParts) =>
  effectsOf([parts], (effect, context, version) => {
    const undo = undoneBy(context, version, effect);
    return undo && `${undo.during} ${undo.function}`;
  });
const FOLDERS = `static int make(struct klp_object *obj)
{
  debugfs_create_dir("one", NULL);
  debugfs_create_dir("two", NULL);
  return 0;
}`;
const remove = (name: string): string => `  debugfs_lookup_and_remove("${name}", NULL);`;
const act = (name: string, ...lines: readonly string[]): string =>
  `static void ${name}(struct klp_object *obj)\n{\n${lines.join('\n')}\n}`;
const CALLBACKS = '.pre_patch = make,\n.pre_unpatch = leave,\n.post_unpatch = left,';

test('who undoes an effect when its version simply goes', async () => {
  const body = `${FOLDERS}\n${act('leave', remove('two'))}\n${act('left', remove('one'))}`;
  expect(await undoing({ body, callbacks: CALLBACKS })).toEqual({
    one: 'post_unpatch left',
    two: 'pre_unpatch leave',
  });
});

test('exit undoes what callbacks made, and a helper what it is called for', async () => {
  const body = `${FOLDERS}\nstatic void helper(void)\n{\n${remove('one')}\n}\n${act('leave')}\n${act('left', '  helper();')}`;
  const exit = remove('two');
  expect(await undoing({ body, callbacks: CALLBACKS, exit })).toEqual({
    one: 'post_unpatch helper',
    two: 'exit m_exit',
  });
});

test('an undo that no run shows is one of those that the callbacks reach', async () => {
  const body = `extern int acme_wanted;\n${FOLDERS}\n${act('leave', '  if (acme_wanted == 77)', '  debugfs_lookup_and_remove(name_of(obj), NULL);')}\n${act('left', '  if (acme_wanted == 78)', remove('one'))}`;
  expect(await undoing({ body, callbacks: CALLBACKS })).toEqual({
    one: 'pre_unpatch leave',
    two: 'pre_unpatch leave',
  });
});

test('what nobody undoes, or only other callbacks do', async () => {
  const body = `${FOLDERS}\n${act('leave')}\n${act('left')}`;
  expect(await undoing({ body, callbacks: CALLBACKS })).toEqual({ one: null, two: null });
  const cleared = `${FOLDERS}\n${act('later', '  if (!obj)', remove('two'))}`;
  expect(await undoing({ body: cleared, callbacks: '.pre_patch = make,\n.post_patch = later,' })).toEqual({
    one: null,
    two: null,
  });
});

test('whose callback made it', async () => {
  const make = (name: string): string =>
    `static int make_${name}(struct klp_object *obj)\n{\n  debugfs_create_dir("${name}", NULL);\n  return 0;\n}`;
  const version: LivepatchParts = {
    body: ['k', 'a', 'b'].map(make).join('\n'),
    objects: `  { .funcs = funcs, .callbacks = { .pre_patch = make_k } },
  { .name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = make_a } },
  { .name = "xfs", .funcs = funcs, .callbacks = { .pre_patch = make_b } },`,
    init: '  debugfs_create_dir("early", NULL);\n  klp_enable_patch(&patch);\n  debugfs_create_dir("late", NULL);\n  return 0;',
  };
  const made = await effectsOf([version, version], (effect, context, from) => {
    const [, to] = context.lineage.versions;
    if (!to) throw new Error('no successor');
    const run = context.transitions.runOf(
      [...targetsLoaded(context.lineage), load(from), load(to)],
      [from, to],
    );
    return [moduleObjectOf(run, from, effect), moduleObjectOf(run, to, effect)];
  });
  expect(made).toEqual({
    early: [null, null],
    late: [null, null],
    k: [null, null],
    a: ['ext4', null],
    b: ['xfs', null],
  });
});
