import { dirname, join, resolve } from 'node:path';
import type { KernelTree } from '../core/csource/dialects/kernel-object';
import type { ManifestKernel } from '../core/manifest/manifest';
import { type Files, isInside } from './files';

/** Kbuild files that are read for one version, and how large one may be. */
const MAX_READ = 2_000;
const MAX_TEXT = 1_000_000;

/**
 * The kernel's source folder and configuration as the manifest names them, relative to it. Only Kbuild files, Makefiles
 * and the configuration are read, only as text, and nothing outside of `limit`. Undefined where the manifest names neither.
 */
export class DiskKernelTree implements KernelTree {
  /** What was looked at, with its stamp then: while these are equal, so is what this answers. */
  readonly looked = new Map<string, string>();
  /** Equal for the same folder and configuration. */
  readonly name: string;
  readonly #texts = new Map<string, string | undefined>();
  #config: ReadonlyMap<string, string> | null = null;

  static of(
    { tree, config }: ManifestKernel,
    manifest: string,
    limit: string,
    files: Files,
  ): DiskKernelTree | undefined {
    if (!tree && !config) return undefined;
    const folder = dirname(manifest);
    const at = (path: { value: string } | null): string | null => (path ? resolve(folder, path.value) : null);
    return new DiskKernelTree(at(tree), at(config), limit, files);
  }

  private constructor(
    private readonly root: string | null,
    private readonly configFile: string | null,
    private readonly limit: string,
    private readonly files: Files,
  ) {
    this.name = `${root ?? ''}\0${configFile ?? ''}`;
  }

  makefile(folder: string): string | undefined {
    if (this.root === null || folder.split('/').includes('..')) return undefined;
    const at = join(this.root, folder);
    return this.#read(join(at, 'Kbuild')) ?? this.#read(join(at, 'Makefile'));
  }

  config(name: string): string | undefined {
    if (this.configFile === null) return undefined;
    if (!this.#config) {
      const found = new Map<string, string>();
      const text = this.#read(this.configFile) ?? '';
      for (const [, set = '', value = ''] of text.matchAll(/^(CONFIG_\w+)=([ym])\s*$/gm))
        found.set(set, value);
      this.#config = found;
    }
    // What a configuration does not name is off.
    return this.#config.size === 0 ? undefined : (this.#config.get(name) ?? 'n');
  }

  /** Whether nothing that was looked at has changed. */
  isCurrent(): boolean {
    return [...this.looked].every(([file, stamp]) => this.files.stamp(file) === stamp);
  }

  #read(file: string): string | undefined {
    if (this.#texts.has(file)) return this.#texts.get(file);
    if (this.#texts.size >= MAX_READ || !isInside(this.files, this.limit, file)) return undefined;
    this.looked.set(file, this.files.stamp(file));
    const read = this.files.read(file);
    const text = typeof read === 'string' && read.length <= MAX_TEXT ? read : undefined;
    this.#texts.set(file, text);
    return text;
  }
}
