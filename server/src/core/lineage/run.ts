import type { Effect } from '../execution/effects';
import type { Decision, UnknownReason } from '../execution/machine-host';
import { Overruns } from '../execution/overruns';
import type { CallbackCall, InstanceId } from '../kernel/types';
import { parseStep, type Step } from '../manifest/steps';
import type { Certainty } from '../place';
import type { Lineage } from './lineage';
import {
  type Danger,
  dangersOf,
  danglingPointers,
  describeEffect,
  judge,
  type Refusal,
  VERDICTS,
  type Verdict,
} from './verdict';
import { type StepOutcome, World, type WorldOptions } from './world';

/** A sequence of steps and everything that happened in it. */
export interface Run {
  readonly steps: readonly Step[];
  readonly outcomes: readonly StepOutcome[];
  /** The world after the last step; clone before stepping on. */
  readonly end: World;
  readonly verdict: Verdict;
  readonly unknown: readonly UnknownReason[];
  /** Calls of callbacks that hang on an unknown value: on another way through the code they are not made. */
  readonly unsure: ReadonlySet<CallbackCall>;
  /** Whether code asked for a module's name, or for a module by its name, on any of its ways. */
  readonly namesWereAsked: boolean;
}

/** At most this many decisions on unknown values are taken the other way in one run. */
export const MAX_FLIPS = 64;

/** Steps of the interpreter that the other ways of one run may take together. */
const MAX_FLIPPED_STEPS = 1_000_000;

/** How many decisions of a run are taken the other way: fewer where each way is dear, as with loops that do not end. */
function flipsOf({ end }: Run): number {
  const affordable = Math.max(1, Math.floor(MAX_FLIPPED_STEPS / (end.spent + 1)));
  return Math.min(end.decisions().length, MAX_FLIPS, affordable);
}

/**
 * Runs the steps on a clean kernel. Branches on unknown values take the way of success; then each of them is taken
 * the other way once, and what only such a run shows is added to the verdict as "may". So is what goes wrong where the
 * steps follow each other so fast that no timer or delayed work goes off between them.
 */
export function run(lineage: Lineage, steps: readonly Step[], overruns = new Overruns()): Run {
  const base = inHaste(lineage, once(lineage, steps, null, { overruns }), overruns);
  const decisions = base.end.decisions();
  if (decisions.length === 0) return base;
  let verdict = base.verdict;
  const unsure = new Set(base.unsure);
  let { namesWereAsked } = base;
  const calls = callsOf(base);
  const most = flipsOf(base);
  let flips = 0;
  for (; flips < most && !overruns.tooMany; flips++) {
    const other = once(lineage, steps, flips, { overruns });
    verdict = withMay(verdict, other.verdict);
    namesWereAsked ||= other.namesWereAsked;
    const there = callsOf(other);
    for (const [key, made] of calls)
      for (const call of made.slice(there.get(key)?.length ?? 0)) unsure.add(call);
  }
  const unknown = [...base.unknown, ...decisions.map(branchReason)];
  if (decisions.length > flips) {
    const text = `${decisions.length} branches depend on unknown values; the first ${flips} were tried both ways`;
    unknown.push({ kind: 'budget', text, place: null });
  }
  return { ...base, verdict, unknown, unsure, namesWereAsked };
}

/** The run with what its verdict lacks: what goes off in its own time may do so too late. */
function inHaste(lineage: Lineage, base: Run, overruns: Overruns): Run {
  const haste = wayInHaste(lineage, base, overruns);
  const verdict = haste && withMay(base.verdict, haste.run.verdict);
  if (!verdict || sizeOf(verdict) === sizeOf(base.verdict)) return base;
  return { ...base, verdict, unknown: [branchReason(haste.decision), ...base.unknown] };
}

function sizeOf({ dangers, leftovers, mayRefuse }: Verdict): number {
  return dangers.length + leftovers.length + mayRefuse.length;
}

/** The same steps so fast after each other that no timer or delayed work goes off; null where none has. */
function wayInHaste(
  lineage: Lineage,
  { steps, outcomes }: Run,
  overruns: Overruns,
): { readonly run: Run; readonly decision: Decision } | null {
  for (const it of outcomes.flatMap((outcome) => outcome.happenings)) {
    if (it.k !== 'effect' || it.event.k !== 'ended' || !goesOff(it.event.effect)) continue;
    const { effect } = it.event;
    const id = `whether the ${describeEffect(effect)} has gone off by then`;
    return {
      run: once(lineage, steps, null, { fast: true, overruns }),
      decision: { id, success: true, taken: false, place: effect.by.place },
    };
  }
  return null;
}

/** Whether it ends by itself, in its own time. */
export function goesOff({ row }: Effect): boolean {
  return DELAYED.has(row.family);
}

const DELAYED = new Set(['timer', 'high resolution timer', 'delayed work item']);

/** The calls of callbacks by step, livepatch, object and callback. Numbers of instances may differ between ways. */
function callsOf({ outcomes, end }: Run): Map<string, CallbackCall[]> {
  const calls = new Map<string, CallbackCall[]>();
  outcomes.forEach((outcome, step) => {
    for (const it of outcome.happenings) {
      if (it.k !== 'calling') continue;
      const { patch, object, callback } = it.call;
      const key = `${step} ${end.nameOf(patch).module} ${object} ${callback}`;
      const made = calls.get(key);
      if (made) made.push(it.call);
      else calls.set(key, [it.call]);
    }
  });
  return calls;
}

/** Calls of a livepatch that was let in although the version of a state could not be evaluated. */
function hangingOnStates(outcomes: readonly StepOutcome[]): Set<CallbackCall> {
  const doubtful = new Set<InstanceId>();
  const calls = new Set<CallbackCall>();
  for (const it of outcomes.flatMap((outcome) => outcome.happenings)) {
    if (it.k === 'kernel' && it.event.k === 'state-unsure') doubtful.add(it.event.patch);
    else if (it.k === 'calling' && doubtful.has(it.call.patch)) calls.add(it.call);
  }
  return calls;
}

/**
 * One way through the steps: the one of success, the one in haste (if anything goes off by itself), or with one decision
 * on an unknown value taken the other way.
 */
export interface OneWay {
  readonly run: Run;
  /** What went the other way; null for the way of success. */
  readonly decision: Decision | null;
}

/** Every way by itself, the one of success first: for who must know what happened on a way, not only its verdict. */
export function waysThrough(lineage: Lineage, steps: readonly Step[], overruns = new Overruns()): OneWay[] {
  const base = once(lineage, steps, null, { overruns });
  const decisions = base.end.decisions().slice(0, flipsOf(base));
  const haste = wayInHaste(lineage, base, overruns);
  return [
    { run: base, decision: null },
    ...(haste ? [haste] : []),
    ...decisions.map((decision, flip) => ({ run: once(lineage, steps, flip, { overruns }), decision })),
  ];
}

/**
 * A second look at steps that begin with loads of target modules: where a task of such a target keeps a transition
 * pending for ever, which hides all that comes after it, they are carried out without that target.
 */
export function withoutStalls<T>(
  steps: readonly Step[],
  carryOut: (steps: readonly Step[]) => T,
  runIn: (result: T) => Run | undefined,
  isTarget: (name: string) => boolean,
): T {
  let result = carryOut(steps);
  for (;;) {
    const holding = runIn(result)?.end.holding();
    const first = steps.findIndex((step) => step.k !== 'load' || !isTarget(step.name));
    const left = steps.filter(
      (step, at) => at >= first || step.k !== 'load' || holding?.has(step.name) !== true,
    );
    if (first <= 0 || left.length === steps.length) return result;
    steps = left;
    result = carryOut(steps);
  }
}

function branchReason(decision: Decision): UnknownReason {
  return { kind: 'unknown-branch', text: decision.id, place: decision.place };
}

function once(lineage: Lineage, steps: readonly Step[], flip: number | null, options: WorldOptions): Run {
  const world = new World(lineage, flip === null ? options : { ...options, flip });
  const outcomes: StepOutcome[] = [];
  const dangers: Danger[] = [];
  const unknown: UnknownReason[] = [];
  steps.forEach((step, index) => {
    const outcome = world.apply(step);
    outcomes.push(outcome);
    dangers.push(...dangersOf(world, outcome, index));
    for (const danger of danglingPointers(world, index)) {
      if (!dangers.some((known) => known.effect !== null && known.effect.id === danger.effect?.id))
        dangers.push(danger);
    }
    for (const happening of outcome.happenings) if (happening.k === 'unknown') unknown.push(happening.reason);
  });
  return {
    steps,
    outcomes,
    end: world,
    verdict: asFarAsRead(judge(world, outcomes, dangers), unknown),
    unknown,
    unsure: hangingOnStates(outcomes),
    namesWereAsked: world.namesWereAsked,
  };
}

/** What could not be read or known may hide something: a clean verdict over it is not a certain one. */
function asFarAsRead(verdict: Verdict, unknown: readonly UnknownReason[]): Verdict {
  return verdict.word === 'clean' && unknown.length > 0 ? { ...verdict, certainty: 'may' } : verdict;
}

/** The verdict with what another way through the code adds, marked as may. */
function withMay(base: Verdict, other: Verdict): Verdict {
  const leftovers = joined(
    base.leftovers,
    other.leftovers.map((leftover) => ({ ...leftover, certainty: 'may' })),
    ({ effect, version }) => `${effect.row.family}\n${version?.module}\n${effect.key}`,
  );
  const dangers = joined(
    base.dangers,
    other.dangers.map((danger) => ({ ...danger, certainty: 'may' })),
    ({ kind, text }) => `${kind}\n${text}`,
  );
  const refusalKey = ({ step, result }: Refusal): string => `${step} ${result}`;
  const certain = new Set(base.refusals.map(refusalKey));
  const possible = other.refusals.filter((refusal) => !certain.has(refusalKey(refusal)));
  const mayRefuse = joined(base.mayRefuse, possible, refusalKey);
  const worse = VERDICTS.indexOf(other.word) > VERDICTS.indexOf(base.word);
  const certainty: Certainty = worse ? 'may' : base.certainty;
  return { ...base, word: worse ? other.word : base.word, certainty, leftovers, dangers, mayRefuse };
}

/** Those that are known, then of the others those with a key that none before them has. */
function joined<T>(known: readonly T[], others: readonly T[], keyOf: (one: T) => string): T[] {
  const keys = new Set(known.map(keyOf));
  const fresh = others.filter((one) => {
    const key = keyOf(one);
    if (keys.has(key)) return false;
    keys.add(key);
    return true;
  });
  return [...known, ...fresh];
}

/** Steps from their text forms; for texts that the program writes itself. Throws on a malformed one. */
export function steps(...texts: readonly string[]): Step[] {
  return texts.map((text) => {
    const step = parseStep(text);
    if ('problem' in step) throw new Error(`${text}: ${step.problem}`);
    return step;
  });
}

/** Every target module loaded, so that module objects take part. */
export function targetsLoaded(lineage: Lineage): Step[] {
  return lineage.targets.map((target) => ({ k: 'load', name: target.module, params: [] }));
}

/** As transitionSteps, without the target modules that cannot be built for a rehearsal: those without sources. */
export function rehearsalSteps(lineage: Lineage, from: string | null, to: string): Step[] {
  const unbuilt = new Set(lineage.targets.filter((it) => it.program === null).map((it) => it.module));
  return transitionSteps(lineage, from, to).filter((step) => !('name' in step && unbuilt.has(step.name)));
}

/** The steps that decide the verdict of one ordered pair; `from` null is a clean kernel. */
export function transitionSteps(lineage: Lineage, from: string | null, to: string): Step[] {
  const load = (name: string): Step => ({ k: 'load', name, params: [] });
  const pair: Step[] = from === null ? [load(to)] : [load(from), load(to), { k: 'unload', name: from }];
  return [...targetsLoaded(lineage), ...pair];
}
