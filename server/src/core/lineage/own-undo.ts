import type { Actor, Effect } from '../execution/effects';
import type { Step } from '../manifest/steps';
import { identity } from './left-behind';
import { isSameVersion, type LineageVersion } from './lineage';
import { targetsLoaded } from './run';
import type { Transitions } from './transitions';

/**
 * Who undoes this side effect of a version when the version is simply disabled and removed: the callback (or exit)
 * that a replacement will not call. Null where nothing undoes it even then.
 */
export function ownUndo(transitions: Transitions, version: LineageVersion, effect: Effect): Actor | null {
  const steps: Step[] = [
    ...targetsLoaded(transitions.lineage),
    { k: 'load', name: version.name, params: [] },
    { k: 'disable', name: version.name },
    { k: 'unload', name: version.name },
  ];
  for (const { run } of transitions.waysOf(steps, [version])) {
    for (const happening of run.outcomes.flatMap((outcome) => outcome.happenings)) {
      if (happening.k !== 'effect' || happening.event.k !== 'undone') continue;
      const { effect: undone, by } = happening.event;
      const { version: undoer } = run.end.nameOf(by.instance);
      if (identity(undone) === identity(effect) && isSameVersion(undoer, version)) return by;
    }
  }
  return null;
}
