import type { Effect } from '../core/execution/effects';
import { identity, type LeftBehind } from '../core/lineage/left-behind';
import { isWanted, type LineageVersion } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import { duringWords, undoneBy } from './effect-story';
import { chainFindings } from './histories';
import { leftByReplacement } from './left-by-replacement';
import { isReplacedIn } from './pair-runs';
import { replacePlace, shownSteps } from './placement';
import type { Finding, RelatedPlace, Rule } from './rule';
import { consequence, hazardOf, heldConsequence, milder, namesOf, theEffect, uncertainty } from './wording';

/** An older version cannot atomically replace a newer one, for it does not clean up after it. */
export const unsafeDowngrade: Rule = {
  code: 'unsafe-downgrade',
  severity: 'warning',
  kind: 'run',
  replacement: true,
  summary: 'an older version cannot safely replace this one: it does not clean up after it',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'limitations' },
  page: `
A newer version does something that an older one knows nothing about. When the newer one turns out faulty, loading the
older one over it replaces the functions correctly, but the newer one's unpatch callbacks are never called and the
older one has none that clean up after it. The side effect stays, and if it leads into the newer version's module, it is
a use-after-free as soon as that module is removed.

The finding stands at the line of the newer version that causes it.

## Why

Under \`.replace\` only the callbacks of the livepatch that is being loaded run. An old version cannot know what versions
after it have done. The kernel refuses the load only where the newer version declares a \`klp_state\` that the older one
lacks or has in an older version.

## Example

~~~c
/* v2: v1 has no callbacks at all */
static int pre_patch(struct klp_object *obj)
{
	dir = debugfs_create_file("net_status", 0444, NULL, NULL, &net_status_fops);
	return PTR_ERR_OR_ZERO(dir);
}

static void post_unpatch(struct klp_object *obj)	/* runs on disable, not when v1 is loaded over v2 */
{
	debugfs_remove(dir);
}
~~~

Loading v1 over v2 and removing v2 leaves a file whose operations are gone.

## What to do

There are two ways back.

1. Disable the newer version, remove it, then load the older one. Its callbacks run. For a moment nothing is patched.
2. Build a further version that is the older one plus callbacks that clean up after the newer one, written so that it
   also works where the newer one was never installed. *Generate Cleanup Patch* makes it.

To be safe before release, declare a \`klp_state\` for the side effect: then the kernel refuses the unsafe way.
`,
  check: (context) => [
    ...context.lineage.versions.flatMap((from) => backFrom(context, from)),
    ...chainFindings(context, 'unsafe-downgrade'),
  ],
};

function backFrom(context: RuleContext, from: LineageVersion): Finding[] {
  const { versions } = context.lineage;
  const groups = new Map<string, LeftBehind[]>();
  for (const to of versions) {
    if (to.index >= from.index || !isWanted(to)) continue;
    for (const left of leftByReplacement(context, from, to)) {
      const id = identity(left.effect);
      groups.set(id, [...(groups.get(id) ?? []), left]);
    }
  }
  const newer = versions.filter((version) => version.index > from.index && isWanted(version));
  return [...groups.values()].flatMap((group) => {
    const first = group[group.length - 1];
    if (!first || newer.some((version) => takesCareOf(context, from, version, first.effect))) return [];
    return [findingOf(context, from, first, group)];
  });
}

/** Whether a newer version already is the way out: the kernel accepts it over `from`, and the effect does not stay. */
function takesCareOf(
  context: RuleContext,
  from: LineageVersion,
  to: LineageVersion,
  effect: Effect,
): boolean {
  const { run } = context.transitions.transition(from, to);
  const left = leftByReplacement(context, from, to);
  return isReplacedIn(run, from) && !left.some((item) => identity(item.effect) === identity(effect));
}

/** `first` is about the newest of the older versions, the likeliest to go back to. */
function findingOf(
  context: RuleContext,
  from: LineageVersion,
  first: LeftBehind,
  group: readonly LeftBehind[],
): Finding {
  const { effect, transition, to } = first;
  const older = group.map((left) => left.to);
  const certainty = group.some((left) => left.certainty === 'must') ? 'must' : 'may';
  const hazard = group.some((left) => left.dangling !== null) ? 'use-after-free' : hazardOf(effect);
  const held = hazard === 'use-after-free' && group.every((left) => left.dangling === null);
  const undo = undoneBy(context, from, effect);
  const skipped = undo
    ? `${from.name}'s ${duringWords(undo)}, which undoes it, is not called`
    : 'nothing undoes it';
  const olderNames = namesOf(older);
  const why = certainty === 'may' ? uncertainty(transition.run) : '';
  const message =
    `${olderNames} cannot safely replace ${from.name}: ${skipped}, so ${theEffect(effect)} ` +
    `${held ? heldConsequence(from.module, certainty) : consequence(effect, hazard, from.module, certainty)}.${why} ` +
    `Disable ${from.name} before loading ${to.name} (for that time nothing is patched), or generate a cleanup version.`;

  const related: RelatedPlace[] = [];
  if (undo) {
    const message = `${from.name}: undone here, in ${duringWords(undo)}, which a replacement does not call`;
    related.push({ message, place: undo.place });
  }
  for (const version of older) {
    const place = replacePlace(context, version);
    if (place) related.push({ message: `${version.name} replaces ${from.name} here`, place });
  }
  return {
    code: 'unsafe-downgrade',
    severity: certainty === 'may' ? milder('warning') : 'warning',
    message,
    certainty,
    place: effect.by.place,
    versions: [from.name, ...older.map((version) => version.name)],
    related,
    run: shownSteps(transition.run, from, effect),
    fixes: [
      {
        title: `Generate a cleanup version: ${to.name} that cleans up after ${from.name}`,
        preferred: false,
        edits: [],
        command: { id: 'livepatch.generateCleanupPatch', arguments: [to.name, from.name] },
      },
    ],
    cause: `${from.name}:${effect.row.family}:${effect.key}`,
  };
}
