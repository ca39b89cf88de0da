import { dirname, join, resolve } from 'node:path';
import { exists, type Files } from './files';

const NAMES = ['livepatch.yaml', 'livepatch.yml'];

export function isManifestName(name: string): boolean {
  return NAMES.includes(name) || name.endsWith('.livepatch.yaml');
}

/** The manifests directly in a folder, sorted by name. */
export function manifestsIn(files: Files, folder: string): string[] {
  return files
    .entries(folder)
    .filter((entry) => !entry.isDirectory() && isManifestName(entry.name))
    .map((entry) => join(folder, entry.name))
    .sort();
}

/** The manifests of the nearest folder upward that has any. */
export function nearestManifests(files: Files, folder: string): string[] {
  let current = resolve(folder);
  for (;;) {
    const found = manifestsIn(files, current);
    if (found.length > 0) return found;
    const parent = dirname(current);
    if (parent === current) return [];
    current = parent;
  }
}

/** The folder that sources may not leave: the repository that holds the manifest, or else the manifest's folder. */
export function rootOf(manifest: string): string {
  const folder = dirname(resolve(manifest));
  let current = folder;
  for (;;) {
    if (exists(join(current, '.git'))) return current;
    const parent = dirname(current);
    if (parent === current) return folder;
    current = parent;
  }
}
