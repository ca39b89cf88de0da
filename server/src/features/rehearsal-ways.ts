import { isWanted } from '../core/lineage/lineage';
import { targetsLoaded } from '../core/lineage/run';
import { worstTrial } from '../core/lineage/trial';
import { formatStep, type Step } from '../core/manifest/steps';
import type { Analysis } from './analysis';

/** A sequence of steps with a name for people. */
export interface NamedWay {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** The steps of a rehearsal take seconds each. */
const MOST_WAYS = 12;

/**
 * The ways that deserve a rehearsal where nobody names one: onto each version that somebody may still want, newest
 * first, from a clean kernel and from every other version, and the worst that the search saw on the way there, if it
 * is not clean. `can` says whether a way can be produced at all.
 */
export function interestingWays(analysis: Analysis, can: (steps: readonly Step[]) => boolean): NamedWay[] {
  const { lineage, transitions } = analysis;
  const found = new Map<string, NamedWay>();
  const add = (steps: readonly Step[]): void => {
    const name = steps.map(formatStep).join('; ');
    if (can(steps)) found.set(name, { name, steps });
  };
  const result = transitions.search();
  for (const to of [...lineage.versions].reverse().filter((version) => isWanted(version))) {
    for (const from of [null, ...lineage.versions]) {
      if (from === to) continue;
      const load = (name: string): Step => ({ k: 'load', name, params: [] });
      add([
        ...targetsLoaded(lineage).filter(({ k }) => k === 'load'),
        ...(from ? [load(from.name)] : []),
        load(to.name),
        ...(from ? [{ k: 'unload' as const, name: from.name }] : []),
      ]);
      const worst = worstTrial(result, from?.name ?? null, to.name);
      if (worst && worst.word !== 'clean') add(worst.steps);
    }
  }
  return [...found.values()].slice(0, MOST_WAYS);
}
