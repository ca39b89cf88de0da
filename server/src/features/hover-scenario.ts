import { knownNames } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import {
  describeEffect,
  firstRefusal,
  leftovers,
  VERDICTS,
  type Verdict,
  worstLeftover,
} from '../core/lineage/verdict';
import { World } from '../core/lineage/world';
import type { Scenario } from '../core/manifest/manifest';
import { checkStepNames, formatStep } from '../core/manifest/steps';
import type { Analysis } from './analysis';
import { type HoverAnswer, holds } from './hover';
import { escapeMarkdown, inlineCode } from './markdown';
import { callText, resultText } from './run-text';

/** Steps that a hover lists, and up to which it looks for the one where a leftover begins. */
const MOST_STEPS = 100;

/** On the name, a step or the verdict of a scenario: how it ends, where it begins to differ, and its steps. */
export function hoverScenario(analysis: Analysis, offset: number): HoverAnswer | null {
  for (const scenario of analysis.lineage.manifest.scenarios) {
    if (!holds(scenario.place, offset)) continue;
    const { name, steps, expect } = scenario;
    const places = [name.place, ...steps.map((step) => step.place), ...(expect ? [expect.place] : [])];
    const span = places.find((place) => holds(place, offset));
    if (span) return { markdown: scenarioText(analysis, scenario), span };
  }
  return null;
}

/** The run of a scenario; null where it is not complete or a step names nobody. */
export function scenarioRun({ lineage, transitions }: Analysis, scenario: Scenario): Run | null {
  if (!scenario.complete || checkStepNames(scenario.steps, knownNames(lineage)).length > 0) return null;
  const steps = scenario.steps.map((step) => step.value);
  const named = new Set(steps.flatMap((step) => ('name' in step ? [step.name] : [])));
  const versions = lineage.versions.filter((version) => named.has(version.name) || named.has(version.module));
  return transitions.runOf(steps, versions);
}

/** How a scenario ends, as Markdown. */
export function scenarioText(analysis: Analysis, scenario: Scenario): string {
  const title = `Scenario ${inlineCode(scenario.name.value)}`;
  const { expect } = scenario;
  const run = scenarioRun(analysis, scenario);
  if (run === null || !expect) return `${title} is not run: it is not complete, or a step names nobody.`;
  const { word, certainty } = run.verdict;
  const end = `${word}**${certainty === 'may' ? ' (may: something unknown stands in between)' : ''}`;
  const lines = [
    word === expect.value
      ? `${title} ends **${end}, as expected.`
      : `${title} **fails**: it ends **${end}, expected was **${expect.value}**.`,
  ];
  const differs = word === expect.value ? null : firstDifference(run, expect.value);
  if (differs) {
    const step = run.steps[differs.step];
    const where = step
      ? `First step that differs: ${differs.step + 1}. ${inlineCode(formatStep(step))}: `
      : '';
    lines.push('', `${where}${escapeMarkdown(differs.text)}.`);
  }
  lines.push('', '| | step | result | callbacks |', '|---|---|---|---|');
  run.outcomes.slice(0, MOST_STEPS).forEach((outcome, index) => {
    const calls = outcome.happenings.flatMap((it) =>
      it.k === 'calling' ? [inlineCode(callText(run.end, it.call))] : [],
    );
    const mark = differs?.step === index ? '✗ ' : '';
    lines.push(
      `| ${mark}${index + 1} | ${inlineCode(formatStep(outcome.step))} | ${resultText(outcome.result)} | ${calls.join(', ')} |`,
    );
  });
  if (run.outcomes.length > MOST_STEPS)
    lines.push('', `… and ${run.outcomes.length - MOST_STEPS} more steps.`);
  return lines.join('\n');
}

interface Difference {
  /** Index of the step; -1 where no step differs, which is the point. */
  readonly step: number;
  readonly text: string;
}

/** Where a run leaves the way to the expected verdict. */
function firstDifference(run: Run, expected: Verdict['word']): Difference {
  const { verdict } = run;
  if (VERDICTS.indexOf(verdict.word) < VERDICTS.indexOf(expected)) {
    return { step: -1, text: `No step makes it ${expected}` };
  }
  const danger = verdict.dangers[0];
  const refusal = firstRefusal(verdict);
  if (verdict.word === 'unsafe' && danger) return { step: danger.step, text: danger.text };
  if (verdict.word === 'refused' && refusal) {
    return { step: refusal.step, text: `the kernel answers ${resultText(refusal.result)}` };
  }
  const leftover = worstLeftover(verdict.leftovers);
  if (!leftover) return { step: -1, text: `No step makes it ${expected}` };
  return {
    step: stepOfLeftover(run),
    text: `the ${describeEffect(leftover.effect)} of ${leftover.version?.name ?? 'a version'} has no owner any more and stays (${leftover.hazard})`,
  };
}

/** The first step after which something stays to the end; -1 where the way of success does not show it. */
function stepOfLeftover(run: Run): number {
  const { lineage } = run.end;
  const world = new World(lineage);
  const final = new Set(run.verdict.leftovers.map((leftover) => leftover.effect.id));
  let first = -1;
  run.steps.slice(0, MOST_STEPS).forEach((step, index) => {
    world.apply(step);
    const stays = leftovers(world).leftovers.some((leftover) => final.has(leftover.effect.id));
    if (!stays) first = -1;
    else if (first < 0) first = index;
  });
  return first;
}
