import { Fingerprint } from '../core/csource/fingerprint';
import type { LineageVersion } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import { upgrades } from './pair-runs';

/**
 * Rules look at versions one by one, or at pairs of them. A look may hang on what these say and do, and on nothing else:
 * where it saw nothing, it is not repeated at others that say and do the same.
 */
export type Look<T> = (context: RuleContext, from: LineageVersion, to: LineageVersion) => readonly T[];

/** A look at what a version does when it alone is loaded. */
export type LookAlone<T> = (context: RuleContext, version: LineageVersion) => readonly T[];

/** What a look sees in this pair. */
export function lookAt<T>(
  context: RuleContext,
  look: Look<T>,
  from: LineageVersion,
  to: LineageVersion,
): readonly T[] {
  const twins = context.transitions.twinsOf(from, to);
  const same = twins && `${twins} ${saidBy(from)} ${saidBy(to)} ${from.index < to.index}`;
  return unlessQuiet(context, look, same, [from, to], () => look(context, from, to));
}

/** What a look sees in every upgrade, in order. */
export function* seenInUpgrades<T>(
  context: RuleContext,
  look: Look<T>,
): Generator<{ readonly from: LineageVersion; readonly to: LineageVersion; readonly seen: T }> {
  for (const { from, to } of upgrades(context))
    for (const seen of lookAt(context, look, from, to)) yield { from, to, seen };
}

/** What a look sees in every version by itself, in order. */
export function seenAlone<T>(context: RuleContext, look: LookAlone<T>): T[] {
  return context.lineage.versions.flatMap((version) => {
    const twins = context.transitions.twinsOf(null, version);
    const same = twins && `${twins} ${saidBy(version)}`;
    return unlessQuiet(context, look, same, [version], () => look(context, version));
  });
}

/** The places, without the names of versions, where a look saw nothing. */
const QUIET = new WeakMap<RuleContext, Map<unknown, Set<string>>>();

function unlessQuiet<T>(
  context: RuleContext,
  look: unknown,
  same: string | null,
  versions: readonly LineageVersion[],
  see: () => readonly T[],
): readonly T[] {
  if (same === null) return see();
  const all = QUIET.get(context) ?? new Map<unknown, Set<string>>();
  QUIET.set(context, all);
  const quiet = all.get(look) ?? new Set();
  all.set(look, quiet);
  if (quiet.has(same)) return [];
  const seen = see();
  if (seen.length === 0 && !context.transitions.namesWereAsked(versions)) quiet.add(same);
  return seen;
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
