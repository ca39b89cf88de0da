import { Fingerprint } from '../core/csource/fingerprint';
import type { EffectEvent } from '../core/execution/effects';
import type { CallbackKind } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import { isWanted } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { RuleContext } from './context';

/** The callbacks that run while a version takes over. */
export const TAKING_OVER: ReadonlySet<string> = new Set<CallbackKind>(['pre_patch', 'post_patch']);

/** One effect event of a run with the index of the step that it happened in. */
export interface SteppedEvent {
  readonly event: EffectEvent;
  readonly step: number;
}

/** Every effect event of a run, in order; of runs that take another way at an unknown value nothing is seen here. */
export function eventsOf(run: Run): SteppedEvent[] {
  return run.outcomes.flatMap((outcome, step) =>
    outcome.happenings.flatMap((happening) =>
      happening.k === 'effect' ? [{ event: happening.event, step }] : [],
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

/** What a rule sees in the upgrade of one version to another. It may hang on what the two say and do, on nothing else. */
export type Look<T> = (context: RuleContext, from: LineageVersion, to: LineageVersion) => readonly T[];

/** The pairs in which a look saw nothing, without the names of their versions. */
const QUIET = new WeakMap<RuleContext, Map<unknown, Set<string>>>();

/** What the look sees in this pair. Where it saw nothing in another one that says and does the same, it is not repeated. */
export function lookAt<T>(
  context: RuleContext,
  look: Look<T>,
  from: LineageVersion,
  to: LineageVersion,
): readonly T[] {
  const pair = sameAs(context, from, to);
  const all = QUIET.get(context) ?? new Map<unknown, Set<string>>();
  QUIET.set(context, all);
  const quiet = all.get(look) ?? new Set();
  all.set(look, quiet);
  if (pair !== null && quiet.has(pair)) return [];
  const found = look(context, from, to);
  if (pair !== null && found.length === 0 && !context.transitions.transition(from, to).run.namesWereAsked)
    quiet.add(pair);
  return found;
}

/** What the look sees in every upgrade, in order. */
export function* seenInUpgrades<T>(
  context: RuleContext,
  look: Look<T>,
): Generator<{ readonly from: LineageVersion; readonly to: LineageVersion; readonly seen: T }> {
  for (const { from, to } of upgrades(context))
    for (const seen of lookAt(context, look, from, to)) yield { from, to, seen };
}

/** Equal for pairs that say and do the same; null where there is no other. */
function sameAs(context: RuleContext, from: LineageVersion, to: LineageVersion): string | null {
  const twins = context.transitions.twinsOf(from, to);
  return twins && `${twins} ${saidBy(from)} ${saidBy(to)} ${from.index < to.index}`;
}

const SAID = new WeakMap<LineageVersion, string>();

/** What else is known of a version beside what it does: calls that no run reaches, and who may still change it. */
function saidBy(version: LineageVersion): string {
  const known = SAID.get(version);
  if (known !== undefined) return known;
  const hash = new Fingerprint();
  for (const call of version.facts?.calls ?? [])
    hash.text(`${call.callee} in ${call.function} from ${call.reachedFrom.join()};`);
  const said = `${version.entry.status.value} ${hash.value}`;
  SAID.set(version, said);
  return said;
}
