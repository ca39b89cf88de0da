import { describe, expect, test } from 'vitest';
import type { FunctionImage, PatchImage } from '../../server/src/core/kernel/types';
import { imageOf, type ScriptedModule, ScriptedWorld } from './scripted-world';

/** Every errno of klp_enable_patch() that facts can decide, and which callbacks ran before it. */

function load(
  module: ScriptedModule,
  options: { release?: string; before?: (w: ScriptedWorld) => void } = {},
) {
  const w = new ScriptedWorld(
    { old: { image: imageOf(['vmlinux'], { replace: 'nothing' }) }, m: {}, new: module },
    options.release === undefined ? {} : { release: options.release },
  );
  options.before?.(w);
  w.takeCalls();
  const result = w.load('new');
  return { w, result, calls: w.takeCalls() };
}

const fn = (oldName: string, sympos = 0, newName = 'new'): FunctionImage => ({ oldName, newName, sympos });
const withFunctions = (...functions: FunctionImage[]): PatchImage => {
  const image = imageOf(['vmlinux']);
  return { ...image, objects: (image.objects ?? []).map((object) => ({ ...object, functions })) };
};

describe('refused before any callback', () => {
  const cases: [string, ScriptedModule, number][] = [
    ['no .mod', { image: imageOf(['vmlinux'], { hasModule: false }) }, -22],
    ['no .objs', { image: imageOf([], { objects: null }) }, -22],
    [
      'an object without .funcs',
      { image: imageOf([], { objects: [{ name: null, functions: null, callbacks: new Set() }] }) },
      -22,
    ],
    ['no MODULE_INFO(livepatch)', { livepatch: false, image: imageOf(['vmlinux']) }, -22],
    ['an empty object name', { image: imageOf([{ name: '' }]) }, -22],
    ['an object name of 56 characters', { image: imageOf(['x'.repeat(56)]) }, -22],
    ['no old_name', { image: withFunctions(fn('')) }, -22],
    ['no new_func', { image: withFunctions(fn('a', 0, '')) }, -22],
    ['a function name of 512 characters', { image: withFunctions(fn('f'.repeat(512))) }, -22],
    ['one object twice', { image: imageOf(['vmlinux', 'm', 'm']) }, -17],
    [
      'vmlinux twice, once by name',
      {
        image: {
          ...imageOf(['vmlinux']),
          objects: [
            { name: null, functions: [], callbacks: new Set() },
            { name: 'vmlinux', functions: [], callbacks: new Set() },
          ],
        },
      },
      -17,
    ],
    ['one function twice', { image: withFunctions(fn('a', 2), fn('a', 2)) }, -17],
    ['one function as sympos 0 and 1', { image: withFunctions(fn('a', 0), fn('a', 1)) }, -17],
  ];
  test.each(cases)('%s', (_, module, errno) => {
    const { w, result, calls } = load(module);
    expect(result).toBe(errno);
    expect(calls).toEqual([]);
    expect(w.listed()).toEqual([]);
    expect(w.kernel.modules()).toEqual([]);
    expect(w.freedNames).toEqual(['new']);
  });

  test('two positions of one symbol are two functions; 55 characters are a name', () => {
    expect(load({ image: withFunctions(fn('a', 1), fn('a', 2)) }).result).toBe(0);
    expect(load({ image: imageOf(['x'.repeat(55)]) }).result).toBe(0);
    expect(load({ image: withFunctions(fn('f'.repeat(511))) }).result).toBe(0);
  });

  test('a module that is not marked is named in the log', () => {
    const { w } = load({ livepatch: false, image: imageOf(['vmlinux']) });
    expect(w.texts()).toEqual(['livepatch: module new is not marked as a livepatch module']);
  });

  test('an empty object name is a WARN', () => {
    expect(load({ image: imageOf([{ name: '' }]) }).w.warnings()).toHaveLength(1);
  });

  test('a symbol that the loaded object does not have', () => {
    const image = imageOf(['vmlinux', { name: 'm', functions: ['gone'] }]);
    const missing = (w: ScriptedWorld): void => {
      w.isMissing = (_, __, name) => (name === 'gone' ? 'init' : null);
    };
    const absent = load({ image }, { before: missing });
    expect(absent.result).toBe(0);
    const present = load({ image }, { before: (w) => [missing(w), w.load('m')] });
    expect(present.result).toBe(-22);
    expect(present.calls).toEqual([]);
    expect(present.w.texts()).toEqual(["livepatch: symbol 'gone' not found in symbol table"]);
  });

  test('a livepatch name that is in sysfs already: a second klp_patch of one module', () => {
    const w = new ScriptedWorld({
      new: {
        livepatch: true,
        image: imageOf(['vmlinux']),
        init: (now) => now.enable(1) || now.enable(1),
      },
    });
    expect(w.load('new')).toBe(-17);
    // Its first livepatch stays installed with freed memory: do_init_module() does not look at references.
    expect(w.warnings()).toEqual(['the memory of new is gone while its livepatch is still installed']);
  });

  test('a module in memory already', () => {
    const w = new ScriptedWorld({ new: { image: imageOf(['vmlinux']) } });
    expect(w.load('new')).toBe(0);
    w.takeCalls();
    expect(w.load('new')).toBe(-17);
    w.kernel.disable('new');
    expect(w.load('new')).toBe(-17);
    expect(w.kernel.unload('new')).toBe(0);
    expect(w.load('new')).toBe(0);
  });
});

describe('-EBUSY while another transition is pending', () => {
  const stalled = (w: ScriptedWorld): void => {
    w.kernel.stall();
    w.load('old');
  };

  test('no callback, no "enabling patch", no reference kept', () => {
    const { w, result, calls } = load({ image: imageOf(['vmlinux']) }, { before: stalled });
    expect([result, calls]).toEqual([-16, []]);
    expect(w.texts().filter((text) => text.includes("'new'"))).toEqual([]);
    expect(w.listed()).toEqual(['old+']);
  });

  test('what is wrong with the livepatch itself is found first', () => {
    expect(load({ image: imageOf(['vmlinux', 'm', 'm']) }, { before: stalled }).result).toBe(-17);
    const before = (w: ScriptedWorld): void => {
      stalled(w);
      w.isMissing = (patch) => (patch === 'new' ? 'init' : null);
    };
    expect(load({ image: withFunctions(fn('a')) }, { before }).result).toBe(-22);
  });
});

describe('klp_state', () => {
  const withState = (
    id: number | string,
    version: number | null,
    replace: PatchImage['replace'] = 'everything',
  ) => ({
    image: imageOf(['vmlinux'], { states: [{ id, version }], replace }),
  });
  const over = (old: ScriptedModule, module: ScriptedModule): { result: number; w: ScriptedWorld } => {
    const w = new ScriptedWorld({ old, new: module });
    expect(w.load('old')).toBe(0);
    w.log_.length = 0;
    return { result: w.load('new'), w };
  };

  test.each([
    ['the same version', withState(1, 1), withState(1, 1), 0],
    ['a higher version', withState(1, 1), withState(1, 2), 0],
    ['a lower version', withState(1, 2), withState(1, 1), -22],
    ['a lower version without replace', withState(1, 2), withState(1, 1, 'nothing'), -22],
    ['not carried on', withState(1, 0), withState(2, 9), -22],
    ['not carried on, without replace', withState(1, 0), withState(2, 9, 'nothing'), 0],
    ['a name that no header resolves is itself', withState('ACME', 1), withState('ACME', 1), 0],
    ['and nothing else', withState('ACME', 1), withState(1, 1), -22],
  ])('%s', (_, old, module, result) => {
    const answer = over(old, module);
    expect(answer.result).toBe(result);
    const refused =
      'livepatch: Livepatch patch (new) is not compatible with the already installed livepatches.';
    expect(answer.w.texts().includes(refused)).toBe(result !== 0);
  });

  test('a version that could not be evaluated is taken as compatible and told', () => {
    const { result, w } = over(withState(1, null), withState(1, 1));
    expect(result).toBe(0);
    expect(w.events.filter((event) => event.k === 'state-unsure')).toEqual([
      { k: 'state-unsure', patch: 2, installed: 1, id: 1 },
    ]);
  });

  test('of an id listed twice the first counts', () => {
    const twice = {
      image: imageOf(['vmlinux'], {
        states: [
          { id: 1, version: 1 },
          { id: 1, version: 9 },
        ],
      }),
    };
    expect(over(withState(1, 2), twice).result).toBe(-22);
  });

  test('every listed livepatch counts, and none after a complete disable', () => {
    const w = new ScriptedWorld({
      a: withState(1, 5, 'nothing'),
      b: { image: imageOf(['vmlinux'], { replace: 'nothing' }) },
      c: withState(1, 4),
    });
    w.load('a');
    w.load('b');
    expect(w.load('c')).toBe(-22);
    w.kernel.disable('a');
    expect(w.load('c')).toBe(0);
  });
});

describe('refused after callbacks', () => {
  test("X1: pre_patch's value; post_unpatch of the objects before it", () => {
    const { w, result, calls } = load(
      {
        image: imageOf(['vmlinux', 'm', 'n']),
        callback: (_, { object, callback }) => (object === 'm' && callback === 'pre_patch' ? -12 : 0),
      },
      {
        before: (now) => {
          now.modules.n = {};
          now.load('m');
          now.load('n');
          now.load('old');
          now.takeSkipped();
        },
      },
    );
    expect(result).toBe(-12);
    expect(calls).toEqual(['new.vmlinux.pre_patch', 'new.m.pre_patch=-12', 'new.vmlinux.post_unpatch']);
    expect(w.takeSkipped()).toEqual([
      'new.vmlinux.post_patch: reversed',
      'new.vmlinux.pre_unpatch: reversed',
      'new.m.post_patch: pre-patch-failed',
      'new.m.pre_unpatch: pre-patch-failed',
      'new.m.post_unpatch: pre-patch-failed',
      'new.n.pre_patch: never-reached',
      'new.n.post_patch: never-reached',
      'new.n.pre_unpatch: never-reached',
      'new.n.post_unpatch: never-reached',
    ]);
    expect(w.listed()).toEqual(['old+']);
    expect(w.references('new')).toBeNull();
    expect(w.freedNames).toEqual(['new']);
  });

  test('X1 of the first object: no other callback; module_exit does not run', () => {
    let exits = 0;
    const { w, result, calls } = load(
      {
        image: imageOf(['vmlinux', 'm']),
        callback: (_, { callback }) => (callback === 'pre_patch' ? -19 : 0),
        exit: () => void exits++,
      },
      { before: (now) => [now.load('m'), now.load('old')] },
    );
    expect([result, calls, exits]).toEqual([-19, ['new.vmlinux.pre_patch=-19'], 0]);
    expect(w.listed()).toEqual(['old+']);
    expect(w.freedNames).toEqual(['new']);
  });

  test.each([
    ['ftrace', -22, "livepatch: failed to find location for function 'a'"],
    ['ftrace-busy', -16, "livepatch: failed to register ftrace handler for function 'a' (-16)"],
  ] as const)('%s: post_unpatch of that object runs too', (kind, errno, text) => {
    const { w, result, calls } = load(
      { image: imageOf(['vmlinux', { name: 'm', functions: ['a'] }]) },
      { before: (now) => [(now.isMissing = () => kind), now.load('m')] },
    );
    expect(result).toBe(errno);
    expect(calls).toEqual([
      'new.vmlinux.pre_patch',
      'new.m.pre_patch',
      'new.vmlinux.post_unpatch',
      'new.m.post_unpatch',
    ]);
    expect(w.texts()).toEqual([
      "livepatch: enabling patch 'new'",
      "livepatch: 'new': initializing patching transition",
      text,
      "livepatch: failed to patch object 'm'",
      "livepatch: failed to enable patch 'new'",
      "livepatch: 'new': canceling patching transition, going to unpatch",
      "livepatch: 'new': completing unpatching transition",
      "livepatch: 'new': unpatching complete",
    ]);
  });

  test('a positive value of pre_patch: the livepatch is gone, but the module stays', () => {
    const { w, result } = load({
      image: imageOf(['vmlinux']),
      callback: (_, { callback }) => (callback === 'pre_patch' ? 1 : 0),
    });
    expect(result).toBe(0);
    expect(w.listed()).toEqual([]);
    expect(w.references('new')).toBe(0);
    expect(w.texts()).toContain(
      "do_init_module: 'new'->init suspiciously returned 1, it should follow 0/-E convention",
    );
  });
});

describe('sympos 0 and 1', () => {
  const modules = { old: { image: withFunctions(fn('f', 0)) }, new: { image: withFunctions(fn('f', 1)) } };
  test.each([
    ['6.19', 0],
    ['6.13', -17],
    ['6.1', 0],
  ])('are one function when the nops are added, in %s: %s', (release, result) => {
    const w = new ScriptedWorld(modules, { release });
    w.load('old');
    expect(w.load('new')).toBe(result);
    expect(w.listed()).toEqual([result === 0 ? 'new+' : 'old+']);
  });
});
