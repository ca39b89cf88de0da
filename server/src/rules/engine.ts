import { workTreePath } from '../core/blob-names';
import { isDraft, versionByName } from '../core/lineage/lineage';
import type { Place, Severity } from '../core/place';
import type { RuleContext } from './context';
import { isDiff, withinAddedLine } from './diff-lines';
import { RULES } from './registry';
import type { Finding, Fix, RelatedPlace, Rule } from './rule';
import { type Suppression, suppressionsOf } from './suppressions';
import { unusedSuppressions } from './unused-suppression';

/** Of the findings with one cause the first of this order speaks, the others become related information of it. */
export const PRECEDENCE: readonly string[] = [
  'dangling-module-pointer',
  'orphaned-side-effect',
  'cleanup-impossible',
  'unpublished-pointer',
  'undo-only-in-own-unpatch',
];

const WEAKEST_FIRST: readonly Severity[] = ['hint', 'information', 'warning', 'error'];

/**
 * Everything the rules have to say about a lineage, in a fixed order (file, offset, code). Of rules that throw it is
 * said, on the first line of the manifest, that they could not be checked; the others go on. `onFault` hears of each.
 */
export function checkAll(
  context: RuleContext,
  rules: readonly Rule[] = RULES,
  onFault: (code: string, error: unknown) => void = () => {},
): Finding[] {
  const faulty = new Map<string, unknown>();
  const replacing = context.lineage.versions.some(
    (version) => version.facts?.patch != null && version.facts.patch.replace !== false,
  );
  const found: Finding[] = [];
  for (const rule of rules) {
    if (rule.replacement && !replacing) continue;
    try {
      for (const finding of rule.check(context)) {
        const settled = settle(context, rule, finding);
        if (settled) found.push(settled);
      }
    } catch (error) {
      faulty.set(rule.code, error);
      onFault(rule.code, error);
    }
  }
  const suppressions = suppressionsOf(context);
  const spoken = suppress(oneCauseOneFinding(found), suppressions);
  const unused = rules.find((rule) => rule.code === 'unused-suppression');
  if (unused) {
    const silent = new Set(faulty.keys());
    for (const rule of rules) if (context.severity(rule.code, rule.severity) === null) silent.add(rule.code);
    const rest = unusedSuppressions(context, suppressions, rules, silent)
      .map((finding) => settle(context, unused, finding))
      .filter((finding): finding is Finding => finding !== null);
    spoken.push(...suppress(rest, suppressions));
  }
  for (const [, error] of [...faulty].slice(0, 1)) {
    const what = `${[...faulty.keys()].join(', ')} could not be checked`;
    spoken.push(faultFinding(what, error, context.manifestPlace({ start: 0, end: 0 })));
  }
  return spoken.sort(byPlace);
}

/** An error of this program's own: said as a finding, for silence would be taken for a clean answer. */
export function faultFinding(what: string, error: unknown, place: Place): Finding {
  return {
    code: 'manifest-invalid',
    severity: 'error',
    message: faultText(what, error),
    certainty: 'must',
    place,
    versions: [],
    related: [],
    fixes: [],
  };
}

/** In words for a person; the program's log has no more to say of it. */
export function faultText(what: string, error: unknown): string {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `${what}, for this program failed there (${why}). The rest was. Please report it.`;
}

/**
 * The severity that the manifest wants. What stands in a version that cannot be changed any more is at most a
 * warning unless the manifest says otherwise, and what would change such a source is not offered as a fix.
 */
function settle(context: RuleContext, rule: Rule, finding: Finding): Finding | null {
  const wanted = context.severity(rule.code, finding.severity);
  if (wanted === null) return null;
  const version = versionByName(context.lineage, finding.versions[0] ?? '');
  const fixed = version !== undefined && !isDraft(version) && finding.place.file !== context.manifestFile;
  let severity = rule.kind === 'manifest' ? weaker(wanted, finding.severity) : wanted;
  if (fixed && wanted === finding.severity) severity = weaker(severity, 'warning');
  const fixes = finding.fixes.filter(
    (fix) =>
      fix.edits.length === 0 ||
      (!fixed &&
        fix.edits.every((edit) => edit.place.revision === undefined && keepsDiffWhole(context, edit))),
  );
  return { ...finding, severity, fixes };
}

/** A hunk's header counts its lines: in a diff only the text of one added line may change. */
function keepsDiffWhole(context: RuleContext, { place, text }: Fix['edits'][number]): boolean {
  return !isDiff(place.file) || (!text.includes('\n') && withinAddedLine(context.text(place.file), place));
}

function weaker(a: Severity, b: Severity): Severity {
  return WEAKEST_FIRST.indexOf(a) <= WEAKEST_FIRST.indexOf(b) ? a : b;
}

function oneCauseOneFinding(findings: readonly Finding[]): Finding[] {
  const first = new Map<string, Finding>();
  const others = new Map<string, RelatedPlace[]>();
  const rank = (finding: Finding): number => PRECEDENCE.indexOf(finding.code);
  for (const finding of findings) {
    if (finding.cause === undefined || rank(finding) < 0) continue;
    const known = first.get(finding.cause);
    if (!known || rank(finding) < rank(known)) first.set(finding.cause, finding);
  }
  const result: Finding[] = [];
  for (const finding of findings) {
    const speaker = finding.cause === undefined || rank(finding) < 0 ? undefined : first.get(finding.cause);
    if (!speaker || speaker.code === finding.code) result.push(finding);
    else {
      const related = others.get(speaker.cause ?? '') ?? [];
      // Two rules that tell one cause in the same words have told it once.
      const message =
        finding.message === speaker.message
          ? `also ${finding.code}`
          : `also ${finding.code}: ${finding.message}`;
      related.push({ message, place: finding.place });
      others.set(speaker.cause ?? '', related);
    }
  }
  return result.map((finding) => {
    const more = finding.cause === undefined || rank(finding) < 0 ? undefined : others.get(finding.cause);
    return more ? { ...finding, related: [...finding.related, ...more] } : finding;
  });
}

function suppress(findings: readonly Finding[], suppressions: readonly Suppression[]): Finding[] {
  return findings.filter((finding) => {
    let suppressed = false;
    for (const suppression of suppressions) {
      if (!suppression.codes.includes(finding.code) || !covers(suppression, finding.place)) continue;
      suppression.used.add(finding.code);
      suppressed = true;
    }
    return !suppressed;
  });
}

function covers(suppression: Suppression, place: Place): boolean {
  return (
    suppression.place.file === place.file &&
    suppression.place.revision === place.revision &&
    place.start >= suppression.covers.start &&
    place.start <= suppression.covers.end
  );
}

function byPlace(a: Finding, b: Finding): number {
  return (
    compare(workTreePath(a.place.file), workTreePath(b.place.file)) ||
    compare(a.place.file, b.place.file) ||
    a.place.start - b.place.start ||
    a.place.end - b.place.end ||
    compare(a.code, b.code) ||
    compare(a.message, b.message)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
