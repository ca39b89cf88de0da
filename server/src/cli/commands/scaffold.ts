import { relative, resolve } from 'node:path';
import { applyChanges } from '../../core/scaffold/merge';
import { scaffoldAnswer } from '../../features/scaffold-answer';
import { Disk, isInside } from '../../host/files';
import { rootOf } from '../../host/locate';
import { EXIT, Failure } from '../failure';
import { openLineage, requireUsable } from '../open';
import { print } from '../print';
import type { Command } from '../program';
import { printable, printableLine } from '../terminal';
import { writeNewFiles } from '../written-files';

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
