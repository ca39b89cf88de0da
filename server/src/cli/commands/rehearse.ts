import { dirname, relative, sep } from 'node:path';
import { workTreePath } from '../../core/blob-names';
import { knownNames, targetByName, versionByName } from '../../core/lineage/lineage';
import { type Run, run } from '../../core/lineage/run';
import { formatStep, type Step } from '../../core/manifest/steps';
import type { Analysis } from '../../features/analysis';
import { interestingWays, type NamedWay } from '../../features/rehearsal-ways';
import { type ComparedStep, compareStep } from '../../host/rehearsal/compare';
import { RehearsalFailure } from '../../host/rehearsal/failure';
import { debianKernel, kernelFromFiles, type RehearsalKernel } from '../../host/rehearsal/kernel-packages';
import type { ModuleSource } from '../../host/rehearsal/modules';
import { keepRecord } from '../../host/rehearsal/record';
import {
  cannotRehearse,
  type RehearsalStep,
  type RehearsedScenario,
  rehearse as rehearseInGuest,
} from '../../host/rehearsal/rehearse';
import { EXIT, Failure } from '../failure';
import { openLineage, requireUsable } from '../open';
import { textOrJson } from '../options';
import { print, printJson } from '../print';
import type { Command, Options } from '../program';
import { printable, type Style, styleFor } from '../terminal';
import { readSteps } from './simulate';

const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One way, predicted and seen. */
interface Rehearsed {
  readonly name: string;
  readonly predicted: Run;
  readonly real: RehearsedScenario;
  readonly steps: readonly ComparedStep[];
  readonly same: boolean;
}

/** Builds the modules, runs steps in a real kernel in an emulator, and holds its log against the prediction. */
export const rehearse: Command = {
  usage:
    'rehearse [PATH] [--steps "load v1; load v2" | --search] [--read FILE] [--kernel 6.1] [--headers DIR --image FILE] [--format text|json]',
  summary: 'the same steps in a real kernel (emulated), its log held against the prediction',
  options: {
    steps: { type: 'string' },
    search: { type: 'boolean' },
    read: { type: 'string' },
    kernel: { type: 'string' },
    headers: { type: 'string' },
    image: { type: 'string' },
    format: { type: 'string' },
  },
  positionals: 1,
  async run([path], options) {
    const format = textOrJson(options.format);
    const opened = await openLineage(path);
    requireUsable(opened);
    const { analysis } = opened;
    const ways = waysOf(analysis, options);
    const modules = modulesOf(
      analysis,
      ways.flatMap((way) => way.steps),
    );
    for (const way of ways) {
      const reason = cannotRehearse(
        typeof options.read === 'string' ? [...way.steps, { k: 'read', path: options.read }] : way.steps,
      );
      if (reason !== null) throw new Failure(`${way.name}: ${reason}`);
    }
    const stop = new AbortController();
    const interrupt = (): void => stop.abort();
    // A task that is stopped and a terminal that is closed are interrupts too; one more does not hurry what tidies up.
    for (const signal of INTERRUPTS) process.on(signal, interrupt);
    const progress = (text: string): void => void process.stderr.write(`${printable(text)}\n`);
    try {
      const kernel = await kernelOf(analysis, options, stop.signal, progress);
      // Touching what may have been left shows what it is worth.
      const reading: RehearsalStep[] =
        typeof options.read === 'string' ? [{ k: 'read', path: options.read }] : [];
      const predicted = ways.map((way) => run(analysis.lineage, way.steps));
      const rehearsal = await rehearseInGuest({
        kernel,
        modules,
        scenarios: ways.map((way, i) => ({
          steps: [...way.steps.map((step) => withModule(analysis, step)), ...reading],
          pending: (predicted[i]?.outcomes ?? []).map((outcome) => outcome.transition !== null),
          alone: predicted[i]?.verdict.word !== 'clean',
        })),
        signal: stop.signal,
        progress,
      });
      const names = modules.map((module) => module.name);
      const rehearsed = ways.map((way, i) =>
        compared(way.name, run(analysis.lineage, way.steps), rehearsal.scenarios[i], names),
      );
      const when = new Date().toISOString();
      ways.forEach((way, i) => {
        const one = rehearsed[i];
        const { release } = rehearsal;
        if (one) keepRecord(analysis, way.steps, { release, when, same: one.same, crash: crashOf(one) });
      });
      if (format === 'json') printJson(jsonOf(rehearsal.release, rehearsed));
      else for (const one of rehearsed) print(textOf(rehearsal.release, one, terminalStyle()));
      return rehearsed.every((one) => one.same) ? EXIT.fine : EXIT.findings;
    } catch (error) {
      throw error instanceof RehearsalFailure ? failureFor(error) : error;
    } finally {
      for (const signal of INTERRUPTS) process.removeListener(signal, interrupt);
    }
  },
};

function crashOf({ real }: Rehearsed): string | null {
  return real.crash ? `${real.crash.headline} (${real.crash.kind})` : null;
}

function terminalStyle(): Style {
  return styleFor(process.stdout.isTTY === true && !process.env.NO_COLOR);
}

function failureFor(error: RehearsalFailure): Failure {
  const details = error.details.length > 0 ? `: ${error.details.slice(0, 5).join(' | ')}` : '';
  return new Failure(
    `${error.message}${details}`,
    error.kind === 'interrupted' ? EXIT.interrupted : EXIT.usage,
  );
}

/** What is rehearsed: the steps that are given, the manifest's scenarios, or what the search thinks interesting. */
function waysOf(analysis: Analysis, options: Options): readonly NamedWay[] {
  if (typeof options.steps === 'string') {
    return [{ name: options.steps, steps: readSteps(options.steps, knownNames(analysis.lineage)) }];
  }
  const scenarios = analysis.lineage.manifest.scenarios.filter((scenario) => scenario.complete);
  if (options.search === true || scenarios.length === 0) {
    const ways = interestingWays(
      analysis,
      (steps) => cannotRehearse(steps) === null && steps.every((step) => hasSources(analysis, step)),
    );
    if (ways.length > 0) return ways;
    throw new Failure(
      'no version has sources that could be rehearsed: name steps with --steps "load v1; load v2"',
    );
  }
  return scenarios.map((scenario) => ({
    name: scenario.name.value,
    steps: scenario.steps.map((step) => step.value),
  }));
}

/** The guest knows modules, not versions. */
function withModule(analysis: Analysis, step: Step): Step {
  return 'name' in step
    ? { ...step, name: versionByName(analysis.lineage, step.name)?.module ?? step.name }
    : step;
}

function hasSources({ lineage }: Analysis, step: Step): boolean {
  if (!('name' in step)) return true;
  return (versionByName(lineage, step.name) ?? targetByName(lineage, step.name))?.program != null;
}

/** The sources of every module that the steps name. */
function modulesOf(analysis: Analysis, steps: readonly Step[]): ModuleSource[] {
  const modules = new Map<string, ModuleSource>();
  for (const step of steps) {
    if (!('name' in step)) continue;
    const version = versionByName(analysis.lineage, step.name);
    const program = version ? version.program : targetByName(analysis.lineage, step.name)?.program;
    const name = version?.module ?? step.name;
    if (modules.has(name)) continue;
    if (!program) throw new Failure(`${step.name} has no sources that could be built for a rehearsal`);
    if (version && version.dialect !== 'module') {
      const what = version.dialect === 'suse' ? 'as a tree of' : 'as diffs for';
      throw new Failure(
        `${step.name} is written ${what} ${version.dialect}, which is not built here: only modules in C are rehearsed`,
      );
    }
    const files = version
      ? analysis.filesOf(version)
      : [...new Set(program.units.flatMap((unit) => unit.files))];
    const base = commonFolder(files.map(workTreePath));
    const sources = files.map((file) => ({
      file: relative(base, workTreePath(file)).split(sep).join('/'),
      text: analysis.text(file),
    }));
    modules.set(name, { name, sources, defines: definesOf(version?.entry.defines) });
  }
  return [...modules.values()];
}

function definesOf(
  defines: ReadonlyMap<string, { readonly value: string }> | undefined,
): Record<string, string> {
  return Object.fromEntries([...(defines ?? [])].map(([name, value]) => [name, value.value]));
}

function commonFolder(files: readonly string[]): string {
  let folder = dirname(files[0] ?? '/');
  while (!files.every((file) => file.startsWith(folder === '/' ? folder : `${folder}/`)))
    folder = dirname(folder);
  return folder;
}

async function kernelOf(
  analysis: Analysis,
  options: Options,
  signal: AbortSignal,
  progress: (text: string) => void,
): Promise<RehearsalKernel> {
  const { headers, image, kernel } = options;
  if (typeof headers === 'string' && typeof image === 'string') return kernelFromFiles(headers, image);
  if (headers !== undefined || image !== undefined) throw new Failure('--headers and --image go together');
  const series =
    typeof kernel === 'string' ? kernel : /^\d+\.\d+/.exec(analysis.lineage.capabilities.release)?.[0];
  if (series === undefined)
    throw new Failure('--kernel is missing, as in --kernel 6.1 (the manifest names none)');
  if (!/^\d+(?:\.\d+)+$/.test(series)) throw new Failure(`--kernel is a series as 6.1, not "${series}"`);
  return debianKernel({ series, signal, progress });
}

function compared(
  name: string,
  predicted: Run,
  real: RehearsedScenario | undefined,
  modules: readonly string[],
): Rehearsed {
  const seen: RehearsedScenario = real ?? { steps: [], crash: null };
  const steps = predicted.outcomes.map((outcome, i) => {
    const log = outcome.happenings.flatMap((it) => (it.k === 'log' && it.timed ? [it.text] : []));
    const report = seen.steps[i];
    return compareStep(
      { result: outcome.result, log },
      report ? { result: report.result, log: report.log.map((line) => line.text) } : null,
      modules,
    );
  });
  return {
    name,
    predicted,
    real: seen,
    steps,
    same: seen.crash === null && steps.every((step) => step.same),
  };
}

function textOf(release: string, one: Rehearsed, style: Style): string {
  const lines = [style.bold(printable(`${one.name} (Linux ${release})`))];
  one.steps.forEach((step, i) => {
    const of = one.predicted.steps[i];
    const { predicted, real } = step.results;
    const result =
      predicted === real
        ? predicted === 0
          ? ''
          : `  -> ${predicted}`
        : `  -> predicted ${predicted}, real ${real ?? 'none'}`;
    lines.push(printable(`% ${of ? formatStep(of) : ''}${result}`));
    for (const line of step.lines) {
      if (line.same) lines.push(printable(`    ${line.real ?? line.predicted ?? ''}`));
      else {
        if (line.predicted !== null) lines.push(style.red(printable(`  - ${line.predicted}`)));
        if (line.real !== null) lines.push(style.green(printable(`  + ${line.real}`)));
      }
    }
  });
  const read = one.real.steps[one.steps.length];
  if (read) {
    const said = read.content === null ? `cannot be read: ${read.result}` : read.content.trimEnd();
    lines.push(printable(`% read`), ...said.split('\n').map((line) => printable(`    ${line}`)));
  }
  if (one.real.crash) lines.push(style.red(printable(`the kernel ended with: ${crashOf(one)}`)));
  if (one.same) lines.push('equal: every line was predicted');
  else if (one.steps.every((step) => step.same)) lines.push('until then every line was predicted');
  else lines.push('DIFFERENT: - predicted only, + real only');
  return `${lines.join('\n')}\n`;
}

function jsonOf(release: string, rehearsed: readonly Rehearsed[]): object {
  return {
    schema: 1,
    release,
    same: rehearsed.every((one) => one.same),
    scenarios: rehearsed.map((one) => ({
      name: one.name,
      same: one.same,
      verdict: one.predicted.verdict.word,
      read: one.real.steps[one.steps.length]?.content ?? null,
      crash: one.real.crash ? { kind: one.real.crash.kind, headline: one.real.crash.headline } : null,
      steps: one.steps.map((step, i) => {
        const of = one.predicted.steps[i];
        return {
          step: of ? formatStep(of) : '',
          predicted: step.results.predicted,
          real: step.results.real,
          same: step.same,
          lines: step.lines.map(({ predicted, real, same }) => ({ predicted, real, same })),
        };
      }),
    })),
  };
}
