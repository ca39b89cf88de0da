import type { StateFacts } from '../execution/fact-types';
import type { StateId } from '../kernel/types';
import type { LineageVersion } from '../lineage/lineage';
import { isIdentifier } from './c-text';

/** One entry of the new version's state table. */
export interface CarriedState {
  readonly id: StateId;
  readonly version: number;
  /** The good version's entry, where it has one. */
  readonly own: StateFacts | null;
  /** Its version must differ from what the good version's text says. */
  readonly raised: boolean;
  /** Names of the faulty versions that declare it. */
  readonly from: readonly string[];
}

export interface StatePlan {
  readonly states: readonly CarriedState[];
  /** By faulty version: the states that only faulty versions declare, with the range that this one stands for. */
  readonly ranges: ReadonlyMap<string, ReadonlyMap<StateId, { readonly from: number; readonly to: number }>>;
  readonly problems: readonly { readonly message: string; readonly state: StateFacts }[];
  readonly notes: readonly string[];
}

const MAX_VERSION = 0xffffffff;

/**
 * The states that the new version must declare so that the kernel accepts it over the good and the faulty versions:
 * every id of theirs, and for what only faulty versions declare one version more than the newest of them, so that
 * later versions can tell what they left from what was cleaned.
 */
export function planStates(good: LineageVersion, faulty: readonly LineageVersion[]): StatePlan {
  const problems: { message: string; state: StateFacts }[] = [];
  const notes: string[] = [];
  const own = firstById(good);
  const declared = new Map<StateId, { readonly version: LineageVersion; readonly number: number }[]>();
  for (const version of faulty) {
    for (const [id, state] of firstById(version)) {
      if (state.version === null) {
        problems.push({
          message: `the version of state ${String(id)} of ${version.name} is not a constant`,
          state,
        });
        continue;
      }
      if (typeof id === 'string' && !isIdentifier(id)) {
        problems.push({ message: `the id of a state of ${version.name} is not a constant`, state });
        continue;
      }
      const list = declared.get(id) ?? [];
      list.push({ version, number: state.version });
      declared.set(id, list);
    }
  }
  const states: CarriedState[] = [];
  for (const [id, state] of own) {
    const theirs = declared.get(id) ?? [];
    if (state.version === null && theirs.length > 0) {
      problems.push({
        message: `the version of state ${String(id)} of ${good.name} is not a constant`,
        state,
      });
      continue;
    }
    const mine = state.version ?? 0;
    const newest = Math.max(mine, ...theirs.map((item) => item.number));
    const raised = newest > mine;
    if (raised) {
      const names = theirs.filter((item) => item.number > mine).map((item) => item.version.name);
      notes.push(
        `${good.name} and ${names.join(', ')} declare state ${String(id)} with different versions: ${good.name}'s own takeover code gets their data; check that it understands it.`,
      );
    }
    states.push({
      id,
      version: raised ? newest + 1 : mine,
      own: state,
      raised,
      from: theirs.map((item) => item.version.name),
    });
  }
  const ranges = new Map<string, Map<StateId, { from: number; to: number }>>();
  for (const [id, theirs] of declared) {
    if (own.has(id)) continue;
    const newest = Math.max(...theirs.map((item) => item.number));
    if (newest >= MAX_VERSION) {
      const state = firstById(theirs[0]?.version ?? good).get(id);
      if (state) problems.push({ message: `state ${String(id)} has the highest version there is`, state });
      continue;
    }
    states.push({
      id,
      version: newest + 1,
      own: null,
      raised: false,
      from: theirs.map((item) => item.version.name),
    });
    for (const { version, number } of theirs) {
      const lower = theirs.filter((item) => item.number < number).map((item) => item.number + 1);
      const range = ranges.get(version.name) ?? new Map<StateId, { from: number; to: number }>();
      range.set(id, { from: Math.max(0, ...lower), to: number });
      ranges.set(version.name, range);
    }
  }
  return { states, ranges, problems, notes };
}

/** A state table's entries by id; of several with one id the kernel finds the first. */
export function firstById(version: LineageVersion): ReadonlyMap<StateId, StateFacts> {
  const found = new Map<StateId, StateFacts>();
  for (const state of version.facts?.patch?.states ?? [])
    if (!found.has(state.id)) found.set(state.id, state);
  return found;
}
