import type { Positions } from '../csource/ir';
import type { Place } from '../place';

interface MovablePlace {
  file: string;
  revision?: string;
  start: number;
  end: number;
}

/** Places that were handed out, by the table they come from. */
const handedOut = new WeakMap<Positions, Map<number, MovablePlace>>();
/** Where the same item stands after an edit that moved it and changed nothing else. */
const movedTo = new WeakMap<Positions, Positions>();

/**
 * The place of the stretch of text with this number. One object for each: when an edit only moves an item, runs that
 * were made before stay valid, and their places move along.
 */
export function placeIn(positions: Positions, at: number): Place {
  const current = latest(positions);
  let places = handedOut.get(current);
  if (!places) handedOut.set(current, (places = new Map()));
  let place = places.get(at);
  if (!place) {
    place = stretch(current, at);
    places.set(at, place);
  }
  return place;
}

/** From now on the places of an item are those of the same item as it was read last. Both lowered to the same form. */
export function movePlaces(from: Positions, to: Positions): void {
  const old = latest(from);
  const current = latest(to);
  if (old === current) return;
  movedTo.set(old, current);
  const places = handedOut.get(old);
  if (!places) return;
  const present = handedOut.get(current);
  for (const [at, place] of places) {
    const now = stretch(current, at);
    place.file = now.file;
    place.start = now.start;
    place.end = now.end;
    if (present && !present.has(at)) present.set(at, place);
  }
  if (!present) handedOut.set(current, places);
}

function latest(positions: Positions): Positions {
  let current = positions;
  for (let next = movedTo.get(current); next; next = movedTo.get(current)) current = next;
  // A shorter way for the next time.
  if (current !== positions) movedTo.set(positions, current);
  return current;
}

function stretch(positions: Positions, at: number): MovablePlace {
  const start = positions.base + (positions.table[2 * at] ?? 0);
  const end = positions.base + (positions.table[2 * at + 1] ?? 0);
  const { file, revision, relocate } = positions;
  const place = revision === undefined ? { file, start, end } : { file, revision, start, end };
  return relocate === undefined ? place : { ...relocate(place) };
}
