import { type LineageVersion, versionByName } from '../lineage/lineage';
import type { Place } from '../place';
import { type NewNames, newNames } from './new-names';
import type { Subject } from './subject';

/** Who is copied and what the copy is called. */
export interface NextCast {
  readonly from: LineageVersion;
  readonly names: NewNames;
}

/** Checks what is asked of `nextVersion` against the lineage; answers why there can be no such version. */
export function checkNext(
  subject: Subject,
  request: { readonly from: string; readonly as: string },
  where: (place: Place) => string,
): NextCast | readonly string[] {
  const { lineage } = subject;
  const from = versionByName(lineage, request.from);
  if (!from) return [`No version is called "${request.from}".`];
  const reasons: string[] = [];
  const { entry, facts, program, unread } = from;
  const at = where({ file: subject.manifestFile, ...entry.keyPlace });
  const { dialect } = from;
  if (lineage.capabilities.has('replace') === 'no') {
    reasons.push(
      `Kernel ${lineage.capabilities.release} has no cumulative livepatches: a next version would not replace ${from.name}.`,
    );
  }
  if (dialect !== 'module') {
    reasons.push(
      `${at}: ${from.name} is written in the dialect ${dialect}: only livepatch modules in C can be continued. Its next version is ${dialect === 'suse' ? 'the same tree with one more fix folder and a raised `Version:`' : 'the same diffs and one more'}: add that to the manifest.`,
    );
  } else if (!program || !facts) {
    const files = unread.length > 0 ? `: ${unread.join(', ')}` : '';
    reasons.push(`${at}: the sources of ${from.name} could not be read${files}; they are what is copied.`);
  } else if (unread.length > 0) {
    reasons.push(`${at}: not all sources of ${from.name} could be read: ${unread.join(', ')}.`);
  } else if (!facts.patch) {
    reasons.push(`${at}: ${from.name} has no struct klp_patch: it is no livepatch.`);
  } else if (facts.patch.replace === false) {
    const place = facts.patch.replacePlace ?? facts.patch.place;
    reasons.push(
      `${where(place)}: ${from.name} does not set .replace: a copy of it would not replace anything.`,
    );
  }
  if (from.entry.inherited.has('git'))
    reasons.push(
      `${at}: \`defaults\` gives every version a git revision, so the new one, which stands in the work tree, too: write \`git\` at each version.`,
    );
  const names = newNames(lineage, from, request.as);
  if ('reason' in names) reasons.push(names.reason);
  return reasons.length > 0 || 'reason' in names ? reasons : { from, names };
}
