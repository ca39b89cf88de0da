import type { LineageVersion } from '../core/lineage/lineage';
import type { Step } from '../core/manifest/steps';
import type { Certainty, Place } from '../core/place';
import type { RuleContext } from './context';

/** What runs show of klp_get_prev_state() outside transitions. */

export const CALLEE = 'klp_get_prev_state';

export interface Warned {
  readonly instance: number;
  readonly during: string;
  readonly function: string;
  readonly place: Place;
  readonly certainty: Certainty;
  readonly step: number;
}

/** The warnings of this function that the version's own code causes in a run. */
export function warnings(context: RuleContext, version: LineageVersion, steps: readonly Step[]): Warned[] {
  const { outcomes, end } = context.transitions.runOf(steps, [version]);
  return outcomes.flatMap((outcome, step) =>
    outcome.happenings.flatMap((happening) => {
      if (happening.k !== 'effect' || happening.event.k !== 'fault' || happening.event.fault !== 'warn')
        return [];
      const { by, text, certainty } = happening.event;
      if (!text.startsWith(CALLEE) || end.nameOf(by.instance).module !== version.module) return [];
      return [{ ...by, certainty, step }];
    }),
  );
}

/** Whether callbacks or init of the version queue anything for later, as a run shows. */
export function startsTasks(context: RuleContext, version: LineageVersion, steps: readonly Step[]): boolean {
  const { outcomes } = context.transitions.runOf(steps, [version]);
  return outcomes.some((outcome) =>
    outcome.happenings.some(
      (item) =>
        item.k === 'effect' && item.event.k === 'done' && TASK_FAMILIES.has(item.event.effect.row.family),
    ),
  );
}

const TASK_FAMILIES = new Set([
  'work item',
  'irq work',
  'tasklet',
  'delayed work item',
  'timer',
  'high resolution timer',
  'kernel thread',
]);

export function same(a: Place, b: Place): boolean {
  return a.file === b.file && a.start === b.start;
}
