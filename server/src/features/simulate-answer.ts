import { knownNames, type LineageVersion, versionByName } from '../core/lineage/lineage';
import { run } from '../core/lineage/run';
import { checkStepNames, parseSteps, type Step } from '../core/manifest/steps';
import type { Places } from '../core/places';
import type { Analysis } from './analysis';
import { explainMarkdown } from './explain';
import { runDocument } from './run-text';

/** Why there is no run: the words and where in the typed text, UTF-16 offsets from 0. */
export interface StepsProblem {
  readonly problem: string;
  readonly start: number;
  readonly end: number;
}

/** More steps than a person types; the command line takes longer runs. */
const MOST_STEPS = 500;

/** The steps of a typed text (`load v1; load v2`), every name known to the lineage, or the first thing wrong. */
export function readTypedSteps(analysis: Analysis, text: string): readonly Step[] | StepsProblem {
  const { lineage, parsed } = analysis;
  const whole = { start: 0, end: text.length };
  if (lineage.versions.length === 0) return { problem: 'The manifest names no version.', ...whole };
  if (parsed.problems.some((problem) => problem.severity === 'error')) {
    return { problem: 'The manifest has errors; mend them first.', ...whole };
  }
  const { steps, problems } = parseSteps(text);
  const problem = problems[0] ?? checkStepNames(steps, knownNames(lineage))[0];
  if (problem) return { problem: problem.message, start: problem.place.start, end: problem.place.end };
  if (steps.length === 0) return { problem: 'Type steps, such as "load v1; load v2".', ...whole };
  const first = steps[MOST_STEPS];
  if (first) {
    return {
      problem: `More than ${MOST_STEPS} steps: use klp-lineage simulate.`,
      start: first.place.start,
      end: text.length,
    };
  }
  return steps.map((step) => step.value);
}

/** The typed steps run on a clean kernel, told as a document. */
export function simulateAnswer(
  analysis: Analysis,
  steps: string,
  places: Places,
): { readonly text: string } | StepsProblem {
  const read = readTypedSteps(analysis, steps);
  if ('problem' in read) return read;
  // Not kept among the transitions: what is typed has no end.
  return { text: runDocument(run(analysis.lineage, read), places) };
}

/** One transition as a Markdown document; `from` may be `none`, the clean kernel. */
export function explainAnswer(
  analysis: Analysis,
  from: string,
  to: string,
  places: Places,
): { readonly text: string } | { readonly problem: string } {
  const target = versionByName(analysis.lineage, to);
  const origin: LineageVersion | null | undefined =
    from === 'none' ? null : versionByName(analysis.lineage, from);
  if (!target || origin === undefined)
    return { problem: `The lineage has no version "${target ? from : to}".` };
  if (origin === target) return { problem: 'The two versions are the same.' };
  return { text: explainMarkdown(analysis.transitions, origin, target, places) };
}
