import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import type { SourceProvider, Unit } from '../../server/src/core/csource/unit';
import { AssemblyMemo, assemble } from '../../server/src/core/lineage/assemble';
import type { LineageVersion } from '../../server/src/core/lineage/lineage';
import { type Run, run, steps, targetsLoaded } from '../../server/src/core/lineage/run';
import { Transitions } from '../../server/src/core/lineage/transitions';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { applyChanges } from '../../server/src/core/scaffold/merge';
import { type Scaffold, scaffold } from '../../server/src/core/scaffold/scaffold';
import type { Subject } from '../../server/src/core/scaffold/subject';

export const HOME = '/lineage';
export const MANIFEST = `${HOME}/livepatch.yaml`;

/** A lineage whose files stand in memory, by path below /lineage. `sources` of a manifest are plain paths here. */
export class InMemory implements Subject {
  readonly manifestFile = MANIFEST;
  readonly files: Map<string, string>;
  readonly lineage: Subject['lineage'];
  readonly transitions: Transitions;

  constructor(files: Readonly<Record<string, string>>) {
    this.files = new Map(Object.entries(files).map(([name, text]) => [`${HOME}/${name}`, text]));
    const { manifest, problems } = parseManifest(MANIFEST, this.text(MANIFEST));
    const errors = problems.filter((problem) => problem.severity === 'error');
    if (errors.length > 0) throw new Error(errors.map((problem) => problem.message).join('\n'));
    const source = new CSource();
    const open = (paths: readonly string[], release: string): Unit[] =>
      paths.map((path) => openUnit(path, this.#provider(), { defines: {}, kernelRelease: release }, source));
    const release = manifest.kernel.release?.value ?? '';
    this.lineage = assemble(
      manifest,
      ({ module, version }) => {
        const entry = version ?? manifest.targets.find((target) => target.module.value === module);
        const paths = (entry?.sources ?? []).flatMap((item) => this.#matching(item.value));
        return { units: open(paths, release), unread: paths.length === 0 && version ? ['(none)'] : [] };
      },
      new AssemblyMemo(),
    );
    this.transitions = new Transitions(this.lineage);
  }

  text(file: string): string {
    return this.files.get(file) ?? '';
  }

  unitsOf(version: LineageVersion): readonly Unit[] {
    return version.program?.units ?? [];
  }

  filesOf(version: LineageVersion): readonly string[] {
    return [...new Set(this.unitsOf(version).flatMap((unit) => unit.files))];
  }

  exists(path: string): boolean {
    return [...this.files.keys()].some((file) => file === path || file.startsWith(`${path}/`));
  }

  /** Steps on a clean kernel with every target module loaded. */
  run(...texts: readonly string[]): Run {
    return run(this.lineage, [...targetsLoaded(this.lineage), ...steps(...texts)]);
  }

  version(name: string): LineageVersion {
    const found = this.lineage.versions.find((version) => version.name === name);
    if (!found) throw new Error(`no version ${name}`);
    return found;
  }

  #matching(pattern: string): string[] {
    const end = pattern.indexOf('*');
    if (end < 0) return this.files.has(`${HOME}/${pattern}`) ? [`${HOME}/${pattern}`] : [];
    const prefix = `${HOME}/${pattern.slice(0, end)}`;
    const tail = pattern.slice(end + 1);
    return [...this.files.keys()]
      .filter(
        (file) => file.startsWith(prefix) && file.endsWith(tail) && !file.slice(prefix.length).includes('/'),
      )
      .sort();
  }

  #provider(): SourceProvider {
    return {
      text: (file) => this.files.get(file),
      resolve: (name, from) => {
        const parts: string[] = from.split('/').slice(0, -1);
        for (const part of name.split('/')) {
          if (part === '..') parts.pop();
          else if (part !== '.') parts.push(part);
        }
        const path = parts.join('/');
        return this.files.has(path) ? path : undefined;
      },
    };
  }
}

/** A scaffold that was granted, written into a copy of the lineage. */
export interface Granted {
  readonly answer: Extract<Scaffold, { readonly ok: true }>;
  readonly after: InMemory;
  /** Text of the new file whose path ends so. */
  file(end: string): string;
}

/** The lineage with what was answered written into it. */
export function written(
  before: InMemory,
  answer: {
    readonly files: readonly { readonly path: string; readonly text: string }[];
    readonly manifestEdits: Parameters<typeof applyChanges>[1];
  },
): InMemory {
  const files: Record<string, string> = {};
  for (const [path, text] of before.files) files[path.slice(HOME.length + 1)] = text;
  for (const file of answer.files) files[file.path.slice(HOME.length + 1)] = file.text;
  files['livepatch.yaml'] = applyChanges(before.text(MANIFEST), answer.manifestEdits);
  return new InMemory(files);
}

/** Scaffolds and joins the result with the lineage; fails with the reasons where it is refused. */
export function granted(
  before: InMemory,
  restore: string,
  after: readonly string[],
  as: string,
  out: string | null = null,
  values: ReadonlyMap<string, string> = new Map(),
): Granted {
  const answer = scaffold(before, { restore, after, as, out, values });
  if (!answer.ok) throw new Error(`refused: ${answer.reasons.join('\n')}`);
  return {
    answer,
    after: written(before, answer),
    file: (end) => {
      const found = answer.files.filter((file) => file.path.endsWith(end));
      if (found.length !== 1 || !found[0]) throw new Error(`${found.length} files end with ${end}`);
      return found[0].text;
    },
  };
}

/** The reasons of a scaffold that must be refused. */
export function refused(
  before: InMemory,
  restore: string,
  after: readonly string[],
  as: string,
  out: string | null = null,
): readonly string[] {
  const answer = scaffold(before, { restore, after, as, out });
  if (answer.ok) throw new Error(`granted: ${answer.files.map((file) => file.path).join(', ')}`);
  return answer.reasons;
}

/** The example of the README. */
export function netFixes(): InMemory {
  const folder = join(import.meta.dirname, '../../examples/net-fixes');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const names = ['livepatch.yaml', 'v1/livepatch_net_v1.c', 'v2/livepatch_net_v2.c'];
  return new InMemory(Object.fromEntries(names.map((name) => [name, read(name)])));
}

/** Lines that a module printed itself, in order. */
export function printed(result: Run): string[] {
  return result.outcomes.flatMap((outcome) =>
    outcome.happenings.flatMap((happening) =>
      happening.k === 'log' && happening.origin === 'module' ? [happening.text] : [],
    ),
  );
}
