import { expect, test } from 'vitest';
import type { Positions } from '../../server/src/core/csource/ir';
import { movePlaces, placeIn } from '../../server/src/core/csource/item-places';

/** The same two stretches, 2 to 5 and 7 to 9, of an item that begins at `base`. */
function reading(base: number): Positions {
  return { file: 'a.c', base, table: Int32Array.of(2, 5, 7, 9) };
}

test('every place of an item moves with it, whichever reading handed it out', () => {
  const readings = [reading(0), reading(100), reading(250)];
  const [first, second, third] = readings as [Positions, Positions, Positions];
  const kept = placeIn(first, 0);
  const early = placeIn(second, 0);
  movePlaces(first, second);
  expect([kept.start, kept.end]).toEqual([102, 105]);
  const late = placeIn(third, 0);
  const other = placeIn(third, 1);
  movePlaces(second, third);
  for (const place of [kept, early, late]) expect([place.start, place.end]).toEqual([252, 255]);
  expect([other.start, other.end]).toEqual([257, 259]);
});

test('a place asked for again is the same object, through all readings', () => {
  const [first, second] = [reading(0), reading(10)];
  const place = placeIn(first, 1);
  movePlaces(first, second);
  expect(placeIn(second, 1)).toBe(place);
  expect(placeIn(first, 1)).toBe(place);
});
