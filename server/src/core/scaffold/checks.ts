import { isWanted, type LineageVersion, versionByName } from '../lineage/lineage';
import type { Place } from '../place';
import { type NewNames, newNames } from './new-names';
import type { Request, Subject } from './subject';

/** Who is restored, what is cleaned up after, and what the result is called. */
export interface Cast {
  readonly good: LineageVersion;
  /** Oldest first. */
  readonly faulty: readonly LineageVersion[];
  readonly names: NewNames;
}

/** Checks a request against the lineage; answers why there can be no such version. */
export function checkRequest(
  subject: Subject,
  request: Request,
  where: (place: Place) => string,
): Cast | readonly string[] {
  const { lineage } = subject;
  const reasons: string[] = [];
  const good = versionByName(lineage, request.restore);
  if (!good) reasons.push(`No version is called "${request.restore}".`);
  const faulty: LineageVersion[] = [];
  for (const name of request.after) {
    const version = versionByName(lineage, name);
    if (!version) reasons.push(`No version is called "${name}".`);
    else if (version === good)
      reasons.push(`${version.name} cannot be restored and cleaned up after at once.`);
    else if (!faulty.includes(version)) faulty.push(version);
  }
  if (request.after.length === 0) reasons.push('No version is named to clean up after.');
  if (!good || reasons.length > 0) return reasons;
  const manifest = (version: LineageVersion): string =>
    where({ file: subject.manifestFile, ...version.entry.keyPlace });
  if (!isWanted(good)) {
    reasons.push(
      `${manifest(good)}: ${good.name} is ${good.entry.status.value}: nobody wants to be back there. Name a version that is good.`,
    );
  }
  if (lineage.capabilities.has('replace') === 'no') {
    reasons.push(
      `Kernel ${lineage.capabilities.release} has no cumulative livepatches: nothing replaces anything there.`,
    );
  }
  for (const version of [good, ...faulty]) {
    const { dialect } = version;
    if (dialect !== good.dialect) {
      reasons.push(
        `${manifest(version)}: ${version.name} is written in the dialect ${dialect} and ${good.name} in ${good.dialect}: the cleanup is written for versions of one dialect.`,
      );
    } else if (!version.program || !version.facts) {
      const missing = version.unread.length > 0 ? `: ${version.unread.join(', ')}` : '';
      const need =
        version === good ? 'the new version is a copy of them' : 'what it leaves behind is unknown';
      reasons.push(
        `${manifest(version)}: the sources of ${version.name} could not be read${missing}, and ${need}.`,
      );
    } else if (version.unread.length > 0) {
      reasons.push(
        `${manifest(version)}: not all sources of ${version.name} could be read: ${version.unread.join(', ')}.`,
      );
    } else if (!version.facts.patch) {
      reasons.push(`${manifest(version)}: ${version.name} has no struct klp_patch: it is no livepatch.`);
    }
  }
  const replace = good.facts?.patch?.replace;
  if (replace === false) {
    const place = good.facts?.patch?.replacePlace ?? good.facts?.patch?.place;
    reasons.push(
      `${place ? where(place) : manifest(good)}: ${good.name} does not set .replace: a copy of it would not replace ${faulty[0]?.name ?? 'anything'}.`,
    );
  }
  if (good.entry.inherited.has('git'))
    reasons.push(
      `${manifest(good)}: \`defaults\` gives every version a git revision, so the new one, which stands in the work tree, too: write \`git\` at each version.`,
    );
  const names = newNames(lineage, good, request.as);
  if ('reason' in names) reasons.push(names.reason);
  if (reasons.length > 0 || 'reason' in names) return reasons;
  faulty.sort((a, b) => a.index - b.index);
  return { good, faulty, names };
}
