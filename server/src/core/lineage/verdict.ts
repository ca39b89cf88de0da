import type { Hazard } from '../execution/catalogue-row';
import type { Effect, EffectEvent, Fault } from '../execution/effects';
import type { InstanceId } from '../kernel/types';
import type { KeptEffect } from '../manifest/manifest';
import type { Certainty, Place } from '../place';
import type { LineageVersion } from './lineage';
import type { StepOutcome, World } from './world';

export type VerdictWord = 'clean' | 'leaves' | 'unsafe' | 'refused';

/** Best first: a verdict is as bad as the worst thing in the run. */
export const VERDICTS: readonly VerdictWord[] = ['clean', 'leaves', 'refused', 'unsafe'];

/** Worst first, for choosing the one that a leftover is named after. */
export const HAZARDS: readonly Hazard[] = ['use-after-free', 'double-application', 'stuck-value', 'leak'];

/** A side effect that is there after the last step and would still be there with everything disabled and unloaded. */
export interface Leftover {
  readonly effect: Effect;
  readonly hazard: Hazard;
  readonly certainty: Certainty;
  /** Who made it. */
  readonly version: LineageVersion | null;
  readonly place: Place;
}

/** Something in the run itself that endangers the kernel. */
export interface Danger {
  readonly kind: Fault | 'dangling-pointer' | 'double-registration' | 'kernel-warning';
  readonly text: string;
  readonly certainty: Certainty;
  readonly place: Place | null;
  readonly version: LineageVersion | null;
  /** Index of the step that showed it. */
  readonly step: number;
  readonly effect: Effect | null;
}

export interface Refusal {
  readonly step: number;
  readonly result: number;
}

export interface Verdict {
  readonly word: VerdictWord;
  readonly certainty: Certainty;
  readonly leftovers: readonly Leftover[];
  /** Effects that stay because their version declares so. */
  readonly kept: readonly Effect[];
  readonly dangers: readonly Danger[];
  /** For certain. */
  readonly refusals: readonly Refusal[];
  /** Only on another way at something unknown. */
  readonly mayRefuse: readonly Refusal[];
}

/** The first refusal, a certain one before one that only may be. */
export function firstRefusal({ refusals, mayRefuse }: Verdict): Refusal | undefined {
  return refusals[0] ?? mayRefuse[0];
}

/** "debugfs file net_status" */
export function describeEffect({ row, key }: Pick<Effect, 'row' | 'key'>): string {
  // A name may hold line ends; what is told of it stays in its line.
  return `${row.noun} ${key.replace(/[\r\n]/g, (c) => (c === '\n' ? '\\n' : '\\r'))}`;
}

export function worstLeftover(leftovers: readonly Leftover[]): Leftover | undefined {
  return [...leftovers].sort((a, b) => HAZARDS.indexOf(a.hazard) - HAZARDS.indexOf(b.hazard))[0];
}

/** The worst hazard of an effect, as the JSON names it: what holds no pointer into a module cannot dangle. */
export function worstHazard(effect: Effect): Hazard {
  const possible = effect.row.hazards.filter(
    (hazard) => hazard !== 'use-after-free' || effect.holds.length > 0,
  );
  return HAZARDS.find((hazard) => possible.includes(hazard)) ?? 'leak';
}

/** Judges one world after its steps. Works on a copy: the world is not changed. */
export function judge(world: World, outcomes: readonly StepOutcome[], dangers: readonly Danger[]): Verdict {
  const left = leftovers(world);
  const refusals: Refusal[] = [];
  outcomes.forEach((outcome, step) => {
    if (outcome.step.k === 'load' && outcome.result < 0) refusals.push({ step, result: outcome.result });
  });
  const all = [...dangers];
  const word: VerdictWord =
    all.length > 0
      ? 'unsafe'
      : refusals.length > 0
        ? 'refused'
        : left.leftovers.length > 0
          ? 'leaves'
          : 'clean';
  const certainties =
    word === 'unsafe' ? all : word === 'leaves' ? left.leftovers : [{ certainty: 'must' as Certainty }];
  return {
    word,
    certainty: certainties.some((item) => item.certainty === 'must') ? 'must' : 'may',
    leftovers: left.leftovers,
    kept: left.kept,
    dangers: all,
    refusals,
    mayRefuse: [],
  };
}

/**
 * What would still be there after disabling and unloading everything: a copy of the world is taken down and looked
 * at. Effects that a target module's own code made are that module's business.
 */
export function leftovers(world: World): { leftovers: Leftover[]; kept: Effect[] } {
  if (world.effects().length === 0) return { leftovers: [], kept: [] };
  const copy = world.clone();
  takeDown(copy);
  const left: Leftover[] = [];
  const kept: Effect[] = [];
  for (const effect of copy.effects()) {
    const version = copy.nameOf(effect.by.instance).version;
    if (!version) continue;
    if (isKept(effect, version, copy)) kept.push(effect);
    else {
      left.push({
        effect,
        hazard: worstHazard(effect),
        certainty: effect.certainty,
        version,
        place: effect.by.place,
      });
    }
  }
  return { leftovers: left, kept };
}

function takeDown(world: World): void {
  world.apply({ k: 'resume' });
  for (const patch of [...world.kernel.patches()].reverse()) {
    world.apply({ k: 'disable', name: world.nameOf(patch.instance).module });
  }
  // A livepatch may be another one's target and a module may pin the next: go round until nothing moves.
  for (let round = 0; round < 3; round++) {
    for (const module of [...world.kernel.modules()].reverse())
      world.apply({ k: 'unload', name: module.name });
    if (world.kernel.modules().length === 0) break;
  }
}

/**
 * Pointers of the kernel into a module whose last reference is gone: at once dangerous when the module is freed,
 * and as good as dangerous when anybody may remove it and its exit would not undo them.
 */
export function danglingPointers(world: World, step: number): Danger[] {
  const dangers: Danger[] = [];
  const holding = world.effects().filter((effect) => effect.holds.length > 0);
  if (holding.length === 0) return dangers;
  const removable = new Set<InstanceId>();
  const listed = new Set(world.listedPatches());
  for (const module of world.kernel.modules()) {
    if (!listed.has(module.instance) && module.references === 0 && world.nameOf(module.instance).version) {
      removable.add(module.instance);
    }
  }
  for (const effect of holding) {
    if (!effect.row.hazards.includes('use-after-free')) continue;
    const freed = effect.holds.find((instance) => world.isFreed(instance));
    if (freed !== undefined) dangers.push(dangling(world, effect, freed, step));
  }
  const held = holding.filter((effect) => effect.holds.some((instance) => removable.has(instance)));
  if (held.length === 0) return dangers;
  const copy = world.clone();
  for (const instance of removable) copy.apply({ k: 'unload', name: world.nameOf(instance).module });
  const still = new Map(copy.effects().map((effect) => [effect.id, effect]));
  for (const effect of held) {
    if (!effect.row.hazards.includes('use-after-free')) continue;
    const gone = still.get(effect.id)?.holds.find((instance) => copy.isFreed(instance));
    if (gone !== undefined) dangers.push(dangling(world, effect, gone, step));
  }
  return dangers;
}

function dangling(world: World, effect: Effect, into: InstanceId, step: number): Danger {
  const name = world.nameOf(into);
  return {
    kind: 'dangling-pointer',
    text: `the kernel still points into ${name.module}: ${effect.row.noun} ${effect.key}`,
    certainty: effect.certainty,
    place: effect.by.place,
    version: world.nameOf(effect.by.instance).version,
    step,
    effect,
  };
}

/** Dangers that the events of one step show. */
export function dangersOf(world: World, outcome: StepOutcome, step: number): Danger[] {
  const dangers: Danger[] = [];
  for (const happening of outcome.happenings) {
    if (happening.k === 'effect') {
      const danger = dangerOf(world, happening.event, step);
      if (danger) dangers.push(danger);
    } else if (happening.k === 'kernel' && happening.event.k === 'warning') {
      dangers.push({
        kind: 'kernel-warning',
        text: happening.event.text,
        certainty: 'must',
        place: null,
        version: null,
        step,
        effect: null,
      });
    }
  }
  return dangers;
}

function dangerOf(world: World, event: EffectEvent, step: number): Danger | null {
  if (event.k === 'fault') {
    const version = world.nameOf(event.by.instance).version;
    return {
      kind: event.fault,
      text: event.text,
      certainty: event.certainty,
      place: event.by.place,
      version,
      step,
      effect: null,
    };
  }
  if (event.k === 'repeated' && event.effect.row.repeated === 'corrupts') {
    return {
      kind: 'double-registration',
      text: `${event.effect.row.noun} ${event.effect.key} is registered twice`,
      certainty: event.effect.certainty,
      place: event.by.place,
      version: world.nameOf(event.by.instance).version,
      step,
      effect: event.effect,
    };
  }
  return null;
}

/**
 * Whether the manifest declares that this effect shall stay: for the version that made it, or for the one that wrote
 * what stands there now. Every later version must list it too.
 */
function isKept(effect: Effect, maker: LineageVersion, world: World): boolean {
  const writer =
    effect.last && effect.row.key === 'value' ? world.nameOf(effect.last.instance).version : null;
  const listed = (keeps: readonly KeptEffect[]): boolean =>
    keeps.some(
      (kept) =>
        (kept.effect.value === effect.row.do || kept.effect.value === effect.row.family) &&
        (kept.key === null || kept.key.value === effect.key),
    );
  return [maker, writer].some(
    (by) =>
      by &&
      listed(by.entry.keeps) &&
      world.lineage.versions.every((version) => version.index < by.index || listed(version.entry.keeps)),
  );
}
