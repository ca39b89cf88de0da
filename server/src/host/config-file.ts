import { dirname, resolve } from 'node:path';
import { type KernelConfig, readKernelConfig } from '../core/csource/kernel-config';
import type { Located } from '../core/manifest/manifest';
import type { Problem } from '../core/manifest/problem';
import { type Files, isInside } from './files';

/** The kernel's `.config` that a manifest names, read again only when it changed. */
export class ConfigFile {
  /** What stands in the way of reading it. */
  problems: readonly Problem[] = [];
  /** Absolute; null where none is named. */
  path: string | null = null;
  readonly #manifest: string;
  readonly #root: string;
  readonly #files: Files;
  #kept: {
    readonly key: string;
    readonly config: KernelConfig | undefined;
    readonly reason: string;
  } | null = null;

  constructor(manifest: string, root: string, files: Files) {
    this.#manifest = manifest;
    this.#root = root;
    this.#files = files;
  }

  /** The same object while the file is the same; undefined where there is none to read. */
  read(named: Located<string> | null): KernelConfig | undefined {
    if (named === null) {
      this.path = null;
      this.problems = [];
      this.#kept = null;
      return undefined;
    }
    this.path = resolve(dirname(this.#manifest), named.value);
    const key = `${this.path} ${this.#files.stamp(this.path)}`;
    if (this.#kept?.key !== key) this.#kept = { key, ...this.#open(this.path) };
    const { config, reason } = this.#kept;
    const message = `${named.value} cannot be read: ${reason}`;
    this.problems = config ? [] : [{ severity: 'error', message, place: named.place }];
    return config;
  }

  #open(path: string): { readonly config: KernelConfig | undefined; readonly reason: string } {
    const outside = `it lies outside ${this.#root}, which sources may not leave`;
    if (!isInside(this.#files, this.#root, path)) return { config: undefined, reason: outside };
    const text = this.#files.read(path);
    return typeof text === 'string'
      ? { config: readKernelConfig(text), reason: '' }
      : { config: undefined, reason: text.reason };
  }
}
