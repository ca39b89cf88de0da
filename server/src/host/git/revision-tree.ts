import { posix } from 'node:path';
import { blobName } from '../../core/blob-names';
import type { ResolvedSources } from '../sources';
import type { GitObjects, TreeEntry } from './objects';
import { GitFailure } from './program';

/** Where a folder of the work tree stands in its repository. */
export interface Ground {
  readonly objects: GitObjects;
  /** The folder as the manifest spells it, absolute. */
  readonly folder: string;
  /** The same from the repository's top; empty for the top itself. */
  readonly base: string;
  /** What sources may not leave, from the top; empty where that is the whole repository. */
  readonly limit: string;
}

/** The files of one revision. Paths are from the repository's top. */
export class RevisionTree {
  readonly ground: Ground;
  readonly root: string;
  /** Files that were found for `sources`, by these. */
  readonly found = new Map<string, ResolvedSources>();

  /** `root` is the hash of the revision's top folder. */
  constructor(ground: Ground, root: string) {
    this.ground = ground;
    this.root = root;
  }

  /** The path from the top of a path as the work tree has it, or null where it leads out of the repository. */
  inTree(path: string): string | null {
    const { base, folder } = this.ground;
    const inner = posix.join(base, posix.relative(folder, path));
    return inner === '..' || inner.startsWith('../') ? null : inner === '.' ? '' : inner;
  }

  /** The path that a file of this revision has, or would have, in the work tree. */
  inWorkTree(path: string): string {
    const { base, folder } = this.ground;
    return posix.join(folder, posix.relative(`/${base}`, `/${path}`));
  }

  /** Whether sources may stand here. */
  allows(path: string): boolean {
    const { limit } = this.ground;
    return limit === '' || path === limit || path.startsWith(`${limit}/`);
  }

  /** What stands at a path; null for nothing. Links are not followed. */
  entry(path: string): TreeEntry | GitFailure | null {
    let at: TreeEntry = { kind: 'folder', oid: this.root };
    for (const name of path === '' ? [] : path.split('/')) {
      if (at.kind !== 'folder') return null;
      const tree = this.ground.objects.tree(at.oid);
      if (tree instanceof GitFailure) return tree;
      const next = tree.get(name);
      if (!next) return null;
      at = next;
    }
    return at;
  }

  /** The name under which the file's text is known. */
  nameOf(path: string, oid: string): string {
    return blobName({ oid, path: this.inWorkTree(path) });
  }

  /** The file that an include means: `path` as in the work tree. Undefined where this revision has none there. */
  file(path: string): string | undefined {
    const inner = this.inTree(path);
    if (inner === null || !this.allows(inner)) return undefined;
    const entry = this.entry(inner);
    return entry === null || entry instanceof GitFailure || entry.kind !== 'file'
      ? undefined
      : this.nameOf(inner, entry.oid);
  }
}
