import type { Step } from '../manifest/steps';
import type { Lineage } from './lineage';
import { targetsLoaded } from './run';
import { LIMITS, type SearchLimits, settingsOf } from './search-ways';
import type { SearchResult } from './trial';
import { type KeptTrial, Walk } from './walk';
import { World } from './world';

/**
 * Searches one lineage after the other and keeps what still holds: a trial is used again while the versions that
 * made its state and the version it loads have the same fingerprints.
 */
export class Search {
  /** Ways tried so far; kept ones are not counted. */
  tried = 0;
  #kept = new Map<string, KeptTrial>();
  #prints: ReadonlyMap<string, number> = new Map();
  #nextPrint = 0;
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
    const walking = this.steps(lineage);
    for (;;) {
      const step = walking.next();
      if (step.done) return step.value;
    }
  }

  /** As `run`, and gives way after every state, which is the place to end a search that nobody waits for any more. */
  *steps(lineage: Lineage): Generator<void, SearchResult> {
    const settings = settingsOf(lineage);
    if (settings !== this.#settings || lineage.library !== this.#library) this.#kept = new Map();
    this.#settings = settings;
    this.#library = lineage.library;
    this.#number(lineage);
    const walk = new Walk(lineage, this.#kept, this.#prints, this.#limits);
    try {
      const result = yield* walk.run(this.#patient ? targetsThatLetGo(lineage) : targetsLoaded(lineage));
      // In between another search may have begun, under other circumstances.
      if (settings === this.#settings && lineage.library === this.#library) this.#kept = walk.keep;
      return result;
    } finally {
      this.tried += walk.tried;
    }
  }

  /** Numbers the fingerprints: each has the number that it had before, or one that none ever had. */
  #number({ versions, targets }: Lineage): void {
    const prints = new Map<string, number>();
    for (const { fingerprint } of [...versions, ...targets])
      prints.set(fingerprint, prints.get(fingerprint) ?? this.#prints.get(fingerprint) ?? this.#nextPrint++);
    this.#prints = prints;
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
