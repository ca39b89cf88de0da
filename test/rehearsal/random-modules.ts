import { CALLBACK_KINDS, type CallbackKind } from '../../server/src/core/kernel/types';

/** Random livepatches, targets and step sequences for a real kernel; the same for the same seed. */

export interface RandomObject {
  /** "vmlinux" or a target. */
  readonly name: string;
  readonly functions: readonly string[];
  readonly callbacks: readonly CallbackKind[];
}

export interface RandomLivepatch {
  readonly name: string;
  readonly replace: boolean;
  readonly objects: readonly RandomObject[];
  readonly states: readonly { readonly id: number; readonly version: number }[];
  /** Ids of shadow variables that its post_patch attaches to NULL, and its pre_unpatch and exit free. */
  readonly shadows: readonly number[];
}

export interface RandomStep {
  readonly verb: 'load' | 'unload' | 'disable' | 'enable' | 'force' | 'set' | 'stall' | 'resume';
  readonly name: string;
  readonly param: { readonly name: string; readonly value: number } | null;
}

export const TARGETS = ['rt_a', 'rt_b', 'rt_c'] as const;
export const STATE_IDS = [1, 2, 3] as const;
export const SHADOW_IDS = [0x11, 0x12] as const;
const LIVEPATCHES = ['rp_1', 'rp_2', 'rp_3', 'rp_4', 'rp_5', 'rp_6'] as const;
const VMLINUX_FUNCTIONS = ['cmdline_proc_show', 'version_proc_show', 'loadavg_proc_show'] as const;

class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32: a number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.next() * from.length)] as T;
  }
}

export function randomLivepatches(seed: number): RandomLivepatch[] {
  const random = new Random(seed);
  const shadowed = new Random(seed + 0x5eed);
  return LIVEPATCHES.map((name, index) => {
    const names = ['vmlinux', ...TARGETS].filter(() => random.chance(0.6));
    if (names.length === 0) names.push('vmlinux');
    if (random.chance(0.4)) names.reverse();
    const objects = names.map((object) => ({
      name: object,
      functions: functionsOf(object).filter(() => random.chance(0.4)),
      callbacks: CALLBACK_KINDS.filter(() => random.chance(0.9)),
    }));
    const states = STATE_IDS.filter(() => random.chance(0.25)).map((id) => ({
      id,
      version: random.pick([0, 1, 2]),
    }));
    // Both kinds are there whatever the seed.
    const replace = index < 3 ? index !== 2 : random.chance(0.5);
    return { name, replace, objects, states, shadows: SHADOW_IDS.filter(() => shadowed.chance(0.5)) };
  });
}

function functionsOf(object: string): readonly string[] {
  if (object === 'vmlinux') return VMLINUX_FUNCTIONS;
  // The last one does not exist, so its target cannot be patched.
  return [`${object}_one`, `${object}_two`, ...(object === 'rt_c' ? ['rt_c_none'] : [])];
}

export function randomSteps(
  seed: number,
  livepatches: readonly RandomLivepatch[],
  forced: boolean,
): RandomStep[] {
  const random = new Random(seed);
  const steps: RandomStep[] = [];
  const length = 7 + Math.floor(random.next() * 11);
  let stalled = false;
  let latest = random.pick(livepatches);
  const loaded = new Set<string>();
  while (steps.length < length) {
    // Steps that follow each other mostly concern the same livepatch, or few of them would find it installed.
    const patch = random.chance(0.55) ? latest : random.pick(livepatches);
    const target = random.pick(TARGETS);
    const share = random.next();
    const plain = (verb: RandomStep['verb'], name = ''): void => void steps.push({ verb, name, param: null });
    if (share < 0.32) {
      latest = random.pick(livepatches);
      steps.push({ verb: 'load', name: latest.name, param: failing(random, latest, 0.12) });
      if (stalled && random.chance(0.4)) plain('disable', latest.name);
    } else if (share < 0.54) {
      // A target mostly comes where it is absent and goes where it is loaded.
      const loads = loaded.has(target) !== random.chance(0.85);
      const param = loads && random.chance(0.1) ? { name: 'init_ret', value: random.pick([-5, -12]) } : null;
      steps.push({ verb: loads ? 'load' : 'unload', name: target, param });
      if (loads && !param) loaded.add(target);
      else loaded.delete(target);
    } else if (share < 0.61) plain('unload', patch.name);
    else if (share < 0.76) {
      plain('disable', patch.name);
      if (stalled && random.chance(0.5)) plain('enable', patch.name);
    } else if (share < 0.81) plain('enable', patch.name);
    else if (share < 0.87) {
      const param = failing(random, patch, 0.95) ?? { name: 'no_such_parameter', value: 1 };
      steps.push({ verb: 'set', name: patch.name, param });
      const object = TARGETS.find((name) => param.name === `fail_${name}`);
      if (object && random.chance(0.7)) {
        if (loaded.delete(object)) plain('unload', object);
        plain('load', object);
      }
    } else {
      stalled = !stalled;
      plain(stalled ? 'stall' : 'resume');
      if (stalled && random.chance(0.5)) {
        plain('disable', latest.name);
        if (random.chance(0.5)) plain('enable', latest.name);
      }
    }
    if (forced && random.chance(0.3)) plain('force', patch.name);
  }
  if (!forced) return steps;
  // One force that meets a pending transition, whatever else happened.
  const [first, second] = livepatches as readonly [RandomLivepatch, RandomLivepatch];
  const sure: RandomStep[] = [
    { verb: 'load', name: first.name, param: null },
    { verb: 'stall', name: '', param: null },
    { verb: 'load', name: second.name, param: null },
    { verb: 'disable', name: first.name, param: null },
    { verb: 'force', name: first.name, param: null },
    { verb: 'force', name: second.name, param: null },
  ];
  return [...sure, ...steps];
}

function failing(random: Random, patch: RandomLivepatch, share: number): RandomStep['param'] {
  if (!random.chance(share)) return null;
  return { name: `fail_${random.pick(patch.objects).name}`, value: random.pick([-19, -12, -16, 0]) };
}
