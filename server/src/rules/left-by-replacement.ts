import type { Effect } from '../core/execution/effects';
import { identity, type LeftBehind, leftBehind } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { Danger } from '../core/lineage/verdict';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import { lookAt } from './looks';

/**
 * What `from` leaves behind when `to` replaces it, with what is no longer there at the end of the run because it has
 * gone off: a timer or work item whose function was called in a module that is gone.
 */
export function leftByReplacement(
  context: RuleContext,
  from: LineageVersion,
  to: LineageVersion,
): readonly LeftBehind[] {
  return lookAt(context, leftIn, from, to);
}

function leftIn(context: RuleContext, from: LineageVersion, to: LineageVersion): readonly LeftBehind[] {
  const left = leftBehind(context.transitions, from, to);
  const transition = context.transitions.transition(from, to);
  const { run } = transition;
  if (run.verdict.refusals.length > 0) return left;
  const known = new Set(left.map((item) => identity(item.effect)));
  const more: LeftBehind[] = [];
  for (const danger of run.verdict.dangers) {
    if (danger.kind !== 'use-after-free' || danger.effect || danger.version?.module !== from.module) continue;
    const effect = danger.place && queuedAt(run, from, danger.place);
    if (!effect || known.has(identity(effect)) || alsoAlone(context, from, danger)) continue;
    known.add(identity(effect));
    const { certainty } = danger;
    more.push({ effect, from, to, transition, dangling: { ...danger, effect }, leftover: null, certainty });
  }
  return [...left, ...more];
}

/** What the call at this place made, as the first call that made the same did it: a timer may start itself anew. */
function queuedAt(run: Run, from: LineageVersion, place: Place): Effect | null {
  const made: Effect[] = [];
  for (const outcome of run.outcomes) {
    for (const happening of outcome.happenings) {
      if (happening.k !== 'effect' || happening.event.k !== 'done') continue;
      const { effect } = happening.event;
      if (effect.row.hazards.includes('use-after-free')) made.push(effect);
    }
  }
  const own = made.filter((effect) => run.end.nameOf(effect.by.instance).module === from.module);
  const last = own.find(({ by }) => by.place.file === place.file && by.place.start === place.start);
  return last ? (own.find((effect) => identity(effect) === identity(last)) ?? null) : null;
}

/** Whether the same goes wrong when the version is simply loaded, disabled and removed. */
function alsoAlone(context: RuleContext, from: LineageVersion, danger: Danger): boolean {
  const run = context.transitions.runOf(
    [
      { k: 'load', name: from.name, params: [] },
      { k: 'disable', name: from.name },
      { k: 'unload', name: from.name },
    ],
    [from],
  );
  return run.verdict.dangers.some((item) => item.kind === danger.kind && item.text === danger.text);
}
