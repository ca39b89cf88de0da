import { dirname, resolve } from 'node:path';
import type { Lineage } from '../core/lineage/lineage';
import type { Located, Manifest } from '../core/manifest/manifest';
import type { Problem } from '../core/manifest/problem';
import { type Files, isInside } from './files';
import { resolveGitVersions } from './git/git-versions';
import type { RevisionTree } from './git/revision-tree';
import type { Revisions } from './git/revisions';
import { includeProblems, resolveSources } from './sources';

/** The files that one version or target is made of. */
export interface ResolvedModule {
  readonly files: readonly string[];
  /** What of the manifest gave no file, as it is written there. */
  readonly unread: readonly string[];
  readonly problems: readonly Problem[];
  /** The .ko to read where there are no sources. */
  readonly built?: string;
  /** Where the files come from; absent or null for the work tree. */
  readonly tree?: RevisionTree | null;
}

/** Where a manifest is, and the folder that what it names may not leave. */
interface ManifestFile {
  readonly path: string;
  readonly root: string;
}

/**
 * Finds the files of every version and target, by module name. The problems are those of what is named besides
 * sources: include folders and the kernel's tree.
 */
export function resolveManifest(
  files: Files,
  revisions: Revisions,
  file: ManifestFile,
  { versions, targets, kernel }: Manifest,
): { readonly modules: ReadonlyMap<string, ResolvedModule>; readonly problems: readonly Problem[] } {
  const { path, root } = file;
  const modules = new Map<string, ResolvedModule>();
  const inGit = resolveGitVersions(files, revisions, path, root, versions);
  for (const version of versions)
    modules.set(
      version.module.value,
      version.built && version.sources.length === 0 && !version.git
        ? resolveBuilt(files, file, version.built)
        : (inGit.get(version) ?? resolveOne(files, file, version.sources)),
    );
  for (const target of targets) modules.set(target.module.value, resolveOne(files, file, target.sources));
  const includes = versions.flatMap((version) => (version.git ? [] : version.include));
  const problems = includeProblems(files, path, root, includes).map(
    ({ source, message }): Problem => ({ severity: 'error', message, place: source.place }),
  );
  const { tree } = kernel;
  if (tree && !isInside(files, root, resolve(dirname(path), tree.value)))
    problems.push({
      severity: 'warning',
      message: `${tree.value} lies outside ${root}: nothing is read there`,
      place: tree.place,
    });
  return { modules, problems };
}

function resolveBuilt(files: Files, file: ManifestFile, built: Located<string>): ResolvedModule {
  const path = resolve(dirname(file.path), built.value);
  if (isInside(files, file.root, path)) return { files: [path], unread: [], problems: [], built: path };
  const message = `${built.value} lies outside ${file.root}: sources may not leave that folder`;
  return {
    files: [],
    unread: [built.value],
    problems: [{ severity: 'error', message, place: built.place }],
  };
}

function resolveOne(
  files: Files,
  { path, root }: ManifestFile,
  sources: readonly Located<string>[],
): ResolvedModule {
  const found = resolveSources(files, path, root, sources);
  return {
    files: found.files,
    unread: found.problems.map((problem) => problem.source.value),
    problems: found.problems.map(
      ({ source, message }): Problem => ({ severity: 'error', message, place: source.place }),
    ),
  };
}

/** Sources that were found and yet give nothing to read: binary, or larger than is read. */
export function unreadProblems(lineage: Lineage): Problem[] {
  const problems: Problem[] = [];
  for (const version of lineage.versions) {
    for (const unit of version.program?.units ?? []) {
      const empty = unit.functions.size === 0 && unit.variables.size === 0 && unit.calls.length === 0;
      const because = unit.unread?.find(({ file }) => file === unit.file)?.because;
      if (!because || because === 'missing' || !empty) continue;
      const place = version.entry.sources[0]?.place ?? version.entry.place;
      problems.push({
        severity: 'error',
        message: `${unit.file.slice(unit.file.lastIndexOf('/') + 1)} is not read: it is ${because}.`,
        place,
      });
    }
  }
  return problems;
}
