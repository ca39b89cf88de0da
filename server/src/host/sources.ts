import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Located } from '../core/manifest/manifest';
import { type Files, isInside } from './files';
import { type Glob, isGlob, MAX_ALTERNATIVES, readGlob } from './glob';

/** What the `sources` of one version mean on disk. */
export interface ResolvedSources {
  /** Absolute paths, sorted within one glob, each once. */
  readonly files: readonly string[];
  readonly problems: readonly SourceProblem[];
}

export interface SourceProblem {
  readonly source: Located<string>;
  readonly message: string;
}

/** Folders and files that one glob may look at. */
export const MAX_ENTRIES = 20_000;
/** Folders below each other that `**` goes down. */
export const MAX_DEPTH = 32;
/** Files that one version may have. */
export const MAX_FILES = 2_000;

/** Finds the files of `sources`, relative to the manifest; nothing outside `root` is looked at. */
export function resolveSources(
  files: Files,
  manifest: string,
  root: string,
  sources: readonly Located<string>[],
): ResolvedSources {
  const folder = dirname(manifest);
  const found: string[] = [];
  const problems: SourceProblem[] = [];
  for (const source of sources) {
    const problem = (message: string): void => void problems.push({ source, message });
    const written = source.value;
    if (written === '' || written.includes('\0')) continue;
    const isFolder = mayBeFolder(written) && files.entries(resolve(folder, written)).length > 0;
    const pattern = isFolder ? below(written) : written;
    if (!isGlob(pattern)) {
      const path = resolve(folder, pattern);
      if (!isInside(files, root, path))
        problem(`${pattern} lies outside ${root}: sources may not leave that folder`);
      else {
        const text = files.read(path);
        if (typeof text === 'string') found.push(path);
        else problem(`${pattern} cannot be read: ${text.reason}`);
      }
      continue;
    }
    const glob = readGlob(pattern);
    const start = resolve(folder, glob.base);
    if (!isInside(files, root, start)) {
      problem(`${pattern} reaches outside ${root}: sources may not leave that folder`);
      continue;
    }
    problems.push(...cutProblems(source, pattern, glob));
    const walk = walkFiles(files, start, root, Math.min(glob.depth, MAX_DEPTH));
    const matches = walk.paths.filter((path) => glob.matches(relative(folder, path).split(sep).join('/')));
    if (walk.deeper && glob.depth > MAX_DEPTH) problem(tooDeep(pattern));
    if (walk.truncated) problem(`${pattern} looks at more than ${MAX_ENTRIES} files: name a smaller folder`);
    if (matches.length === 0) problem(`${pattern} matches no file`);
    found.push(...matches.sort());
  }
  const unique = [...new Set(found)];
  const last = sources[sources.length - 1];
  if (unique.length > MAX_FILES && last) {
    problems.push({
      source: last,
      message: `more than ${MAX_FILES} source files: only the first ${MAX_FILES} are read`,
    });
  }
  return { files: unique.slice(0, MAX_FILES), problems };
}

/** What of a pattern is not looked for. */
export function cutProblems(source: Located<string>, pattern: string, glob: Glob): SourceProblem[] {
  if (!glob.cut) return [];
  const message = `${pattern} stands for more than ${MAX_ALTERNATIVES} patterns: write several, the rest is not looked for`;
  return [{ source, message }];
}

export function tooDeep(pattern: string): string {
  return `${pattern} goes more than ${MAX_DEPTH} folders deep: name a deeper folder`;
}

/** The glob for everything below a folder that `sources` names. */
export function below(folder: string): string {
  const path = folder.replace(/^(?:\.\/+)+|(?<!\/)\/+$/g, '');
  return path === '.' || path === '' ? '**' : `${path}/**`;
}

/** A name like that of a source means a file. */
export function mayBeFolder(source: string): boolean {
  return !isGlob(source) && !/\.(?:[ch]|patch|diff)$/.test(source);
}

/** What is wrong with folders of `include`, each place once: they lead outside `root`, or are not there. */
export function includeProblems(
  files: Files,
  manifest: string,
  root: string,
  folders: readonly Located<string>[],
): SourceProblem[] {
  const problems = new Map<number, SourceProblem>();
  for (const source of folders) {
    const { value, place } = source;
    if (value === '' || value.includes('\0')) continue;
    const path = resolve(dirname(manifest), value);
    const message = !isInside(files, root, path)
      ? `${value} lies outside ${root}: headers are read from that folder alone`
      : files.real(path) === null
        ? `${value} cannot be read: there is no such folder`
        : null;
    if (message !== null) problems.set(place.start, { source, message });
  }
  return [...problems.values()];
}

/** All files below a folder, links followed once, bounded. */
function walkFiles(
  files: Files,
  start: string,
  root: string,
  depth: number,
): { paths: string[]; truncated: boolean; deeper: boolean } {
  let deeper = false;
  const paths: string[] = [];
  const seen = new Set<string>();
  let count = 0;
  let truncated = false;
  const visit = (folder: string, left: number): void => {
    const real = files.real(folder);
    if (real === null || seen.has(real)) return;
    seen.add(real);
    for (const entry of files.entries(folder)) {
      if (++count > MAX_ENTRIES) {
        truncated = true;
        return;
      }
      const path = join(folder, entry.name);
      if (entry.name === '.git' || entry.name === 'node_modules') continue;
      if (entry.isDirectory()) {
        if (left > 1) visit(path, left - 1);
        else deeper = true;
      } else if (entry.isFile()) paths.push(path);
      else if (entry.isSymbolicLink() && isInside(files, root, path)) {
        if (files.entries(path).length > 0) {
          if (left > 1) visit(path, left - 1);
        } else if (typeof files.read(path) === 'string') paths.push(path);
      }
    }
  };
  visit(start, depth);
  return { paths, truncated, deeper };
}
