import type { Dirent } from 'node:fs';
import { lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Revisions } from './git/revisions';

/** Why a file could not be read, in words for a person. */
export interface ReadFailure {
  readonly reason: string;
}

/** The largest source that is read, in bytes. */
export const MAX_FILE_BYTES = 8 * 1024 * 1024;

/** The largest file that is read as bytes. */
const MAX_BINARY_BYTES = 64 * 1024 * 1024;

/** Files as this server sees them: open documents first, then the disk. Paths are absolute. */
export interface Files {
  /** Where files of revisions come from; absent where there are none but those of the work tree. */
  readonly revisions?: Revisions;
  /** The text, or why there is none. */
  read(path: string): string | ReadFailure;
  /** The bytes of a file that is no text, or why there are none. */
  bytes(path: string): Uint8Array | ReadFailure;
  /** Changes whenever the text may have changed; equal stamps mean equal text. */
  stamp(path: string): string;
  entries(folder: string): readonly Dirent[];
  /** With all links resolved; null where there is nothing. */
  real(path: string): string | null;
}

/** The system's own costs a call, and Node's one for each folder; elsewhere they differ in letter case and drives. */
const realpath = process.platform === 'linux' ? realpathSync.native : realpathSync;

/** The disk alone. */
export class Disk implements Files {
  /** Files opened so far, for tests that count them. */
  opened = 0;

  read(path: string): string | ReadFailure {
    return this.#open(path, MAX_FILE_BYTES, () => readFileSync(path, 'utf8'));
  }

  bytes(path: string): Uint8Array | ReadFailure {
    return this.#open(path, MAX_BINARY_BYTES, () => readFileSync(path));
  }

  #open<T>(path: string, limit: number, read: () => T): T | ReadFailure {
    try {
      const status = statSync(path);
      if (status.isDirectory()) return { reason: 'it is a folder' };
      if (!status.isFile()) return { reason: 'it is not a regular file' };
      if (status.size > limit) return { reason: `it is larger than ${limit >> 20} MiB` };
      this.opened++;
      return read();
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  }

  stamp(path: string): string {
    try {
      const status = statSync(path, { bigint: true });
      return `${status.mtimeNs}:${status.size}:${status.ino}`;
    } catch {
      return 'absent';
    }
  }

  entries(folder: string): readonly Dirent[] {
    try {
      return readdirSync(folder, { withFileTypes: true });
    } catch {
      return [];
    }
  }

  real(path: string): string | null {
    try {
      return realpath(path);
    } catch {
      return null;
    }
  }
}

/** Open documents over the disk. */
export class Overlay implements Files {
  readonly revisions?: Revisions;
  readonly #below: Files;
  readonly #documents = new Map<
    string,
    { readonly version: number; readonly text: string; readonly stamp: string }
  >();
  #texts = 0;

  constructor(below: Files) {
    this.#below = below;
    if (below.revisions) this.revisions = below.revisions;
  }

  set(path: string, version: number, text: string): void {
    // Not the version: a document that is closed and opened again begins with the same one, whatever it holds then.
    this.#documents.set(path, { version, text, stamp: `open:${++this.#texts}` });
  }

  delete(path: string): void {
    this.#documents.delete(path);
  }

  /** The document's version, or null where the disk answers. */
  version(path: string): number | null {
    return this.#documents.get(path)?.version ?? null;
  }

  read(path: string): string | ReadFailure {
    return this.#documents.get(path)?.text ?? this.#below.read(path);
  }

  bytes(path: string): Uint8Array | ReadFailure {
    return this.#below.bytes(path);
  }

  stamp(path: string): string {
    return this.#documents.get(path)?.stamp ?? this.#below.stamp(path);
  }

  entries(folder: string): readonly Dirent[] {
    return this.#below.entries(folder);
  }

  real(path: string): string | null {
    return this.#below.real(path);
  }
}

/** Whether `path`, with links resolved as far as it exists, lies in `root` (itself resolved). */
export function isInside(files: Files, root: string, path: string): boolean {
  const realRoot = files.real(root) ?? root;
  let existing = path;
  let rest = '';
  for (;;) {
    const real = files.real(existing);
    if (real !== null) {
      const full = rest === '' ? real : join(real, rest);
      return full === realRoot || full.startsWith(realRoot.endsWith('/') ? realRoot : `${realRoot}/`);
    }
    const parent = join(existing, '..');
    if (parent === existing) return false;
    rest = join(existing.slice(parent.length).replace(/^[/\\]/, ''), rest);
    existing = parent;
  }
}

/** Whether something stands at this path, a dangling link included. */
export function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A system error in a person's words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ELOOP':
      return 'its symbolic links go round in a circle';
    case 'ENAMETOOLONG':
      return 'its name is too long';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space is left there';
    case 'ENOTDIR':
      return 'a part of its path is not a folder';
    default:
      return code === '' ? String(error) : `the system says ${code}`;
  }
}
