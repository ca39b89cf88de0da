import { formatErrno } from '../manifest/errno';
import { formatStep, type Step } from '../manifest/steps';
import { identity } from './left-behind';
import { isNoLivepatch, isSameVersion, isWanted, type Lineage, type LineageVersion } from './lineage';
import { type Run, targetsLoaded } from './run';
import type { Transitions } from './transitions';
import { worstTrial } from './trial';
import { type Danger, describeEffect, type Leftover, type VerdictWord } from './verdict';

/**
 * How one gets from the installed version to the wanted one: TO replaces FROM; a cleanup version that restores TO
 * replaces FROM and is where one stays; another version is loaded in between; or FROM is disabled first.
 */
export type PathKind = 'load' | 'replace' | 'cleanup' | 'through' | 'disable';

/** A way that the model found. */
export interface Path {
  readonly kind: PathKind;
  /** null: an unpatched kernel. */
  readonly from: LineageVersion | null;
  readonly to: LineageVersion;
  /** The version that is enabled at the end: TO, or the cleanup version that restores it. */
  readonly destination: LineageVersion;
  /** The version loaded in between, or the cleanup version. */
  readonly via: LineageVersion | null;
  /** What the administrator does; a module that cannot be removed is not unloaded. */
  readonly steps: readonly Step[];
  /** The steps behind a plain FROM, every target module loaded: the last of its steps are those above. */
  readonly run: Run;
  /** Modules that stay in memory for ever because the kernel refuses to remove them, with its answer. */
  readonly immovable: readonly { readonly module: string; readonly result: number }[];
  readonly certainty: 'must' | 'may';
  /** Effects that stay on this way and on every other: FROM or TO leaves them even when it is simply disabled. */
  readonly stays: readonly Leftover[];
  /** What may go wrong on this way and cannot be excluded; empty on a clean one. */
  readonly doubts: readonly string[];
  /** Histories of the installed version for which this way is worse than for a plain one. */
  readonly histories: readonly { readonly steps: readonly Step[]; readonly because: string }[];
  /** Worse variants of the same transitions: a failure, a target module that comes or goes, force. */
  readonly worse: readonly { readonly word: VerdictWord; readonly steps: readonly Step[] }[];
  /** Ways that were looked at before this one and why they are worse. */
  readonly rejected: readonly Rejected[];
}

export interface Rejected {
  readonly kind: PathKind;
  readonly via: LineageVersion | null;
  readonly because: string;
}

export type PathAnswer =
  | { readonly ok: true; readonly path: Path }
  | { readonly ok: false; readonly because: string; readonly rejected: readonly Rejected[] };

/** Earlier versions that are tried as history, and versions that are tried as a stop on the way, at most. */
const MAX_HISTORIES = 6;
const MAX_STOPS = 20;

interface Candidate {
  readonly kind: PathKind;
  readonly via: LineageVersion | null;
  readonly destination: LineageVersion;
  readonly steps: readonly Step[];
}

/** One candidate carried out after one history. */
interface Trial {
  readonly run: Run;
  /** Index of the first step of the candidate. */
  readonly first: number;
  readonly stays: readonly Leftover[];
  /** What is wrong with it; what is certain first. Empty: clean. */
  readonly faults: readonly { readonly text: string; readonly certain: boolean }[];
}

/**
 * The safest way from FROM (null: an unpatched kernel) to TO, found by running the candidates in the model, each
 * after FROM alone and after FROM replaced an earlier version. Clean ones first, in the order replace, cleanup version,
 * other version in between, disable; then disabling with whatever it leaves, unless that is certainly dangerous. Never
 * leads to a faulty or withdrawn version, nor through one.
 */
export function findPath(
  transitions: Transitions,
  from: LineageVersion | null,
  to: LineageVersion,
): PathAnswer {
  if (!isWanted(to)) {
    const note = to.entry.note ? ` (${to.entry.note.value})` : '';
    return {
      ok: false,
      because: `${to.name} is ${to.entry.status.value}${note}: no way leads there`,
      rejected: [],
    };
  }
  if (isSameVersion(from, to))
    return { ok: false, because: `${to.name} is where one is already`, rejected: [] };
  for (const version of [from, to]) {
    if (version && isNoLivepatch(version))
      return { ok: false, because: `no livepatch was found in the sources of ${version.name}`, rejected: [] };
  }
  const { lineage } = transitions;
  const histories = historiesOf(lineage, from);
  const rejected: Rejected[] = [];
  let second: Path | null = null;
  for (const candidate of candidatesFor(lineage, from, to)) {
    const plain = tryOut(transitions, candidate, to, histories[0] ?? []);
    const [fault] = plain.faults;
    if (fault) {
      rejected.push({ kind: candidate.kind, via: candidate.via, because: fault.text });
      continue;
    }
    const worse: { steps: readonly Step[]; because: string }[] = [];
    for (const history of histories.slice(1)) {
      if (!happens(transitions, history)) continue;
      const trial = tryOut(transitions, candidate, to, history);
      if (trial.faults[0]) worse.push({ steps: history, because: trial.faults[0].text });
    }
    const path = pathOf(transitions, candidate, from, to, plain, worse, [...rejected]);
    if (worse.length === 0) return { ok: true, path };
    second ??= path;
    rejected.push({ kind: candidate.kind, via: candidate.via, because: worse[0]?.because ?? '' });
  }
  if (second) return { ok: true, path: second };
  return lastResort(transitions, from, to, histories[0] ?? [], rejected);
}

/** Disabling first, although it is not clean: what it leaves is said. */
function lastResort(
  transitions: Transitions,
  from: LineageVersion | null,
  to: LineageVersion,
  history: readonly Step[],
  rejected: readonly Rejected[],
): PathAnswer {
  const candidate = from ? disabling(from, to) : loading(to);
  const trial = tryOut(transitions, candidate, to, history);
  const certain = trial.faults.find((fault) => fault.certain);
  if (certain) return { ok: false, because: certain.text, rejected };
  const others = rejected.filter((item) => item.kind !== candidate.kind);
  return { ok: true, path: pathOf(transitions, candidate, from, to, trial, [], others) };
}

function candidatesFor(lineage: Lineage, from: LineageVersion | null, to: LineageVersion): Candidate[] {
  if (!from) return [loading(to)];
  const candidates: Candidate[] = [
    { kind: 'replace', via: null, destination: to, steps: [load(to), unload(from)] },
  ];
  const stops = lineage.versions
    .filter((version) => isWanted(version) && version.program !== null && !isNoLivepatch(version))
    .filter((version) => !isSameVersion(version, from) && !isSameVersion(version, to));
  const rank = (version: LineageVersion): number =>
    (namesIt(version.entry.cleansUpAfter, from) ? 0 : 2) +
    (version.entry.status.value === 'released' ? 0 : 1);
  const byRank = (a: LineageVersion, b: LineageVersion): number => rank(a) - rank(b) || b.index - a.index;
  const restores = (version: LineageVersion): boolean =>
    version.entry.restores !== null && namesIt([version.entry.restores], to);
  for (const via of stops.filter(restores).sort(byRank)) {
    candidates.push({ kind: 'cleanup', via, destination: via, steps: [load(via), unload(from)] });
  }
  const between = stops.filter((version) => !restores(version) && version.index > from.index);
  for (const via of between.sort(byRank).slice(0, MAX_STOPS)) {
    candidates.push({
      kind: 'through',
      via,
      destination: to,
      steps: [load(via), unload(from), load(to), unload(via)],
    });
  }
  return [...candidates, disabling(from, to)];
}

function loading(to: LineageVersion): Candidate {
  return { kind: 'load', via: null, destination: to, steps: [load(to)] };
}

function disabling(from: LineageVersion, to: LineageVersion): Candidate {
  const steps: Step[] = [{ k: 'disable', name: from.name }, unload(from), load(to)];
  return { kind: 'disable', via: null, destination: to, steps };
}

function namesIt(names: readonly { readonly value: string }[], version: LineageVersion): boolean {
  return names.some((name) => name.value === version.name || name.value === version.module);
}

/** How FROM may have come to be installed: alone, and over each of the versions before it, nearest first. */
function historiesOf(lineage: Lineage, from: LineageVersion | null): Step[][] {
  if (!from) return [[]];
  const earlier = lineage.versions
    .filter((version) => version.index < from.index && version.program !== null)
    .reverse()
    .slice(0, MAX_HISTORIES);
  return [[load(from)], ...earlier.map((version) => [load(version), load(from), unload(version)])];
}

/** Whether the kernel takes every load of a history. */
function happens(transitions: Transitions, history: readonly Step[]): boolean {
  return runOf(transitions, history).verdict.refusals.length === 0;
}

function tryOut(
  transitions: Transitions,
  candidate: Candidate,
  to: LineageVersion,
  history: readonly Step[],
): Trial {
  const run = runOf(transitions, [...history, ...candidate.steps]);
  const first = run.steps.length - candidate.steps.length;
  const faults: { text: string; certain: boolean }[] = [];
  const refused = run.outcomes.slice(first).find(({ step, result }) => step.k !== 'unload' && result < 0);
  if (refused) faults.push({ text: refusalText(refused.step, refused.result), certain: true });
  for (const danger of run.verdict.dangers) {
    if (danger.step >= first) faults.push({ text: dangerText(danger), certain: danger.certainty === 'must' });
  }
  if (!refused && !endsOn(run, candidate.destination)) {
    faults.push({
      text: `${candidate.destination.name} is not the only one enabled afterwards`,
      certain: true,
    });
  }
  // What FROM leaves even when it is disabled, and TO by itself, no way can avoid.
  const anyway = new Map<string, number>();
  for (const steps of [history, [load(to)], ...(candidate.via ? [[load(candidate.via)]] : [])]) {
    for (const { effect } of runOf(transitions, steps).verdict.leftovers) {
      const key = identity(effect);
      anyway.set(key, Math.max(anyway.get(key) ?? 0, effect.count));
    }
  }
  const stays: Leftover[] = [];
  for (const leftover of run.verdict.leftovers) {
    if (leftover.effect.count <= (anyway.get(identity(leftover.effect)) ?? 0)) stays.push(leftover);
    else {
      faults.push({ text: leftoverText(leftover), certain: leftover.certainty === 'must' });
    }
  }
  faults.sort((a, b) => Number(b.certain) - Number(a.certain));
  return { run, first, stays, faults };
}

function pathOf(
  transitions: Transitions,
  candidate: Candidate,
  from: LineageVersion | null,
  to: LineageVersion,
  { run, first, stays, faults }: Trial,
  histories: Path['histories'],
  rejected: readonly Rejected[],
): Path {
  const immovable = run.outcomes
    .slice(first)
    .flatMap(({ step, result }) =>
      step.k === 'unload' && result < 0 ? [{ module: run.end.moduleOf(step.name), result }] : [],
    );
  const stuck = new Set(immovable.map((item) => item.module));
  const certain = faults.length === 0 && histories.length === 0 && run.unknown.length === 0;
  return {
    kind: candidate.kind,
    from,
    to,
    destination: candidate.destination,
    via: candidate.via,
    steps: candidate.steps.filter((step) => !(step.k === 'unload' && stuck.has(run.end.moduleOf(step.name)))),
    run,
    immovable,
    certainty: certain ? 'must' : 'may',
    stays,
    doubts: [...new Set(faults.map((fault) => fault.text))],
    histories,
    worse: worseOf(transitions, candidate, from),
    rejected,
  };
}

/** For each load on the way, the worst that the search saw there. */
function worseOf(transitions: Transitions, candidate: Candidate, from: LineageVersion | null): Path['worse'] {
  const worse: { word: VerdictWord; steps: readonly Step[] }[] = [];
  let top = from?.name ?? null;
  for (const step of candidate.steps) {
    if (step.k === 'disable') top = null;
    if (step.k !== 'load') continue;
    const worst = worstTrial(transitions.search(), top, step.name);
    if (worst && worst.word !== 'clean') worse.push({ word: worst.word, steps: worst.steps });
    top = step.name;
  }
  return worse;
}

/** Whether the version is enabled, alone, with no transition pending. */
function endsOn(run: Run, version: LineageVersion): boolean {
  const patches = run.end.kernel.patches();
  return (
    run.end.kernel.transition() === null &&
    patches.some((patch) => patch.enabled) &&
    patches.every((patch) => run.end.nameOf(patch.instance).module === version.module)
  );
}

function refusalText(step: Step, result: number): string {
  return `the kernel answers ${result} (${formatErrno(result)}) to "${formatStep(step)}"`;
}

function dangerText(danger: Danger): string {
  if (danger.kind === 'dangling-pointer' && danger.effect) {
    const maker = danger.version?.name ?? 'a version';
    return `${describeEffect(danger.effect)} of ${maker} still points into its module, which can be removed`;
  }
  return danger.text;
}

function leftoverText({ effect, version, certainty, hazard }: Leftover): string {
  const stays = certainty === 'may' ? 'may stay' : 'stays';
  return `${describeEffect(effect)} of ${version?.name ?? 'a version'} ${stays} behind (${hazard})`;
}

function runOf(transitions: Transitions, steps: readonly Step[]): Run {
  const names = new Set(steps.flatMap((step) => ('name' in step ? [step.name] : [])));
  const versions = transitions.lineage.versions.filter((version) => names.has(version.name));
  return transitions.runOf([...targetsLoaded(transitions.lineage), ...steps], versions);
}

function load(version: LineageVersion): Step {
  return { k: 'load', name: version.name, params: [] };
}

function unload(version: LineageVersion): Step {
  return { k: 'unload', name: version.name };
}

/**
 * What goes wrong when the operation at `at` (a load or disable of the path's steps) stalls and is reversed; empty
 * where everything is as it was before.
 */
export function reversalFaults(transitions: Transitions, path: Path, at: number): string[] {
  const step = path.steps[at];
  if (step?.k !== 'load' && step?.k !== 'disable') return [];
  const before: Step[] = [...(path.from ? [load(path.from)] : []), ...path.steps.slice(0, at)];
  const back: Step = { k: step.k === 'load' ? 'disable' : 'enable', name: step.name };
  const start = runOf(transitions, before);
  const run = runOf(transitions, [...before, { k: 'stall' }, step, back, { k: 'resume' }]);
  const faults = run.verdict.dangers.filter((item) => item.step >= start.steps.length).map(dangerText);
  const known = new Map(start.verdict.leftovers.map(({ effect }) => [identity(effect), effect.count]));
  for (const leftover of run.verdict.leftovers) {
    if (leftover.effect.count > (known.get(identity(leftover.effect)) ?? 0))
      faults.push(leftoverText(leftover));
  }
  const there = new Set(run.end.effects().map(identity));
  for (const effect of start.end.effects()) {
    const maker = start.end.nameOf(effect.by.instance).version;
    if (maker && !there.has(identity(effect)))
      faults.push(`${describeEffect(effect)} of ${maker.name} is undone although it is still needed`);
  }
  return [...new Set(faults)];
}
