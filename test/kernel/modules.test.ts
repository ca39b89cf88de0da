import { describe, expect, test } from 'vitest';
import { imageOf, type ScriptedModule, ScriptedWorld } from './scripted-world';

/** Target modules that come and go at every moment, and refused ones. */

const plain = { replace: 'nothing' } as const;

function world(modules: Record<string, ScriptedModule> = {}): ScriptedWorld {
  return new ScriptedWorld({
    m: {},
    p: { image: imageOf(['vmlinux', 'm'], plain) },
    r: { image: imageOf(['vmlinux', 'm']) },
    ...modules,
  });
}

/** The calls for object m alone, with the state of the target that the callback sees. */
function ofTarget(w: ScriptedWorld): string[] {
  const calls = w.called.filter((call) => call.object === 'm');
  w.called.length = 0;
  return calls.map(
    (call) => `${call.patch}.${call.callback} ${call.state}${call.result === 0 ? '' : ` ${call.result}`}`,
  );
}

describe('a target module comes', () => {
  test('P idle', () => {
    const w = world();
    w.load('p');
    expect(w.load('m')).toBe(0);
    expect(ofTarget(w)).toEqual(['p.pre_patch coming', 'p.post_patch coming']);
  });

  test('P being enabled: post_patch waits for the completion and sees the module live', () => {
    const w = world();
    w.kernel.stall();
    w.load('p');
    w.events.length = 0;
    w.load('m');
    expect(ofTarget(w)).toEqual(['p.pre_patch coming']);
    expect(w.takeSkipped()).toEqual(['p.m.post_patch: in-transition by p']);
    w.kernel.resume();
    expect(ofTarget(w)).toEqual(['p.post_patch live']);
  });

  test('P being disabled: pre_patch, and post_unpatch at completion', () => {
    const w = world();
    w.load('p');
    w.kernel.stall();
    w.kernel.disable('p');
    w.load('m');
    expect(ofTarget(w)).toEqual(['p.pre_patch coming']);
    w.events.length = 0;
    w.kernel.resume();
    expect(ofTarget(w)).toEqual(['p.post_unpatch live']);
    expect(w.takeSkipped()).toEqual(['p.m.post_patch: in-transition', 'p.m.pre_unpatch: in-transition']);
  });

  test('R replacing P: both get it; then R completes and P.m gets nothing more', () => {
    const w = world();
    w.load('p');
    w.kernel.stall();
    w.load('r');
    w.load('m');
    expect(ofTarget(w)).toEqual(['p.pre_patch coming', 'p.post_patch coming', 'r.pre_patch coming']);
    w.events.length = 0;
    w.kernel.resume();
    expect(ofTarget(w)).toEqual(['r.post_patch live']);
    expect(w.takeSkipped()).toContain('p.m.post_unpatch: replaced by r');
  });

  test('R replacing P, then reversed: R.m lets go, P.m stays as it is', () => {
    const w = world();
    w.load('p');
    w.kernel.stall();
    w.load('r');
    w.load('m');
    ofTarget(w);
    w.kernel.disable('r');
    expect(ofTarget(w)).toEqual(['r.post_unpatch live']);
    w.kernel.resume();
    w.kernel.disable('p');
    expect(ofTarget(w)).toEqual(['p.pre_unpatch live', 'p.post_unpatch live']);
  });

  test('a dynamic object is announced too, without callbacks', () => {
    const w = world({ small: { image: imageOf(['vmlinux']) } });
    w.load('p');
    w.kernel.stall();
    w.load('small');
    w.log_.length = 0;
    w.load('m');
    expect(w.texts()).toEqual([
      "livepatch: applying patch 'p' to loading module 'm'",
      "livepatch: applying patch 'small' to loading module 'm'",
    ]);
    expect(ofTarget(w)).toEqual(['p.pre_patch coming', 'p.post_patch coming']);
  });

  test('its own init runs after the callbacks, and it is live only then', () => {
    const states: unknown[] = [];
    const w = world({
      m: {
        init: (now) => {
          states.push(now.called.length, now.kernel.modules().find((module) => module.name === 'm')?.state);
          states.push(now.references('m'));
          return 0;
        },
      },
    });
    w.load('p');
    w.called.length = 0;
    w.load('m');
    expect(states).toEqual([2, 'coming', 1]);
    expect(w.references('m')).toBe(0);
  });
});

describe('a target module goes', () => {
  const going = (
    name: string,
    prepare: (w: ScriptedWorld) => void,
    expected: string[],
    skipped: string[] = [],
  ) =>
    test(name, () => {
      const w = world();
      w.load('m');
      w.load('p');
      prepare(w);
      w.called.length = 0;
      w.events.length = 0;
      expect(w.kernel.unload('m')).toBe(0);
      expect(ofTarget(w)).toEqual(expected);
      expect(w.takeSkipped()).toEqual(skipped);
      expect(w.freedNames).toEqual(['m']);
    });
  going('P idle', () => {}, ['p.pre_unpatch going', 'p.post_unpatch going']);
  going(
    'P being enabled',
    (w) => {
      w.kernel.disable('p');
      w.kernel.unload('p');
      w.freedNames.length = 0;
      w.kernel.stall();
      w.load('p');
    },
    ['p.post_unpatch going'],
    ['p.m.pre_unpatch: in-transition by p'],
  );
  going(
    'P being disabled',
    (w) => {
      w.kernel.stall();
      w.kernel.disable('p');
    },
    ['p.post_unpatch going'],
  );
  going(
    'R replacing P',
    (w) => {
      w.kernel.stall();
      w.load('r');
    },
    ['p.pre_unpatch going', 'p.post_unpatch going', 'r.post_unpatch going'],
    ['r.m.pre_unpatch: in-transition by r'],
  );

  test('its exit has already run', () => {
    const order: string[] = [];
    const w = world({
      m: { exit: () => void order.push('exit') },
      p: { image: imageOf(['m'], plain), callback: (_, { callback }) => (order.push(callback), 0) },
    });
    w.load('m');
    w.load('p');
    order.length = 0;
    w.kernel.unload('m');
    expect(order).toEqual(['exit', 'pre_unpatch', 'post_unpatch']);
  });
});

describe('a target module is refused', () => {
  const twoPatches = (fail: () => number) =>
    world({
      a: { image: imageOf(['m'], plain) },
      b: {
        image: imageOf(['m'], plain),
        callback: (_, { callback }) => (callback === 'pre_patch' ? fail() : 0),
      },
      c: { image: imageOf(['m'], plain) },
    });

  test('by the second of three livepatches: the first lets go, seeing the state COMING', () => {
    let fail = -19;
    const w = twoPatches(() => fail);
    for (const name of ['a', 'b', 'c']) expect(w.load(name)).toBe(0);
    w.log_.length = 0;
    w.events.length = 0;
    expect(w.load('m')).toBe(-19);
    expect(ofTarget(w)).toEqual([
      'a.pre_patch coming',
      'a.post_patch coming',
      'b.pre_patch coming -19',
      'a.pre_unpatch coming',
      'a.post_unpatch coming',
    ]);
    expect(w.texts()).toEqual([
      "livepatch: applying patch 'a' to loading module 'm'",
      "livepatch: applying patch 'b' to loading module 'm'",
      "livepatch: pre-patch callback failed for object 'm'",
      "livepatch: patch 'b' failed for module 'm', refusing to load module 'm'",
      "livepatch: reverting patch 'a' on unloading module 'm'",
    ]);
    expect(w.takeSkipped()).toEqual([
      'b.m.post_patch: pre-patch-failed',
      'b.m.pre_unpatch: pre-patch-failed',
      'b.m.post_unpatch: pre-patch-failed',
      'c.m.pre_patch: never-reached by b',
      'c.m.post_patch: never-reached by b',
    ]);
    expect(w.listed()).toEqual(['a+', 'b+', 'c+']);
    expect(w.freedNames).toEqual(['m']);
    expect(w.load('m')).toBe(-19);
    fail = 0;
    expect(w.load('m')).toBe(0);
  });

  test('during a replacement, by the successor: the replaced one lets go, the transition goes on', () => {
    let exits = 0;
    const w = world({
      m: { exit: () => void exits++ },
      r: {
        image: imageOf(['vmlinux', 'm']),
        callback: (_, { object, callback }) => (object === 'm' && callback === 'pre_patch' ? -12 : 0),
      },
    });
    w.load('p');
    w.kernel.stall();
    w.load('r');
    expect(w.load('m')).toBe(-12);
    expect(ofTarget(w)).toEqual([
      'p.pre_patch coming',
      'p.post_patch coming',
      'r.pre_patch coming -12',
      'p.pre_unpatch coming',
      'p.post_unpatch coming',
    ]);
    expect(exits).toBe(0);
    w.kernel.resume();
    expect(ofTarget(w)).toEqual([]);
    expect(w.listed()).toEqual(['r+']);
  });

  test('while the earlier livepatch is being disabled: of that one post_unpatch alone', () => {
    const w = twoPatches(() => -19);
    w.load('a');
    w.load('b');
    w.kernel.stall();
    w.kernel.disable('a');
    expect(w.load('m')).toBe(-19);
    expect(ofTarget(w)).toEqual(['a.pre_patch coming', 'b.pre_patch coming -19', 'a.post_unpatch coming']);
    w.kernel.resume();
    expect(ofTarget(w)).toEqual([]);
    expect(w.listed()).toEqual(['b+']);
  });

  test('ftrace fails after pre_patch: post_unpatch of that object runs, seeing the state COMING', () => {
    const w = world({ b: { image: imageOf([{ name: 'm', functions: ['f'] }], plain) } });
    w.isMissing = () => 'ftrace';
    w.load('p');
    w.load('b');
    w.takeCalls();
    w.log_.length = 0;
    expect(w.load('m')).toBe(-22);
    expect(ofTarget(w)).toEqual([
      'p.pre_patch coming',
      'p.post_patch coming',
      'b.pre_patch coming',
      'b.post_unpatch coming',
      'p.pre_unpatch coming',
      'p.post_unpatch coming',
    ]);
    expect(w.texts()).toContain("livepatch: failed to apply patch 'b' to module 'm' (-22)");
  });

  test('a symbol is missing: no callback of that livepatch', () => {
    const w = world({ b: { image: imageOf([{ name: 'm', functions: ['f'] }], plain) } });
    w.isMissing = () => 'init';
    w.load('b');
    expect(w.load('m')).toBe(-22);
    expect(w.takeCalls()).toEqual([]);
    expect(w.texts().slice(-3)).toEqual([
      "livepatch: symbol 'f' not found in symbol table",
      "livepatch: failed to initialize patch 'b' for module 'm' (-22)",
      "livepatch: patch 'b' failed for module 'm', refusing to load module 'm'",
    ]);
  });

  test('its own init fails: the callbacks of a going module run, then its memory goes', () => {
    const w = world({ m: { init: () => -5 } });
    w.load('p');
    w.takeCalls();
    expect(w.load('m')).toBe(-5);
    expect(ofTarget(w)).toEqual([
      'p.pre_patch coming',
      'p.post_patch coming',
      'p.pre_unpatch going',
      'p.post_unpatch going',
    ]);
    expect(w.freedNames).toEqual(['m']);
  });

  test('its parameters are wrong: it comes and goes, and init does not run', () => {
    const w = world({ m: { init: () => expect.unreachable() } });
    w.load('p');
    w.takeCalls();
    w.parameterError = -22;
    expect(w.load('m')).toBe(-22);
    expect(ofTarget(w).map((call) => call.split(' ')[0])).toEqual([
      'p.pre_patch',
      'p.post_patch',
      'p.pre_unpatch',
      'p.post_unpatch',
    ]);
  });

  test('vmlinux is no name for a module', () => {
    const w = world({ vmlinux: {} });
    expect(w.load('vmlinux')).toBe(-22);
    expect(w.texts()).toEqual(['livepatch: vmlinux.ko: invalid module name']);
  });

  test.each([
    ['6.1', -8],
    ['6.12', 0],
  ])('a second load under a livepatch with relocations for it, in %s: %i', (release, result) => {
    const w = new ScriptedWorld(
      { m: {}, k: { image: imageOf(['m'], { relocations: ['m'] }) }, p: { image: imageOf(['m'], plain) } },
      { release },
    );
    w.load('k');
    expect(w.load('m')).toBe(0);
    expect(w.kernel.unload('m')).toBe(0);
    w.takeCalls();
    expect(w.load('m')).toBe(result);
    expect(w.takeCalls().length).toBe(result === 0 ? 2 : 0);
  });
});
