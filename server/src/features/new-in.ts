import type { LineageVersion } from '../core/lineage/lineage';
import type { Severity } from '../core/place';
import type { Finding } from '../rules/rule';
import type { Analysis } from './analysis';

const WEAKEST_FIRST: readonly Severity[] = ['hint', 'information', 'warning', 'error'];

/**
 * The findings that a version causes: those that the lineage would not have without it, or would have in a milder form
 * only; those that the history had first with it, though a later version would cause them as well; and what is wrong
 * in its entry of the manifest.
 */
export function newIn(analysis: Analysis, version: LineageVersion): readonly Finding[] {
  const all = analysis.findings();
  const { versions } = analysis.lineage;
  const before = versions.slice(0, version.index);
  const without = notIn(analysis.findingsAmong(versions.filter((it) => it !== version)));
  const last = version.index === versions.length - 1;
  const unknownBefore = last ? without : notIn(analysis.findingsAmong(before));
  const unknownThen = last ? () => false : notIn(analysis.findingsAmong([...before, version]));
  const { start, end } = version.entry.place;
  return all.filter((finding) => {
    const { place } = finding;
    if (place.file === analysis.manifestFile && place.start >= start && place.end <= end) return true;
    return without(finding) || (!last && unknownBefore(finding) && !unknownThen(finding));
  });
}

/** Whether a finding is in none of these, or is only milder there. Messages name versions, so they do not count. */
function notIn(findings: readonly Finding[]): (finding: Finding) => boolean {
  const known = new Map<string, number>();
  for (const finding of findings)
    known.set(keyOf(finding), Math.max(weight(finding), known.get(keyOf(finding)) ?? 0));
  return (finding) => (known.get(keyOf(finding)) ?? -1) < weight(finding);
}

function keyOf({ code, place }: Finding): string {
  return `${code}\0${place.file}\0${place.start}\0${place.end}`;
}

function weight({ severity, certainty }: Finding): number {
  return WEAKEST_FIRST.indexOf(severity) * 2 + (certainty === 'must' ? 1 : 0);
}
