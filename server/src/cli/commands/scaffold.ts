import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { applyChanges } from '../../core/scaffold/merge';
import { scaffoldAnswer } from '../../features/scaffold-answer';
import { Disk, exists, isInside, reasonOf } from '../../host/files';
import { rootOf } from '../../host/locate';
import { EXIT, Failure } from '../failure';
import { openLineage, requireUsable } from '../open';
import { print } from '../print';
import type { Command } from '../program';
import { printable, printableLine } from '../terminal';

/** Generates the version that restores a good one and cleans up after faulty ones. */
export const scaffold: Command = {
  usage:
    'scaffold [PATH] --restore v1 --after v2[,v…] --as v3 [--value NAME=VALUE[,…]] [--out DIR] [--dry-run]',
  summary: 'a version that restores a good one and cleans up after a faulty one',
  options: {
    restore: { type: 'string' },
    after: { type: 'string' },
    as: { type: 'string' },
    out: { type: 'string' },
    value: { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  positionals: 1,
  async run([path], options) {
    const restore = required(options.restore, '--restore', 'the version to go back to');
    const as = required(options.as, '--as', 'the name of the new version');
    const after = required(options.after, '--after', 'the faulty version')
      .split(',')
      .map((name) => name.trim());
    if (after.some((name) => name === ''))
      throw new Failure('--after is a list of versions, as in --after v2,v3');
    const opened = await openLineage(path);
    requireUsable(opened);
    const root = rootOf(opened.manifest);
    const out = typeof options.out === 'string' ? outFolder(options.out, root) : null;
    const answer = scaffoldAnswer(opened.analysis, restore, after, as, out, valuesOf(options.value));
    if (!answer.ok) {
      for (const reason of answer.reasons) process.stderr.write(`klp-lineage: ${printableLine(reason)}\n`);
      return EXIT.findings;
    }
    const shown = (file: string): string => printable(relative(process.cwd(), file));
    const before = opened.analysis.text(opened.manifest);
    const text = applyChanges(before, answer.manifestEdits);
    if (options['dry-run'] === true) {
      for (const file of answer.files) print(`--- ${shown(file.path)}\n${lines(file.text)}`);
      print(`--- ${shown(opened.manifest)}\n`);
      for (const edit of answer.manifestEdits) print(lines(edit.text));
    } else {
      writeNewFiles(root, answer.files, { path: opened.manifest, before, after: text });
      for (const file of answer.files) print(`wrote ${shown(file.path)}\n`);
      print(`added ${printable(as)} to ${shown(opened.manifest)}\n`);
    }
    for (const note of answer.notes) print(`note: ${printableLine(note)}\n`);
    return EXIT.fine;
  },
};

function required(value: string | boolean | undefined, option: string, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Failure(`${option} is missing: ${what}; usage: klp-lineage ${scaffold.usage}`);
}

/** `overflowuid=65534,console_loglevel=7` */
function valuesOf(option: string | boolean | undefined): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  if (typeof option !== 'string') return values;
  for (const part of option.split(',')) {
    const [name = '', value = ''] = part.split('=').map((word) => word.trim());
    if (name === '' || value === '') throw new Failure(`--value is NAME=VALUE, not "${part}"`);
    values.set(name, value);
  }
  return values;
}

function outFolder(option: string, root: string): string {
  const folder = resolve(option);
  if (!isInside(new Disk(), root, folder)) {
    throw new Failure(`--out ${option} lies outside ${root}: sources may not leave that folder`);
  }
  return folder;
}

/** The text for a terminal, ending with a line end. */
function lines(text: string): string {
  const safe = text.replaceAll('\r\n', '\n').split('\n').map(printable).join('\n');
  return safe.endsWith('\n') ? safe : `${safe}\n`;
}

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
  // An analysis is one long turn of the event loop, so a listener could not end it, and there is none; here, where
  // files are half made, an interrupt waits.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(EXIT.interrupted));
  try {
    for (const file of files) {
      current = file.path;
      makeFolders(dirname(file.path), madeFolders);
      if (!isInside(disk, root, dirname(file.path))) throw new Refused(`its folder leads outside ${root}`);
      if (exists(file.path)) throw new Refused('it exists already and is not overwritten');
      writeExclusive(file.path, file.text, 0o644);
      madeFiles.push(file.path);
    }
    if (changed) {
      current = changed.path;
      replace(changed);
    }
  } catch (error) {
    for (const path of madeFiles) quietly(() => unlinkSync(path));
    for (const path of madeFolders.reverse()) quietly(() => rmdirSync(path));
    const why = error instanceof Refused ? error.message : reasonOf(error);
    throw new Failure(`${current}: ${why}; nothing was written`);
  }
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

/** Fails where anything is at the path, a dangling link included; what was begun is removed. */
function writeExclusive(path: string, text: string, mode: number): void {
  const file = openSync(path, 'wx', mode);
  try {
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

/** Puts the new text beside the file and moves it over: a reader sees the old text or the new one. */
function replace({ path, before, after }: ChangedFile): void {
  const real = realpathSync(path);
  if (readFileSync(real, 'utf8') !== before) throw new Refused('it has changed in the meantime');
  const beside = join(dirname(real), `.livepatch-${process.pid}.tmp`);
  writeExclusive(beside, after, statSync(real).mode & 0o777);
  try {
    renameSync(beside, real);
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
