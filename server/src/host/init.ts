import { basename, join } from 'node:path';
import { makeManifest } from '../core/init/make-manifest';
import type { Files } from './files';
import { Revisions } from './git/revisions';
import { manifestsIn } from './locate';
import { lookAt } from './scene';

/** A manifest for a folder that has none, or why there can be none. Writes nothing. */
export type InitAnswer =
  | { readonly ok: true; readonly path: string; readonly text: string; readonly notes: readonly string[] }
  | { readonly ok: false; readonly reason: string };

export function initManifest(files: Files, folder: string): InitAnswer {
  const [known] = manifestsIn(files, folder);
  if (known !== undefined)
    return { ok: false, reason: `${basename(known)} is there already and is not overwritten` };
  const { scene, truncated } = lookAt(files, files.revisions ?? new Revisions(false), folder);
  const made = makeManifest(scene);
  const more = 'Not all files were looked at: there are too many. Begin in the folder of the livepatches.';
  if (!made.ok) return truncated ? { ok: false, reason: `${made.reason} ${more}` } : made;
  return {
    ...made,
    path: join(folder, 'livepatch.yaml'),
    notes: truncated ? [...made.notes, more] : made.notes,
  };
}
