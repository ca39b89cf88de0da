import { expect, test } from 'vitest';
import type { Effect } from '../../server/src/core/execution/effects';
import { identity } from '../../server/src/core/lineage/left-behind';
import type { LineageVersion } from '../../server/src/core/lineage/lineage';
import { describeEffect } from '../../server/src/core/lineage/verdict';
import type { RuleContext } from '../../server/src/rules/context';
import { leftAfterBoth, undoneAlone } from '../../server/src/rules/own-cycle';
import {
  deedsOf,
  disable,
  plainLife,
  plainSteps,
  staying,
  undoerOf,
  wasLoaded,
  waysAlone,
} from '../../server/src/rules/own-life';
import { FOLDER, HEAP, VALUE } from './effects';
import { check, type LivepatchParts, lineage, manifest } from './fixture';

/** What the rules learn from runs of one version alone, and of one after another. */

interface Given {
  readonly context: RuleContext;
  readonly versions: readonly LineageVersion[];
}

async function given(text: string): Promise<Given> {
  const { project } = await check(text);
  const { lineage: assembled, transitions } = project.analyse();
  // Runs look at nothing else.
  return {
    context: { lineage: assembled, transitions } as unknown as RuleContext,
    versions: assembled.versions,
  };
}

const drafts = (...versions: readonly LivepatchParts[]): Promise<Given> =>
  given(lineage(manifest(versions.map(() => 'draft')), ...versions));

/** Everything that the first version makes when it is alone. */
function madeBy({ context, versions }: Given): Effect[] {
  const [v1] = versions as [LineageVersion];
  const [way] = waysAlone(context, v1, plainLife(v1));
  return way ? deedsOf(way.run, v1).flatMap(({ event }) => (event.k === 'done' ? [event.effect] : [])) : [];
}

const REFUSED: LivepatchParts = {
  body: 'static int no(struct klp_object *obj)\n{\n  return -ENODEV;\n}',
  callbacks: '      .pre_patch = no,',
};
const AGAIN: LivepatchParts = {
  body: `${VALUE.body}\nstatic void later(struct klp_object *obj)\n{\n  console_loglevel = 15;\n}`,
  callbacks: `${VALUE.callbacks}\n      .post_unpatch = later,`,
};

test('which callback of a version undoes what is its own or another one has made', async () => {
  const all = await drafts(VALUE, {}, REFUSED, AGAIN);
  const [effect] = madeBy(all) as [Effect];
  const during = all.versions.map((version) => undoneAlone(all.context, version, effect)?.during ?? null);
  // v2 does not know it, the kernel refuses v3, and v4 does it once more at the end.
  expect(during).toEqual(['pre_unpatch', null, null, null]);
});

test('what is left when two were there, of the first of them', async () => {
  const leaves: LivepatchParts = {
    body: 'static void on(struct klp_object *obj)\n{\n  proc_mkdir("acme", NULL);\n}',
    callbacks: '      .post_patch = on,',
  };
  const { context, versions } = await drafts(VALUE, {}, leaves, REFUSED, FOLDER);
  const [v1, plain, other, refused, folder] = versions as [
    LineageVersion,
    LineageVersion,
    LineageVersion,
    LineageVersion,
    LineageVersion,
  ];
  const left = (from: LineageVersion, to: LineageVersion): string[] =>
    leftAfterBoth(context, from, to).map(describeEffect);
  expect(left(v1, plain)).toEqual(['kernel variable console_loglevel']);
  expect(left(v1, other)).toEqual(['kernel variable console_loglevel']);
  expect(left(plain, v1)).toEqual([]);
  expect(left(folder, refused)).toEqual([]);
});

test('who undoes which of two things', async () => {
  const both = {
    body: `${VALUE.body}\n${HEAP.body}`,
    callbacks: `${VALUE.callbacks}\n${HEAP.callbacks}`,
  };
  const all = await drafts(both);
  const [version] = all.versions as [LineageVersion];
  expect(
    madeBy(all).map((effect) => [
      describeEffect(effect),
      undoerOf(all.context, version, identity(effect))?.function,
    ]),
  ).toEqual([
    ['allocation kzalloc in get', 'put'],
    ['kernel variable console_loglevel', 'back'],
  ]);
  expect(undoerOf(all.context, version, 'nothing')).toBeNull();
});

test('a version of which only the name is known has no runs of its own', async () => {
  const { context, versions } = await given(
    '//- livepatch.yaml\nlineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m\n',
  );
  const [version] = versions as [LineageVersion];
  expect(waysAlone(context, version, plainLife(version))).toEqual([]);
  expect(undoerOf(context, version, 'nothing')).toBeNull();
});

test('a version was loaded although a target was refused', async () => {
  const objects = '  { .name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = no } },';
  const { context, versions } = await drafts({ body: REFUSED.body ?? '', objects }, REFUSED);
  const [refusing, refused] = versions as [LineageVersion, LineageVersion];
  const load = { k: 'load', name: 'ext4', params: [] } as const;
  const unload = { k: 'unload', name: 'ext4' } as const;
  const [late] = waysAlone(context, refusing, [
    unload,
    { k: 'load', name: 'v1', params: [] },
    load,
    disable(refusing),
  ]);
  expect(late?.run.outcomes.map(({ result }) => result)).toEqual([0, 0, 0, -19, 0]);
  expect(late && wasLoaded(refusing)(late.run)).toBe(true);
  const [never] = waysAlone(context, refused, plainLife(refused));
  expect(never && wasLoaded(refused)(never.run)).toBe(false);
  expect(never && plainSteps(never.run)).toEqual(['load v2', 'disable v2', 'unload v2']);
  expect(never && plainSteps(never.run, ['ext4'])).toEqual([
    'load ext4',
    'load v2',
    'disable v2',
    'unload v2',
  ]);
});

test('what stays: the first of the ways that are accepted tells it', async () => {
  const seldom: LivepatchParts = {
    ...VALUE,
    body: (VALUE.body ?? '').replace(
      '  console_loglevel = saved',
      '  if (acme_busy())\n    return;\n  console_loglevel = saved',
    ),
  };
  const { context, versions } = await drafts(seldom, { ...VALUE, callbacks: '      .post_patch = louder,' });
  const [may, must] = versions as [LineageVersion, LineageVersion];
  const stays = (version: LineageVersion, accept: boolean): unknown[] =>
    [...staying(version, waysAlone(context, version, plainLife(version)), () => accept).values()].map(
      ({ certainty, when }) => [certainty, when],
    );
  expect(stays(may, true)).toEqual([['may', 'acme_busy()']]);
  expect(stays(must, true)).toEqual([['must', null]]);
  expect(stays(must, false)).toEqual([]);
  // Another version's ways tell nothing of this one.
  const ways = waysAlone(context, must, plainLife(must));
  expect([...staying(may, ways, () => true).values()]).toEqual([]);
});
