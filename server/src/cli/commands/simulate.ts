import { knownNames } from '../../core/lineage/lineage';
import { run } from '../../core/lineage/run';
import { VERDICTS, type VerdictWord } from '../../core/lineage/verdict';
import { checkStepNames, parseSteps, type Step } from '../../core/manifest/steps';
import { runText } from '../../features/run-text';
import { EXIT, Failure } from '../failure';
import { runJson } from '../json';
import { openLineage, requireUsable } from '../open';
import { print, printJson } from '../print';
import type { Command } from '../program';
import { printable, printableLine } from '../terminal';

/** Runs steps on a clean kernel and prints what happened. */
export const simulate: Command = {
  usage:
    'simulate [PATH] --steps "load v1; load v2" [--format text|json|log] [--no-debug] [--fail-on leaves|unsafe|refused]',
  summary: 'what the kernel does in a sequence of steps: log, callbacks called and skipped, leftovers',
  options: {
    steps: { type: 'string' },
    format: { type: 'string' },
    'no-debug': { type: 'boolean' },
    'fail-on': { type: 'string' },
  },
  positionals: 1,
  async run([path], options) {
    const format = options.format ?? 'text';
    if (format !== 'text' && format !== 'json' && format !== 'log') {
      throw new Failure(`--format is text, json or log, not "${String(format)}"`);
    }
    const failOn = verdictOption(options['fail-on']);
    if (typeof options.steps !== 'string')
      throw new Failure('--steps is missing, as in --steps "load v1; load v2"');
    const opened = await openLineage(path);
    requireUsable(opened);
    const steps = readSteps(options.steps, knownNames(opened.analysis.lineage));
    const result = run(opened.analysis.lineage, steps);
    if (format === 'json') printJson(runJson(result, opened.places));
    else if (format === 'log') {
      const debug = options['no-debug'] !== true;
      for (const outcome of result.outcomes) {
        for (const it of outcome.happenings) {
          // What a work item prints at a time of its own is not for comparing.
          if (it.k === 'log' && it.timed && (debug || !it.debug)) print(`${printableLine(it.text)}\n`);
        }
      }
    } else print(printable(runText(result, opened.places)));
    return failOn !== null && VERDICTS.indexOf(result.verdict.word) >= VERDICTS.indexOf(failOn)
      ? EXIT.findings
      : EXIT.fine;
  },
};

/** The steps of a text, all names known; anything else is unusable input. */
export function readSteps(text: string, known: ReadonlySet<string>): Step[] {
  const { steps, problems } = parseSteps(text);
  const problem = problems[0] ?? checkStepNames(steps, known)[0];
  if (problem) throw new Failure(`--steps, at ${problem.place.start + 1}: ${problem.message}`);
  if (steps.length === 0) throw new Failure('--steps holds no step');
  return steps.map((step) => step.value);
}

/** The verdict word of `--fail-on`, or null where it is not given. */
export function verdictOption(value: string | boolean | undefined): VerdictWord | null {
  if (value === undefined) return null;
  if (value === 'leaves' || value === 'unsafe' || value === 'refused') return value;
  throw new Failure(`--fail-on is leaves, unsafe or refused, not "${String(value)}"`);
}
