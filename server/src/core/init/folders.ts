import {
  asVersion,
  byNumbers,
  folderOf,
  type LivepatchModule,
  livepatchModules,
  nameOf,
  sourcesOf,
} from './livepatch-module';
import type { Draft, Recogniser } from './scene';

/** A folder for each version, side by side: `v1/`, `v2/`, … or `net-1/`, `net-2/`. One alone counts as well. */
export const folders: Recogniser = {
  looksFor: 'folders with C files that call klp_enable_patch',
  recognise(scene) {
    const modules = livepatchModules(scene);
    const groups = new Map<string, LivepatchModule[]>();
    for (const module of modules) {
      const parent = module.folder === '' ? '.' : folderOf(module.folder);
      groups.set(parent, [...(groups.get(parent) ?? []), module]);
    }
    // The largest group is the lineage; of equal ones the first by name.
    const [best] = [...groups.values()].sort((a, b) => b.length - a.length);
    if (!best) return null;
    return draftOf(
      best.sort((a, b) => byNumbers(a.folder, b.folder)),
      modules.filter((module) => !best.includes(module)),
    );
  },
};

function draftOf(modules: readonly LivepatchModule[], others: readonly LivepatchModule[]): Draft {
  return {
    versions: modules.map((module, i) => {
      const last = i === modules.length - 1;
      return {
        version: asVersion(nameOf(module.folder) || 'v1'),
        module: module.module,
        sources: sourcesOf(module),
        status: last ? 'draft' : 'released',
        guesses: {
          ...(module.guessed ? { module: 'from the file name' } : {}),
          status: last ? 'the newest' : 'a newer one follows it; faulty or withdrawn?',
        },
      };
    }),
    notes: others.map(
      ({ folder }) =>
        `${folder || 'The top folder'} holds a livepatch too and is left out: the versions of one lineage stand side by side.`,
    ),
  };
}
