import { describe, expect, test } from 'vitest';
import { imageFingerprint } from '../../server/src/core/kernel/image-fingerprint';
import {
  type KernelState,
  type ModuleRecord,
  newState,
  type ObjectRecord,
  type PatchRecord,
  stateKey,
} from '../../server/src/core/kernel/records';
import type { PatchImage } from '../../server/src/core/kernel/types';
import { imageOf } from './scripted-world';

/** What the key of a state is made of, one by one: whatever a later step may hang on tells two states apart. */

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const image = imageOf([
  { name: 'vmlinux', functions: ['a'] },
  { name: 'm', functions: ['b'] },
]);

function object(name: string | null, more: Partial<ObjectRecord> = {}): Writable<ObjectRecord> {
  return {
    index: 0,
    name,
    target: null,
    patched: false,
    postUnpatchEnabled: false,
    nops: [],
    postPatched: false,
    preUnpatched: false,
    ...more,
  };
}

function loaded(name: string, instance: number): Writable<ModuleRecord> {
  const facts = { name, livepatch: false, hasInit: false, hasExit: false };
  return { instance, facts, state: 'live', alive: false, references: 0, relocated: [] };
}

/** Module m, and the livepatches v1 and v2, in memory; v1 and v2 are listed. */
function base(): {
  state: KernelState;
  m: Writable<ModuleRecord>;
  v1: Writable<PatchRecord>;
  v2: PatchRecord;
} {
  const state = newState();
  const m = loaded('m', 1);
  for (const record of [m, loaded('v1', 2), loaded('v2', 3)]) state.modules.set(record.facts.name, record);
  const patch = (name: string, instance: number): Writable<PatchRecord> => ({
    instance,
    name,
    image,
    objects: [object(null), object('m', { index: 1 })],
    enabled: false,
    forced: false,
  });
  const v1 = patch('v1', 2);
  const v2 = patch('v2', 3);
  state.patches = [v1, v2];
  return { state, m, v1, v2 };
}

type Change = (all: ReturnType<typeof base>) => void;

const moving =
  (more: Partial<NonNullable<KernelState['transition']>> = {}, of: 'v1' | 'v2' = 'v1'): Change =>
  (all) => {
    const unpatched = 'unpatched' as const;
    const patch = all[of];
    const from = { began: unpatched, to: unpatched, sleeper: unpatched, suspended: unpatched };
    all.state.transition = { patch, ...from, switched: false, ...more };
  };
const ofObject =
  (more: Partial<ObjectRecord>): Change =>
  (all) => {
    Object.assign(all.v1.objects[1] as ObjectRecord, more);
  };
const fn = (oldName: string, sympos = 0) => ({ oldName, newName: oldName, sympos });

/** Each by itself, or what the array names together. */
const CHANGES: Readonly<Record<string, Change | readonly Change[]>> = {
  nothing: () => {},
  'a module is gone': ({ state }) => state.modules.delete('m'),
  'it is coming': ({ m }) => (m.state = 'coming'),
  'klp_module_coming() has been called': ({ m }) => (m.alive = true),
  'somebody holds it': ({ m }) => (m.references = 1),
  'it is a livepatch': ({ m }) => (m.facts = { ...m.facts, livepatch: true }),
  'it has an init': ({ m }) => (m.facts = { ...m.facts, hasInit: true }),
  'it has an exit': ({ m }) => (m.facts = { ...m.facts, hasExit: true }),
  'it has relocations for x': ({ m }) => (m.relocated = ['x']),
  'and for y': ({ m }) => (m.relocated = ['x', 'y']),
  'the order of the livepatches': ({ state }) => state.patches.reverse(),
  'one livepatch less': ({ state }) => state.patches.pop(),
  'a livepatch of another image': ({ v1 }) => (v1.image = imageOf(['m'])),
  'a livepatch is enabled': ({ v1 }) => (v1.enabled = true),
  'it was forced': ({ v1 }) => (v1.forced = true),
  'an object of it has its target': ofObject({ target: 1 }),
  'is patched': ofObject({ patched: true }),
  'has a post_unpatch to come': ofObject({ postUnpatchEnabled: true }),
  'is a dynamic one': ofObject({ index: null }),
  'has another name': ofObject({ name: 'n' }),
  'is that of vmlinux': ofObject({ name: null }),
  'has a nop': ofObject({ nops: [fn('f')] }),
  'has another nop': ofObject({ nops: [fn('g')] }),
  'has one at another position': ofObject({ nops: [fn('f', 2)] }),
  'has two': ofObject({ nops: [fn('f'), fn('g')] }),
  'is the last': ({ v1 }) => v1.objects.pop(),
  'a transition': moving(),
  'of the other livepatch': moving({}, 'v2'),
  'one that began the other way': moving({ began: 'patched' }),
  'one that goes the other way': moving({ to: 'patched' }),
  'one that the sleeping task has gone through': moving({ sleeper: 'patched' }),
  'one that busy tasks have gone through': moving({ suspended: 'patched' }),
  'one in which post_patch has run': [moving(), ofObject({ postPatched: true })],
  'one in which pre_unpatch has run': [moving(), ofObject({ preUnpatched: true })],
  'a task that is stalled': ({ state }) => (state.stall = 'stall'),
  'a task that is held': ({ state }) => (state.stall = 'hold'),
};

function keyAfter(...changes: readonly Change[]): string {
  const all = base();
  for (const change of changes) change(all);
  return stateKey(all.state, (module) => module);
}

test('everything that a later step may hang on makes another key', () => {
  const known = new Map<string, string>();
  for (const [what, changes] of Object.entries(CHANGES)) {
    const key = keyAfter(...[changes].flat());
    expect(known.get(key), `${what} and this are the same`).toBeUndefined();
    known.set(key, what);
  }
});

describe('what no later step can tell', () => {
  test.each<[string, readonly Change[], readonly Change[]]>([
    ['numbers of instances', [({ m }) => (m.instance = 99)], []],
    ['which instance the target is', [ofObject({ target: 1 })], [ofObject({ target: 5 })]],
    [
      'in which order relocations were written',
      [({ m }) => (m.relocated = ['x', 'y'])],
      [({ m }) => (m.relocated = ['y', 'x'])],
    ],
    ['whether post_patch has run, without a transition', [ofObject({ postPatched: true })], []],
    [
      'or in the transition of another livepatch',
      [moving({}, 'v2'), ofObject({ preUnpatched: true })],
      [moving({}, 'v2')],
    ],
    ['the same image made anew', [({ v1 }) => (v1.image = { ...image })], []],
  ])('%s', (_what, one, other) => {
    expect(keyAfter(...one)).toBe(keyAfter(...other));
  });
});

describe('the fingerprint of an image', () => {
  const of = (more: Partial<PatchImage>): string => imageFingerprint({ ...image, ...more });
  const functions = (...names: readonly string[]): Partial<PatchImage> =>
    imageOf([{ name: 'vmlinux', functions: names }]);

  test('is another one for each thing that is different', () => {
    const renamed = imageOf([{ name: 'vmlinux', functions: ['a'] }]).objects?.map((it) => ({
      ...it,
      functions: it.functions?.map((entry) => ({ ...entry, newName: 'other' })) ?? null,
    }));
    const fingerprints = [
      {},
      { replace: 'nothing' as const },
      { objects: null },
      { objects: [] },
      { objects: [{ name: null, functions: null, callbacks: new Set<never>() }] },
      functions(),
      functions('a'),
      functions('b'),
      functions('a,2'),
      functions('a', 'b'),
      functions('b', 'a'),
      { objects: renamed ?? null },
      { objects: imageOf(['m']).objects },
      { objects: imageOf([{ name: 'm', callbacks: ['pre_patch'] }]).objects },
      { objects: imageOf([{ name: 'm', callbacks: ['post_patch'] }]).objects },
      { states: [{ id: '7', version: 1 }] },
      { states: [{ id: '7', version: 2 }] },
      { states: [{ id: '8', version: 1 }] },
      { hasModule: false },
      { relocations: ['m'] },
    ].map(of);
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
  });

  test('is the same for images that the kernel cannot tell apart', () => {
    const both = (callbacks: readonly ('pre_patch' | 'post_patch')[]): Partial<PatchImage> =>
      imageOf([{ name: 'm', callbacks }]);
    expect(of(both(['pre_patch', 'post_patch']))).toBe(of(both(['post_patch', 'pre_patch'])));
    expect(of({ relocations: [] })).toBe(of({}));
  });

  test('is short, however long the image', () => {
    const names = Array.from({ length: 500 }, (_, i) => `acme_function_${i}`);
    expect(of(functions(...names)).length).toBeLessThan(24);
  });
});
