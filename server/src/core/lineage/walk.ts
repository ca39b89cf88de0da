import type { UnknownReason } from '../execution/machine-host';
import { Overruns } from '../execution/overruns';
import { formatStep, type Step } from '../manifest/steps';
import type { Lineage, LineageVersion } from './lineage';
import {
  canFail,
  hasCallbacks,
  leftoverKey,
  replaces,
  type SearchLimits,
  SHORTENED,
  targetsOf,
  type Way,
} from './search-ways';
import type { SearchResult, Trial } from './trial';
import { type Plot, type StateName, stateText, Twins } from './twins';
import { type Danger, dangersOf, danglingPointers, type Leftover, leftovers } from './verdict';
import { World } from './world';

/**
 * A walk over the states that are reachable from a clean kernel, shortest ways first. Pairs of versions do not
 * suffice: what v1 handed to v2 decides what v2 hands to v3.
 */

/**
 * Steps of one way that each leave something more behind. A lineage that leaks at every upgrade reaches ever new states
 * that differ in nothing but how much was leaked.
 */
const MAX_LEAKING_STEPS = 1;

/** Versions loaded in one way at most: a count that goes up with every upgrade makes ever new states, too. */
const MAX_LOADS = 5;

/** Loads of one target module in one way at most: callbacks that count how often it came do so for ever. */
const MAX_COMINGS = 4;

interface State {
  readonly world: World;
  readonly steps: readonly Step[];
  readonly top: LineageVersion | null;
  /** Leftovers by identity that were there already. */
  readonly left: ReadonlySet<string>;
  /** How much was there, and how many steps of the way added to it. */
  readonly leftCount: number;
  readonly leakingSteps: number;
  /** Versions whose code helped to make it, by name. */
  readonly makers: ReadonlySet<string>;
  /** What led to it: its steps as text, and the fingerprints of all that took part. */
  readonly history: string;
  readonly prints: string;
  /** The same without the versions' names. */
  readonly plot: Plot;
}

/** A trial that was carried out, or whose twin was, and the state behind it. */
export interface KeptTrial {
  readonly trial: Trial;
  readonly key: string;
  /** Steps of the interpreter that it took. */
  readonly spent: number;
  /** What calls without an end had cost before it, and what they cost in it. */
  readonly before: number;
  readonly lost: number;
  /** All that would stay for ever after it. */
  readonly left: readonly Leftover[];
  /** Kept only where the search went on from it: worlds are what costs memory. */
  end: World | null;
}

function comings({ steps }: Trial, target: string): number {
  return steps.filter((step) => step.k === 'load' && step.name === target).length;
}

export class Walk {
  tried = 0;
  readonly keep = new Map<string, KeptTrial>();
  readonly #lineage: Lineage;
  readonly #before: ReadonlyMap<string, KeptTrial>;
  readonly #trials: Trial[] = [];
  readonly #seen = new Set<string>();
  /** Forcing is tried once for each pair of versions: histories do not make it better or worse. */
  readonly #forced = new Set<string>();
  readonly #left = new Map<string, readonly Leftover[]>();
  /** Whether something may stay because of who made it. */
  readonly #keeps: boolean;
  readonly #queue: State[] = [];
  readonly #limits: SearchLimits;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #targetPrints: string;
  readonly #twins: Twins;
  readonly #overruns = new Overruns();
  #exhausted: string | null = null;
  /** Of all trials, the kept ones too: a search ends at the same place whatever was known before. */
  #spent = 0;

  /** `before`: trials that may be used again; `numbers`: a number for each fingerprint, unlike any in `before`. */
  constructor(
    lineage: Lineage,
    before: ReadonlyMap<string, KeptTrial>,
    numbers: ReadonlyMap<string, number>,
    limits: SearchLimits,
  ) {
    this.#lineage = lineage;
    this.#before = before;
    this.#numbers = numbers;
    this.#limits = limits;
    this.#twins = new Twins(lineage);
    this.#keeps = lineage.versions.some((version) => version.entry.keeps.length > 0);
    this.#targetPrints = lineage.targets.map((target) => numbers.get(target.fingerprint)).join();
  }

  /** Begins with these steps; gives way after every state. */
  *run(targets: readonly Step[]): Generator<void, SearchResult> {
    const clean = new World(this.#lineage, { overruns: this.#overruns });
    for (const step of targets) clean.apply(step);
    const plot = this.#twins.plotOf({ cast: [], text: '' }, targets);
    const key = stateText(this.#twins.stateOf(clean));
    this.#add({ key, left: this.#leftovers(clean, key) }, clean, targets, plot, null, new Set(), 0);
    for (let next = 0; next < this.#queue.length; next++) {
      const state = this.#queue[next];
      if (!state) break;
      if (this.#trials.length >= this.#limits.transitions) {
        this.#exhausted = `the search was ended after ${this.#limits.transitions} transitions`;
        break;
      }
      const { steps = Number.POSITIVE_INFINITY } = this.#limits;
      if (this.#spent >= steps) {
        this.#exhausted = `the search was ended after ${steps} statements of callbacks`;
        break;
      }
      this.#explore(state);
      yield;
    }
    if (this.#overruns.tooMany) this.#exhausted ??= SHORTENED;
    return { trials: this.#trials, states: this.#queue.length, exhausted: this.#exhausted };
  }

  #explore(state: State): void {
    for (const version of this.#lineage.versions) {
      if (version === state.top || state.world.kernel.instanceOf(version.module) !== null) continue;
      this.#loads(state, version);
    }
    if (state.top) this.#disables(state, state.top);
    this.#targets(state);
  }

  #loads(state: State, version: LineageVersion): void {
    const load: Step = { k: 'load', name: version.name, params: [] };
    const tidy: Step[] = state.top && replaces(version) ? [{ k: 'unload', name: state.top.name }] : [];
    const kept = this.#try(state, 'load', version, [load, ...tidy], true);
    this.#follow(state, kept, version);
    if (!hasCallbacks(version) && !(state.top && hasCallbacks(state.top))) return;
    const disable: Step = { k: 'disable', name: version.name };
    this.#try(state, 'reversed-load', version, [
      { k: 'stall' },
      load,
      disable,
      { k: 'resume' },
      { k: 'unload', name: version.name },
    ]);
    const pair = `${state.top?.name ?? ''} ${version.name}`;
    if (!this.#forced.has(pair)) {
      this.#forced.add(pair);
      this.#try(state, 'forced', version, [
        { k: 'stall' },
        load,
        { k: 'force', name: version.name },
        { k: 'resume' },
      ]);
    }
    for (const fn of kept.trial.fallible) {
      this.#try(state, 'failing', version, [
        { k: 'fail', name: version.name, function: fn, errno: null },
        load,
      ]);
    }
    for (const target of targetsOf(version, state.top)) {
      const comes: Step = { k: 'load', name: target, params: [] };
      const goes: Step = { k: 'unload', name: target };
      if (state.world.kernel.instanceOf(target) === null) {
        this.#try(state, 'target-comes-meanwhile', version, [
          { k: 'stall' },
          load,
          comes,
          { k: 'resume' },
          ...tidy,
        ]);
      } else {
        this.#try(state, 'target-goes-meanwhile', version, [
          { k: 'stall' },
          load,
          goes,
          { k: 'resume' },
          ...tidy,
        ]);
      }
    }
  }

  #disables(state: State, top: LineageVersion): void {
    const disable: Step = { k: 'disable', name: top.name };
    this.#follow(
      state,
      this.#try(state, 'disable', top, [disable, { k: 'unload', name: top.name }], true),
      null,
    );
    if (hasCallbacks(top)) {
      this.#try(state, 'reversed-disable', top, [
        { k: 'stall' },
        disable,
        { k: 'enable', name: top.name },
        { k: 'resume' },
      ]);
    }
  }

  #targets(state: State): void {
    for (const target of targetsOf(state.top, null)) {
      const loaded = state.world.kernel.instanceOf(target) !== null;
      const step: Step = loaded ? { k: 'unload', name: target } : { k: 'load', name: target, params: [] };
      const way = loaded ? 'target-goes' : 'target-comes';
      this.#follow(state, this.#try(state, way, null, [step], true), state.top);
    }
  }

  /** Goes on from the state behind a trial, unless it is known. */
  #follow(state: State, kept: KeptTrial, top: LineageVersion | null): void {
    const { trial } = kept;
    if (trial.word === 'refused' || trial.dangers.some((danger) => danger.certainty === 'must')) return;
    if (this.#seen.has(kept.key)) return;
    if (this.#queue.length >= this.#limits.states) {
      this.#exhausted = `the search was ended after ${this.#limits.states} states`;
      return;
    }
    const makers = new Set(state.makers);
    if (trial.version) makers.add(trial.version.name);
    if (!kept.end) {
      // Again as it was the first time, and already counted.
      const { lost } = this.#overruns;
      this.#overruns.lost = kept.before;
      kept.end = this.#carryOut(state, trial.way, trial.version, trial.steps.slice(-trial.own)).kept.end;
      this.#overruns.lost = lost;
    }
    if (!kept.end) return;
    // A kept world knows the versions as they were read when it was made.
    if (kept.end.lineage !== this.#lineage)
      kept.end = new World(this.#lineage, { overruns: this.#overruns }, kept.end);
    const leaks = kept.left.length > state.leftCount ? 1 : 0;
    if (state.leakingSteps + leaks > MAX_LEAKING_STEPS) {
      this.#exhausted ??=
        'ways on which more than one step leaves something behind were not followed to their end';
      return;
    }
    if (this.#loadsIn(trial) >= MAX_LOADS) {
      this.#exhausted = `ways that load more than ${MAX_LOADS} versions were not followed`;
      return;
    }
    const last = trial.steps[trial.steps.length - 1];
    if (trial.way === 'target-comes' && last?.k === 'load' && comings(trial, last.name) > MAX_COMINGS) {
      this.#exhausted = `ways on which a target module is loaded more than ${MAX_COMINGS} times were not followed`;
      return;
    }
    const plot = this.#twins.plotOf(state.plot, trial.steps.slice(-trial.own));
    this.#add(kept, kept.end, trial.steps, plot, top, makers, state.leakingSteps + leaks);
  }

  #loadsIn({ steps }: Trial): number {
    const { versions } = this.#lineage;
    return steps.filter((step) => step.k === 'load' && versions.some((it) => it.name === step.name)).length;
  }

  #add(
    { key, left: leftovers }: Pick<KeptTrial, 'key' | 'left'>,
    world: World,
    steps: readonly Step[],
    plot: Plot,
    top: LineageVersion | null,
    makers: ReadonlySet<string>,
    leakingSteps: number,
  ): void {
    this.#seen.add(key);
    const left = new Set(leftovers.map(leftoverKey));
    const history = steps.map((step) => `${formatStep(step)};`).join('');
    const prints = this.#printsOf(makers);
    const leftCount = leftovers.length;
    this.#queue.push({ world, steps, top, left, leftCount, leakingSteps, makers, history, prints, plot });
  }

  #try(
    state: State,
    way: Way,
    version: LineageVersion | null,
    own: readonly Step[],
    goesOn = false,
  ): KeptTrial {
    const name = this.#nameOf(state, version, own);
    let kept = this.#before.get(name);
    if (kept && this.#overruns.same(kept)) this.#overruns.lost += kept.lost;
    else {
      const plot = this.#twins.isTwinned(state.plot, version) ? this.#twins.plotOf(state.plot, own) : null;
      kept = plot ? this.#asItsTwin(state, way, version, own, plot, goesOn) : undefined;
      if (!kept) {
        this.tried++;
        const { kept: now, end } = this.#carryOut(state, way, version, own);
        kept = now;
        const { trial, spent, before } = kept;
        if (plot && kept.end && saysNothingOfItsOwn(kept))
          this.#twins.keep(plot, kept.end, {
            word: trial.word,
            fallible: trial.fallible,
            spent,
            before,
            end,
          });
        if (!goesOn || this.#seen.has(kept.key)) kept.end = null;
      }
    }
    this.keep.set(name, kept);
    this.#trials.push(kept.trial);
    this.#spent += kept.spent;
    return kept;
  }

  /** A trial that one of its twins has been through; null where there is none, or the search has to go on from its end. */
  #asItsTwin(
    state: State,
    way: Way,
    version: LineageVersion | null,
    own: readonly Step[],
    plot: Plot,
    goesOn: boolean,
  ): KeptTrial | undefined {
    const outcome = this.#twins.outcomeOf(plot);
    const before = this.#overruns.lost;
    if (!outcome || !this.#overruns.same({ before: outcome.before, lost: 0 })) return undefined;
    const key = stateText(outcome.end);
    if (goesOn && !this.#seen.has(key)) return undefined;
    const { word, fallible, spent } = outcome;
    const steps = [...state.steps, ...own];
    const found = { dangers: [], leftovers: [], unknown: [] };
    const trial: Trial = { way, from: state.top, version, steps, own: own.length, word, fallible, ...found };
    return { trial, key, spent, before, lost: 0, left: [], end: null };
  }

  /** What would stay for ever: the same in equal states, and told alike where the same versions made it. */
  #leftovers(world: World, key: string): readonly Leftover[] {
    let known = this.#left.get(key);
    if (known?.length === 0 && !this.#keeps) return known;
    const name = `${key}\n${world.effects().map(({ by, last }) => [by, last].map((it) => it && world.nameOf(it.instance).module))}`;
    known = this.#left.get(name);
    if (!known) {
      known = leftovers(world).leftovers;
      this.#left.set(name, known);
      if (known.length === 0) this.#left.set(key, known);
    }
    return known;
  }

  /** Names a trial by all that decides it: who made the state, in which form, by which steps, and what is done. */
  #nameOf(state: State, version: LineageVersion | null, own: readonly Step[]): string {
    const steps = own.map(formatStep).join(';');
    const print = version ? this.#numbers.get(version.fingerprint) : '';
    return `${state.history}${steps}\n${print} ${state.prints}`;
  }

  #printsOf(makers: ReadonlySet<string>): string {
    const prints = [...makers].map((name) => {
      const version = this.#lineage.versions.find((it) => it.name === name);
      return version && this.#numbers.get(version.fingerprint);
    });
    return `${prints.join()};${this.#targetPrints}`;
  }

  #carryOut(
    state: State,
    way: Way,
    version: LineageVersion | null,
    own: readonly Step[],
  ): { kept: KeptTrial; end: StateName } {
    const before = this.#overruns.lost;
    const world = new World(this.#lineage, { overruns: this.#overruns }, state.world);
    const dangers: Danger[] = [];
    const unknown: UnknownReason[] = [];
    const fallible = new Set<string>();
    const first = state.steps.length;
    let refused = false;
    own.forEach((step, index) => {
      const outcome = world.apply(step);
      if (step.k === 'load' && outcome.result < 0) refused = true;
      dangers.push(...dangersOf(world, outcome, first + index));
      for (const danger of danglingPointers(world, first + index)) {
        if (!dangers.some((known) => known.effect !== null && known.effect.id === danger.effect?.id))
          dangers.push(danger);
      }
      for (const it of outcome.happenings) {
        if (it.k === 'unknown') unknown.push(it.reason);
        else if (it.k === 'effect' && it.event.k === 'done' && canFail(it.event.effect))
          fallible.add(it.event.effect.row.do);
      }
    });
    const end = this.#twins.stateOf(world);
    const key = stateText(end);
    const all = this.#leftovers(world, key);
    const left = all.filter((leftover) => !state.left.has(leftoverKey(leftover)));
    const word = dangers.length > 0 ? 'unsafe' : refused ? 'refused' : left.length > 0 ? 'leaves' : 'clean';
    const trial: Trial = {
      way,
      from: state.top,
      version,
      steps: [...state.steps, ...own],
      own: own.length,
      dangers,
      leftovers: left,
      word,
      unknown,
      fallible: [...fallible],
    };
    const lost = this.#overruns.lost - before;
    return { kept: { trial, key, spent: world.spent, before, lost, left: all, end: world }, end };
  }
}

/** Whether what was seen belongs to no version alone. */
function saysNothingOfItsOwn({ trial, left, lost }: KeptTrial): boolean {
  return trial.dangers.length + trial.unknown.length + left.length + lost === 0;
}
