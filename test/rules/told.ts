import type { Place } from '../../server/src/core/place';
import type { RuleContext } from '../../server/src/rules/context';
import type { Finding } from '../../server/src/rules/rule';
import { type Checked, check } from './fixture';

/** A finding as a person meets it. */
export interface Told extends Pick<Finding, 'severity' | 'certainty' | 'message' | 'versions'> {
  /** File and text that it stands on, in one line. */
  readonly on: string;
  /** `file: text: message`. */
  readonly related: readonly string[];
  readonly run: readonly string[];
  /** Titles. */
  readonly fixes: readonly string[];
}

/** All that a rule tells of a lineage, word for word. */
export async function told(text: string, code: string): Promise<readonly Told[]> {
  const checked = await check(text);
  return checked.findings
    .filter((finding) => finding.code === code)
    .map((finding) => ({
      severity: finding.severity,
      certainty: finding.certainty,
      message: finding.message,
      versions: finding.versions,
      on: shown(checked, finding.place),
      related: finding.related.map(({ place, message }) => `${shown(checked, place)}: ${message}`),
      run: finding.run ?? [],
      fixes: finding.fixes.map(({ title }) => title),
    }));
}

function shown({ fixture }: Checked, place: Place): string {
  const file = place.file.replace('/lineage/', '');
  return `${file}: ${(fixture.files.get(file) ?? '').slice(place.start, place.end).replace(/\s+/g, ' ')}`;
}

/** What rules get to see of a lineage, for those that a test makes itself and for what several rules share. */
export async function contextOf(text: string): Promise<RuleContext> {
  const { project, fixture } = await check(text);
  const { manifestFile, parsed, lineage, transitions } = project.analyse();
  return {
    manifestFile,
    parsed,
    sourceProblems: [],
    lineage,
    transitions,
    severity: (_code, standard) => standard,
    text: (file) => fixture.files.get(file.replace('/lineage/', '')) ?? '',
    unitsOf: (version) => version.program?.units ?? [],
    manifestPlace: (span) => ({ file: manifestFile, ...span }),
  };
}
