import type { Actor, DeedEvent } from '../core/execution/effects';
import type { Decision } from '../core/execution/machine-host';
import { identity } from '../core/lineage/left-behind';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import { type OneWay, type Run, targetsLoaded } from '../core/lineage/run';
import type { Leftover } from '../core/lineage/verdict';
import { formatStep, type Step } from '../core/manifest/steps';
import type { Certainty } from '../core/place';
import type { RuleContext } from './context';
import { load, unload } from './effect-story';
import { shownSteps, stepsWithoutTargets } from './placement';
import { shortened } from './wording';

/** Runs of one version by itself, on a clean kernel with every target module loaded. */

export const disable = (version: LineageVersion): Step => ({ k: 'disable', name: version.name });
const enable = (version: LineageVersion): Step => ({ k: 'enable', name: version.name });
export const failing = (version: LineageVersion, fn: string, errno: number | null = null): Step => ({
  k: 'fail',
  name: version.name,
  function: fn,
  errno,
});

/** Loaded, disabled, removed. */
export const plainLife = (version: LineageVersion): Step[] => [
  load(version),
  disable(version),
  unload(version),
];
/** Disabled while it is being enabled: of its callbacks only post_unpatch follows pre_patch. */
export const reversedLoad = (version: LineageVersion): Step[] => [
  { k: 'stall' },
  load(version),
  disable(version),
  { k: 'resume' },
  unload(version),
];
/** Enabled while it is being disabled, and disabled for good later: pre_unpatch, and post_patch once more. */
export const reversedDisable = (version: LineageVersion): Step[] => [
  load(version),
  { k: 'stall' },
  disable(version),
  enable(version),
  { k: 'resume' },
  disable(version),
  unload(version),
];

/** The ways through steps with this version alone; the target modules are loaded before. */
export function waysAlone(
  context: RuleContext,
  version: LineageVersion,
  steps: readonly Step[],
): readonly OneWay[] {
  if (!version.program) return [];
  return context.transitions.waysOf([...targetsLoaded(context.lineage), ...steps], [version]);
}

/** What stays for ever of a version, with the way that shows it. */
export interface Stays {
  readonly leftover: Leftover;
  readonly run: Run;
  readonly certainty: Certainty;
  /** What decides whether it stays; null where nothing unknown does. */
  readonly when: string | null;
}

/** What stays of the version after some of these ways, by identity; ways that `accept` refuses do not count. */
export function staying(
  version: LineageVersion,
  ways: readonly OneWay[],
  accept: (run: Run) => boolean,
): Map<string, Stays> {
  const found = new Map<string, Stays>();
  for (const { run, decision } of ways) {
    if (!accept(run)) continue;
    for (const leftover of run.verdict.leftovers) {
      const id = identity(leftover.effect);
      if (!isSameVersion(leftover.version, version) || found.has(id)) continue;
      // What stays on the way of success may be undone where something unknown goes the other way.
      const when = decision ?? otherwise(ways, accept, (it) => undoes(it, version, id));
      found.set(id, { leftover, run, certainty: when ? 'may' : leftover.certainty, when: when?.id ?? null });
    }
  }
  return found;
}

/** The decision that goes the other way in the first of these ways in which something is so. */
export function otherwise(
  ways: readonly OneWay[],
  accept: (run: Run) => boolean,
  isSo: (run: Run) => boolean,
): Decision | null {
  return ways.find(({ run, decision }) => decision && accept(run) && isSo(run))?.decision ?? null;
}

/** Whether the version makes this effect in a run, which does not end with it. */
function undoes(run: Run, version: LineageVersion, id: string): boolean {
  return (
    makes(run, version, id) && !run.verdict.leftovers.some((leftover) => identity(leftover.effect) === id)
  );
}

/** Whether the version makes this effect in a run. */
export function makes(run: Run, version: LineageVersion, id: string): boolean {
  return deedsOf(run, version).some(({ event }) => event.k === 'done' && identity(event.effect) === id);
}

/** Whether the version was loaded, that is not refused, in this run. */
export function wasLoaded(version: LineageVersion): (run: Run) => boolean {
  return (run) =>
    run.outcomes.every(({ step, result }) => step.k !== 'load' || step.name !== version.name || result === 0);
}

/** Something that code of the version did in a run. */
export interface Deed {
  readonly event: DeedEvent;
  readonly by: Actor;
  readonly step: number;
}

/** All that the version's own code did, in order. */
export function deedsOf(run: Run, version: LineageVersion): Deed[] {
  const found: Deed[] = [];
  run.outcomes.forEach(({ happenings }, step) => {
    for (const happening of happenings) {
      if (happening.k !== 'effect' || happening.event.k === 'ended') continue;
      const { event } = happening;
      const by = event.k === 'done' ? event.effect.by : event.by;
      if (isSameVersion(run.end.nameOf(by.instance).version, version)) found.push({ event, by, step });
    }
  });
  return found;
}

/** Who undoes this effect when the version simply lives and goes, if on some way only; null where nobody does. */
export function undoerOf(context: RuleContext, version: LineageVersion, id: string): Actor | null {
  for (const { run } of waysAlone(context, version, plainLife(version))) {
    for (const { event, by } of deedsOf(run, version)) {
      if (event.k === 'undone' && identity(event.effect) === id) return by;
    }
  }
  return null;
}

/** The steps to show for what stays. */
export function stepsOf(stays: Stays, version: LineageVersion): string[] {
  return shownSteps(stays.run, version, stays.leftover.effect);
}

/** The steps to show for a deed: without the loads of target modules unless `targets` names them. */
export function plainSteps(run: Run, targets: readonly string[] = []): string[] {
  return stepsWithoutTargets(run, targets);
}

/** Why something only may be, as a sentence of its own with a blank in front. */
export function dependingOn(when: string | null): string {
  return when === null ? '' : ` It depends on ${shortened(when)}, which is not known.`;
}

/** Steps as text. */
export function written(steps: readonly Step[]): string[] {
  return steps.map(formatStep);
}
