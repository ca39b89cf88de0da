import { openUnit } from '../csource/build-unit';
import { CSource } from '../csource/c-source';
import { dialectFor } from '../csource/dialects/registry';
import type { SourceProvider } from '../csource/unit';
import { AssemblyMemo, assemble } from '../lineage/assemble';
import type { Lineage, LineageVersion } from '../lineage/lineage';
import { Transitions } from '../lineage/transitions';
import { parseManifest } from '../manifest/parse';
import { dirname, join } from './layout';
import type { NewFile, Subject } from './subject';

/** The lineage as it would be with the new version in it. */
export interface Prospect {
  readonly lineage: Lineage;
  readonly transitions: Transitions;
  readonly added: LineageVersion;
}

/**
 * Reads the lineage again with a manifest that names the new version and with the files that it would have: what is
 * generated is judged as if somebody had written it.
 */
export function prospect(
  subject: Subject,
  manifestText: string,
  name: string,
  files: readonly NewFile[],
  units: readonly string[],
): Prospect | null {
  const { manifest } = parseManifest(subject.manifestFile, manifestText);
  const texts = new Map(files.map((file) => [file.path, file.text]));
  const home = dirname(subject.manifestFile);
  const lineage = assemble(
    manifest,
    ({ module, version }) => {
      const known = subject.lineage.versions.find((item) => item.module === module);
      if (known) {
        const { unread, dialect, problems } = known;
        return { units: subject.unitsOf(known), unread, dialect, problems };
      }
      const target = subject.lineage.targets.find((item) => item.module === module);
      if (target) return { units: target.program?.units ?? [], unread: [] };
      if (version?.version.value !== name) return { units: [], unread: [] };
      const folders = version.include.map((include) => join(home, include.value));
      const defines = Object.fromEntries([...version.defines].map(([key, value]) => [key, value.value]));
      const options = { defines, kernelRelease: manifest.kernel.release?.value ?? '' };
      const source = new CSource();
      const plain = sources(subject, texts, folders);
      const named = units.map((file) => ({ file, text: () => plain.text(file) }));
      const dialect = dialectFor(version.dialect.value, named, options.kernelRelease);
      const tree = subject.kernelTree?.();
      const { relocate, ...reading } = dialect.read({
        module,
        files: named,
        replace: version.replace?.value ?? null,
        ...options,
        ...(tree ? { tree } : {}),
      });
      const provider = sources(subject, texts, [...(reading.include ?? []), ...folders]);
      const read: SourceProvider = {
        text: (file) => reading.texts.get(file) ?? provider.text(file),
        resolve: (file, from) => (reading.texts.has(file) ? file : provider.resolve(file, from)),
        ...(relocate ? { relocate } : {}),
      };
      const opened = reading.units.map((unit) => openUnit(unit, read, options, source));
      return { units: opened, unread: [], dialect: dialect.name, problems: reading.problems };
    },
    new AssemblyMemo(),
  );
  const added = lineage.versions.find((version) => version.name === name);
  return added ? { lineage, transitions: new Transitions(lineage).withoutStalls(), added } : null;
}

/** The new files before those of the lineage. */
function sources(
  subject: Subject,
  texts: ReadonlyMap<string, string>,
  folders: readonly string[],
): SourceProvider {
  const text = (file: string): string | undefined => {
    const added = texts.get(file);
    if (added !== undefined) return added;
    const known = subject.text(file);
    return known === '' && !subject.exists(file) ? undefined : known;
  };
  return {
    text,
    resolve: (name, from) => {
      for (const folder of [dirname(from), ...folders]) {
        const path = join(folder, name);
        if (texts.has(path) || subject.exists(path)) return path;
      }
      return undefined;
    },
  };
}
