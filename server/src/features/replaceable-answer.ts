import { versionByName } from '../core/lineage/lineage';
import { type Replaceable, replaceable } from '../core/scaffold/replaceable';
import type { Finding } from '../rules/rule';
import type { Analysis } from './analysis';

/** Whether a finding says that the side effect at its place is out of every later version's reach. */
export function isOutOfReach({ code }: Finding): boolean {
  return code === 'cleanup-impossible' || code === 'unpublished-pointer';
}

/** The edits that bring into reach what the findings of a draft say no later version can clean up. */
export function replaceableAnswer(analysis: Analysis, name: string): Replaceable {
  const version = versionByName(analysis.lineage, name);
  if (!version) return { changes: [], done: [], reasons: [`No version is called "${name}".`] };
  const places = analysis
    .findings()
    .filter((finding) => isOutOfReach(finding) && finding.versions[0] === version.name)
    .map((finding) => finding.place);
  return replaceable(analysis, version, places);
}
