import { dialectFor } from '../csource/dialects/registry';
import { readUnifiedDiff } from '../csource/dialects/unified-diff';
import { asModule, asVersion, byNumbers, folderOf, nameOf } from './livepatch-module';
import type { Draft, DraftVersion, Recogniser, Scene } from './scene';

const DIFF = /\.(?:patch|diff)$/;
/** `net-v2.patch` is a version by itself, `0002-net.patch` one of a series. */
const OWN_VERSION = /(?:^|[-_.])(v\d+)\.(?:patch|diff)$/;

/** Diffs of the kernel for kpatch-build or klp-build: a folder for each version, or a file for each. */
export const diffFolders: Recogniser = {
  looksFor: 'folders with .patch or .diff files that change C of the kernel',
  recognise(scene) {
    const byFolder = new Map<string, string[]>();
    for (const file of scene.files) {
      if (!DIFF.test(file) || !changesC(scene.text(file))) continue;
      byFolder.set(folderOf(file), [...(byFolder.get(folderOf(file)) ?? []), file]);
    }
    const groups = new Map<string, string[]>();
    for (const folder of byFolder.keys()) {
      const parent = folder === '' ? '.' : folderOf(folder);
      groups.set(parent, [...(groups.get(parent) ?? []), folder]);
    }
    // The largest group is the lineage; of equal ones the first by name.
    const [best] = [...groups.values()].sort((a, b) => b.length - a.length);
    if (!best) return null;
    const notes = [...byFolder.keys()]
      .filter((folder) => !best.includes(folder))
      .map(
        (folder) =>
          `${folder || 'The top folder'} holds diffs too and is left out: the versions of one lineage stand side by side.`,
      );
    const [only = ''] = best;
    const files = byFolder.get(only) ?? [];
    if (best.length === 1 && files.length > 1 && files.every((file) => OWN_VERSION.test(file))) {
      const sorted = files.sort(byNumbers);
      return draft(
        scene,
        sorted.map((file) => [OWN_VERSION.exec(file)?.[1] ?? '', file, [file]]),
        notes,
      );
    }
    return draft(
      scene,
      best
        .sort(byNumbers)
        .map((folder) => [
          nameOf(folder) || 'v1',
          sourcesIn(folder, byFolder.get(folder) ?? [], scene),
          byFolder.get(folder) ?? [],
        ]),
      notes,
    );
  },
};

function draft(
  scene: Scene,
  found: readonly (readonly [string, DraftVersion['sources'], readonly string[]])[],
  notes: readonly string[],
): Draft {
  const versions = found.map(([name, sources, files], i): DraftVersion => {
    const last = i === found.length - 1;
    const version = asVersion(name);
    const texts = files.map((file) => ({ file, text: () => scene.text(file) }));
    const dialect = dialectFor('auto', texts, '').name;
    return {
      version,
      module: asModule(`livepatch_${scene.name}_${version}`),
      sources,
      status: last ? 'draft' : 'released',
      ...(dialect === 'klp-build' || dialect === 'kpatch' ? { dialect } : {}),
      guesses: {
        module: 'as the build was told to call it',
        ...(files.length > 1 ? { sources: 'applied in the order of their names' } : {}),
        status: last ? 'the newest' : 'a newer one follows it; faulty or withdrawn?',
      },
    };
  });
  return { versions, notes };
}

/** `v1/*.patch` where that means these files, else a list. */
function sourcesIn(folder: string, files: readonly string[], { files: all }: Scene): DraftVersion['sources'] {
  const ending = /\.\w+$/.exec(files[0] ?? '')?.[0] ?? '';
  const same = all.filter((file) => folderOf(file) === folder && file.endsWith(ending));
  if (
    same.length !== files.length ||
    !files.every((file) => file.endsWith(ending)) ||
    /[*?[\]{}!]/.test(folder)
  )
    return files;
  return `${folder === '' ? '' : `${folder}/`}*${ending}`;
}

function changesC(text: string): boolean {
  return readUnifiedDiff(text).files.some(({ to, hunks }) => hunks.length > 0 && /\.[ch]$/.test(to ?? ''));
}
