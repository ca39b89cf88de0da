import { describe, expect, test } from 'vitest';
import type { CoreCall, FunctionImage, MissingKind, PatchImage } from '../../server/src/core/kernel/types';
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

  const bare = (functions: FunctionImage[] | null) => ({ name: 'm', functions, callbacks: new Set<never>() });

  test('a function without old_name is found before everything else since 7.3, in whichever object', () => {
    const logged = (release: string, functions: FunctionImage[] | null, more = bare([])) => {
      const image = { ...imageOf(['vmlinux']), objects: [bare(functions), more] };
      const { w, result } = load({ livepatch: false, image }, { release });
      return { result, lines: w.texts().length };
    };
    expect(logged('7.3', [fn('')])).toEqual({ result: -22, lines: 0 });
    expect(logged('7.3', [], bare([fn('a'), fn('')]))).toEqual({ result: -22, lines: 0 });
    expect(logged('7.2', [fn('')])).toEqual({ result: -22, lines: 1 });
    expect(logged('7.3', [fn('a')])).toEqual({ result: -22, lines: 1 });
    // As is an object without functions, in every release.
    expect(logged('6.1', null)).toEqual({ result: -22, lines: 0 });
    expect(logged('6.1', [], bare(null))).toEqual({ result: -22, lines: 0 });
  });

  test.each([
    ['an object', imageOf(['vmlinux', 'm', 'm']), 'new/m'],
    ['a function', withFunctions(fn('a', 2), fn('a', 2)), 'new/vmlinux/a,2'],
    ['a function as sympos 0 and 1', withFunctions(fn('a', 0), fn('a', 1)), 'new/vmlinux/a,1'],
  ])('%s that is there twice is named by its folder', (_, image, folder) => {
    const path = `/kernel/livepatch/${folder}`;
    expect(load({ image }).w.texts()).toEqual([`sysfs: cannot create duplicate filename '${path}'`]);
  });

  test('a module that is not marked is named in the log', () => {
    const { w } = load({ livepatch: false, image: imageOf(['vmlinux']) });
    expect(w.texts()).toEqual(['livepatch: module new is not marked as a livepatch module']);
  });

  test('an empty object name is a WARN', () => {
    expect(load({ image: imageOf([{ name: '' }]) }).w.warnings()).toEqual([
      'WARN in kobject_add_internal(): an object was registered with an empty name',
    ]);
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

  test('a kernel without states looks at none', () => {
    const w = new ScriptedWorld({ old: withState(1, 2), new: withState(1, 1) }, { release: '5.4' });
    expect([w.load('old'), w.load('new')]).toEqual([0, 0]);
    expect(w.events.filter((event) => event.k === 'state-unsure')).toEqual([]);
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

/** Livepatches over `old`, which redirects a and b of vmlinux and c of n; m is loaded, n is not. */
function over(module: ScriptedModule, before: (w: ScriptedWorld) => void, release = '6.1') {
  const old = imageOf([
    { name: 'vmlinux', functions: ['a', 'b'] },
    { name: 'n', functions: ['c'] },
  ]);
  const w = new ScriptedWorld({ old: { image: old }, m: {}, n: {}, new: module }, { release });
  w.load('m');
  w.load('old');
  w.takeCalls();
  w.log_.length = 0;
  before(w);
  return { w, result: w.load('new'), calls: w.takeCalls() };
}

describe('what the livepatch core lacks', () => {
  const image = imageOf([
    { name: 'vmlinux', functions: ['a', 'x'] },
    { name: 'm', functions: ['y,2'] },
  ]);
  /** The n-th such call for the new livepatch fails. */
  const failing =
    (call: CoreCall, nth = 1, errno = -12) =>
    (w: ScriptedWorld): void => {
      let count = 0;
      w.isFailing = (patch, asked) => (patch === 'new' && asked === call && ++count === nth ? errno : 0);
    };
  const missing =
    (name: string, kind: MissingKind) =>
    (w: ScriptedWorld): void => {
      w.isMissing = (_, __, fn) => (fn === name ? kind : null);
    };

  const before: [string, (w: ScriptedWorld) => void, number, string[]][] = [
    ['it is not initialised', failing('klp_initialized'), -19, []],
    ['no memory for a nop', failing('klp_alloc_func_nop'), -12, []],
    ['no memory for the second nop, that of a dynamic object', failing('klp_alloc_func_nop', 2), -12, []],
    ['no memory for a dynamic object', failing('klp_alloc_object_dynamic'), -12, []],
    [
      'the symbol of the second function',
      failing('klp_find_object_symbol', 2),
      -22,
      ["symbol 'x' not found in symbol table"],
    ],
    [
      'a symbol without sympos that is there twice, in vmlinux, which has no name',
      missing('x', 'ambiguous'),
      -22,
      ["unresolvable ambiguity for symbol 'x' in object '(null)'"],
    ],
    [
      'the same in a module',
      missing('y', 'ambiguous'),
      -22,
      ["unresolvable ambiguity for symbol 'y' in object 'm'"],
    ],
    [
      'fewer symbols than sympos says',
      missing('y', 'position'),
      -22,
      ["symbol position 2 for symbol 'y' in object 'm' not found"],
    ],
    [
      'fewer symbols than sympos says, in vmlinux',
      missing('x', 'position'),
      -22,
      ["symbol position 0 for symbol 'x' in object 'vmlinux' not found"],
    ],
    [
      'the size of a function',
      failing('kallsyms_lookup_size_offset'),
      -2,
      ["kallsyms size lookup failed for 'a'"],
    ],
    [
      'the size of a replacement',
      failing('kallsyms_lookup_size_offset', 2),
      -2,
      ["kallsyms size lookup failed for 'a' replacement"],
    ],
    [
      'the size of the next function',
      failing('kallsyms_lookup_size_offset', 3),
      -2,
      ["kallsyms size lookup failed for 'x'"],
    ],
    [
      'the size of a nop, which comes after the own functions',
      failing('kallsyms_lookup_size_offset', 5),
      -2,
      ["kallsyms size lookup failed for 'b'"],
    ],
  ];
  test.each(before)('%s: no callback', (_, fail, errno, texts) => {
    const { w, result, calls } = over({ image }, fail);
    expect(result).toBe(errno);
    expect(calls).toEqual([]);
    expect(w.texts()).toEqual(texts.map((text) => `livepatch: ${text}`));
    expect(w.listed()).toEqual(['old+']);
    expect(w.references('new')).toBeNull();
    w.isFailing = () => 0;
    w.isMissing = () => null;
    expect(w.load('new')).toBe(0);
    expect(w.listed()).toEqual(['new+']);
  });

  test('without replace no nop is made, so none fails', () => {
    const plain = { ...image, replace: 'nothing' as const };
    expect(over({ image: plain }, failing('klp_alloc_func_nop')).result).toBe(0);
    expect(over({ image: plain }, failing('klp_alloc_object_dynamic')).result).toBe(0);
  });

  test('the states are looked at before the nops, and a pending transition only after them', () => {
    const states = [{ id: 1, version: 1 }];
    const w = new ScriptedWorld({
      old: { image: imageOf([{ name: 'vmlinux', functions: ['a'] }], { states }) },
      new: { image: imageOf(['vmlinux']) },
      next: { image: imageOf(['vmlinux'], { states }) },
    });
    w.load('old');
    w.isFailing = (patch, call) => (patch !== 'old' && call === 'klp_alloc_func_nop' ? -12 : 0);
    expect(w.load('new')).toBe(-22);
    w.kernel.hold();
    w.kernel.disable('old');
    expect(w.load('next')).toBe(-12);
  });

  const after: [string, (w: ScriptedWorld) => void, number, string[]][] = [
    ['no memory', failing('klp_patch_func'), -12, []],
    ['another errno', failing('klp_patch_func', 1, -28), -28, []],
    [
      'no location, whatever errno is asked for',
      failing('ftrace_location', 1, -5),
      -22,
      ["failed to find location for function 'x'"],
    ],
    [
      'the filter',
      failing('ftrace_set_filter_ip'),
      -12,
      ["failed to set ftrace filter for function 'x' (-12)"],
    ],
    [
      'the handler',
      failing('register_ftrace_function', 1, -16),
      -16,
      ["failed to register ftrace handler for function 'x' (-16)"],
    ],
  ];
  test.each(after)('ftrace, %s: after pre_patch of that object', (_, fail, errno, texts) => {
    const { w, result, calls } = over({ image }, fail);
    expect(result).toBe(errno);
    expect(calls).toEqual(['new.vmlinux.pre_patch', 'new.vmlinux.post_unpatch']);
    expect(w.texts({ debug: false })).toEqual([
      "livepatch: enabling patch 'new'",
      ...texts.map((text) => `livepatch: ${text}`),
      "livepatch: failed to patch object 'vmlinux'",
      "livepatch: failed to enable patch 'new'",
      "livepatch: 'new': unpatching complete",
    ]);
    expect(w.listed()).toEqual(['old+']);
  });

  test('nothing of it is in the log where all goes well, and the new livepatch is listed but not enabled yet', () => {
    const seen: string[][] = [];
    const callback = (w: ScriptedWorld): number => {
      seen.push(w.listed());
      return 0;
    };
    const { w, result } = over({ image, callback }, () => undefined);
    expect(result).toBe(0);
    expect(w.texts({ debug: false })).toEqual([
      "livepatch: enabling patch 'new'",
      "livepatch: 'new': starting patching transition",
      "livepatch: 'new': patching complete",
    ]);
    expect(seen[0]).toEqual(['old+', 'new-']);
    expect(seen.at(-1)).toEqual(['old-', 'new+']);
  });

  test('nops lead to functions that are there: only for own functions it is asked what is missing', () => {
    const asked: string[] = [];
    const { result } = over({ image }, (w) => {
      w.isMissing = (_, object, name) => {
        asked.push(`${object}:${name}`);
        return name === '' ? 'init' : null;
      };
    });
    expect(result).toBe(0);
    expect(new Set(asked)).toEqual(new Set(['vmlinux:a', 'vmlinux:x', 'm:y']));
  });

  test('ftrace is asked for each function once, and not for what is redirected already', () => {
    const asked: string[] = [];
    const { w, result } = over({ image }, (now) => {
      now.isFailing = (patch, call) => {
        if (call === 'register_ftrace_function') asked.push(patch);
        return 0;
      };
      // Of a, which old redirects, ftrace hears nothing, though it would refuse.
      now.isMissing = (_, object, fn) => (object === 'vmlinux' && fn === 'a' ? 'ftrace-busy' : null);
    });
    expect(result).toBe(0);
    expect(asked).toEqual(['new', 'new']);
    w.kernel.disable('new');
    w.kernel.unload('new');
    expect(w.load('new')).toBe(-16);
  });

  test('sympos 0 and 1 are one address, another position or object is not', () => {
    const at = (name: string, sympos: number): PatchImage => ({
      ...imageOf([name], { replace: 'nothing' }),
      objects: [
        { name: name === 'vmlinux' ? null : name, functions: [fn('a', sympos)], callbacks: new Set() },
      ],
    });
    const refused = (w: ScriptedWorld): void => {
      w.isMissing = () => 'ftrace';
    };
    expect(over({ image: at('vmlinux', 1) }, refused).result).toBe(0);
    expect(over({ image: at('vmlinux', 2) }, refused).result).toBe(-22);
    expect(over({ image: at('m', 1) }, refused).result).toBe(-22);
  });

  test('the module reference: a module that has given away its own gets -ENODEV', () => {
    const w = new ScriptedWorld({
      new: {
        livepatch: true,
        image: imageOf(['vmlinux']),
        init: (now) => {
          now.kernel.modulePut(1);
          now.kernel.modulePut(1);
          return now.enable(1);
        },
      },
    });
    expect(w.load('new')).toBe(-19);
    expect([w.calls(), w.texts(), w.listed()]).toEqual([[], [], []]);
    expect(w.kernel.enablePatch(99, imageOf(['vmlinux']))).toBe(-19);
  });

  test('a target that comes is refused for the same reasons, with their errno', () => {
    const w = new ScriptedWorld({ new: { image: imageOf([{ name: 'm', functions: ['y'] }]) }, m: {} });
    w.load('new');
    const refusal = (call: CoreCall, errno: number): [number, string[]] => {
      w.log_.length = 0;
      w.isFailing = (_, asked) => (asked === call ? errno : 0);
      return [w.load('m'), [...w.takeCalls(), ...w.texts()]];
    };
    const end = "livepatch: patch 'new' failed for module 'm', refusing to load module 'm'";
    expect(refusal('kallsyms_lookup_size_offset', -12)).toEqual([
      -2,
      [
        "livepatch: kallsyms size lookup failed for 'y'",
        "livepatch: failed to initialize patch 'new' for module 'm' (-2)",
        end,
      ],
    ]);
    expect(refusal('register_ftrace_function', -16)).toEqual([
      -16,
      [
        'new.m.pre_patch',
        'new.m.post_unpatch',
        "livepatch: applying patch 'new' to loading module 'm'",
        "livepatch: failed to register ftrace handler for function 'y' (-16)",
        "livepatch: failed to apply patch 'new' to module 'm' (-16)",
        end,
      ],
    ]);
  });
});

describe('an architecture without reliable stack traces', () => {
  const first = "livepatch: This architecture doesn't have support for the livepatch consistency model.";
  const second = 'livepatch: The livepatch transition may never complete.';
  const modules = { new: { image: imageOf(['vmlinux'], { states: [{ id: 1, version: 1 }] }) } };
  const loaded = (options: { release?: string; lacks?: string[]; arch?: string }) => {
    const w = new ScriptedWorld(modules, options);
    return { result: w.load('new'), texts: w.texts() };
  };

  test('two lines of warning before anything else; the livepatch is enabled', () => {
    for (const options of [{ arch: 'aarch64' }, { lacks: ['reliable-stack'] }]) {
      const { result, texts } = loaded(options);
      expect(result).toBe(0);
      expect(texts.slice(0, 3)).toEqual([first, second, "livepatch: enabling patch 'new'"]);
    }
  });

  test('no warning where it has them, or where the architecture is not given or not known', () => {
    for (const options of [{}, { arch: 'x86_64' }, { arch: 'riscv64' }, { arch: 'aarch64', release: '6.17' }])
      expect(loaded(options).texts[0]).toBe("livepatch: enabling patch 'new'");
  });

  test('5.1 refuses with -EOPNOTSUPP and one line', () => {
    expect(loaded({ arch: 'aarch64', release: '5.1' })).toEqual({ result: -95, texts: [first] });
    expect(loaded({ arch: 'aarch64', release: '5.2' }).result).toBe(0);
  });

  test('what is no livepatch module is refused before it', () => {
    const w = new ScriptedWorld(
      { new: { livepatch: false, image: imageOf(['vmlinux']) } },
      { arch: 'aarch64' },
    );
    expect(w.load('new')).toBe(-22);
    expect(w.texts()).not.toContain(first);
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
