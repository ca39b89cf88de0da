import { posix } from 'node:path';
import { readBlobName } from '../../core/blob-names';
import type { Located } from '../../core/manifest/manifest';
import { type Glob, isGlob, readGlob } from '../glob';
import {
  below,
  cutProblems,
  MAX_DEPTH,
  MAX_ENTRIES,
  MAX_FILES,
  mayBeFolder,
  type ResolvedSources,
  type SourceProblem,
  tooDeep,
} from '../sources';
import type { Tree } from './objects';
import { GitFailure } from './program';
import type { RevisionTree } from './revision-tree';
import type { Revisions } from './revisions';

/** What is fetched beside the sources themselves, where it stands in their folders. */
const NEIGHBOURS = /\.h$/;

interface Pattern {
  readonly source: Located<string>;
  /** From the repository's top: the file, or the folder above all that a glob can match. */
  readonly path: string;
  readonly glob: Glob | null;
}

interface Walk {
  readonly tree: RevisionTree;
  readonly patterns: readonly Pattern[];
  readonly problems: SourceProblem[];
  /** Files found, by their path from the top. */
  readonly found: Map<string, string>;
  /** Files in folders that hold sources and are likely to be included. */
  readonly near: Map<string, string>;
  entries: number;
}

/**
 * Finds the files of `sources` in revisions, as `resolveSources` does in the work tree. The folders of all revisions
 * are read level by level, those that revisions share once, and then all files together.
 */
export function resolveInRevisions(
  revisions: Revisions,
  wanted: readonly { readonly tree: RevisionTree; readonly sources: readonly Located<string>[] }[],
): readonly ResolvedSources[] {
  const kept = wanted.map(({ tree, sources }) => tree.found.get(keyOf(sources)));
  if (kept.every((it) => it !== undefined)) return kept;
  const walks = wanted.map(({ tree, sources }) => begin(tree, sources));
  let level = walks.map((walk) => ({ walk, path: '', oid: walk.tree.root }));
  for (let depth = 0; level.length > 0 && depth < MAX_DEPTH; depth++) {
    // One that cannot be loaded with the others is asked for alone below, and says why.
    for (const objects of new Set(level.map(({ walk }) => walk.tree.ground.objects)))
      objects.load(level.filter(({ walk }) => walk.tree.ground.objects === objects).map(({ oid }) => oid));
    level = level.flatMap(({ walk, path, oid }) => {
      const tree = walk.tree.ground.objects.tree(oid);
      if (tree instanceof GitFailure) {
        const source = walk.patterns[0]?.source;
        if (source) walk.problems.push({ source, message: tree.message });
        return [];
      }
      return visit(walk, path, tree).map((next) => ({ walk, ...next }));
    });
  }
  for (const { walk } of level)
    for (const { source, glob } of walk.patterns)
      if (glob && glob.depth > MAX_DEPTH && !walk.problems.some((it) => it.source === source))
        walk.problems.push({ source, message: tooDeep(source.value) });
  const answers = walks.map((walk) => finish(walk));
  for (const [i, walk] of walks.entries()) {
    const { objects } = walk.tree.ground;
    for (const file of [...(answers[i]?.files ?? []), ...walk.near.values()]) revisions.know(file, objects);
  }
  const repositories = new Set(walks.map((walk) => walk.tree.ground.objects));
  for (const objects of repositories) {
    objects.prefetch(
      walks.flatMap((walk, i) =>
        walk.tree.ground.objects === objects
          ? [...(answers[i]?.files ?? []), ...walk.near.values()].map((file) => readBlobName(file)?.oid ?? '')
          : [],
      ),
    );
  }
  return answers.map((answer, i) => {
    const read = readable(revisions, answer, walks[i] as Walk);
    const { tree, sources } = wanted[i] as (typeof wanted)[number];
    // What is missing may be there the next time.
    if (read.problems.length === 0) tree.found.set(keyOf(sources), read);
    return read;
  });
}

function keyOf(sources: readonly Located<string>[]): string {
  return sources.map((source) => source.value).join('\0');
}

function begin(tree: RevisionTree, sources: readonly Located<string>[]): Walk {
  const patterns: Pattern[] = [];
  const problems: SourceProblem[] = [];
  for (const source of sources) {
    const written = source.value;
    if (written === '' || written.includes('\0')) continue;
    const named = !mayBeFolder(written) ? null : tree.inTree(posix.join(tree.ground.folder, written));
    const entry = named === null || !tree.allows(named) ? null : tree.entry(named);
    const folder = entry !== null && !(entry instanceof GitFailure) && entry.kind === 'folder';
    const pattern = folder ? below(written) : written;
    const glob = isGlob(pattern) ? readGlob(pattern) : null;
    if (glob) problems.push(...cutProblems(source, pattern, glob));
    const path = tree.inTree(posix.join(tree.ground.folder, glob ? glob.base : pattern));
    if (path === null || !tree.allows(path)) {
      problems.push({ source, message: `${pattern} leads outside the folder that sources may not leave` });
    } else patterns.push({ source, path, glob });
  }
  return { tree, patterns, problems, found: new Map(), near: new Map(), entries: 0 };
}

/** Notes what a folder holds and answers the folders in it that are to be looked at. */
function visit(walk: Walk, path: string, tree: Tree): { path: string; oid: string }[] {
  const deeper: { path: string; oid: string }[] = [];
  const wantsFiles = walk.patterns.some(({ path: file, glob }) =>
    glob ? isIn(path, file) && depthBelow(path, file) < glob.depth : dirOf(file) === path,
  );
  for (const [name, entry] of tree) {
    if (++walk.entries > MAX_ENTRIES) return [];
    const inner = path === '' ? name : `${path}/${name}`;
    if (entry.kind === 'folder') {
      if (name !== 'node_modules' && walk.patterns.some((pattern) => leadsTo(pattern, inner)))
        deeper.push({ path: inner, oid: entry.oid });
    } else if (wantsFiles && entry.kind === 'file') {
      walk.found.set(inner, entry.oid);
      if (NEIGHBOURS.test(name)) walk.near.set(inner, walk.tree.nameOf(inner, entry.oid));
    }
  }
  return deeper;
}

function finish(walk: Walk): ResolvedSources {
  const { tree, problems } = walk;
  const files: string[] = [];
  for (const { source, path, glob } of walk.patterns) {
    const pattern = source.value;
    const problem = (message: string): void => void problems.push({ source, message });
    if (!glob) {
      const oid = walk.found.get(path);
      if (oid !== undefined) files.push(tree.nameOf(path, oid));
      else problem(`${pattern} cannot be read at that revision: ${absence(tree, path)}`);
      continue;
    }
    if (walk.entries > MAX_ENTRIES)
      problem(`${pattern} looks at more than ${MAX_ENTRIES} files: name a smaller folder`);
    const matches = [...walk.found.keys()].filter((file) =>
      glob.matches(posix.relative(`/${tree.ground.base}`, `/${file}`)),
    );
    if (matches.length === 0) problem(`${pattern} matches no file at that revision`);
    files.push(...matches.sort().map((file) => tree.nameOf(file, walk.found.get(file) ?? '')));
  }
  const unique = [...new Set(files)];
  const last = walk.patterns[walk.patterns.length - 1]?.source;
  if (unique.length > MAX_FILES && last) {
    problems.push({
      source: last,
      message: `more than ${MAX_FILES} source files: only the first ${MAX_FILES} are read`,
    });
  }
  return { files: unique.slice(0, MAX_FILES), problems };
}

/** Files whose text is not there are said once, at the source that names them. */
function readable(revisions: Revisions, answer: ResolvedSources, walk: Walk): ResolvedSources {
  const reasons = new Map<string, string>();
  const files = answer.files.filter((file) => {
    const text = revisions.text(file);
    if (typeof text === 'string') return true;
    const path = readBlobName(file)?.path ?? file;
    if (!reasons.has(text.reason)) reasons.set(text.reason, path.slice(path.lastIndexOf('/') + 1));
    return false;
  });
  const source = walk.patterns[0]?.source;
  const problems = source
    ? [...reasons].map(([reason, name]) => ({
        source,
        message: `${name} cannot be read at that revision: ${reason}`,
      }))
    : [];
  return { files, problems: [...answer.problems, ...problems] };
}

function absence(tree: RevisionTree, path: string): string {
  const entry = tree.entry(path);
  if (entry instanceof GitFailure) return entry.message;
  switch (entry?.kind) {
    case 'folder':
      return 'it is a folder';
    case 'link':
      return 'it is a symbolic link; name the file that it leads to';
    case 'submodule':
      return 'it is a submodule';
    default:
      return 'there is no such file';
  }
}

/** Whether what a pattern means can lie in this folder. */
function leadsTo({ path, glob }: Pattern, folder: string): boolean {
  if (path.startsWith(`${folder}/`)) return true;
  if (!glob) return false;
  return path === folder || (isIn(folder, path) && depthBelow(folder, path) < glob.depth);
}

function isIn(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** How many folders `path` lies below `folder`, which holds it. */
function depthBelow(path: string, folder: string): number {
  return path === folder ? 0 : path.slice(folder === '' ? 0 : folder.length + 1).split('/').length;
}

function dirOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}
