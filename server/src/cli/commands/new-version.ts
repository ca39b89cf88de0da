import { relative, resolve } from 'node:path';
import { applyChanges } from '../../core/scaffold/merge';
import { nextVersion } from '../../core/scaffold/next-version';
import { Disk, isInside } from '../../host/files';
import { rootOf } from '../../host/locate';
import { EXIT, Failure } from '../failure';
import { openLineage, requireUsable } from '../open';
import { print } from '../print';
import type { Command } from '../program';
import { printable, printableLine } from '../terminal';
import { writeNewFiles } from '../written-files';

/** Begins the next cumulative version as a copy of the last one. */
export const newVersion: Command = {
  usage: 'new-version [PATH] --from v2 --as v3 [--out DIR] [--dry-run]',
  summary: 'the next cumulative version, begun as a copy of the last one',
  options: {
    from: { type: 'string' },
    as: { type: 'string' },
    out: { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  positionals: 1,
  async run([path], options) {
    const from = required(options.from, '--from', 'the version to go on from');
    const as = required(options.as, '--as', 'the name of the new version');
    const opened = await openLineage(path);
    requireUsable(opened);
    const root = rootOf(opened.manifest);
    const out = typeof options.out === 'string' ? outFolder(options.out, root) : null;
    const answer = nextVersion(opened.analysis, { from, as, out });
    if (!answer.ok) {
      for (const reason of answer.reasons) process.stderr.write(`klp-lineage: ${printableLine(reason)}\n`);
      return EXIT.findings;
    }
    const shown = (file: string): string => printable(relative(process.cwd(), file));
    const before = opened.analysis.text(opened.manifest);
    const after = applyChanges(before, answer.manifestEdits);
    if (options['dry-run'] === true) {
      for (const file of answer.files) print(`--- ${shown(file.path)}\n${lines(file.text)}`);
      print(`--- ${shown(opened.manifest)}\n`);
      for (const edit of answer.manifestEdits) print(lines(edit.text));
    } else {
      writeNewFiles(root, answer.files, { path: opened.manifest, before, after });
      for (const file of answer.files) print(`wrote ${shown(file.path)}\n`);
      print(`added ${printable(as)} to ${shown(opened.manifest)}\n`);
    }
    for (const note of answer.notes) print(`note: ${printableLine(note)}\n`);
    return EXIT.fine;
  },
};

function required(value: string | boolean | undefined, option: string, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Failure(`${option} is missing: ${what}; usage: klp-lineage ${newVersion.usage}`);
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
