import { formatStep } from '../core/manifest/steps';
import type { Span } from '../core/place';
import type { Analysis } from './analysis';
import { scenarioRun, scenarioText } from './hover-scenario';

/** How a scenario of the manifest ends in the model. */
export interface ScenarioResult {
  readonly name: string;
  readonly place: Span;
  /** As the command line takes them; null where it cannot be run. */
  readonly steps: string | null;
  readonly passed: boolean;
  /** How it ends and where it leaves the expected way, as Markdown. */
  readonly text: string;
}

/** Every scenario of the manifest, in its order. The runs are those that the findings are made from. */
export function scenarioResults(analysis: Analysis): ScenarioResult[] {
  return analysis.lineage.manifest.scenarios.map((scenario) => {
    const run = scenario.expect ? scenarioRun(analysis, scenario) : null;
    return {
      name: scenario.name.value,
      place: scenario.place,
      steps: run === null ? null : run.steps.map(formatStep).join('; '),
      passed: run !== null && run.verdict.word === scenario.expect?.value,
      text: scenarioText(analysis, scenario),
    };
  });
}
