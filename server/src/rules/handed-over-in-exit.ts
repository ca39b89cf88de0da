import type { LineageVersion } from '../core/lineage/lineage';
import { type Run, targetsLoaded } from '../core/lineage/run';
import { Transitions } from '../core/lineage/transitions';
import type { Step } from '../core/manifest/steps';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import { load, unload } from './effect-story';
import { deedsOf, disable, plainLife } from './own-life';

/**
 * What init and exit do over a count that the versions share. The successor's init runs before the predecessor's exit,
 * so a count in a shadow variable never reaches zero between the two: the first init does the work, the last exit undoes
 * it, and everything in between is left alone. Seen by running: the version is replaced by one that is just like it.
 */

const known = new WeakMap<LineageVersion, ReadonlySet<string>>();

/** Whether this call of init or exit does its work only for the first, or the last, of all versions that share it. */
export function isShared(context: RuleContext, version: LineageVersion, place: Place): boolean {
  let places = known.get(version);
  if (!places) known.set(version, (places = sharedIn(context, version)));
  return places.has(keyOf(place));
}

/** Whether exit of the version does this to the other one, which has replaced it. */
export function happensTo(
  context: RuleContext,
  version: LineageVersion,
  other: LineageVersion,
  place: Place,
): boolean {
  const { run } = context.transitions.transition(version, other);
  return deedsOf(run, version).some(({ event, by }) => event.k === 'undone' && isIn(by.place, place));
}

function sharedIn(context: RuleContext, version: LineageVersion): ReadonlySet<string> {
  const next: LineageVersion = {
    ...version,
    name: `${version.name} again`,
    module: `${version.module}_again`,
    index: context.lineage.versions.length,
  };
  const lineage = { ...context.lineage, versions: [version, next] };
  const { patient, overruns } = context.transitions;
  const transitions = new Transitions(lineage, patient, overruns);
  const through = (steps: readonly Step[]): Run | null => {
    const [way] = transitions.waysOf([...targetsLoaded(lineage), ...steps], lineage.versions);
    return way?.run.outcomes.every(({ result }) => result === 0) ? way.run : null;
  };
  const alone = through(plainLife(version));
  const both = through([load(version), load(next), unload(version), disable(next), unload(next)]);
  if (!alone || !both || both.verdict.word !== 'clean') return new Set();
  const places = new Set<string>();
  for (const { event, by } of deedsOf(alone, version)) {
    const begins = event.k === 'done' && by.during === 'init';
    const ends = event.k === 'undone' && by.during === 'exit';
    if (!begins && !ends) continue;
    const at = (who: LineageVersion): boolean =>
      deedsOf(both, who).some((deed) => deed.event.k === event.k && isIn(deed.by.place, by.place));
    if (begins ? at(version) && !repeats(both, next, by.place) : !at(version) && at(next))
      places.add(keyOf(by.place));
  }
  return places;
}

/** Done again by the successor, whether that had an effect or not. */
function repeats(run: Run, next: LineageVersion, place: Place): boolean {
  return deedsOf(run, next).some(({ event, by }) => event.k !== 'undone' && isIn(by.place, place));
}

function isIn(a: Place, b: Place): boolean {
  return keyOf(a) === keyOf(b);
}

function keyOf({ file, start }: Place): string {
  return `${file}:${start}`;
}
