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
  others: { readonly at: number; readonly place: WeakRef<MovablePlace> }[];
}

/** The oldest reading of an item holds its anchor, and each later one leads there: what lies between can be forgotten. */
const anchors = new WeakMap<Positions, Anchor>();

function anchorOf(positions: Positions): Anchor {
  let anchor = anchors.get(positions);
  if (!anchor) {
    anchor = { current: positions, places: new Map(), others: [] };
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
  anchor.others = anchor.others.filter(({ at, place }) => {
    const known = place.deref();
    if (known) move(known, anchor.current, at);
    return known !== undefined;
  });
  if (!joining) return;
  for (const [at, place] of joining.places) {
    if (anchor.places.has(at)) anchor.others.push({ at, place: new WeakRef(place) });
    else anchor.places.set(at, place);
  }
  anchor.others.push(...joining.others);
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
