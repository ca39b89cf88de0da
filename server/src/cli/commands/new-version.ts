import { nextVersion } from '../../core/scaffold/next-version';
import { giveOut, outFolder } from '../generated-version';
import { openLineage, requireUsable } from '../open';
import { required } from '../options';
import type { Command } from '../program';

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
    const from = required(options.from, '--from', 'the version to go on from', newVersion);
    const as = required(options.as, '--as', 'the name of the new version', newVersion);
    const opened = await openLineage(path);
    requireUsable(opened);
    const out = outFolder(options.out, opened);
    const answer = nextVersion(opened.analysis, { from, as, out });
    return giveOut(opened, answer, as, options['dry-run'] === true);
  },
};
