import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { readBlobName } from '../../core/blob-names';
import type { Files, ReadFailure } from '../files';
import { GitObjects } from './objects';
import { GitFailure, GitProgram } from './program';
import { type Ground, RevisionTree } from './revision-tree';

/** A revision that a manifest names. */
export interface Wanted {
  readonly revision: string;
  /** The folder in which its sources are looked for, absolute. */
  readonly folder: string;
}

/** Why a revision cannot be read, and which of its values says so. */
export interface RevisionProblem {
  readonly about: 'git' | 'revision';
  readonly message: string;
}

/** All git repositories that are read from, and the texts that came out of them. */
export class Revisions {
  readonly program = new GitProgram();
  /** Whether git may be run at all: only in a workspace that the person trusts. */
  trusted: boolean;
  readonly #trees = new Map<string, RevisionTree>();
  readonly #repositories = new Map<string, GitObjects>();
  /** Which repository holds a file; only what a lineage names gets in here. */
  readonly #homes = new Map<string, GitObjects>();

  constructor(trusted: boolean) {
    this.trusted = trusted;
  }

  /** Files that git was asked for so far. */
  get blobs(): number {
    return [...this.#repositories.values()].reduce((sum, it) => sum + it.blobs, 0);
  }

  /** The trees of these revisions, in their order; each repository is asked once. `root`: what sources may not leave. */
  open(files: Files, root: string, wanted: readonly Wanted[]): readonly (RevisionTree | RevisionProblem)[] {
    if (!this.trusted) {
      const message =
        'git is not run in a workspace that is not trusted, so the sources of this revision are not read: trust the workspace (on the command line: lsp --trust-workspace).';
      return wanted.map(() => ({ about: 'git', message }));
    }
    const grounds = wanted.map(({ folder }) => this.#ground(files, root, folder));
    const resolved = new Map<GitObjects, ReturnType<GitObjects['resolve']>>();
    for (const ground of grounds) {
      if (ground instanceof GitFailure || resolved.has(ground.objects)) continue;
      const asked = wanted.filter((_, i) => (grounds[i] as Partial<Ground>).objects === ground.objects);
      ground.objects.forgetFailures();
      resolved.set(ground.objects, ground.objects.resolve([...new Set(asked.map((it) => it.revision))]));
    }
    return wanted.map(({ revision }, i) => {
      const ground = grounds[i] as Ground | GitFailure;
      const trouble = (about: RevisionProblem['about'], message: string): RevisionProblem => ({
        about,
        message: `${message}.`,
      });
      if (ground instanceof GitFailure) return trouble('git', ground.message);
      const answers = resolved.get(ground.objects) as ReturnType<GitObjects['resolve']>;
      if (answers instanceof GitFailure) return trouble('git', answers.message);
      const { commit, tree } = answers.get(revision) ?? { commit: null, tree: null };
      if (tree !== null) return this.#treeOf(ground, tree);
      return commit === null
        ? trouble(
            'revision',
            `${ground.objects.top} has no revision ${revision}: write a commit, tag or branch that git rev-parse knows there (a shallow clone lacks older ones)`,
          )
        : trouble(
            'revision',
            `${revision}: objects missing: this clone does not hold the files of that revision, and nothing is fetched`,
          );
    });
  }

  /** The tags of the repository that holds a folder, oldest first; none where there is no repository to read. */
  tags(files: Files, folder: string, count: number): readonly { tag: string; tree: RevisionTree }[] {
    const ground = this.trusted ? this.#ground(files, folder, folder) : null;
    if (ground === null || ground instanceof GitFailure) return [];
    const tags = ground.objects.tags(count);
    if (tags instanceof GitFailure || tags.length === 0) return [];
    const resolved = ground.objects.resolve(tags.map((tag) => `refs/tags/${tag}`));
    if (resolved instanceof GitFailure) return [];
    return tags.flatMap((tag) => {
      const tree = resolved.get(`refs/tags/${tag}`)?.tree ?? null;
      return tree === null ? [] : [{ tag, tree: this.#treeOf(ground, tree) }];
    });
  }

  /** The revisions of the checked-out branch that changed a file in the folder, oldest first; none without git. */
  changesOf(
    files: Files,
    folder: string,
    file: string,
    count: number,
  ): readonly { revision: string; tree: RevisionTree }[] {
    const ground = this.trusted ? this.#ground(files, folder, folder) : null;
    if (ground === null || ground instanceof GitFailure) return [];
    const path = ground.base === '' ? file : `${ground.base}/${file}`;
    const commits = ground.objects.commitsOf(path, count);
    if (commits instanceof GitFailure || commits.length === 0) return [];
    const resolved = ground.objects.resolve(commits);
    if (resolved instanceof GitFailure) return [];
    return commits.flatMap((revision) => {
      const tree = resolved.get(revision)?.tree ?? null;
      return tree === null ? [] : [{ revision, tree: new RevisionTree(ground, tree) }];
    });
  }

  /** From now on the file's text can be read. */
  know(name: string, objects: GitObjects): void {
    this.#homes.set(name, objects);
  }

  /** Whether some lineage names this file of a revision. */
  knows(name: string): boolean {
    return this.#homes.has(name);
  }

  text(name: string): string | ReadFailure {
    const blob = readBlobName(name);
    const home = this.#homes.get(name);
    return blob && home ? home.text(blob.oid) : { reason: 'no lineage names this file of a revision' };
  }

  /** One object for each revision as seen from one folder: what was found in it is kept by it. */
  #treeOf(ground: Ground, root: string): RevisionTree {
    const key = [ground.objects.top, ground.folder, ground.base, ground.limit, root].join('\0');
    let tree = this.#trees.get(key);
    if (!tree) this.#trees.set(key, (tree = new RevisionTree(ground, root)));
    return tree;
  }

  #ground(files: Files, root: string, folder: string): Ground | GitFailure {
    // The folder may be gone by now; the revision had it.
    let existing = folder;
    while (files.real(existing) === null && dirname(existing) !== existing) existing = dirname(existing);
    const real = resolve(files.real(existing) ?? existing, relative(existing, folder));
    let top = real;
    while (!existsSync(join(top, '.git'))) {
      if (dirname(top) === top)
        return new GitFailure(
          `${folder} is in no git repository: \`git\` needs one, or \`path\` leads out of it`,
        );
      top = dirname(top);
    }
    const slashes = (path: string): string => path.split(sep).join('/');
    const limit = relative(top, files.real(root) ?? root);
    const outside = limit === '..' || limit.startsWith(`..${sep}`);
    // A repository inside of the root may be read all over; one beside it not at all.
    if (outside && relative(files.real(root) ?? root, top).startsWith('..'))
      return new GitFailure(`${folder} lies outside ${root}: sources may not leave that folder`);
    let objects = this.#repositories.get(top);
    if (!objects) this.#repositories.set(top, (objects = new GitObjects(this.program, top)));
    return { objects, folder, base: slashes(relative(top, real)), limit: outside ? '' : slashes(limit) };
  }
}

/** Files of the work tree and of revisions, told apart by their names. */
export class RevisionFiles implements Files {
  readonly #below: Files;
  readonly revisions: Revisions;

  constructor(below: Files, revisions: Revisions) {
    this.#below = below;
    this.revisions = revisions;
  }

  read(path: string): string | ReadFailure {
    return readBlobName(path) ? this.revisions.text(path) : this.#below.read(path);
  }

  bytes(path: string): Uint8Array | ReadFailure {
    return readBlobName(path) ? { reason: 'it stands in a revision' } : this.#below.bytes(path);
  }

  /** What stands in a revision never changes. */
  stamp(path: string): string {
    return readBlobName(path)?.oid ?? this.#below.stamp(path);
  }

  entries(folder: string): ReturnType<Files['entries']> {
    return this.#below.entries(folder);
  }

  real(path: string): string | null {
    if (readBlobName(path)) return this.revisions.knows(path) ? path : null;
    return this.#below.real(path);
  }
}
