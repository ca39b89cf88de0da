import type { Positions } from '../csource/ir';
import type { Place } from '../place';

interface MovablePlace {
  file: string;
  revision?: string;
  start: number;
  end: number;
}

/** One item of a source through all edits that only moved it. */
interface Anchor {
  /** Where it stands now. */
  current: Positions;
  /** Places that were handed out, by the number of their stretch. */
  readonly places: Map<number, MovablePlace>;
  /** Others for the same stretches, handed out before it was known that this is the same item. */
  readonly others: Set<Other>;
}

interface Other {
  readonly at: number;
  readonly place: WeakRef<MovablePlace>;
}

/** The oldest reading of an item holds its anchor, and each later one leads there: what lies between can be forgotten. */
const anchors = new WeakMap<Positions, Anchor>();

/** Nobody knows how long a place is held by a finding or a run: what is left of one goes when it is collected. */
const collected = new FinalizationRegistry<{ readonly others: Set<Other>; readonly other: Other }>(
  ({ others, other }) => others.delete(other),
);

function anchorOf(positions: Positions): Anchor {
  let anchor = anchors.get(positions);
  if (!anchor) {
    anchor = { current: positions, places: new Map(), others: new Set() };
    anchors.set(positions, anchor);
  }
  return anchor;
}

/**
 * The place of the stretch of text with this number. One object for each: when an edit only moves an item, runs that
 * were made before stay valid, and their places move along.
 */
export function placeIn(positions: Positions, at: number): Place {
  const { current, places } = anchorOf(positions);
  let place = places.get(at);
  if (!place) {
    place = stretch(current, at);
    places.set(at, place);
  }
  return place;
}

/** From now on the places of an item are those of the same item as it was read last. Both lowered to the same form. */
export function movePlaces(from: Positions, to: Positions): void {
  const anchor = anchorOf(from);
  const joining = anchors.get(to);
  if (anchor === joining) return;
  anchor.current = joining?.current ?? to;
  anchors.set(to, anchor);
  for (const [at, place] of anchor.places) move(place, anchor.current, at);
  for (const { at, place } of anchor.others) {
    const known = place.deref();
    if (known) move(known, anchor.current, at);
  }
  if (!joining) return;
  const join = (at: number, place: MovablePlace): void => {
    const other = { at, place: new WeakRef(place) };
    anchor.others.add(other);
    collected.register(place, { others: anchor.others, other });
  };
  for (const [at, place] of joining.places) {
    if (anchor.places.has(at)) join(at, place);
    else anchor.places.set(at, place);
  }
  for (const { at, place } of joining.others) {
    const known = place.deref();
    if (known) join(at, known);
  }
}

function move(place: MovablePlace, positions: Positions, at: number): void {
  const { file, start, end } = stretch(positions, at);
  place.file = file;
  place.start = start;
  place.end = end;
}

function stretch(positions: Positions, at: number): MovablePlace {
  const start = positions.base + (positions.table[2 * at] ?? 0);
  const end = positions.base + (positions.table[2 * at + 1] ?? 0);
  const { file, revision, relocate } = positions;
  const place = revision === undefined ? { file, start, end } : { file, revision, start, end };
  return relocate === undefined ? place : { ...relocate(place) };
}
