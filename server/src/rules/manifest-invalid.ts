import { knownNames, type LineageVersion } from '../core/lineage/lineage';
import type { Problem } from '../core/manifest/problem';
import { checkStepNames } from '../core/manifest/steps';
import type { RuleContext } from './context';
import type { Finding, Rule } from './rule';

/** Whatever is wrong with the manifest itself. */
export const manifestInvalid: Rule = {
  code: 'manifest-invalid',
  severity: 'error',
  kind: 'manifest',
  replacement: false,
  summary: 'the manifest says something that cannot be understood or cannot be right',
  documentation: { page: 'livepatch/cumulative-patches' },
  page: `
Everything that is wrong with a \`livepatch.yaml\` stands under this one code, each time with a precise message at the
precise place: YAML that cannot be read, unknown keys, values of the wrong type, duplicate names, references to versions
that do not exist, sources that are missing or lie outside the workspace.

The rest of the manifest is used as far as it can be understood, so one mistake does not silence everything else.

## Example

~~~yaml
lineage: net-fixes
kernel: 6.10            # wrong: a number, and the number 6.10 is 6.1
versions:
  - version: v1
    modul: net_v1       # wrong: unknown key, "module" is meant
~~~

~~~yaml
lineage: net-fixes
kernel: "6.10"
versions:
  - version: v1
    module: net_v1
    sources: v1/*.c
~~~

## What to do

Most messages come with a fix. A key that is known but has no effect yet is an information, not a fault.
`,
  check: (context) => [
    ...[...context.parsed.problems, ...context.sourceProblems, ...unknownNames(context)].map((problem) =>
      findingOf(context, problem),
    ),
    ...context.lineage.versions.flatMap(sourceFindings),
  ],
};

/** What is wrong with a version's sources themselves, at its place in them. */
function sourceFindings(version: LineageVersion): readonly Finding[] {
  return version.problems.flatMap(({ message, place, severity = 'error', code, related = [] }) =>
    code === undefined
      ? [
          {
            code: 'manifest-invalid',
            severity,
            message,
            certainty: 'must',
            place,
            versions: [version.name],
            related,
            fixes: [],
          } as const,
        ]
      : [],
  );
}

/** Steps of scenarios that name nobody: which modules are objects of a version only the sources tell. */
function unknownNames(context: RuleContext): readonly Problem[] {
  const known = knownNames(context.lineage);
  const said = new Set(context.parsed.problems.map((problem) => problem.place.start));
  return context.lineage.manifest.scenarios
    .flatMap((scenario) => checkStepNames(scenario.steps, known))
    .filter((problem) => !said.has(problem.place.start));
}

function findingOf(context: RuleContext, problem: Problem): Finding {
  const versions = context.lineage.versions.filter(({ entry }) => {
    const { start, end } = entry.place;
    return start <= problem.place.start && problem.place.end <= end;
  });
  return {
    code: 'manifest-invalid',
    severity: problem.severity,
    message: problem.message,
    certainty: 'must',
    place: context.manifestPlace(problem.place),
    versions: versions.map((version) => version.name),
    related: (problem.related ?? []).map(({ message, place }) => ({
      message,
      place: context.manifestPlace(place),
    })),
    fixes: problem.fix
      ? [
          {
            title: problem.fix.title,
            preferred: true,
            edits: problem.fix.edits.map(({ start, end, text }) => ({
              place: context.manifestPlace({ start, end }),
              text,
            })),
          },
        ]
      : [],
  };
}
