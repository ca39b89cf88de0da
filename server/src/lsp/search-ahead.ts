import type { Transitions } from '../core/lineage/transitions';

/** For how long the search of a lineage keeps other messages waiting, in milliseconds. */
const SLICE_MS = 25;

/**
 * Walks the states of a lineage, and hears messages in between: a walk can take seconds. Ends early, with what was
 * found until then lost, where `isOver` says so.
 */
export async function searchAhead(
  transitions: Transitions,
  isOver: () => boolean,
  slice = SLICE_MS,
): Promise<void> {
  let since = performance.now();
  for (const _ of transitions.searching()) {
    if (performance.now() - since < slice) continue;
    await new Promise((turn) => setImmediate(turn));
    if (isOver()) return;
    since = performance.now();
  }
}
