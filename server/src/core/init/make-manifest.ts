import { yamlFlow, yamlText } from '../manifest/quoting';
import { asModule } from './livepatch-module';
import { RECOGNISERS } from './registry';
import type { Draft, DraftVersion, Recogniser, Scene } from './scene';

/** A manifest as text, or why there can be none; reasons and notes are sentences. */
export type MadeManifest =
  | { readonly ok: true; readonly text: string; readonly notes: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Writes the manifest of what is there, with a comment wherever something was guessed. */
export function makeManifest(scene: Scene, recognisers: readonly Recogniser[] = RECOGNISERS): MadeManifest {
  for (const recogniser of recognisers) {
    const draft = recogniser.recognise(scene);
    if (draft) {
      const { versions, notes } = distinct(draft.versions);
      return { ok: true, text: render(scene, { ...draft, versions }), notes: [...draft.notes, ...notes] };
    }
  }
  const looked = recognisers.map((it) => it.looksFor).join('; ');
  return {
    ok: false,
    reason: `${scene.name} holds nothing that a lineage could be made of. Looked for: ${looked}.`,
  };
}

/** No two names of versions and modules may be the same: what is taken gets the version's name or a number. */
function distinct(versions: readonly DraftVersion[]): { versions: DraftVersion[]; notes: string[] } {
  const taken = new Set(['none', 'vmlinux']);
  const notes: string[] = [];
  const free = (name: string, other: string): string => {
    let wanted = taken.has(name) ? other : name;
    for (let i = 2; taken.has(wanted); i++) wanted = `${other.slice(0, 50)}_${i}`;
    taken.add(wanted);
    return wanted;
  };
  // A module's name is a fact, a version's is ours to choose.
  const modules = versions.map(({ module, version }) => {
    const shared = versions.filter((other) => other.module === module).length > 1;
    return free(shared ? asModule(`${module}_${version}`) : module, asModule(`${module}_${version}`));
  });
  const named = versions.map((version, i): DraftVersion => {
    const module = modules[i] ?? '';
    const name = free(version.version, `v${i + 1}`);
    if (module === version.module) return { ...version, version: name };
    notes.push(
      `The module of ${name} is built as ${version.module}, like another one: here it is ${module}.`,
    );
    const guess = `built as ${version.module}, but every version needs its own name`;
    return { ...version, version: name, module, guesses: { ...version.guesses, module: guess } };
  });
  return { versions: named, notes };
}

function render(scene: Scene, draft: Draft): string {
  const kernel = draft.kernel ?? scene.kernel ?? '6.1';
  const from =
    draft.kernel === undefined ? ' # a guess: write the release that the modules are built for' : '';
  const lines = [
    `lineage: ${yamlText(scene.name)}`,
    `kernel: ${JSON.stringify(kernel)}${from}`,
    'versions: # oldest first',
    ...draft.versions.flatMap((version) => entry(version)),
  ];
  return `${lines.join('\n')}\n`;
}

function entry({ version, module, git, sources, dialect, status, guesses }: DraftVersion): string[] {
  const why = (guess: string | undefined): string => (guess === undefined ? '' : ` # a guess: ${guess}`);
  return [
    `  - version: ${yamlText(version)}`,
    `    module: ${yamlText(module)}${why(guesses?.module)}`,
    ...(git ? [`    git: ${yamlFlow(git)}`] : []),
    `    sources: ${yamlFlow(sources)}${why(guesses?.sources)}`,
    ...(dialect ? [`    dialect: ${dialect}`] : []),
    `    status: ${status}${why(guesses?.status)}`,
  ];
}
