import type { CallbackKind, PatchImage } from '../../server/src/core/kernel/types';
import type { Kind, NaivePatch } from './naive-model';
import { imageOf } from './scripted-world';

/** Random lineages and step sequences, the same for the same seed. */

export interface RandomRun {
  readonly patches: readonly NaivePatch[];
  readonly images: ReadonlyMap<string, { readonly image: PatchImage; readonly livepatch: boolean }>;
  readonly steps: readonly (readonly [verb: string, name: string])[];
  /** What the n-th pre_patch or target init of the run answers. */
  readonly outcomes: readonly number[];
}

const KINDS: readonly Kind[] = ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'];
const OBJECTS = ['vmlinux', 'm', 'n'] as const;
const NAMES = ['v1', 'v2', 'v3'] as const;

/** mulberry32: numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomRun(seed: number): RandomRun {
  const random = generator(seed);
  const chance = (share: number): boolean => random() < share;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const patches: NaivePatch[] = [];
  const images = new Map<string, { image: PatchImage; livepatch: boolean }>();
  for (const name of NAMES) {
    const made = randomPatch(name, chance, pick);
    patches.push(made.patch);
    images.set(name, { image: made.image, livepatch: made.livepatch });
  }
  const steps: (readonly [string, string])[] = [];
  const length = 4 + Math.floor(random() * 20);
  for (let i = 0; i < length; i++) steps.push(randomStep(random(), pick));
  const outcomes = Array.from({ length: 64 }, () => (chance(0.1) ? pick([-12, -19]) : 0));
  return { patches, images, steps, outcomes };
}

function randomStep(share: number, pick: <T>(from: readonly T[]) => T): readonly [string, string] {
  if (share < 0.3) return ['load', pick(NAMES)];
  if (share < 0.42) return ['load', pick(['m', 'n'])];
  if (share < 0.52) return ['unload', pick(NAMES)];
  if (share < 0.6) return ['unload', pick(['m', 'n'])];
  if (share < 0.74) return ['disable', pick(NAMES)];
  if (share < 0.8) return ['enable', pick(NAMES)];
  if (share < 0.84) return ['force', pick(NAMES)];
  if (share < 0.92) return [pick(['stall', 'stall', 'hold']), ''];
  if (share < 0.96) return ['resume', ''];
  return [pick(['busy', 'idle']), ''];
}

function randomPatch(
  name: string,
  chance: (share: number) => boolean,
  pick: <T>(from: readonly T[]) => T,
): { patch: NaivePatch; image: PatchImage; livepatch: boolean } {
  const names = OBJECTS.filter(() => chance(0.7));
  if (names.length === 0) names.push('vmlinux');
  if (chance(0.3)) names.reverse();
  const objects = names.map((object) => ({
    name: object,
    kinds: KINDS.filter(() => chance(0.85)),
    unpatchable: chance(0.04),
  }));
  const states = new Map<number, number>();
  if (chance(0.3)) states.set(1, pick([1, 1, 2]));
  if (chance(0.15)) states.set(2, pick([0, 1]));
  const replace = chance(0.65);
  let image = imageOf(
    objects.map((object) => ({
      name: object.name,
      callbacks: object.kinds as readonly CallbackKind[],
      // ftrace is asked only for what no livepatch redirects yet, so what it refuses has a name of its own.
      functions: [object.unpatchable ? `odd_${name}` : `fn_${pick(['a', 'b', 'c'])}`],
    })),
    {
      replace: replace ? 'everything' : 'nothing',
      states: [...states].map(([id, version]) => ({ id, version })),
    },
  );
  let livepatch = true;
  let broken = 0;
  let late = false;
  if (chance(0.06)) {
    const fault = pick([
      'objs',
      'funcs',
      'mod',
      'not-livepatch',
      'same-object',
      'same-function',
      'empty-name',
      'new_func',
    ]);
    const own = image.objects ?? [];
    const first = own[0];
    broken = fault === 'same-object' || fault === 'same-function' ? -17 : -22;
    late = !['objs', 'funcs', 'mod', 'not-livepatch'].includes(fault);
    if (fault === 'not-livepatch') livepatch = false;
    else if (fault === 'mod') image = { ...image, hasModule: false };
    else if (fault === 'objs') image = { ...image, objects: null };
    else if (first) {
      const fn = { oldName: 'twice', newName: fault === 'new_func' ? '' : 'new', sympos: 0 };
      if (fault === 'funcs') image = { ...image, objects: [...own, { ...first, functions: null }] };
      if (fault === 'same-object') image = { ...image, objects: [...own, first] };
      if (fault === 'empty-name') image = { ...image, objects: [...own, { ...first, name: '' }] };
      if (fault === 'new_func')
        image = { ...image, objects: [{ ...first, functions: [fn] }, ...own.slice(1)] };
      if (fault === 'same-function') {
        image = { ...image, objects: [{ ...first, functions: [fn, { ...fn, sympos: 1 }] }, ...own.slice(1)] };
      }
    }
  }
  return { patch: { name, replace, objects, states, broken, late }, image, livepatch };
}
