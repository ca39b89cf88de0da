import { dirname, resolve } from 'node:path';
import type { GitSource, Located, ManifestVersion } from '../../core/manifest/manifest';
import type { Problem } from '../../core/manifest/problem';
import type { Span } from '../../core/place';
import type { Files } from '../files';
import { resolveInRevisions } from './git-sources';
import { RevisionTree } from './revision-tree';
import type { Revisions } from './revisions';

/** What a version with `git` is made of. */
export interface GitVersion {
  /** Null where the revision could not be opened. */
  readonly tree: RevisionTree | null;
  /** Names of files as `blobName` makes them. */
  readonly files: readonly string[];
  readonly unread: readonly string[];
  readonly problems: readonly Problem[];
}

/** Opens the revisions that a manifest names, all together, and finds the files of `sources` in them. */
export function resolveGitVersions(
  files: Files,
  revisions: Revisions,
  manifest: string,
  root: string,
  versions: readonly ManifestVersion[],
): ReadonlyMap<ManifestVersion, GitVersion> {
  const inGit = versions.flatMap((version) => (version.git ? [{ version, git: version.git }] : []));
  if (inGit.length === 0) return new Map();
  const opened = revisions.open(
    files,
    root,
    inGit.map(({ git }) => ({
      revision: git.revision.value,
      folder: resolve(dirname(manifest), git.path?.value ?? '.'),
    })),
  );
  const readable = inGit.flatMap(({ version }, i) => {
    const tree = opened[i];
    return tree instanceof RevisionTree ? [{ version, tree, sources: version.sources }] : [];
  });
  const found = resolveInRevisions(revisions, readable);
  return new Map(
    inGit.map(({ version, git }, i): [ManifestVersion, GitVersion] => {
      const answer = opened[i];
      if (answer instanceof RevisionTree) {
        const { files: names, problems } = found[readable.findIndex((it) => it.version === version)] ?? {
          files: [],
          problems: [],
        };
        const missing = names.length === 0 ? missingFolder(answer, git) : null;
        return [
          version,
          {
            tree: answer,
            files: names,
            unread: problems.map(({ source }) => source.value),
            problems: missing
              ? [missing]
              : problems.map(({ source, message }) => error(message, source.place)),
          },
        ];
      }
      const message = answer?.message ?? '';
      const place = answer?.about === 'revision' ? git.revision.place : keyOf(version, git);
      const unread = version.sources.map((source: Located<string>) => source.value);
      return [version, { tree: null, files: [], unread, problems: [error(message, place)] }];
    }),
  );
}

function missingFolder(tree: RevisionTree, { revision, path }: GitSource): Problem | null {
  if (tree.entry(tree.ground.base) !== null) return null;
  return error(
    `${revision.value} has no folder ${tree.ground.base}: set \`path\` to the folder that holds the sources at that revision, relative to the manifest.`,
    (path ?? revision).place,
  );
}

/** The key `git`, where the version has one of its own. */
function keyOf(version: ManifestVersion, git: GitSource): Span {
  return version.keyPlaces.get('git') ?? git.place;
}

function error(message: string, place: Span): Problem {
  return { severity: 'error', message, place };
}
