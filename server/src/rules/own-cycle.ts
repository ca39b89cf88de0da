import type { Effect } from '../core/execution/effects';
import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import { type Run, targetsLoaded } from '../core/lineage/run';
import type { Step } from '../core/manifest/steps';
import type { RuleContext } from './context';
import { load, unload } from './effect-story';
import { eventsOf, isOf } from './pair-runs';

/** The run that loads these versions one over the other, disables the last, and removes them all. */
export function throughTheEnd(context: RuleContext, ...chain: readonly LineageVersion[]): Run {
  const last = chain[chain.length - 1];
  const steps: Step[] = [
    ...targetsLoaded(context.lineage),
    ...chain.map(load),
    ...(last ? [{ k: 'disable', name: last.name } as const] : []),
    ...chain.map(unload),
  ];
  return context.transitions.runOf(steps, chain);
}

/** The call with which a version undoes this effect when it alone is loaded, disabled and removed; null for none. */
export function undoneAlone(context: RuleContext, version: LineageVersion, effect: Effect): Undo | null {
  const run = throughTheEnd(context, version);
  if (run.verdict.refusals.length > 0) return null;
  let last: Undo | null = null;
  for (const { event } of eventsOf(run)) {
    if (event.k !== 'undone' || identity(event.effect) !== identity(effect)) continue;
    if (isOf(run, event.by.instance, version)) last = event.by;
  }
  return last !== null && !isThere(run, effect) ? last : null;
}

type Undo = Effect['by'];

/** Whether the effect is still in force at the end of a run. */
export function isThere(run: Run, effect: Effect): boolean {
  return run.end.effects().some((item) => identity(item) === identity(effect));
}

/** Every effect that one version made and that is still there when its successor, too, was disabled and removed. */
export function leftAfterBoth(context: RuleContext, from: LineageVersion, to: LineageVersion): Effect[] {
  const run = throughTheEnd(context, from, to);
  if (run.verdict.refusals.length > 0) return [];
  return run.end.effects().filter((effect) => isOf(run, effect.by.instance, from));
}
