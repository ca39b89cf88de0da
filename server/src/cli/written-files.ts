import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Disk, exists, isInside, reasonOf } from '../host/files';
import { EXIT, Failure } from './failure';

/** What commands write: whole or not at all, and over nothing that is somebody's. */

/** A file that is there and changes; `before` is what it must still hold. */
interface ChangedFile {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Writes files that must not exist yet, all inside `root` (links resolved), and then changes one that does, in one
 * step. If anything fails, what was made is taken away again, the changed file is as it was, and a Failure is thrown.
 */
export function writeNewFiles(
  root: string,
  files: readonly { readonly path: string; readonly text: string }[],
  changed: ChangedFile | null = null,
): void {
  const disk = new Disk();
  const madeFiles: string[] = [];
  const madeFolders: string[] = [];
  let current = '';
  letInterruptsWait();
  try {
    for (const file of files) {
      current = file.path;
      const stays = (): void => {
        if (!isInside(disk, root, dirname(file.path))) throw new Refused(`its folder leads outside ${root}`);
      };
      stays();
      makeFolders(dirname(file.path), madeFolders);
      if (exists(file.path)) throw new Refused('it exists already and is not overwritten');
      // Once more when it is open: somebody may be changing folders into links meanwhile.
      writeExclusive(file.path, file.text, 0o644, stays);
      madeFiles.push(file.path);
    }
    if (changed) {
      current = changed.path;
      replace(root, changed);
    }
  } catch (error) {
    for (const path of madeFiles) quietly(() => unlinkSync(path));
    for (const path of madeFolders.reverse()) quietly(() => rmdirSync(path));
    const why = error instanceof Refused ? error.message : reasonOf(error);
    throw new Failure(`${current}: ${why}; nothing was written`);
  }
}

/**
 * Writes a picture. In the place of a file it stands only where that is a picture that begins as this one does; a link
 * is replaced, not followed. Devices and pipes are written to.
 */
export function writePicture(path: string, text: string): void {
  letInterruptsWait();
  try {
    const there = exists(path) ? lstatSync(path) : null;
    const target = there?.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : there;
    if (target && !target.isFile()) {
      if (target.isDirectory()) throw new Refused('it is a folder');
      writeFileSync(path, text);
      return;
    }
    if (there && !(target && beginsAs(path, text.slice(0, PICTURE_HEAD))))
      throw new Refused('it exists already and is no such picture: it is not overwritten');
    moveInto(path, text, target ? target.mode & 0o777 : 0o666 & ~process.umask());
  } catch (error) {
    const why = error instanceof Refused ? error.message : reasonOf(error);
    throw new Failure(`${path} cannot be written: ${why}`);
  }
}

/** Characters at the beginning of a picture that are the same in all of its kind; ASCII. */
const PICTURE_HEAD = 30;

function beginsAs(path: string, head: string): boolean {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(head.length);
    return readSync(file, bytes) === bytes.length && bytes.toString('latin1') === head;
  } finally {
    closeSync(file);
  }
}

/**
 * An analysis is one long turn of the event loop, so a listener could not end it, and there is none; here, where files
 * are half made, an interrupt waits.
 */
function letInterruptsWait(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(EXIT.interrupted));
}

class Refused extends Error {}

/** Makes the folders that are missing and remembers them, outer before inner. */
function makeFolders(folder: string, made: string[]): void {
  const missing: string[] = [];
  for (let at = folder; !exists(at); at = dirname(at)) missing.push(at);
  for (const path of missing.reverse()) {
    mkdirSync(path);
    made.push(path);
  }
}

/**
 * Fails where anything is at the path, a dangling link included; what was begun is removed. `check` throws where the
 * file that has been opened, still empty, may not be written.
 */
function writeExclusive(path: string, text: string, mode: number, check: () => void = () => undefined): void {
  const file = openSync(path, 'wx', mode);
  try {
    check();
    if (statSync(path).ino !== fstatSync(file).ino) throw new Refused('it was moved in the meantime');
    const bytes = Buffer.from(text, 'utf8');
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fchmodSync(file, mode);
    fsyncSync(file);
  } catch (error) {
    quietly(() => unlinkSync(path));
    throw error;
  } finally {
    closeSync(file);
  }
}

/** A reader sees the old text or the new one. */
function replace(root: string, { path, before, after }: ChangedFile): void {
  const real = realpathSync(path);
  if (!isInside(new Disk(), root, real)) throw new Refused(`it is a link that leads outside ${root}`);
  if (readFileSync(real, 'utf8') !== before) throw new Refused('it has changed in the meantime');
  moveInto(real, after, statSync(real).mode & 0o777);
}

/** Writes the text beside the file and moves it over. */
function moveInto(path: string, text: string, mode: number): void {
  const beside = join(dirname(path), `.livepatch-${process.pid}.tmp`);
  writeExclusive(beside, text, mode);
  try {
    renameSync(beside, path);
  } catch (error) {
    quietly(() => unlinkSync(beside));
    throw error;
  }
}

function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // It is gone already, or cannot be removed: the first error is the one to tell.
  }
}
