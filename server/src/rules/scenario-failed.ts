import { knownNames } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import { describeEffect, firstRefusal, VERDICTS, worstLeftover } from '../core/lineage/verdict';
import type { Scenario } from '../core/manifest/manifest';
import { checkStepNames, formatStep } from '../core/manifest/steps';
import type { Certainty } from '../core/place';
import type { RuleContext } from './context';
import type { Finding, RelatedPlace, Rule } from './rule';
import { milder, uncertainty } from './wording';

/** A run that the manifest describes ends in another way than it says. */
export const scenarioFailed: Rule = {
  code: 'scenario-failed',
  severity: 'error',
  kind: 'run',
  replacement: false,
  summary: 'a scenario of the manifest did not end as expected',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'usage' },
  page: `
The manifest's \`scenarios\` are runs that must stay as they are: each has steps and the verdict that they are to end
with. They are carried out with every check. This finding stands at the verdict of one that ends in another way, and
carries its run.

| verdict | meaning |
|---|---|
| \`clean\` | nothing stays behind |
| \`leaves\` | a side effect would still be there after everything was disabled and unloaded |
| \`refused\` | the kernel answered a load with an error |
| \`unsafe\` | a pointer into a module that can be removed, a double registration, a kernel warning, a deadlock |

If only a branch on a value that nobody knows leads to the other end, the finding says that it may be so.

## Example

~~~yaml
scenarios:
  - name: roll back the faulty v2
    steps: [load v1, load v2, load v3, unload v2]
    expect: clean        # v3 no longer removes v2's notifier: it ends unsafe
~~~

## What to do

Look at the run: \`klp-lineage simulate --steps "…"\` tells every callback and every side effect of it. Then change the
version that is to blame, or the verdict if the scenario was wrong about it.
`,
  check: (context) => context.lineage.manifest.scenarios.flatMap((scenario) => failureOf(context, scenario)),
};

function failureOf(context: RuleContext, scenario: Scenario): Finding[] {
  const { lineage } = context;
  const { expect, name, complete } = scenario;
  // What names nobody is an error of the manifest and said there.
  if (!complete || !expect || checkStepNames(scenario.steps, knownNames(lineage)).length > 0) return [];
  const steps = scenario.steps.map((step) => step.value);
  const named = new Set(steps.flatMap((step) => ('name' in step ? [step.name] : [])));
  const versions = lineage.versions.filter((version) => named.has(version.name) || named.has(version.module));
  const run = context.transitions.runAsWritten(steps, versions);
  if (run.verdict.word === expect.value) return [];
  const certainty = certaintyOf(run, expect.value);
  const related = culprit(run);
  const why = certainty === 'may' ? uncertainty(run) : '';
  const message = `The scenario "${name.value}" ${certainty === 'may' ? 'may end' : 'ends'} ${run.verdict.word}, not ${expect.value}: ${reason(run)}.${why}`;
  return [
    {
      code: 'scenario-failed',
      severity: certainty === 'may' ? milder('error') : 'error',
      message,
      certainty,
      place: context.manifestPlace(expect.place),
      versions: versions.map((version) => version.name),
      related,
      run: steps.map(formatStep),
      fixes: [],
    },
  ];
}

/** A worse end is as sure as the verdict; a better one only if everything could be read. */
function certaintyOf(run: Run, expected: Run['verdict']['word']): Certainty {
  const { word, certainty } = run.verdict;
  if (VERDICTS.indexOf(word) > VERDICTS.indexOf(expected)) return certainty;
  return run.unknown.some((item) => item.kind !== 'unknown-branch') ? 'may' : certainty;
}

function reason(run: Run): string {
  const { verdict } = run;
  const [danger] = verdict.dangers;
  const leftover = worstLeftover(verdict.leftovers);
  if (danger) {
    const step = run.steps[danger.step];
    return `${danger.text}${step ? `, at "${formatStep(step)}"` : ''}`;
  }
  const refusal = firstRefusal(verdict);
  const step = refusal && run.steps[refusal.step];
  if (verdict.word === 'refused' && step) return `"${formatStep(step)}" answers ${refusal.result}`;
  if (leftover) {
    return `the ${describeEffect(leftover.effect)} of ${leftover.version?.name ?? 'a version'} stays behind (${leftover.hazard})`;
  }
  return 'no load is refused and nothing stays behind';
}

/** Where that comes from in the sources. */
function culprit(run: Run): RelatedPlace[] {
  const { verdict } = run;
  const [danger] = verdict.dangers;
  if (danger?.place)
    return [{ message: `${danger.version?.name ?? ''}: ${danger.text}`, place: danger.place }];
  const leftover = verdict.word === 'leaves' ? worstLeftover(verdict.leftovers) : undefined;
  if (!leftover) return [];
  return [
    {
      message: `${leftover.version?.name ?? 'a version'}: the ${describeEffect(leftover.effect)} is made here`,
      place: leftover.place,
    },
  ];
}
