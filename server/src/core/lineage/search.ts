import type { UnknownReason } from '../execution/machine-host';
import { Overruns } from '../execution/overruns';
import { formatStep, type Step } from '../manifest/steps';
import type { Lineage, LineageVersion } from './lineage';
import { targetsLoaded } from './run';
import {
  canFail,
  hasCallbacks,
  LIMITS,
  leftoverKey,
  replaces,
  type SearchLimits,
  SHORTENED,
  settingsOf,
  targetsOf,
  type Way,
} from './search-ways';
import {
  type Danger,
  dangersOf,
  danglingPointers,
  type Leftover,
  leftovers,
  VERDICTS,
  type VerdictWord,
} from './verdict';
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

/** One way out of one state, tried. */
export interface Trial {
  readonly way: Way;
  /** The newest enabled livepatch before it; null on an unpatched kernel. */
  readonly from: LineageVersion | null;
  /** The version that the way loads or disables; null where only a target module moves. */
  readonly version: LineageVersion | null;
  /** All steps from a clean kernel. */
  readonly steps: readonly Step[];
  /** The steps of this way alone are the last `own` ones. */
  readonly own: number;
  /** Dangers that this way showed. */
  readonly dangers: readonly Danger[];
  /** What would stay for ever after this way, that was not already staying before it. */
  readonly leftovers: readonly Leftover[];
  readonly word: VerdictWord;
  readonly unknown: readonly UnknownReason[];
  /** Kernel functions with an effect that can fail, called in its init or pre_patch. */
  readonly fallible: readonly string[];
}

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
}

export interface SearchResult {
  readonly trials: readonly Trial[];
  readonly states: number;
  /** Said when a limit was reached. */
  readonly exhausted: string | null;
}

/**
 * The worst that the search saw on the way from one version to another, over histories, target modules, failures and
 * reversals; null where it never went that way. Among equals the shortest, which comes first.
 */
export function worstTrial(result: SearchResult, from: string | null, to: string): Trial | null {
  let worst: Trial | null = null;
  for (const trial of result.trials) {
    if (trial.version?.name !== to || (trial.from?.name ?? null) !== from || trial.way === 'failing')
      continue;
    if (trial.way === 'disable' || trial.way === 'reversed-disable') continue;
    if (!worst || VERDICTS.indexOf(trial.word) > VERDICTS.indexOf(worst.word)) worst = trial;
  }
  return worst;
}

/** A trial that was carried out, and the state behind it. */
interface KeptTrial {
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

/**
 * Searches one lineage after the other and keeps what still holds: a trial is used again while the versions that
 * made its state and the version it loads have the same fingerprints.
 */
export class Search {
  /** Ways tried so far; kept ones are not counted. */
  tried = 0;
  #kept = new Map<string, KeptTrial>();
  #settings = '';
  #library: Lineage['library'] | null = null;
  readonly #limits: SearchLimits;
  readonly #patient: boolean;

  /** `patient`: begins without the target modules of which a task keeps transitions pending for ever. */
  constructor(limits: SearchLimits = LIMITS, patient = false) {
    this.#limits = limits;
    this.#patient = patient;
  }

  run(lineage: Lineage): SearchResult {
    const settings = settingsOf(lineage);
    if (settings !== this.#settings || lineage.library !== this.#library) this.#kept = new Map();
    this.#settings = settings;
    this.#library = lineage.library;
    const walk = new Walk(lineage, this.#kept, this.#limits);
    const result = walk.run(this.#patient ? targetsThatLetGo(lineage) : targetsLoaded(lineage));
    this.tried += walk.tried;
    this.#kept = walk.keep;
    return result;
  }
}

/** Loads of the target modules that keep no version's transition pending. */
function targetsThatLetGo(lineage: Lineage): Step[] {
  // What is known by its name alone has no tasks.
  if (!lineage.targets.some((target) => target.program)) return targetsLoaded(lineage);
  const holding = new Set<string>();
  for (const version of lineage.versions) {
    const world = new World(lineage);
    for (const step of targetsLoaded(lineage)) world.apply(step);
    world.apply({ k: 'load', name: version.name, params: [] });
    for (const module of world.holding()) holding.add(module);
  }
  return targetsLoaded(lineage).filter((step) => step.k !== 'load' || !holding.has(step.name));
}

function comings({ steps }: Trial, target: string): number {
  return steps.filter((step) => step.k === 'load' && step.name === target).length;
}

class Walk {
  tried = 0;
  readonly keep = new Map<string, KeptTrial>();
  readonly #lineage: Lineage;
  readonly #before: ReadonlyMap<string, KeptTrial>;
  readonly #trials: Trial[] = [];
  readonly #seen = new Set<string>();
  /** Forcing is tried once for each pair of versions: histories do not make it better or worse. */
  readonly #forced = new Set<string>();
  readonly #left = new Map<string, readonly Leftover[]>();
  readonly #queue: State[] = [];
  readonly #limits: SearchLimits;
  readonly #overruns = new Overruns();
  #exhausted: string | null = null;
  /** Of all trials, the kept ones too: a search ends at the same place whatever was known before. */
  #spent = 0;

  constructor(lineage: Lineage, before: ReadonlyMap<string, KeptTrial>, limits: SearchLimits) {
    this.#lineage = lineage;
    this.#before = before;
    this.#limits = limits;
  }

  run(targets: readonly Step[]): SearchResult {
    const clean = new World(this.#lineage, { overruns: this.#overruns });
    for (const step of targets) clean.apply(step);
    this.#add(clean, clean.key(), targets, null, new Set(), 0);
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
    }
    if (this.#overruns.tooMany) this.#exhausted ??= SHORTENED;
    return { trials: this.#trials, states: this.#queue.length, exhausted: this.#exhausted };
  }

  #explore(state: State): void {
    for (const version of this.#lineage.versions) {
      if (version === state.top || state.world.moduleByName(version.module) !== null) continue;
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
      if (state.world.moduleByName(target) === null) {
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
      const loaded = state.world.moduleByName(target) !== null;
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
      kept.end = this.#carryOut(state, trial.way, trial.version, trial.steps.slice(-trial.own)).end;
      this.#overruns.lost = lost;
    }
    if (!kept.end) return;
    // A kept world knows the versions as they were read when it was made.
    if (kept.end.lineage !== this.#lineage)
      kept.end = new World(this.#lineage, { overruns: this.#overruns }, kept.end);
    const leaks = this.#leftovers(kept.end, kept.key).length > state.leftCount ? 1 : 0;
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
    this.#add(kept.end, kept.key, trial.steps, top, makers, state.leakingSteps + leaks);
  }

  #loadsIn({ steps }: Trial): number {
    const { versions } = this.#lineage;
    return steps.filter((step) => step.k === 'load' && versions.some((it) => it.name === step.name)).length;
  }

  #add(
    world: World,
    key: string,
    steps: readonly Step[],
    top: LineageVersion | null,
    makers: ReadonlySet<string>,
    leakingSteps: number,
  ): void {
    this.#seen.add(key);
    const leftovers = this.#leftovers(world, key);
    const left = new Set(leftovers.map(leftoverKey));
    const history = steps.map((step) => `${formatStep(step)};`).join('');
    const prints = this.#printsOf(makers);
    const leftCount = leftovers.length;
    this.#queue.push({ world, steps, top, left, leftCount, leakingSteps, makers, history, prints });
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
    if (kept && this.#overruns.same(kept)) {
      this.#overruns.lost += kept.lost;
      this.#left.set(kept.key, kept.left);
    } else {
      this.tried++;
      kept = this.#carryOut(state, way, version, own);
      if (!goesOn || this.#seen.has(kept.key)) kept.end = null;
    }
    this.keep.set(name, kept);
    this.#trials.push(kept.trial);
    this.#spent += kept.spent;
    return kept;
  }

  /** What would stay for ever: the same in equal states, so each is taken down only once. */
  #leftovers(world: World, key: string): readonly Leftover[] {
    let known = this.#left.get(key);
    if (!known) {
      known = leftovers(world).leftovers;
      this.#left.set(key, known);
    }
    return known;
  }

  /** Names a trial by all that decides it: who made the state, in which form, by which steps, and what is done. */
  #nameOf(state: State, version: LineageVersion | null, own: readonly Step[]): string {
    const steps = own.map(formatStep).join(';');
    return `${state.history}${steps}\n${version?.fingerprint ?? ''}\n${state.prints}`;
  }

  #printsOf(makers: ReadonlySet<string>): string {
    const prints = [...makers].map(
      (name) => this.#lineage.versions.find((it) => it.name === name)?.fingerprint,
    );
    return [...prints, ...this.#lineage.targets.map((target) => target.fingerprint)].join('\n');
  }

  #carryOut(state: State, way: Way, version: LineageVersion | null, own: readonly Step[]): KeptTrial {
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
    const key = world.key();
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
    return { trial, key, spent: world.spent, before, lost, left: all, end: world };
  }
}
