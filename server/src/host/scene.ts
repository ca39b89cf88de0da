import { release } from 'node:os';
import { basename, join } from 'node:path';
import type { Revision, Scene, Shelf, Tagged } from '../core/init/scene';
import type { Files } from './files';
import { GitFailure } from './git/program';
import type { RevisionTree } from './git/revision-tree';
import type { Revisions } from './git/revisions';

/** Folders below each other, files and tags that are looked at. */
const MAX_DEPTH = 4;
const MAX_FILES = 5_000;
const MAX_TAGS = 200;
const MAX_CHANGES = 400;
/** What tells a module: the texts that are fetched from all tags together. */
const TELLING = /\.(?:c|h)$|(?:^|\/)(?:Kbuild|Makefile)$/;

/** Looks at a folder and at the tags of its repository; `truncated` where there was more than is looked at. */
export function lookAt(
  files: Files,
  revisions: Revisions,
  folder: string,
): { readonly scene: Scene; readonly truncated: boolean } {
  const names = filesBelow(files, folder);
  const tags = revisions.tags(files, folder, MAX_TAGS);
  return {
    scene: {
      name: basename(folder) || 'lineage',
      files: names.slice(0, MAX_FILES),
      text: (file) => {
        const text = files.read(join(folder, file));
        return typeof text === 'string' ? text : '';
      },
      tags: tagged(tags),
      changesOf: (file) => revised(revisions.changesOf(files, folder, file, MAX_CHANGES), file),
      kernel: process.platform === 'linux' ? (/^\d+\.\d+/.exec(release())?.[0] ?? null) : null,
    },
    truncated: names.length > MAX_FILES,
  };
}

function filesBelow(files: Files, top: string): string[] {
  const found: string[] = [];
  const visit = (folder: string, depth: number): void => {
    for (const entry of files.entries(join(top, folder))) {
      if (found.length > MAX_FILES) return;
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) found.push(path);
      else if (entry.isDirectory() && depth < MAX_DEPTH) visit(path, depth + 1);
    }
  };
  visit('', 1);
  return found.sort();
}

/** The folder at each tag, those with more files than are looked at left out. */
function tagged(tags: readonly { readonly tag: string; readonly tree: RevisionTree }[]): Tagged[] {
  const shelves = tags.flatMap(({ tag, tree }) => {
    const oids = filesIn(tree);
    return oids === null ? [] : [{ tag, tree, oids }];
  });
  const { objects } = tags[0]?.tree.ground ?? {};
  objects?.prefetch(
    shelves.flatMap(({ oids }) => [...oids].flatMap(([file, oid]) => (TELLING.test(file) ? [oid] : []))),
  );
  return shelves.map(({ tag, oids }) => ({ tag, ...shelf(oids, (oid) => objects?.text(oid)) }));
}

/** The folder at each revision that changed `file`, whose texts are fetched together. */
function revised(
  changes: readonly { readonly revision: string; readonly tree: RevisionTree }[],
  file: string,
): Revision[] {
  const shelves = changes.flatMap(({ revision, tree }) => {
    const oids = filesIn(tree);
    return oids === null ? [] : [{ revision, oids }];
  });
  const { objects } = changes[0]?.tree.ground ?? {};
  objects?.prefetch(shelves.flatMap(({ oids }) => oids.get(file) ?? []));
  return shelves.map(({ revision, oids }) => ({ revision, ...shelf(oids, (oid) => objects?.text(oid)) }));
}

function shelf(oids: ReadonlyMap<string, string>, read: (oid: string) => unknown): Shelf {
  return {
    files: [...oids.keys()].sort(),
    text: (file) => {
      const oid = oids.get(file);
      const text = oid === undefined ? '' : read(oid);
      return typeof text === 'string' ? text : '';
    },
  };
}

function filesIn(tree: RevisionTree): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>();
  const top = tree.entry(tree.ground.base);
  if (top === null || top instanceof GitFailure || top.kind !== 'folder') return null;
  const visit = (folder: string, oid: string, depth: number): void => {
    const entries = tree.ground.objects.tree(oid);
    if (entries instanceof GitFailure) return;
    for (const [name, entry] of entries) {
      if (found.size > MAX_FILES) return;
      if (name.startsWith('.') || name === 'node_modules') continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      if (entry.kind === 'file') found.set(path, entry.oid);
      else if (entry.kind === 'folder' && depth < MAX_DEPTH) visit(path, entry.oid, depth + 1);
    }
  };
  visit('', top.oid, 1);
  return found.size > MAX_FILES ? null : found;
}
