import { dirname, relative, sep } from 'node:path';
import { workTreePath } from '../core/blob-names';
import { Places } from '../core/places';
import type { Project } from './project';

/**
 * Places of a lineage as people and scripts get them: files as the manifest names them, or by their absolute path, with
 * their revision.
 */
export function placesOf(project: Project, named: 'by-manifest' | 'absolute' = 'by-manifest'): Places {
  const folder = dirname(project.manifest);
  return new Places(
    (file) =>
      named === 'absolute' ? workTreePath(file) : relative(folder, workTreePath(file)).split(sep).join('/'),
    (file) => project.analyse().text(file),
    (file) => project.analyse().revisionOf(file),
  );
}
