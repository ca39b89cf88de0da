import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { Disk, reasonOf } from '../../host/files';
import { RevisionFiles, Revisions } from '../../host/git/revisions';
import { initManifest } from '../../host/init';
import { EXIT, Failure } from '../failure';
import { print } from '../print';
import type { Command } from '../program';
import { printable, printableLine } from '../terminal';
import { writeNewFiles } from '../written-files';

/** A manifest from what is there. */
export const init: Command = {
  usage: 'init [FOLDER] [--dry-run]',
  summary: 'a manifest from the version folders or git tags found',
  options: { 'dry-run': { type: 'boolean' } },
  positionals: 1,
  run([path = '.'], options) {
    const folder = resolve(path);
    try {
      if (!statSync(folder).isDirectory()) throw new Failure(`${path}: it is not a folder`);
    } catch (error) {
      throw error instanceof Failure ? error : new Failure(`${path}: ${reasonOf(error)}`);
    }
    const made = initManifest(new RevisionFiles(new Disk(), new Revisions(true)), folder);
    if (!made.ok) throw new Failure(made.reason);
    if (options['dry-run'] === true) print(made.text.split('\n').map(printable).join('\n'));
    else {
      writeNewFiles(folder, [{ path: made.path, text: made.text }]);
      print(`wrote ${printable(relative(process.cwd(), made.path))}\n`);
    }
    for (const note of made.notes) print(`note: ${printableLine(note)}\n`);
    return EXIT.fine;
  },
};
