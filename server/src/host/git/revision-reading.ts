import { workTreePath } from '../../core/blob-names';
import type { Reading } from '../../core/csource/dialects/dialect';
import type { Place } from '../../core/place';

/**
 * Dialects know files by their paths in the work tree. In what they answer, the files of a revision get the names
 * back under which their texts are known.
 */
export function readFromRevision(files: readonly string[], reading: Reading): Reading {
  const names = new Map(
    files.flatMap((file) => (workTreePath(file) === file ? [] : [[workTreePath(file), file] as const])),
  );
  if (names.size === 0) return reading;
  const inputs = new Set(files);
  const back = <T extends Place>(place: T): T => {
    const file = names.get(place.file);
    return file === undefined ? place : { ...place, file };
  };
  const { relocate } = reading;
  return {
    ...reading,
    units: reading.units.map((unit) => names.get(unit) ?? unit),
    problems: reading.problems.map((problem) => ({ ...problem, place: back(problem.place) })),
    ...(relocate === undefined
      ? {}
      : { relocate: (place) => (inputs.has(place.file) ? place : back(relocate(place))) }),
  };
}
