import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import { isSameVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { Leftover } from '../core/lineage/verdict';
import type { Step } from '../core/manifest/steps';
import type { Certainty, Place } from '../core/place';
import type { RuleContext } from './context';
import { load } from './effect-story';
import { deedsOf, failing, waysAlone } from './own-life';

/** Runs in which a load fails: a kernel function answers with an error, or a value that is not known is the bad one. */

export interface FailedLoad {
  readonly run: Run;
  /** What failed, for a sentence: "kzalloc() fails". */
  readonly because: string;
  /** Where that call stands, if it is known. */
  readonly place: Place | null;
  readonly certainty: Certainty;
  /** The steps of the run without the target modules. */
  readonly steps: readonly Step[];
}

interface Fallible {
  /** The step's name for it, `kzalloc` or `kzalloc#2`. */
  readonly name: string;
  readonly callee: string;
  readonly place: Place;
}

/** At most this many calls of one version are made to fail. */
const MAX_FAILING = 40;
/** The step can ask for the ninth call. */
const MAX_CALL = 9;

/** Every load of the version that fails by itself: once for each call in `during` that can fail, and for each unknown. */
export function failedLoads(
  context: RuleContext,
  version: LineageVersion,
  during: 'init' | 'pre_patch',
): FailedLoad[] {
  const plain = [load(version)];
  const ways = waysAlone(context, version, plain);
  const [base] = ways;
  if (!base) return [];
  const unknown = ways.flatMap(({ run, decision }): FailedLoad[] => {
    if (!decision || refused(run) === refused(base.run)) return [];
    const failed = refused(run);
    // `taken` is what the way of success took.
    const value = decision.taken === failed ? 'false' : 'true';
    const because = `${decision.id.replace(/\s+/g, ' ').trim()} is ${value}`;
    return [{ run: failed ? run : base.run, because, place: decision.place, certainty: 'may', steps: plain }];
  });
  // What is refused as it is cannot show what else would make it fail.
  if (refused(base.run)) return unknown;
  return [
    ...unknown,
    ...fallibleCalls(base.run, version, during).flatMap((call): FailedLoad[] => {
      const steps = [failing(version, call.name), ...plain];
      const [failed] = waysAlone(context, version, steps);
      if (!failed || !refused(failed.run)) return [];
      const because = `${call.callee}() fails`;
      return [{ run: failed.run, because, place: call.place, certainty: 'must', steps }];
    }),
  ];
}

/** What stays of the version for ever after a load that failed. */
export function leftOf(run: Run, version: LineageVersion): readonly Leftover[] {
  return run.verdict.leftovers.filter((leftover) => isSameVersion(leftover.version, version));
}

export function refused(run: Run): boolean {
  return run.verdict.refusals.length > 0;
}

function fallibleCalls(run: Run, version: LineageVersion, during: string): Fallible[] {
  const counted = new Map<string, number>();
  const found = new Map<string, Fallible>();
  for (const { event, by } of deedsOf(run, version)) {
    if (event.k !== 'done') continue;
    const { row } = event.effect;
    if (row.fails === 'never' || (row.fails === 'false' && row.family !== 'module reference')) continue;
    const callee = calleeAt(version, by.place) ?? row.do;
    const nth = (counted.get(callee) ?? 0) + 1;
    counted.set(callee, nth);
    if (by.during !== during || nth > MAX_CALL || found.size >= MAX_FAILING) continue;
    const name = nth === 1 ? callee : `${callee}#${nth}`;
    found.set(name, { name, callee, place: by.place });
  }
  return [...found.values()];
}

/** The kernel function that is called there: a row may stand for several. */
function calleeAt(version: LineageVersion, place: Place): string | null {
  const call = version.facts?.calls.find(
    (item) => item.place.file === place.file && item.place.start === place.start,
  );
  return call?.callee ?? null;
}

export function leftoverId(leftover: Leftover): string {
  const { place } = leftover.effect.by;
  return `${identity(leftover.effect)} ${place.file}:${place.start}`;
}
