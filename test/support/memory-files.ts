import type { Dirent } from 'node:fs';
import { posix } from 'node:path';
import type { Files, ReadFailure } from '../../server/src/host/files';

/** Files that exist only in a test: texts by path. */
export class MemoryFiles implements Files {
  readonly #texts = new Map<string, string>();
  readonly #stamps = new Map<string, number>();

  constructor(folder: string, texts: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(texts)) this.write(posix.join(folder, name), text);
  }

  write(path: string, text: string): void {
    this.#texts.set(path, text);
    this.#stamps.set(path, (this.#stamps.get(path) ?? 0) + 1);
  }

  remove(path: string): void {
    this.#texts.delete(path);
    this.#stamps.set(path, (this.#stamps.get(path) ?? 0) + 1);
  }

  read(path: string): string | ReadFailure {
    return this.#texts.get(path) ?? { reason: 'there is no such file' };
  }

  bytes(path: string): Uint8Array | ReadFailure {
    const text = this.read(path);
    return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  }

  stamp(path: string): string {
    return this.#texts.has(path) ? String(this.#stamps.get(path)) : 'absent';
  }

  entries(folder: string): readonly Dirent[] {
    const names = new Map<string, boolean>();
    for (const path of this.#texts.keys()) {
      if (!path.startsWith(`${folder}/`)) continue;
      const [first = '', ...rest] = path.slice(folder.length + 1).split('/');
      names.set(first, (names.get(first) ?? false) || rest.length > 0);
    }
    return [...names].map(([name, isFolder]) => entry(name, isFolder));
  }

  real(path: string): string | null {
    if (this.#texts.has(path)) return path;
    return [...this.#texts.keys()].some((known) => known.startsWith(`${path}/`)) || path === '/'
      ? path
      : null;
  }
}

function entry(name: string, isFolder: boolean): Dirent {
  return {
    name,
    isDirectory: () => isFolder,
    isFile: () => !isFolder,
    isSymbolicLink: () => false,
  } as Dirent;
}
