import { dirname, join, resolve } from 'node:path';
import { openUnit } from '../core/csource/build-unit';
import { CSource } from '../core/csource/c-source';
import type { Unit, UnitOptions } from '../core/csource/unit';
import type { ManifestVersion } from '../core/manifest/manifest';
import { type Files, isInside } from './files';

interface KeptUnit {
  readonly unit: Unit;
  /** Stamps of the files the unit was read from, in the order of `unit.files`. */
  readonly stamps: readonly string[];
}

/**
 * Translation units over files: one memory of tokens, trees and lowered items, shared by all lineages that an editor
 * has open. A unit is read again only when a file it was read from changed.
 */
export class Units {
  readonly source = new CSource();
  readonly #files: Files;
  readonly #kept = new Map<string, KeptUnit>();
  readonly #involved = new Map<string, number>();

  constructor(files: Files) {
    this.#files = files;
  }

  /**
   * The units of one module: a .c file each. A file that another one of them includes is part of that one, as with
   * `#include "other.c"`, and no unit of its own.
   */
  of(files: readonly string[], root: string, release: string, version: ManifestVersion | null): Unit[] {
    const options = optionsFor(release, version);
    const key = JSON.stringify([options.defines, release, version?.include.map((it) => it.value) ?? []]);
    const units = files
      .filter((file) => file.endsWith('.c'))
      .map((file) => this.#unit(file, root, options, key, version));
    const included = new Set(units.flatMap((unit) => unit.files.slice(1)));
    return units.filter((unit) => !included.has(unit.file));
  }

  #unit(
    file: string,
    root: string,
    options: UnitOptions,
    key: string,
    version: ManifestVersion | null,
  ): Unit {
    const name = `${file}\0${key}`;
    const kept = this.#kept.get(name);
    if (kept?.unit.files.every((it, i) => this.#files.stamp(it) === kept.stamps[i])) return kept.unit;
    if (kept) this.#count(kept.unit, -1);
    const unit = openUnit(file, this.#provider(root, version), options, this.source);
    this.#kept.set(name, { unit, stamps: unit.files.map((it) => this.#files.stamp(it)) });
    this.#count(unit, 1);
    return unit;
  }

  #count(unit: Unit, by: number): void {
    for (const file of unit.files) this.#involved.set(file, (this.#involved.get(file) ?? 0) + by);
  }

  #provider(
    root: string,
    version: ManifestVersion | null,
  ): { text(file: string): string | undefined; resolve(name: string, from: string): string | undefined } {
    const folders = (version?.include ?? []).map((it) => it.value);
    return {
      text: (file) => {
        const read = this.#files.read(file);
        return typeof read === 'string' ? read : undefined;
      },
      resolve: (name, from) => {
        if (name.includes('\0')) return undefined;
        const candidates = [
          resolve(dirname(from), name),
          ...folders.map((folder) => join(root, folder, name)),
        ];
        return candidates.find(
          (path) => this.#files.real(path) !== null && isInside(this.#files, root, path),
        );
      },
    };
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
    this.#involved.clear();
  }
}

function optionsFor(release: string, version: ManifestVersion | null): UnitOptions {
  const defines: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of version?.defines ?? []) defines[name] = value.value;
  return { defines, kernelRelease: release };
}
