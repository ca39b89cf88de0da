import { readFileSync } from 'node:fs';
import { versionByName } from '../../core/lineage/lineage';
import type { Severity } from '../../core/place';
import type { Places } from '../../core/places';
import { newIn } from '../../features/new-in';
import { searchNotices } from '../../features/search-notices';
import { reasonOf } from '../../host/files';
import { placesOf } from '../../host/places-of';
import { RULES } from '../../rules/registry';
import type { Finding } from '../../rules/rule';
import { EXIT, Failure } from '../failure';
import { findingJson } from '../json';
import { openLineage } from '../open';
import { print, printJson } from '../print';
import type { Command } from '../program';
import { sarif } from '../sarif';
import { printableLine, type Style, styleFor } from '../terminal';

const ORDER: readonly Severity[] = ['hint', 'information', 'warning', 'error'];

/** All findings of a lineage. */
export const check: Command = {
  usage:
    'check [PATH] [--format text|json|sarif] [--fail-on hint|information|warning|error] [--new-in VERSION] [--baseline FILE] [--absolute]',
  summary: 'findings in the manifest and the sources',
  options: {
    format: { type: 'string' },
    'fail-on': { type: 'string' },
    'new-in': { type: 'string' },
    baseline: { type: 'string' },
    absolute: { type: 'boolean' },
  },
  positionals: 1,
  async run([path], options) {
    const format = options.format ?? 'text';
    if (format !== 'text' && format !== 'json' && format !== 'sarif') {
      throw new Failure(`--format is text, json or sarif, not "${String(format)}"`);
    }
    const failOn = severityOption(options['fail-on'] ?? 'error');
    const baseline = typeof options.baseline === 'string' ? readBaseline(options.baseline) : null;
    const opened = await openLineage(path);
    let findings = opened.analysis.findings();
    const named = options['new-in'];
    if (typeof named === 'string') {
      const version = versionByName(opened.analysis.lineage, named);
      if (!version) throw new Failure(`--new-in: no version is called "${named}"`);
      findings = newIn(opened.analysis, version);
    }
    if (baseline)
      findings = withoutKnown(findings, baseline, (finding) => opened.places.file(finding.place.file));
    const notices = searchNotices(opened.analysis);
    if (format === 'json') {
      const json = findings.map((finding) => findingJson(finding, opened.places));
      printJson({ schema: 1, findings: json, notices });
    } else if (format === 'sarif') {
      printJson(sarif(findings, RULES, opened.places, notices));
    } else {
      const style = styleFor(process.stdout.isTTY === true && !process.env.NO_COLOR);
      const places = options.absolute === true ? placesOf(opened.project, 'absolute') : opened.places;
      for (const finding of findings) print(findingText(finding, places, style));
      print(`${summary(findings)}\n`);
      for (const notice of notices) print(`${notice}\n`);
    }
    const limit = ORDER.indexOf(failOn);
    return findings.some((finding) => ORDER.indexOf(finding.severity) >= limit) ? EXIT.findings : EXIT.fine;
  },
};

function severityOption(value: string | boolean): Severity {
  const severity = ORDER.find((item) => item === value);
  if (!severity) throw new Failure(`--fail-on is ${ORDER.join(', ')}, not "${String(value)}"`);
  return severity;
}

function findingText(finding: Finding, places: Places, style: Style): string {
  const at = places.at(finding.place);
  const paint =
    finding.severity === 'error' ? style.red : finding.severity === 'warning' ? style.yellow : style.blue;
  const lines = [
    `${style.bold(printableLine(`${places.text(finding.place)}:${at.column}`))}: ${paint(finding.severity)}: ${printableLine(finding.message)} [${finding.code}]`,
  ];
  for (const related of finding.related) {
    lines.push(`    ${printableLine(`${places.text(related.place)}: ${related.message}`)}`);
  }
  if (finding.run) lines.push(`    ${style.dim(printableLine(`shown by: ${finding.run.join('; ')}`))}`);
  return `${lines.join('\n')}\n`;
}

function summary(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'no findings';
  const counts = [...ORDER]
    .reverse()
    .map((severity) => ({ severity, n: findings.filter((finding) => finding.severity === severity).length }))
    .filter(({ n }) => n > 0)
    .map(
      ({ severity, n }) =>
        `${n} ${severity}${n > 1 && (severity === 'error' || severity === 'warning' || severity === 'hint') ? 's' : ''}`,
    );
  return counts.join(', ');
}

/** What an earlier `check --format json` reported, as multiset of code, file and message: lines may have moved. */
function readBaseline(path: string): Map<string, number> {
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : reasonOf(error);
    throw new Failure(`--baseline ${path}: ${why}; it is what "check --format json" printed`);
  }
  const findings = typeof data === 'object' && data !== null && 'findings' in data ? data.findings : null;
  if (!Array.isArray(findings))
    throw new Failure(`--baseline ${path}: no "findings" in it; it is what "check --format json" printed`);
  const known = new Map<string, number>();
  for (const item of findings as readonly (Record<string, unknown> | null)[]) {
    const key = `${String(item?.code)}\0${String(item?.file)}\0${String(item?.message)}`;
    known.set(key, (known.get(key) ?? 0) + 1);
  }
  return known;
}

function withoutKnown(
  findings: readonly Finding[],
  baseline: Map<string, number>,
  fileOf: (finding: Finding) => string,
): Finding[] {
  const left = new Map(baseline);
  return findings.filter((finding) => {
    const key = `${finding.code}\0${fileOf(finding)}\0${finding.message}`;
    const count = left.get(key) ?? 0;
    if (count > 0) left.set(key, count - 1);
    return count === 0;
  });
}
