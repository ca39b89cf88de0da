import type { Effect } from '../core/execution/effects';
import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { Certainty, Place } from '../core/place';
import { renamedCallback } from './callback-table';
import type { RuleContext } from './context';
import { seenAlone } from './looks';
import {
  deedsOf,
  dependingOn,
  makes,
  otherwise,
  plainLife,
  plainSteps,
  reversedDisable,
  staying,
  undoerOf,
  wasLoaded,
  waysAlone,
} from './own-life';
import type { Finding, Rule } from './rule';
import { consequence, hazardOf, milder, theEffect } from './wording';

/** What a second post_patch, after a reversed disable, does twice. */
export const postPatchNotIdempotent: Rule = {
  code: 'post-patch-not-idempotent',
  severity: 'warning',
  kind: 'run',
  replacement: false,
  summary: 'post_patch does again what it has done when a disable is reversed',
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
Writing 0 to \`enabled\` starts a transition, and writing 1 before it has ended reverses it. By then \`pre_unpatch\` has
run. At the end the kernel calls **\`post_patch\` once more**: no \`pre_patch\` before it and no \`post_unpatch\` in between.

What \`post_patch\` does and \`pre_unpatch\` undoes is simply done again, as it should. What is undone in \`post_unpatch\`, or
nowhere, is still there and is done twice: a list corrupted, a count that never comes back to zero, an original value
overwritten by the changed one, memory lost.

## Example

~~~c
static void post_patch(struct klp_object *obj)
{
	saved = console_loglevel;	/* the second time this saves 15 */
	console_loglevel = 15;
}

/* wrong: as post_unpatch; right: as pre_unpatch */
static void restore(struct klp_object *obj)
{
	console_loglevel = saved;
}
~~~

## What to do

Undo in \`pre_unpatch\` what \`post_patch\` does; or remember in a variable that it is done.
`,
  check: (context) => seenAlone(context, checkVersion),
};

interface Twice {
  readonly effect: Effect;
  readonly place: Place;
  readonly certainty: Certainty;
  readonly when: string | null;
  readonly what: string;
  readonly run: readonly string[];
}

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const objects = version.facts?.patch?.objects ?? [];
  if (!objects.some((object) => object.callbacks.some((item) => item.callback === 'post_patch'))) return [];
  const accept = wasLoaded(version);
  const ways = waysAlone(context, version, reversedDisable(version));
  const usual = staying(version, waysAlone(context, version, plainLife(version)), accept);
  const found = new Map<string, Twice>();
  const add = (id: string, twice: Twice): void => {
    if (!found.has(id)) found.set(id, twice);
  };
  for (const { run, decision } of ways) {
    if (!accept(run)) continue;
    // A reversal completes the transition within its own step.
    const again = run.steps.findIndex((step) => step.k === 'enable');
    // What a single post_patch repeats itself has nothing to do with a second one.
    const alone = new Set<string>();
    for (const { event, by, step } of deedsOf(run, version)) {
      if (by.during !== 'post_patch' || event.k !== 'repeated') continue;
      const { effect } = event;
      const id = identity(effect);
      if (step < again) alone.add(id);
      const what = AGAIN[effect.row.repeated ?? 'harmless'];
      if (alone.has(id) || what === null || effect.row.family === 'shadow variable') continue;
      const flipped =
        decision ?? otherwise(ways, accept, (it) => makes(it, version, id) && !repeats(it, version, id));
      const certainty = flipped ? 'may' : effect.certainty;
      add(id, { effect, place: by.place, certainty, when: flipped?.id ?? null, what, run: plainSteps(run) });
    }
  }
  for (const [id, stays] of staying(version, ways, accept)) {
    const { effect } = stays.leftover;
    if (usual.has(id) || effect.by.during === 'init') continue;
    const { certainty, when, run } = stays;
    const what = `and later, when it is disabled for good, it ${consequence(effect, hazardOf(effect), version.module, certainty)}`;
    const by = effect.last?.during === 'post_patch' ? effect.last : effect.by;
    add(id, { effect, place: by.place, certainty, when, what, run: plainSteps(run) });
  }
  return [...found].map(([id, twice]) => findingOf(context, version, id, twice));
}

/** Whether something of the version makes this effect while it is there. */
function repeats(run: Run, version: LineageVersion, id: string): boolean {
  return deedsOf(run, version).some(({ event }) => event.k === 'repeated' && identity(event.effect) === id);
}

const AGAIN: Readonly<Record<NonNullable<Effect['row']['repeated']>, string | null>> = {
  corrupts: 'which corrupts a list',
  counts: 'which counts it twice',
  errno: 'which fails',
  harmless: null,
};

function isMissing(during: string): string {
  return during === 'pre_unpatch'
    ? 'its undo in pre_unpatch is left out then'
    : `its undo stands in ${during}, which is not called in between`;
}

function findingOf(context: RuleContext, version: LineageVersion, id: string, twice: Twice): Finding {
  const { effect, certainty } = twice;
  const undoer = undoerOf(context, version, id);
  const where = undoer ? isMissing(undoer.during) : 'nothing undoes it in between';
  return {
    code: 'post-patch-not-idempotent',
    severity: certainty === 'may' ? milder('warning') : 'warning',
    message:
      `When a disable of ${version.name} is reversed, post_patch runs again and makes ${theEffect(effect)} a second time, ${twice.what}: ${where}.` +
      `${dependingOn(twice.when)} Undo it in pre_unpatch.`,
    certainty,
    place: twice.place,
    versions: [version.name],
    related: undoer ? [{ message: `undone here, in ${undoer.during}`, place: undoer.place }] : [],
    run: twice.run,
    fixes:
      undoer?.during === 'post_unpatch'
        ? renamedCallback(context, version, undoer.function, 'post_unpatch', 'pre_unpatch')
        : [],
  };
}
