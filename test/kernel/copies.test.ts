import { expect, test } from 'vitest';
import type { FunctionImage } from '../../server/src/core/kernel/types';
import { randomRun } from './random-runs';
import { imageOf, type ScriptedModule, ScriptedWorld } from './scripted-world';

/** clone() and key(), on which the search over states stands. */

function step(w: ScriptedWorld, verb: string, name: string): number {
  const { kernel } = w;
  if (verb === 'load') return w.load(name);
  if (verb === 'unload') return kernel.unload(name);
  if (verb === 'disable') return kernel.disable(name);
  if (verb === 'enable') return kernel.enable(name);
  if (verb === 'force') return kernel.force(name);
  if (verb === 'stall') kernel.stall();
  if (verb === 'hold') kernel.hold();
  if (verb === 'resume') kernel.resume();
  return 0;
}

const PROBES: readonly (readonly [string, string])[] = [
  ['unload', 'm'],
  ['load', 'm'],
  ['disable', 'v1'],
  ['enable', 'v2'],
  ['disable', 'v3'],
  ['force', 'v2'],
  ['resume', ''],
  ['unload', 'v1'],
  ['load', 'v1'],
  ['unload', 'n'],
  ['load', 'n'],
  ['load', 'v3'],
  ['disable', 'v2'],
];

/** What a copy does from here on, without touching the original. */
function future(w: ScriptedWorld, from: number): string {
  const copy = w.clone();
  const results: number[] = [];
  for (let i = 0; i < PROBES.length; i++) {
    const [verb, name] = PROBES[(from + i) % PROBES.length] ?? ['', ''];
    results.push(step(copy, verb, name));
  }
  const skipped = copy.events.filter((event) => event.k === 'skipped').map((event) => event.because);
  return [results.join(), copy.calls().join(), copy.texts().join('\n'), skipped.join()].join('|');
}

/** Mutants face fewer of them. */
const SEEDS = process.env['MUTATED'] ? 200 : 1500;

test('states with the same key have the same future, and a copy leaves its original alone', () => {
  const futures = new Map<string, string>();
  let again = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = randomRun(seed % 40);
    const modules: Record<string, ScriptedModule> = { m: {}, n: {} };
    for (const [name, { image, livepatch }] of run.images) modules[name] = { image, livepatch };
    const w = new ScriptedWorld(modules);
    // The same few lineages, other steps each time: that is how keys meet.
    for (const [index, [verb, name]] of randomRun(seed).steps.entries()) {
      step(w, verb, name);
      const key = w.kernel.key();
      const known = futures.get(`${seed % 40} ${key}`);
      const now = future(w, 0) + future(w, 6);
      expect(w.kernel.key(), `seed ${seed}, step ${index}`).toBe(key);
      if (known === undefined) futures.set(`${seed % 40} ${key}`, now);
      else {
        again++;
        expect(now, `seed ${seed}, step ${index}`).toBe(known);
      }
    }
  }
  expect(futures.size).toBeGreaterThan(SEEDS / 2);
  expect(again).toBeGreaterThan(SEEDS / 2);
});

test('a copy has the pending transition, and each ends its own', () => {
  const w = new ScriptedWorld({ v1: { image: imageOf(['vmlinux']) } });
  w.kernel.stall();
  w.load('v1');
  const copy = w.clone();
  expect(copy.kernel.transition()).toEqual({ patch: 1, to: 'patched' });
  copy.kernel.resume();
  expect(copy.kernel.transition()).toBeNull();
  expect(w.kernel.transition()).toEqual({ patch: 1, to: 'patched' });
  expect(w.clone().kernel.key()).toBe(w.kernel.key());
});

test('the key ignores instance numbers and the order in which modules were loaded', () => {
  const modules = { m: {}, n: {}, v1: { image: imageOf(['vmlinux', 'm']) } };
  const one = new ScriptedWorld(modules);
  for (const name of ['m', 'n', 'v1']) one.load(name);
  const other = new ScriptedWorld(modules);
  for (const name of ['v1', 'n', 'm']) other.load(name);
  other.kernel.unload('m');
  other.load('m');
  expect(other.kernel.key()).toBe(one.kernel.key());
});

test('a target that came and went leaves no trace in the key', () => {
  const w = new ScriptedWorld({ m: {}, v1: { image: imageOf(['vmlinux', 'm']) } });
  w.load('v1');
  const before = w.kernel.key();
  w.load('m');
  expect(w.kernel.key()).not.toBe(before);
  w.kernel.unload('m');
  expect(w.kernel.key()).toBe(before);
});

test('whether the stalled task was switched before the stall began is part of the key', () => {
  const pending = (busyFirst: boolean): ScriptedWorld => {
    const w = new ScriptedWorld({ v1: { image: imageOf(['vmlinux']) } });
    w.isBusy = () => true;
    if (!busyFirst) w.kernel.stall();
    w.load('v1');
    w.kernel.stall();
    return w;
  };
  expect(pending(true).kernel.key()).not.toBe(pending(false).kernel.key());
  const reversed = [true, false].map((busyFirst) => {
    const w = pending(busyFirst);
    w.kernel.disable('v1');
    return w.kernel.transition() !== null;
  });
  expect(reversed).toEqual([true, false]);
});

test('the key tells states apart', () => {
  const modules = {
    m: {},
    v1: { image: imageOf(['vmlinux', 'm'], { replace: 'nothing' }) },
    v2: { image: imageOf(['vmlinux'], { replace: 'nothing' }) },
  };
  const histories = [
    [],
    ['load m'],
    ['load v1'],
    ['load v2'],
    ['load v1', 'load m'],
    ['load v1', 'load v2'],
    ['load v2', 'load v1'],
    ['load v1', 'disable v1'],
    ['stall '],
    ['hold '],
    ['stall ', 'load v1'],
    ['hold ', 'load v1'],
    ['hold ', 'load v1', 'disable v1'],
    ['stall ', 'load v1', 'force v1'],
    ['load v1', 'stall ', 'disable v1'],
    ['load v1', 'stall ', 'disable v1', 'force v1'],
  ];
  const keys = histories.map((history) => {
    const w = new ScriptedWorld(modules);
    for (const text of history) expect(step(w, text.split(' ')[0] ?? '', text.split(' ')[1] ?? '')).toBe(0);
    return w.kernel.key();
  });
  expect(new Set(keys).size).toBe(histories.length);
});

test('a parameter that changes the image changes the key', () => {
  const keyWith = (replace: 'nothing' | 'everything'): string => {
    const w = new ScriptedWorld({ v1: { image: imageOf(['vmlinux'], { replace }) } });
    w.load('v1');
    return w.kernel.key();
  };
  expect(keyWith('nothing')).not.toBe(keyWith('everything'));
});

test('copying and keying a state looks at no function of its livepatches', () => {
  const image = imageOf([{ name: 'vmlinux', functions: ['a', 'b', 'c'] }]);
  let looks = 0;
  const watched = (functions: readonly FunctionImage[] | null): readonly FunctionImage[] =>
    new Proxy(functions ?? [], {
      get(target, key, receiver) {
        looks++;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
  const objects = (image.objects ?? []).map((it) => ({ ...it, functions: watched(it.functions) }));
  const w = new ScriptedWorld({ v1: { image: { ...image, objects } } });
  w.load('v1');
  const key = w.kernel.key();
  expect(looks).toBeGreaterThan(0);
  looks = 0;
  for (let i = 0; i < 10; i++) expect(w.clone().kernel.key()).toBe(key);
  expect(looks).toBe(0);
});
