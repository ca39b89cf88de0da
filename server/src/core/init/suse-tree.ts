import { asModule, asVersion } from './livepatch-module';
import type { DraftVersion, Recogniser, Scene, Shelf } from './scene';

const MAIN = 'livepatch_main.c';
const SPEC = 'rpm/kernel-livepatch.spec';

/** What the specification of the package says of its version; null where it says nothing. */
export interface SpecVersion {
  readonly version: string;
  readonly release: string;
}

/** Reads `Version:` and `Release:`; what a build fills in, such as `@@RELEASE@@`, is nothing. */
export function readSpec(text: string): SpecVersion | null {
  const tag = (name: string): string | undefined =>
    new RegExp(`^${name}:[ \\t]*([\\w.]+)[ \\t]*\\r?$`, 'im').exec(text)?.[1];
  const version = tag('Version');
  return version === undefined ? null : { version, release: tag('Release') ?? '1' };
}

/** A branch of SUSE's kernel-livepatch: one tree, and a version is the revision that raises `Version:` in its spec. */
export const suseTree: Recogniser = {
  looksFor: `a ${MAIN} with placeholders beside one folder for each fix`,
  recognise(scene) {
    if (!scene.files.includes(MAIN) || !scene.text(MAIN).includes('@@KLP_PATCHES_')) return null;
    const versions: DraftVersion[] = [];
    let last: Shelf | null = null;
    let before = '';
    for (const change of scene.changesOf?.(SPEC) ?? []) {
      const spec = readSpec(change.text(SPEC));
      if (spec === null || spec.version === before || !change.files.includes(MAIN)) continue;
      before = spec.version;
      last = change;
      versions.push(versionOf(spec, change.revision));
    }
    const draft = draftOf(scene, last, before);
    return { versions: draft ? [...versions, draft] : versions, notes: [] };
  },
};

function versionOf(spec: SpecVersion, revision: string): DraftVersion {
  return {
    version: asVersion(`v${spec.version}`),
    module: moduleOf(spec),
    git: { revision: revision.slice(0, 16) },
    sources: '.',
    dialect: 'suse',
    status: 'released',
    guesses: { status: `the spec says Version: ${spec.version} since then; faulty or withdrawn?` },
  };
}

/** The package builds livepatch-VERSION_RELEASE.ko. */
function moduleOf({ version, release }: SpecVersion): string {
  return asModule(`livepatch_${version}_${release}`);
}

/** The work tree, where it is not what the last version is. */
function draftOf(scene: Scene, last: Shelf | null, before: string): DraftVersion | null {
  if (last !== null && contentOf(scene) === contentOf(last)) return null;
  const spec = readSpec(scene.text(SPEC)) ?? { version: '1', release: '1' };
  const next =
    spec.version === before
      ? before.replace(/(?<!\d)\d+$/, (number) => String(Number(number) + 1))
      : spec.version;
  const guess =
    last === null
      ? 'no revision that raises `Version:` was found'
      : 'the work tree differs from the last version';
  return {
    version: asVersion(`v${next}`),
    module: moduleOf({ ...spec, version: next }),
    sources: '.',
    dialect: 'suse',
    status: 'draft',
    guesses: {
      status: guess,
      ...(next === spec.version ? {} : { module: 'the version after the last one' }),
    },
  };
}

/** What the module is made of. */
function contentOf(shelf: Shelf): string {
  const files = shelf.files.filter(
    (file) => /\.(?:[ch]|csv)$/.test(file) && !/^(?:rpm|scripts)\//.test(file),
  );
  return JSON.stringify(files.map((file) => [file, shelf.text(file)]));
}
