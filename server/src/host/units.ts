import { dirname, isAbsolute, join, resolve } from 'node:path';
import { readBlobName, workTreePath } from '../core/blob-names';
import { openUnit } from '../core/csource/build-unit';
import { CSource } from '../core/csource/c-source';
import type { Dialect, DialectName, Reading, ReadingProblem } from '../core/csource/dialects/dialect';
import { moduleDialect } from '../core/csource/dialects/module';
import { dialectFor } from '../core/csource/dialects/registry';
import type { KernelConfig } from '../core/csource/kernel-config';
import type { SourceProvider, Unit, UnitOptions } from '../core/csource/unit';
import type { ManifestVersion } from '../core/manifest/manifest';
import type { Place } from '../core/place';
import { readBuilt } from './built';
import { type Files, isInside } from './files';
import { readFromRevision } from './git/revision-reading';
import type { RevisionTree } from './git/revision-tree';
import type { DiskKernelTree } from './kernel-tree';

interface KeptUnit {
  readonly unit: Unit;
  /** Stamps of the files the unit was read from, in the order of `unit.files`. */
  readonly stamps: readonly string[];
  readonly relocate: Reading['relocate'];
  /** Whether some text of it was made for reading. */
  readonly made: boolean;
  /** What its includes led to: the same file of two revisions may include different ones. */
  readonly includes: readonly Include[];
  /** The count of `filesChanged` at which all of them still led there. */
  looked: number;
}

interface Include {
  readonly name: string;
  readonly from: string;
  readonly found: string | undefined;
}

interface KeptReading {
  readonly reading: Reading;
  readonly dialect: Dialect;
  readonly key: string;
  readonly tree?: DiskKernelTree | undefined;
  /** The files that the dialect looked into, by their stamps: an edit elsewhere changes nothing of what it says. */
  readonly asked: ReadonlyMap<string, string>;
}

/** Where sources stand and what they are compiled for. */
export interface Ground extends Folders {
  readonly release: string;
  readonly arch?: string | undefined;
  /** The kernel's configuration; the same object for the same text. */
  readonly config?: KernelConfig | undefined;
}

/** Readings of one file of a revision, each with other includes, that are kept. */
const MAX_READINGS = 64;

export interface Folders {
  /** What sources may not leave. */
  readonly root: string;
  /** The manifest's: `include` is relative to it. */
  readonly home: string;
}

/** One version's or target's sources, read in their dialect. */
export interface ReadSources {
  readonly dialect: DialectName;
  readonly units: readonly Unit[];
  readonly problems: readonly ReadingProblem[];
  /** Whether reading the same files once more would give the same: a look at their stamps, and no more. */
  isCurrent(): boolean;
}

/**
 * Translation units over files: one memory of tokens, trees and lowered items, shared by all lineages that an editor
 * has open. A unit is read again only when a file it was read from changed.
 */
export class Units {
  readonly source = new CSource();
  /** Units read so far, for tests that count them. */
  readonly counters = { opened: 0 };
  readonly #files: Files;
  readonly #kept = new Map<string, KeptUnit[]>();
  readonly #readings = new Map<string, KeptReading>();
  /** What stands in a revision stays as it is. */
  readonly #inRevisions = new Map<
    string,
    { readonly revision: RevisionTree; readonly key: string; readonly read: ReadSources }
  >();
  readonly #involved = new Map<string, number>();
  readonly #configs = new WeakMap<KernelConfig, number>();
  #numbered = 0;
  #changes = 0;

  constructor(files: Files) {
    this.#files = files;
  }

  /**
   * The units of one module, in the dialect of its sources. A file that another one of them includes is part of that
   * one, as with `#include "other.c"`, and no unit of its own.
   */
  of(
    module: string,
    files: readonly string[],
    ground: Ground,
    version: ManifestVersion | null,
    tree?: () => DiskKernelTree | undefined,
    revision: RevisionTree | null = null,
  ): ReadSources {
    const options = optionsFor(ground, version);
    const { defines, kernelRelease, arch, config } = options;
    const include = version?.include.map((it) => it.value) ?? [];
    const key = JSON.stringify([defines, kernelRelease, include, arch, config ? this.#numberOf(config) : 0]);
    const inTree = revision && JSON.stringify([key, version?.dialect, version?.replace, files]);
    const before = revision && this.#inRevisions.get(module);
    if (before?.revision === revision && before.key === inTree) return before.read;
    const made = this.#read(module, files, options, key, version, tree);
    const { reading, dialect } = made;
    const folders = [...(reading.include ?? []), ...include.map((it) => join(ground.home, it))];
    const provider = this.#provider(ground.root, folders, revision, reading);
    const kept = reading.units.map((file) => this.#unit(file, options, key, provider, reading));
    const included = new Set(kept.flatMap(({ unit }) => unit.files.slice(1)));
    const read: ReadSources = {
      dialect: dialect.name,
      units: kept.flatMap(({ unit }) => (included.has(unit.file) ? [] : unit)),
      problems: reading.problems,
      isCurrent: () =>
        this.#isCurrent(made) && kept.every((it) => this.#isCurrentUnit(it, provider, reading)),
    };
    // What is missing may be there the next time, and diffs hang on the kernel's tree too.
    if (revision && inTree && dialect.name === 'module' && read.units.every((unit) => unit.complete))
      this.#inRevisions.set(module, { revision, key: inTree, read });
    return read;
  }

  /** The unit of a module of which only the .ko is at hand, or why there is none. `place` names it in the manifest. */
  ofBuilt(
    module: string,
    path: string,
    place: Place,
    { root }: Folders,
    release: string,
  ): ReadSources | { readonly problem: string } {
    const stamp = this.#files.stamp(path);
    const key = JSON.stringify(['built', path, stamp, place]);
    let kept = this.#readings.get(module);
    if (kept?.key !== key) {
      const reading = readBuilt(path, this.#files, place);
      if ('problem' in reading) return reading;
      kept = { reading, dialect: moduleDialect, key, asked: new Map() };
      this.#readings.set(module, kept);
    }
    const { reading } = kept;
    const options = { defines: {}, kernelRelease: release };
    const provider = this.#provider(root, [], null, reading);
    const units = reading.units.map((file) => this.#unit(file, options, 'built', provider, reading).unit);
    return { dialect: 'module', units, problems: [], isCurrent: () => this.#files.stamp(path) === stamp };
  }

  /** What the dialect makes of the files; made again only when one that it looked into changed. */
  #read(
    module: string,
    files: readonly string[],
    { defines, kernelRelease }: UnitOptions,
    options: string,
    version: ManifestVersion | null,
    treeOf: (() => DiskKernelTree | undefined) | undefined,
  ): KeptReading {
    const named = version?.dialect.value ?? 'auto';
    const replace = version?.replace?.value ?? null;
    const tree = treeOf?.();
    const key = JSON.stringify([named, replace, options, files, tree?.name]);
    const kept = this.#readings.get(module);
    if (kept?.key === key && this.#isCurrent(kept)) return kept;
    const asked = new Map<string, string>();
    const sources = files.map((file) => ({
      file: workTreePath(file),
      text: () => {
        asked.set(file, this.#files.stamp(file));
        return this.#text(file);
      },
    }));
    const dialect = dialectFor(named, sources, kernelRelease);
    const made = dialect.read({
      module,
      files: sources,
      replace,
      defines,
      kernelRelease,
      ...(tree ? { tree } : {}),
    });
    const read = { reading: readFromRevision(files, made), dialect, key, tree, asked };
    this.#readings.set(module, read);
    return read;
  }

  #isCurrent({ tree, asked }: KeptReading): boolean {
    if (tree && !tree.isCurrent()) return false;
    for (const [file, stamp] of asked) if (this.#files.stamp(file) !== stamp) return false;
    return true;
  }

  #numberOf(config: KernelConfig): number {
    const known = this.#configs.get(config) ?? ++this.#numbered;
    this.#configs.set(config, known);
    return known;
  }

  #text(file: string): string | undefined {
    const read = this.#files.read(file);
    return typeof read === 'string' ? read : undefined;
  }

  #unit(
    file: string,
    options: UnitOptions,
    key: string,
    provider: SourceProvider,
    reading: Reading,
  ): KeptUnit {
    const name = `${file}\0${key}`;
    const known = this.#kept.get(name) ?? [];
    const kept = known.find((it) => this.#isCurrentUnit(it, provider, reading));
    if (kept) return kept;
    const includes: Include[] = [];
    const resolve: SourceProvider['resolve'] = (included, from) => {
      const found = provider.resolve(included, from);
      includes.push({ name: included, from, found });
      return found;
    };
    const unit = openUnit(file, { ...provider, resolve }, options, this.source);
    this.counters.opened++;
    // A file of the work tree has one reading; one of a revision never changes, and other versions may want it.
    const others = readBlobName(file) ? known.slice(-MAX_READINGS) : [];
    for (const old of known) if (!others.includes(old)) this.#count(old.unit, -1);
    const stamps = unit.files.map((it) => this.#stamp(it, reading));
    const made = unit.files.some((it) => reading.texts.has(it));
    const { relocate } = reading;
    const read: KeptUnit = { unit, stamps, relocate, made, includes, looked: this.#changes };
    this.#kept.set(name, [...others, read]);
    this.#count(unit, 1);
    return read;
  }

  #isCurrentUnit(kept: KeptUnit, provider: SourceProvider, reading: Reading): boolean {
    const same =
      (kept.relocate === reading.relocate || !kept.made) &&
      kept.unit.files.every((file, i) => this.#stamp(file, reading) === kept.stamps[i]) &&
      stillIncludes(kept.includes, provider, kept.looked !== this.#changes);
    if (same) kept.looked = this.#changes;
    return same;
  }

  /** Files may have come or gone: one that came may go before one that was found. */
  filesChanged(): void {
    this.#changes++;
  }

  /** A text made for reading is its own stamp. */
  #stamp(file: string, { texts }: Reading): string {
    return texts.get(file) ?? this.#files.stamp(file);
  }

  #count(unit: Unit, by: number): void {
    for (const file of unit.files) this.#involved.set(file, (this.#involved.get(file) ?? 0) + by);
  }

  #provider(
    root: string,
    folders: readonly string[],
    tree: RevisionTree | null,
    { texts, relocate }: Reading,
  ): SourceProvider {
    return {
      ...(relocate === undefined ? {} : { relocate }),
      text: (file) => texts.get(file) ?? this.#text(file),
      resolve: (name, from) => {
        if (texts.has(name)) return name;
        if (name.includes('\0')) return undefined;
        const candidates = [
          resolve(dirname(workTreePath(from)), name),
          ...folders.map((folder) => join(folder, name)),
        ];
        for (const path of candidates) {
          if (tree) {
            const file = tree.file(path);
            if (file === undefined) continue;
            this.#files.revisions?.know(file, tree.ground.objects);
            return file;
          }
          if (this.#files.real(path) !== null && isInside(this.#files, root, path)) return path;
        }
        return undefined;
      },
    };
  }

  /** A text that a dialect made for reading, by its name. */
  made(name: string): string | undefined {
    if (isAbsolute(name)) return undefined;
    for (const { reading } of this.#readings.values()) {
      const text = reading.texts.get(name);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  /** Whether some unit was read from this file. */
  involves(file: string): boolean {
    return (this.#involved.get(file) ?? 0) > 0;
  }

  /** An open document keeps its tree, so that an edit costs what it changes. */
  opened(file: string): void {
    this.source.open(file);
  }

  closed(file: string): void {
    this.source.close(file);
  }

  dispose(): void {
    this.source.dispose();
    this.#kept.clear();
    this.#readings.clear();
    this.#inRevisions.clear();
    this.#involved.clear();
  }
}

/** Includes that were found in the work tree are looked at by their stamps, unless files may have come or gone. */
function stillIncludes(includes: readonly Include[], provider: SourceProvider, all: boolean): boolean {
  return includes.every(
    ({ name, from, found }) =>
      (!all && found !== undefined && !readBlobName(found)) || provider.resolve(name, from) === found,
  );
}

function optionsFor({ release, arch, config }: Ground, version: ManifestVersion | null): UnitOptions {
  const defines: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of version?.defines ?? []) defines[name] = value.value;
  return { defines, kernelRelease: release, arch, config };
}
