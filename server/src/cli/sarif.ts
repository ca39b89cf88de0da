import type { Place, Severity } from '../core/place';
import type { Places } from '../core/places';
import type { Finding, Rule } from '../rules/rule';

const LEVEL: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  information: 'note',
  hint: 'note',
};

/**
 * Findings as one SARIF 2.1.0 run. Deterministic: no times, no machine names. `notices` is what stands in the way of a
 * complete answer.
 */
export function sarif(
  findings: readonly Finding[],
  rules: readonly Rule[],
  places: Places,
  notices: readonly string[] = [],
): object {
  const location = (place: Place): object => {
    const at = places.at(place);
    return {
      physicalLocation: {
        artifactLocation: {
          uri: at.file.split('/').map(encodeURIComponent).join('/'),
          ...(at.revision === undefined ? {} : { properties: { revision: at.revision } }),
        },
        region: { startLine: at.line, startColumn: at.column, endLine: at.endLine, endColumn: at.endColumn },
      },
    };
  };
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        columnKind: 'utf16CodeUnits',
        tool: {
          driver: {
            name: 'klp-lineage',
            informationUri: 'https://docs.kernel.org/livepatch/',
            rules: rules.map((rule) => ({
              id: rule.code,
              shortDescription: { text: rule.summary },
              fullDescription: { text: rule.summary },
              help: { text: rule.page, markdown: rule.page },
              defaultConfiguration: { level: LEVEL[rule.severity] },
            })),
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: notices.map((text) => ({ level: 'warning', message: { text } })),
          },
        ],
        results: findings.map((finding) => ({
          ruleId: finding.code,
          ruleIndex: rules.findIndex((rule) => rule.code === finding.code),
          level: LEVEL[finding.severity],
          message: { text: finding.message },
          locations: [location(finding.place)],
          relatedLocations: finding.related.map((related, id) => ({
            id,
            message: { text: related.message },
            ...location(related.place),
          })),
          properties: {
            certainty: finding.certainty,
            versions: finding.versions,
            ...(finding.run ? { run: finding.run } : {}),
          },
        })),
      },
    ],
  };
}
