import type { Step } from '../../core/manifest/steps';
import { formatStep } from '../../core/manifest/steps';
import { RehearsalFailure } from './failure';
import { type GuestLine, type GuestRun, runGuest } from './guest';
import type { RehearsalKernel } from './kernel-packages';
import { type BuiltModules, buildModules, type ModuleSource } from './modules';
import { isModuleName } from './source-checks';
import { STALL_MODULE, STALL_SOURCE } from './stall-module';
import { type Crash, crashOf, readTranscript, type ScenarioReport, type StepReport } from './transcript';

/** A step for the guest; names are module names. `read` and `write` are for probing: any file of the guest. */
export type RehearsalStep =
  | Step
  | { readonly k: 'read'; readonly path: string }
  | { readonly k: 'write'; readonly path: string; readonly text: string };

export interface RehearsalScenario {
  readonly steps: readonly RehearsalStep[];
  /**
   * Whether a transition is expected to be pending after each step: that is not waited for as long, and whatever is
   * expected to complete gets the longest time. Unknown where absent.
   */
  readonly pending?: readonly boolean[];
  /** It leaves something behind that the next one would find: it has a boot of its own. */
  readonly alone?: boolean;
}

export interface RehearsalOptions {
  readonly kernel: RehearsalKernel;
  readonly modules: readonly ModuleSource[];
  /** Each begins in a kernel without livepatches. */
  readonly scenarios: readonly RehearsalScenario[];
  /** Builds with W=1. */
  readonly extraWarnings?: boolean;
  /** Guests that run at the same time; 1 if absent. Most of a guest's time is waiting. */
  readonly parallel?: number;
  /** Seconds without a word after which the guest counts as hung. */
  readonly silence?: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

export interface RehearsedScenario {
  /** One for each step that ended. */
  readonly steps: readonly StepReport[];
  /** null where the whole scenario ran; otherwise how the guest ended in the step after the last one here. */
  readonly crash: Crash | null;
}

export interface Rehearsal {
  readonly release: string;
  /** Of the compiler. */
  readonly warnings: readonly string[];
  readonly scenarios: readonly RehearsedScenario[];
  /** How often the guest was started. */
  readonly boots: number;
}

/** Longest time a transition gets on an idle guest; it takes up to 6 s, tasks get a signal after 15 s. */
const TRANSITION_MS = 25_000;
/** Where it is expected to stay pending, and where under a stall nobody knows whether it was reversed or forced. */
const EXPECTED_PENDING_MS = 2500;
const STALLED_MS = 6000;
const SILENCE_S = 60;

/** Why a scenario cannot be rehearsed, in one line; null where it can. To be asked before anything is built. */
export function cannotRehearse(steps: readonly RehearsalStep[]): string | null {
  for (const step of steps) {
    if (step.k === 'hold')
      return 'the step "hold" cannot be produced in a real kernel: a reversed transition always completes there (use "stall")';
    if (step.k === 'fail')
      return `the step "${formatStep(step)}" cannot be produced in a real kernel: its functions do not fail on demand`;
    for (const word of wordsOf(step))
      if (/[\t\r\n\0]/.test(word))
        return `the step "${step.k}" has a word with a TAB or a line end, which cannot be passed on`;
    if ('name' in step && !isModuleName(step.name.replaceAll('-', '_')))
      return `"${step.name}" is not the name of a module`;
    if ('path' in step && !step.path.startsWith('/'))
      return `"${step.path}" is not an absolute path of the guest`;
  }
  return null;
}

/**
 * Builds the modules and runs the scenarios in a real kernel. Scenarios share a boot; one that forces a transition or
 * leaves something behind has a boot of its own, and after one that ends badly the rest starts afresh. Throws RehearsalFailure; a guest that
 * panics or hangs is a result.
 */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  for (const { steps } of options.scenarios) {
    const reason = cannotRehearse(steps);
    if (reason !== null) throw new RehearsalFailure('refused', reason);
  }
  const { kernel, signal, progress } = options;
  const built = await buildModules(kernel, options.modules, {
    extraWarnings: options.extraWarnings === true,
    signal,
    progress,
  });
  const stalls = options.scenarios.some(({ steps }) => steps.some(({ k }) => k === 'stall'));
  const files = new Map(built.files);
  if (stalls) for (const [name, file] of (await stallModule(options)).files) files.set(name, file);
  const results: RehearsedScenario[] = [];
  const parallel = Math.max(1, options.parallel ?? 1);
  const waiting = batchesOf(options.scenarios, parallel);
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  let boots = 0;
  let failure: unknown = null;
  const work = async (): Promise<void> => {
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
      boots++;
      progress?.(`booting Linux ${kernel.release}`);
      const done = resultsOf(await bootBatch({ ...options, signal: either }, files, batch), kernel);
      done.forEach((result, index) => {
        const scenario = batch[index];
        if (scenario !== undefined) results[scenario] = result;
      });
      if (done.length < batch.length) waiting.unshift(batch.slice(done.length));
    }
  };
  // When one fails the others are ended, and nobody returns before all of them are gone.
  const workers = Array.from({ length: parallel }, () =>
    work().catch((error: unknown) => {
      failure ??= error;
      stop.abort();
    }),
  );
  await Promise.all(workers);
  if (failure !== null) throw failure;
  return { release: kernel.release, warnings: built.warnings, scenarios: results, boots };
}

function stallModule(options: RehearsalOptions): Promise<BuiltModules> {
  const sources = [{ file: `${STALL_MODULE}.c`, text: STALL_SOURCE }];
  return buildModules(options.kernel, [{ name: STALL_MODULE, sources }], { signal: options.signal });
}

/** Indices of the scenarios that share a boot, dealt out evenly; those that poison a kernel have one of their own. */
function batchesOf(scenarios: readonly RehearsalScenario[], parallel: number): (readonly number[])[] {
  const own: number[][] = [];
  const shared: number[] = [];
  scenarios.forEach(({ steps, alone }, index) => {
    if (alone === true || steps.some(({ k }) => k === 'force')) own.push([index]);
    else shared.push(index);
  });
  const size = Math.max(1, Math.ceil(shared.length / parallel));
  const dealt: number[][] = [];
  for (let at = 0; at < shared.length; at += size) dealt.push(shared.slice(at, at + size));
  return [...dealt, ...own];
}

function bootBatch(
  options: RehearsalOptions,
  modules: ReadonlyMap<string, string>,
  batch: readonly number[],
): Promise<GuestRun> {
  const scenarios = batch.flatMap((index) => options.scenarios[index] ?? []);
  const script = scenarios.flatMap((scenario) => linesOf(scenario));
  let current = 0;
  return runGuest({
    kernel: options.kernel,
    modules,
    script,
    silence: options.silence ?? SILENCE_S,
    limit: 180 + script.length * 8,
    signal: options.signal,
    onLine: (line) => {
      if (line.startsWith('@scenario ')) current = Number(line.slice(10));
      if (line.startsWith('@step ')) {
        const step = scenarios[current]?.steps[Number(line.slice(6))];
        const prefix = options.scenarios.length > 1 ? `scenario ${(batch[current] ?? 0) + 1}: ` : '';
        if (step) options.progress?.(prefix + stepText(step));
      }
    },
  });
}

/** The step as the command line writes it. */
export function stepText(step: RehearsalStep): string {
  if (step.k === 'read') return `read ${step.path}`;
  if (step.k === 'write') return `write ${step.path} ${step.text}`;
  return formatStep(step);
}

function linesOf(scenario: RehearsalScenario): GuestLine[] {
  const lines: GuestLine[] = [{ verb: 'scenario', wait: 0, words: [] }];
  let stalled = false;
  scenario.steps.forEach((step, index) => {
    if (step.k === 'stall') stalled = true;
    if (step.k === 'resume') stalled = false;
    const pending = scenario.pending?.[index];
    const unknown = stalled ? STALLED_MS : TRANSITION_MS;
    const wait = pending === undefined ? unknown : pending ? EXPECTED_PENDING_MS : TRANSITION_MS;
    lines.push({ verb: step.k, wait, words: wordsOf(step) });
  });
  return lines;
}

function wordsOf(step: RehearsalStep): readonly string[] {
  switch (step.k) {
    case 'load':
      return [
        moduleName(step.name),
        step.params.map(({ name, value }) => `${name}=${quoted(value)}`).join(' '),
      ];
    case 'set':
      return [moduleName(step.name), `${step.param}=${step.value}`];
    case 'read':
      return [step.path];
    case 'write':
      return [step.path, step.text];
    case 'disable':
    case 'enable':
    case 'unload':
    case 'force':
      return [moduleName(step.name)];
    default:
      return [];
  }
}

function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

function quoted(value: string): string {
  return value.includes(' ') ? `"${value}"` : value;
}

/** What the scenarios of one boot came to: all that began, the last of them perhaps with a crash. */
function resultsOf(run: GuestRun, kernel: RehearsalKernel): RehearsedScenario[] {
  const transcript = readTranscript(run.report);
  if (!transcript.ready || transcript.scenarios.length === 0) {
    const said = run.errors.split('\n')[0] ?? '';
    const seen = run.console.trimEnd().split('\n').slice(-20);
    const why = run.hung ? 'it was silent' : said !== '' ? said : `qemu ended with ${String(run.status)}`;
    throw new RehearsalFailure('boot', `Linux ${kernel.release} did not come up in qemu: ${why}`, seen);
  }
  return transcript.scenarios.map((scenario) => ({
    steps: scenario.steps,
    crash: ended(scenario) ? null : crashOf(run.console, run.hung),
  }));
}

function ended(scenario: ScenarioReport): boolean {
  return scenario.end !== null;
}
