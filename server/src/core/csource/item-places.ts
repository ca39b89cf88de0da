import type { Place } from '../place';
import type { Positions } from './ir';

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
  /** Set when it turned out to be the same item as another one. */
  joined: Anchor | null;
}

/** The oldest reading of an item holds its anchor, and each later one leads there: what lies between can be forgotten. */
const anchors = new WeakMap<Positions, Anchor>();

function known(positions: Positions): Anchor | null {
  let anchor = anchors.get(positions);
  if (!anchor?.joined) return anchor ?? null;
  while (anchor.joined) anchor = anchor.joined;
  anchors.set(positions, anchor);
  return anchor;
}

function anchorOf(positions: Positions): Anchor {
  let anchor = known(positions);
  if (!anchor) {
    anchor = { current: positions, places: new Map(), joined: null };
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
  const joining = known(to);
  anchor.current = to;
  for (const [at, place] of anchor.places) move(place, to, at);
  if (joining === anchor) return;
  anchors.set(to, anchor);
  if (!joining) return;
  // Places that were handed out before it was known that this is the same item follow those of the other.
  joining.joined = anchor;
  for (const [at, place] of joining.places) {
    const leading = anchor.places.get(at);
    if (leading) follow(place, leading);
    else anchor.places.set(at, place);
  }
  joining.places.clear();
}

/** From now on one place stands where the other does; whoever holds it keeps no list of it alive. */
function follow(place: MovablePlace, leading: MovablePlace): void {
  for (const key of ['file', 'start', 'end'] as const)
    Object.defineProperty(place, key, { get: () => leading[key], enumerable: true, configurable: true });
}

/** The item stands there again where this reading of it found it: a text that was edited is as it was. */
export function standAgain(positions: Positions): void {
  const anchor = known(positions);
  if (!anchor || anchor.current === positions) return;
  anchor.current = positions;
  for (const [at, place] of anchor.places) move(place, positions, at);
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
