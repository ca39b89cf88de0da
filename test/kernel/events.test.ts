import { describe, expect, test } from 'vitest';
import { imageOf, type ScriptedModule, ScriptedWorld } from './scripted-world';

/** What the model tells beside calls and log lines, and what becomes of a livepatch whose memory is gone. */

const plain = { replace: 'nothing' } as const;

function world(modules: Record<string, ScriptedModule> = {}): ScriptedWorld {
  return new ScriptedWorld({
    old: { image: imageOf(['vmlinux'], plain) },
    new: { image: imageOf(['vmlinux']) },
    ...modules,
  });
}

/** "new patched start", "old replaced by new" of every event since the last time this was asked. */
function take(w: ScriptedWorld): string[] {
  const name = (instance: number): string => w.names.get(instance) ?? '?';
  const told = w.events.flatMap((event) => {
    if (event.k === 'transition') return [`${name(event.patch)} ${event.to} ${event.phase}`];
    return event.k === 'replaced' ? [`${name(event.patch)} replaced by ${name(event.by)}`] : [];
  });
  w.events.length = 0;
  return told;
}

describe('events of a transition', () => {
  test('enabling, replacing and disabling', () => {
    const w = world();
    w.load('old');
    expect(take(w)).toEqual(['old patched start', 'old patched complete']);
    w.load('new');
    expect(take(w)).toEqual(['new patched start', 'old replaced by new', 'new patched complete']);
    w.kernel.disable('new');
    expect(take(w)).toEqual(['new unpatched start', 'new unpatched complete']);
  });

  test('reversed and forced', () => {
    const w = world();
    w.kernel.hold();
    w.load('new');
    w.kernel.disable('new');
    w.kernel.force('new');
    w.kernel.resume();
    expect(take(w)).toEqual([
      'new patched start',
      'new unpatched reverse',
      'new unpatched force',
      'new unpatched complete',
    ]);
  });

  test('one that is cancelled never began and does not complete', () => {
    const w = world({ new: { image: imageOf(['vmlinux']), callback: () => -12 } });
    expect(w.load('new')).toBe(-12);
    expect(take(w)).toEqual([]);
  });
});

describe('a livepatch whose init fails after klp_enable_patch()', () => {
  const failing: ScriptedModule = {
    livepatch: true,
    image: imageOf(['vmlinux'], plain),
    init: (w) => w.enable(2) || -5,
  };

  test('is off the list, and others stay', () => {
    const w = world({ failing });
    w.load('old');
    expect(w.load('failing')).toBe(-5);
    expect(w.listed()).toEqual(['old+']);
  });

  test('takes its pending transition with it', () => {
    const w = world({ failing });
    w.load('old');
    w.kernel.stall();
    expect(w.load('failing')).toBe(-5);
    expect(w.kernel.transition()).toBeNull();
    expect(w.load('new')).toBe(0);
  });

  test('leaves the pending transition of another one alone', () => {
    const init = (now: ScriptedWorld): number => {
      now.enable(1);
      now.kernel.stall();
      now.load('old');
      return -5;
    };
    const w = world({ later: { livepatch: true, image: imageOf(['vmlinux'], plain), init } });
    expect(w.load('later')).toBe(-5);
    expect(w.kernel.transition()).toEqual({ patch: 2, to: 'patched' });
    expect(w.listed()).toEqual(['old+']);
  });
});

describe('modules that are not live', () => {
  test('one that is coming is neither loaded again nor removed', () => {
    const results: number[] = [];
    const w = world({ m: { init: (now) => (results.push(now.load('m'), now.kernel.unload('m')), 0) } });
    expect(w.load('m')).toBe(0);
    expect(results).toEqual([-16, -16]);
  });

  test('one whose references went below zero is a BUG when it is removed, and one without references is none', () => {
    const w = world({ m: {}, n: {} });
    w.load('m');
    w.load('n');
    expect(w.kernel.unload('n')).toBe(0);
    expect(w.warnings()).toEqual([]);
    w.kernel.modulePut(1);
    expect(w.warnings()).toEqual([]);
    w.kernel.modulePut(1);
    w.kernel.modulePut(77);
    expect(w.warnings()).toEqual(['WARN_ON in module_put(): no reference to m is left']);
    w.events.length = 0;
    expect(w.kernel.unload('m')).toBe(0);
    expect(w.warnings()).toEqual(['BUG_ON in delete_module(): too many module_put() of m']);
  });

  test('one that is refused is known to no livepatch that comes meanwhile', () => {
    const w = world({
      m: {},
      first: { image: imageOf(['m'], plain), callback: () => -12 },
      next: { image: imageOf(['m'], plain) },
    });
    w.load('first');
    expect(w.load('m')).toBe(-12);
    w.takeCalls();
    expect(w.load('next')).toBe(0);
    expect(w.takeCalls()).toEqual([]);
  });

  test.each([
    ['init', ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'], 'never-reached'],
    ['ftrace', ['post_patch', 'pre_unpatch'], 'reversed'],
  ] as const)('what is left out where %s refuses it is told', (kind, callbacks, because) => {
    const w = world({ m: {}, p: { image: imageOf([{ name: 'm', functions: ['a'] }], plain) } });
    w.load('p');
    w.takeSkipped();
    w.isMissing = () => kind;
    expect(w.load('m')).toBe(-22);
    expect(w.takeSkipped()).toEqual(callbacks.map((callback) => `p.m.${callback}: ${because}`));
  });
});

describe('calls and references', () => {
  const told = (w: ScriptedWorld): string[] =>
    w.events.flatMap((event) => {
      if (event.k === 'released') return [`${w.names.get(event.patch)} released`];
      if (event.k !== 'called') return [];
      const { patch, object, callback } = event.call;
      return [`${w.names.get(patch)}.${w.objectName(patch, object)}.${callback} ${event.result}`];
    });

  test('each call with what it answers, which counts of pre_patch only', () => {
    const answers = { pre_patch: 0, post_patch: 5, pre_unpatch: -5, post_unpatch: 1 };
    const callback: ScriptedModule['callback'] = (_, called) => answers[called.callback];
    const w = world({ p: { image: imageOf(['vmlinux'], plain), callback } });
    w.load('p');
    w.kernel.disable('p');
    expect(told(w)).toEqual([
      'p.vmlinux.pre_patch 0',
      'p.vmlinux.post_patch 0',
      'p.vmlinux.pre_unpatch 0',
      'p.vmlinux.post_unpatch 0',
      'p released',
    ]);
    const failing = world({ q: { image: imageOf(['vmlinux']), callback: () => -12 } });
    failing.load('q');
    expect(told(failing)).toEqual(['q.vmlinux.pre_patch -12', 'q released']);
  });

  test('what is replaced is released, what was forced never', () => {
    const w = world();
    w.load('old');
    w.events.length = 0;
    w.load('new');
    expect(told(w).at(-1)).toBe('old released');
    w.kernel.stall();
    w.kernel.disable('new');
    w.kernel.force('new');
    w.kernel.resume();
    expect(w.listed()).toEqual([]);
    expect(told(w).filter((text) => text === 'new released')).toEqual([]);
  });

  test('what a failed attempt to enable leaves out, by why it failed', () => {
    const image = imageOf(['vmlinux', { name: 'm', functions: ['a'] }, 'absent', 'n'], plain);
    const tried = (set: (w: ScriptedWorld) => void): string[] => {
      const w = world({
        m: {},
        n: {},
        p: {
          image,
          callback: (_, { object }) => (refuses && object === 'm' ? -12 : 0),
        },
      });
      w.load('m');
      w.load('n');
      w.takeSkipped();
      set(w);
      w.load('p');
      return w.takeSkipped();
    };
    let refuses = true;
    const others = [
      'p.n.pre_patch: never-reached',
      'p.n.post_patch: never-reached',
      'p.n.pre_unpatch: never-reached',
      'p.n.post_unpatch: never-reached',
    ];
    const first = ['p.vmlinux.post_patch: reversed', 'p.vmlinux.pre_unpatch: reversed'];
    expect(tried(() => {})).toEqual([
      ...first,
      'p.m.post_patch: pre-patch-failed',
      'p.m.pre_unpatch: pre-patch-failed',
      'p.m.post_unpatch: pre-patch-failed',
      ...others,
    ]);
    refuses = false;
    expect(tried((w) => (w.isMissing = (_, object) => (object === 'm' ? 'ftrace' : null)))).toEqual([
      ...first,
      'p.m.post_patch: reversed',
      'p.m.pre_unpatch: reversed',
      ...others,
    ]);
  });
});

test('questions about modules and the stalled task', () => {
  const states: (string | null)[] = [];
  const w = world({ m: { init: (now) => (states.push(now.kernel.stateOf(1)), 0) } });
  expect([w.kernel.instanceOf('m'), w.kernel.stateOf(1), w.kernel.moduleReferences(1)]).toEqual([
    null,
    null,
    0,
  ]);
  w.load('m');
  expect([w.kernel.instanceOf('m'), w.kernel.stateOf(1)]).toEqual([1, 'live']);
  expect(states).toEqual(['coming']);
  expect(w.kernel.moduleGet(1)).toBe(true);
  expect(w.kernel.moduleReferences(1)).toBe(1);
  const stalled: boolean[] = [];
  for (const what of ['stall', 'resume', 'hold', 'resume'] as const) {
    w.kernel[what]();
    stalled.push(w.kernel.isStalled());
  }
  expect(stalled).toEqual([true, false, true, false]);
});

test('which livepatch is in transition, and whose states lie before it', () => {
  const states = (...ids: readonly string[]): ScriptedModule => ({
    image: imageOf(['vmlinux'], { ...plain, states: ids.map((id) => ({ id, version: 1 })) }),
  });
  const w = world({ a: states('8'), b: states('6', '7'), c: states('7') });
  w.load('a');
  w.load('b');
  expect(w.kernel.previousStates('7')).toEqual([]);
  w.kernel.stall();
  w.load('c');
  expect(w.kernel.patches().map(({ name, transition }) => [name, transition])).toEqual([
    ['a', null],
    ['b', null],
    ['c', 'patched'],
  ]);
  expect(w.kernel.previousStates('7')).toEqual([{ patch: 2, state: 1 }]);
  expect(w.kernel.previousStates('9')).toEqual([]);
});
