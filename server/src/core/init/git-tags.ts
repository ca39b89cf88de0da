import { asVersion, type LivepatchModule, livepatchModules, sourcesOf } from './livepatch-module';
import type { DraftVersion, Recogniser, Scene, Shelf } from './scene';

/** One tree of sources whose releases are tags; what the work tree has beyond the last one is the draft. */
export const gitTags: Recogniser = {
  looksFor: 'git tags at which one folder holds C files that call klp_enable_patch',
  recognise(scene) {
    const versions: DraftVersion[] = [];
    const notes: string[] = [];
    let before: string | null = null;
    for (const tagged of scene.tags) {
      const module = soleModule(tagged);
      if (module === null) continue;
      const content = contentOf(tagged, module);
      const last = versions[versions.length - 1];
      if (content === before && last) {
        notes.push(`Tag ${tagged.tag} has the sources of ${last.version} unchanged and is left out.`);
        continue;
      }
      before = content;
      versions.push({
        version: asVersion(tagged.tag),
        module: module.module,
        git: gitOf(tagged.tag, module),
        sources: sourcesOf(module, module.folder),
        status: 'released',
        guesses: {
          ...(module.guessed ? { module: 'from the file name' } : {}),
          status: 'it is tagged; faulty or withdrawn?',
        },
      });
    }
    if (versions.length === 0) return null;
    const draft = draftOf(scene, before, versions);
    return { versions: draft ? [...versions, draft] : versions, notes };
  },
};

function draftOf(
  scene: Scene,
  before: string | null,
  versions: readonly DraftVersion[],
): DraftVersion | null {
  const module = soleModule(scene);
  if (module === null || contentOf(scene, module) === before) return null;
  const last = versions[versions.length - 1]?.version ?? '';
  const next = last.replace(/\d+(?=\D*$)/, (number) => String(Number(number) + 1));
  return {
    version: next !== last && versions.every((it) => it.version !== next) ? next : 'draft',
    module: module.module,
    sources: sourcesOf(module),
    status: 'draft',
    guesses: {
      ...(module.guessed ? { module: 'from the file name' } : {}),
      status: 'the work tree differs from the last tag',
    },
  };
}

/** Several side by side are versions in folders: no history of one tree. */
function soleModule(shelf: Shelf): LivepatchModule | null {
  const [module, ...more] = livepatchModules(shelf);
  return module && more.length === 0 ? module : null;
}

function gitOf(revision: string, { folder }: LivepatchModule): { revision: string; path?: string } {
  return folder === '' ? { revision } : { revision, path: folder };
}

/** What the module is made of, its headers included. */
function contentOf(shelf: Shelf, module: LivepatchModule): string {
  const prefix = module.folder === '' ? '' : `${module.folder}/`;
  const headers = shelf.files.filter(
    (file) => file.endsWith('.h') && file.startsWith(prefix) && !file.slice(prefix.length).includes('/'),
  );
  return JSON.stringify([...module.units, ...headers].map((file) => [file, shelf.text(file)]));
}
