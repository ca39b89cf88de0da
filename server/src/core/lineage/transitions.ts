import { Overruns } from '../execution/overruns';
import { formatStep, type Step } from '../manifest/steps';
import { type Lineage, type LineageVersion, targetByName } from './lineage';
import { type OneWay, type Run, run, transitionSteps, waysThrough, withoutStalls } from './run';
import { Search } from './search';
import { LIMITS, SHORTENED, settingsOf } from './search-ways';
import type { SearchResult } from './trial';
import { Twins } from './twins';
import {
  describeEffect,
  firstRefusal,
  VERDICTS,
  type Verdict,
  type VerdictWord,
  worstLeftover,
} from './verdict';

/** One ordered pair; `from` null is a clean kernel. */
export interface Transition {
  readonly from: LineageVersion | null;
  readonly to: LineageVersion;
  readonly run: Run;
}

/** What a transition's result depends on: equal text, equal result. */
type Fingerprint = string;

interface Kept<T> {
  readonly modules: readonly string[];
  readonly fingerprint: Fingerprint;
  readonly result: T;
  /** What calls without an end had cost before it, and what they cost in it. */
  readonly before: number;
  readonly lost: number;
  /** The analysis that asked last. */
  pass: number;
}

/**
 * The transitions of one lineage, run on demand and kept while the versions they involve do not change. One object
 * lives as long as the lineage's document; `use` moves it to a newer state of the lineage.
 */
export class Transitions {
  /** Runs carried out so far: what an edit costs shows here. */
  ran = 0;
  #lineage: Lineage;
  readonly #search: Search;
  #patient: Transitions | null = null;
  #searched: { readonly lineage: Lineage; readonly result: SearchResult } | null = null;
  #ways = new Map<string, Kept<readonly OneWay[]>>();
  #kept = new Map<string, Kept<Run>>();
  #twins: Twins | null = null;
  /** What every run hangs on: the kernel, the targets, and what the manifest lets stay. */
  #circumstances: Fingerprint | null = null;
  /** Modules of versions that took part in a run in which code asked for names. */
  readonly #asking = new Set<string>();
  /** Verdicts in which no version is named, by the twins that they were found for. */
  #shared = new Map<string, { readonly verdict: Verdict; readonly before: number }>();

  /** `patient`: see `withoutStalls`. */
  constructor(
    lineage: Lineage,
    readonly patient = false,
    readonly overruns = new Overruns(),
  ) {
    this.#lineage = lineage;
    this.#search = new Search(LIMITS, patient);
  }

  /**
   * The same for who judges versions and not single runs: no run is hidden by a target module of which a task keeps
   * transitions pending for ever. Only targets with sources have tasks.
   */
  withoutStalls(): Transitions {
    if (!this.#lineage.targets.some((target) => target.program !== null)) return this;
    this.#patient ??= new Transitions(this.#lineage, true, this.overruns);
    if (this.#patient.lineage !== this.#lineage) this.#patient.use(this.#lineage);
    return this.#patient;
  }

  get lineage(): Lineage {
    return this.#lineage;
  }

  /** From now on answers for this state of the lineage; results that still hold are kept. */
  use(lineage: Lineage): void {
    this.#lineage = lineage;
    this.#twins = null;
    this.#circumstances = null;
    this.#shared = new Map();
    const modules = new Set(lineage.versions.map((version) => version.module));
    for (const [key, kept] of this.#kept) {
      if (!kept.modules.every((module) => modules.has(module))) this.#kept.delete(key);
    }
    for (const [key, kept] of this.#ways) {
      if (!kept.modules.every((module) => modules.has(module))) this.#ways.delete(key);
    }
  }

  /** The run behind the verdict of FROM to TO. */
  transition(from: LineageVersion | null, to: LineageVersion): Transition {
    const key = `${from?.module ?? 'none'} ${to.module}`;
    const steps = transitionSteps(this.#lineage, from?.name ?? null, to.name);
    return { from, to, run: this.#run(key, steps, from ? [from, to] : [to]) };
  }

  /** The verdict of FROM to TO, which may have been found for others that do the same. */
  verdict(from: LineageVersion | null, to: LineageVersion): Verdict {
    const { overruns } = this;
    const twins = this.twinsOf(from, to);
    const known = twins === null ? undefined : this.#shared.get(twins);
    if (known && overruns.same({ before: known.before, lost: 0 })) return known.verdict;
    const before = overruns.lost;
    const { run } = this.transition(from, to);
    const { verdict } = run;
    const ofNobody = verdict.dangers.length + verdict.leftovers.length + verdict.kept.length === 0;
    if (twins !== null && ofNobody && !run.namesWereAsked && overruns.lost === before)
      this.#shared.set(twins, { verdict, before });
    return verdict;
  }

  /**
   * Equal for pairs whose runs differ in nothing but the versions' names, as far as code does not ask for them; null
   * where there is no other such pair.
   */
  twinsOf(from: LineageVersion | null, to: LineageVersion): string | null {
    this.#twins ??= new Twins(this.#lineage);
    const twins = this.#twins;
    const classes = [from, to].map((version) => (version ? twins.classOf(version) : ''));
    return classes.includes(null) ? null : classes.join(' ');
  }

  /** Whether code of one of these asked for names in any run so far in which it took part. */
  namesWereAsked(versions: readonly LineageVersion[]): boolean {
    return versions.some(({ module }) => this.#asking.has(module));
  }

  #note(done: Run, versions: readonly LineageVersion[]): void {
    if (done.namesWereAsked) for (const { module } of versions) this.#asking.add(module);
  }

  /** Any run over some of the versions, kept under its steps. */
  runOf(steps: readonly Step[], versions: readonly LineageVersion[]): Run {
    return this.#run(`:${steps.map(formatStep).join(';')}`, steps, versions);
  }

  /** As runOf, and the steps are what is asked about: carried out as they are, whatever stalls. */
  runAsWritten(steps: readonly Step[], versions: readonly LineageVersion[]): Run {
    return this.#run(`=${steps.map(formatStep).join(';')}`, steps, versions, run, false);
  }

  /** Each way through the steps by itself, kept as runs are; counts as one run. */
  waysOf(steps: readonly Step[], versions: readonly LineageVersion[]): readonly OneWay[] {
    const key = steps.map(formatStep).join(';');
    const ways = this.#keep(this.#ways, key, versions, () =>
      this.#carryOut(waysThrough, steps, ([first]) => first?.run),
    );
    for (const way of ways) this.#note(way.run, versions);
    return ways;
  }

  /** Every pair in a fixed order: from a clean kernel first, then by version. */
  all(): readonly Transition[] {
    return this.pairs().map(([from, to]) => this.transition(from, to));
  }

  /** As `all`, the versions alone. */
  pairs(): readonly (readonly [LineageVersion | null, LineageVersion])[] {
    const { versions } = this.#lineage;
    return [null, ...versions].flatMap((from) =>
      versions.filter((to) => to !== from).map((to) => [from, to] as const),
    );
  }

  /** The walk over all reachable states; what an edit did not touch is not walked again. */
  search(): SearchResult {
    if (this.#searched?.lineage !== this.#lineage) {
      this.#searched = { lineage: this.#lineage, result: this.#search.run(this.#lineage) };
    }
    return this.#searched.result;
  }

  /**
   * Does what `search` would have to do, and gives way in between. May be ended at any time, and ends by itself where the
   * lineage is a newer one in the meantime.
   */
  *searching(): Generator<void, void> {
    const lineage = this.#lineage;
    if (this.#searched?.lineage === lineage) return;
    const steps = this.#search.steps(lineage);
    try {
      for (;;) {
        const step = steps.next();
        if (step.done) {
          this.#searched = { lineage, result: step.value };
          return;
        }
        yield;
        if (this.#lineage !== lineage) return;
      }
    } finally {
      steps.return(undefined as never);
    }
  }

  /** Said when not every way was tried, or not to its end. */
  get exhausted(): string | null {
    return this.search().exhausted ?? (this.overruns.tooMany ? SHORTENED : null);
  }

  /** Ways that the search has tried so far. */
  get tried(): number {
    return this.#search.tried;
  }

  #run(
    key: string,
    steps: readonly Step[],
    versions: readonly LineageVersion[],
    carryOut: typeof run = run,
    again = true,
  ): Run {
    const kept = this.#keep(this.#kept, key, versions, () =>
      again ? this.#carryOut(carryOut, steps, (done) => done) : carryOut(this.#lineage, steps, this.overruns),
    );
    this.#note(kept, versions);
    return kept;
  }

  #keep<T>(
    all: Map<string, Kept<T>>,
    key: string,
    versions: readonly LineageVersion[],
    carryOut: () => T,
  ): T {
    const { overruns } = this;
    const { lost: before, pass } = overruns;
    const fingerprint = this.#fingerprint(versions);
    const kept = all.get(key);
    if (kept?.fingerprint === fingerprint && (kept.pass === pass || overruns.same(kept))) {
      if (kept.pass !== pass) overruns.lost += kept.lost;
      kept.pass = pass;
      return kept.result;
    }
    this.ran++;
    const result = carryOut();
    const modules = versions.map((version) => version.module);
    all.set(key, { modules, fingerprint, result, before, lost: overruns.lost - before, pass });
    return result;
  }

  #carryOut<T>(
    carryOut: (lineage: Lineage, steps: readonly Step[], overruns: Overruns) => T,
    steps: readonly Step[],
    runIn: (result: T) => Run | undefined,
  ): T {
    const lineage = this.#lineage;
    const { overruns } = this;
    if (!this.patient) return carryOut(lineage, steps, overruns);
    const isTarget = (name: string): boolean => targetByName(lineage, name) !== undefined;
    return withoutStalls(steps, (left) => carryOut(lineage, left, overruns), runIn, isTarget);
  }

  #fingerprint(versions: readonly LineageVersion[]): Fingerprint {
    this.#circumstances ??= [
      settingsOf(this.#lineage),
      ...this.#lineage.targets.map((target) => target.fingerprint),
    ].join('|');
    return [...versions.map((version) => version.fingerprint), this.#circumstances].join('|');
  }
}

/** Worse of two verdict words. */
export function worse(a: VerdictWord, b: VerdictWord): VerdictWord {
  return VERDICTS.indexOf(a) >= VERDICTS.indexOf(b) ? a : b;
}

/** One sentence that says why a verdict is what it is. */
export function because(transition: Transition): string {
  const { verdict, end } = transition.run;
  const to = transition.to.name;
  const danger = verdict.dangers[0];
  if (verdict.word === 'unsafe' && danger) {
    return danger.effect && danger.kind === 'dangling-pointer'
      ? `${describeEffect(danger.effect)} of ${danger.version?.name ?? 'a version'} still points into its module, which can be removed`
      : danger.text;
  }
  const refusal = firstRefusal(verdict);
  if (verdict.word === 'refused' && refusal) {
    const step = transition.run.steps[refusal.step];
    const may = verdict.refusals.length > 0 ? 'answers' : 'may answer';
    return `${step ? formatStep(step) : 'a load'} ${may} ${refusal.result}`;
  }
  const leftover = worstLeftover(verdict.leftovers);
  if (verdict.word === 'leaves' && leftover) {
    return `${describeEffect(leftover.effect)} of ${leftover.version?.name ?? 'a version'} stays behind (${leftover.hazard})`;
  }
  const unknown = transition.run.unknown.length;
  if (unknown > 0) return `clean as far as read: ${unknown} ${unknown === 1 ? 'thing' : 'things'} unknown`;
  if (end.effects().length > 0) return `${to} takes over or undoes everything`;
  return 'nothing stays behind';
}
