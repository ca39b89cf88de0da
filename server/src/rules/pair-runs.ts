import type { DeedEvent } from '../core/execution/effects';
import type { CallbackKind } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import { isWanted } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { RuleContext } from './context';

/** The callbacks that run while a version takes over. */
export const TAKING_OVER: ReadonlySet<string> = new Set<CallbackKind>(['pre_patch', 'post_patch']);

/** One effect event of a run with the index of the step that it happened in. */
export interface SteppedEvent {
  readonly event: DeedEvent;
  readonly step: number;
}

/** Every effect event of a run, in order; of runs that take another way at an unknown value nothing is seen here. */
export function eventsOf(run: Run): SteppedEvent[] {
  return run.outcomes.flatMap((outcome, step) =>
    outcome.happenings.flatMap((happening) =>
      happening.k === 'effect' && happening.event.k !== 'ended' ? [{ event: happening.event, step }] : [],
    ),
  );
}

/** Whether an instance number of this run stands for the version. */
export function isOf(run: Run, instance: number, version: LineageVersion): boolean {
  return run.end.nameOf(instance).module === version.module;
}

/** The index of the step that loads the version; -1 where there is none. */
export function loadStep(run: Run, version: LineageVersion): number {
  return run.steps.findIndex((step) => step.k === 'load' && step.name === version.name);
}

/** Every upgrade that somebody would want: from any older version, for what is faulty today was loaded once. */
export function upgrades(
  context: RuleContext,
): readonly { readonly from: LineageVersion; readonly to: LineageVersion }[] {
  const { versions } = context.lineage;
  return versions
    .filter((to) => isWanted(to) && replaces(to))
    .flatMap((to) => versions.filter((from) => from.index < to.index).map((from) => ({ from, to })));
}

/** Whether a version is known to replace the others, or may. */
export function replaces(version: LineageVersion): boolean {
  return version.facts?.patch != null && version.facts.patch.replace !== false;
}

/** Whether the kernel really replaced the one by the other in this run. */
export function isReplacedIn(run: Run, from: LineageVersion): boolean {
  return run.outcomes.some((outcome) =>
    outcome.happenings.some(
      (happening) =>
        happening.k === 'kernel' &&
        happening.event.k === 'replaced' &&
        isOf(run, happening.event.patch, from),
    ),
  );
}
