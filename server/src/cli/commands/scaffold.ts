import { scaffoldAnswer } from '../../features/scaffold-answer';
import { Failure } from '../failure';
import { giveOut, outFolder } from '../generated-version';
import { openLineage, requireUsable } from '../open';
import { required } from '../options';
import type { Command } from '../program';

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
    const restore = required(options.restore, '--restore', 'the version to go back to', scaffold);
    const as = required(options.as, '--as', 'the name of the new version', scaffold);
    const after = required(options.after, '--after', 'the faulty version', scaffold)
      .split(',')
      .map((name) => name.trim());
    if (after.some((name) => name === ''))
      throw new Failure('--after is a list of versions, as in --after v2,v3');
    const opened = await openLineage(path);
    requireUsable(opened);
    const out = outFolder(options.out, opened);
    const answer = scaffoldAnswer(opened.analysis, restore, after, as, out, valuesOf(options.value));
    return giveOut(opened, answer, as, options['dry-run'] === true);
  },
};

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
