import { describe, expect, test } from 'vitest';
import { imageOf, type ScriptedModule, ScriptedWorld } from './scripted-world';
import { after, plain, world } from './two-modules';

/** The sequences of section "what runs when": one describe for each way to enable, disable and reverse. */

describe('enabling', () => {
  test('E1: pre_patch and post_patch of loaded objects, in the order of the array', () => {
    const w = after('m');
    expect(w.load('p')).toBe(0);
    expect(w.takeCalls()).toEqual([
      'p.vmlinux.pre_patch',
      'p.m.pre_patch',
      'p.vmlinux.post_patch',
      'p.m.post_patch',
    ]);
    expect(w.takeSkipped()).toEqual(['p.n.pre_patch: not-loaded', 'p.n.post_patch: not-loaded']);
    expect(w.listed()).toEqual(['p+']);
    expect(w.references('p')).toBe(1);
  });

  test('E2: a livepatch that does not replace leaves the others alone', () => {
    const w = after('m', 'p');
    w.load('q');
    expect(w.takeCalls()).toEqual([
      'q.vmlinux.pre_patch',
      'q.m.pre_patch',
      'q.vmlinux.post_patch',
      'q.m.post_patch',
    ]);
    expect(w.listed()).toEqual(['p+', 'q+']);
  });

  test('E3: no callback of a replaced livepatch runs, not even of an object that its successor does not have', () => {
    const w = after('m', 'n', 'p', 'q');
    w.load('small');
    expect(w.takeCalls()).toEqual(['small.vmlinux.pre_patch', 'small.vmlinux.post_patch']);
    expect(w.takeSkipped()).toEqual(
      ['p.vmlinux', 'p.m', 'p.n', 'q.vmlinux', 'q.m'].flatMap((object) => [
        `${object}.pre_unpatch: replaced by small`,
        `${object}.post_unpatch: replaced by small`,
      ]),
    );
    expect(w.listed()).toEqual(['small+']);
    expect([w.references('p'), w.references('q'), w.references('small')]).toEqual([0, 0, 1]);
  });

  test('E3: of a replaced object whose module is not loaded, that is the reason', () => {
    const w = after('r');
    w.load('small');
    expect(w.takeSkipped()).toEqual([
      'r.vmlinux.pre_unpatch: replaced by small',
      'r.vmlinux.post_unpatch: replaced by small',
      'r.m.pre_unpatch: not-loaded by small',
      'r.m.post_unpatch: not-loaded by small',
    ]);
  });

  test('E3: in post_patch the replaced livepatches are still listed but disabled, and their modules still held', () => {
    const seen: unknown[] = [];
    const states = [
      { id: 6, version: 1 },
      { id: 7, version: 1 },
    ];
    const w = world({
      p: { image: imageOf(['vmlinux'], { states, replace: 'nothing' }) },
      small: {
        image: imageOf(['vmlinux'], { states }),
        callback: (now, { callback }) => {
          if (callback === 'post_patch') {
            seen.push(
              now.listed(),
              now.references('p'),
              now.kernel.previousStates(7),
              now.kernel.transition(),
            );
          }
          return 0;
        },
      },
    });
    w.load('p');
    w.load('small');
    expect(seen).toEqual([['p-', 'small+'], 1, [{ patch: 1, state: 1 }], { patch: 2, to: 'patched' }]);
    expect(w.references('p')).toBe(0);
    expect(w.kernel.previousStates(7)).toEqual([]);
  });

  test('when post_patch and post_unpatch run, the code that goes is unhooked already', () => {
    const seen: unknown[] = [];
    const patched = (w: ScriptedWorld): string[] =>
      w.kernel
        .patches()
        .map((patch) => `${patch.name} ${patch.objects.map((object) => object.patched).join()}`);
    const callback: ScriptedModule['callback'] = (now, { callback: kind }) => {
      if (kind !== 'pre_patch') seen.push([kind, ...patched(now)]);
      return 0;
    };
    const w = new ScriptedWorld({
      p: { image: imageOf(['vmlinux'], plain) },
      r: { image: imageOf(['vmlinux', 'm']), callback },
    });
    w.load('p');
    w.load('r');
    w.kernel.disable('r');
    expect(seen).toEqual([
      ['post_patch', 'p false', 'r true,false'],
      ['pre_unpatch', 'r true,false'],
      ['post_unpatch', 'r false,false'],
    ]);
  });

  test('nops cover functions that only the replaced livepatch has, and are gone before post_patch', () => {
    const seen: unknown[] = [];
    const nops = (w: ScriptedWorld): unknown =>
      w.kernel
        .patches()
        .at(-1)
        ?.objects.map((object) => [object.name, object.index, object.nops.map((fn) => fn.oldName)]);
    const w = new ScriptedWorld({
      old: {
        image: imageOf([
          { name: 'vmlinux', functions: ['a', 'b,1', 'c,2'] },
          { name: 'm', functions: ['d'] },
        ]),
      },
      new: {
        image: imageOf([{ name: 'vmlinux', functions: ['a', 'b,0', 'c,1'] }]),
        callback: (now, { callback }) => {
          seen.push(callback, nops(now));
          return 0;
        },
      },
    });
    w.load('old');
    w.load('new');
    expect(seen).toEqual([
      'pre_patch',
      [
        [null, 0, ['c']],
        ['m', null, ['d']],
      ],
      'post_patch',
      [[null, 0, []]],
    ]);
  });
});

describe('disabling', () => {
  test('D1: pre_unpatch, then post_unpatch, forward; not for modules that are not loaded', () => {
    const w = after('m', 'p');
    expect(w.kernel.disable('p')).toBe(0);
    expect(w.takeCalls()).toEqual([
      'p.vmlinux.pre_unpatch',
      'p.m.pre_unpatch',
      'p.vmlinux.post_unpatch',
      'p.m.post_unpatch',
    ]);
    expect(w.takeSkipped()).toEqual(['p.n.pre_unpatch: not-loaded', 'p.n.post_unpatch: not-loaded']);
    expect(w.listed()).toEqual([]);
    expect(w.references('p')).toBe(0);
  });

  test('D2: a livepatch below others can be disabled, and only its callbacks run', () => {
    const w = after('p', 'q');
    expect(w.kernel.disable('p')).toBe(0);
    expect(w.takeCalls()).toEqual(['p.vmlinux.pre_unpatch', 'p.vmlinux.post_unpatch']);
    expect(w.listed()).toEqual(['q+']);
  });

  test('D2 before 5.1: only the last one', () => {
    const w = new ScriptedWorld(
      { p: { image: imageOf(['vmlinux'], plain) }, q: { image: imageOf(['vmlinux'], plain) } },
      { release: '4.19' },
    );
    w.load('p');
    w.load('q');
    expect(w.kernel.disable('p')).toBe(-16);
    expect(w.kernel.disable('q')).toBe(0);
    expect(w.kernel.disable('p')).toBe(0);
  });

  test('D3: -EBUSY while another one is in transition, the replaced one included', () => {
    const w = after('p');
    w.kernel.stall();
    w.load('small');
    w.takeCalls();
    expect(w.kernel.disable('p')).toBe(-16);
    expect(w.takeCalls()).toEqual([]);
    expect(w.listed()).toEqual(['p+', 'small+']);
  });

  test('D4: what was replaced does not come back', () => {
    const w = after('p', 'r');
    w.kernel.disable('r');
    expect(w.takeCalls()).toEqual(['r.vmlinux.pre_unpatch', 'r.vmlinux.post_unpatch']);
    expect(w.listed()).toEqual([]);
  });

  test('W: the same value, and 1 for a livepatch that is not in transition', () => {
    const w = after('p');
    expect(w.kernel.enable('p')).toBe(-22);
    w.kernel.disable('p');
    expect(w.kernel.enable('p')).toBe(-2);
    expect(w.kernel.disable('p')).toBe(-2);
    expect(w.kernel.disable('unknown')).toBe(-2);
    expect(w.kernel.force('unknown')).toBe(-2);
  });
});

describe('reversing', () => {
  test('V1: post_unpatch alone', () => {
    const w = after('m');
    w.kernel.stall();
    w.load('q');
    expect(w.takeCalls()).toEqual(['q.vmlinux.pre_patch', 'q.m.pre_patch']);
    expect(w.listed()).toEqual(['q+']);
    expect(w.kernel.disable('q')).toBe(0);
    expect(w.takeCalls()).toEqual(['q.vmlinux.post_unpatch', 'q.m.post_unpatch']);
    expect(w.takeSkipped()).toEqual([
      'q.vmlinux.post_patch: reversed',
      'q.vmlinux.pre_unpatch: reversed',
      'q.m.post_patch: reversed',
      'q.m.pre_unpatch: reversed',
    ]);
    expect(w.listed()).toEqual([]);
    expect(w.references('q')).toBe(0);
  });

  test('V2: the livepatches that were to be replaced stay as they were', () => {
    const w = after('p');
    w.kernel.stall();
    w.load('small');
    w.kernel.disable('small');
    expect(w.takeCalls()).toEqual(['small.vmlinux.pre_patch', 'small.vmlinux.post_unpatch']);
    expect(w.listed()).toEqual(['p+']);
    expect([w.references('p'), w.references('small')]).toEqual([1, 0]);
  });

  test('V3: a reversed disable runs post_patch a second time', () => {
    const w = after('q');
    w.kernel.stall();
    expect(w.kernel.disable('q')).toBe(0);
    expect(w.listed()).toEqual(['q-']);
    expect(w.kernel.enable('q')).toBe(0);
    expect(w.takeCalls()).toEqual(['q.vmlinux.pre_unpatch', 'q.vmlinux.post_patch']);
    expect(w.takeSkipped()).toContain('q.vmlinux.post_unpatch: reversed');
    expect(w.listed()).toEqual(['q+']);
    w.kernel.resume();
    w.kernel.disable('q');
    expect(w.takeCalls()).toEqual(['q.vmlinux.pre_unpatch', 'q.vmlinux.post_unpatch']);
  });

  test('V4: reversed twice: post_patch once, pre_patch not again', () => {
    const w = after();
    w.kernel.hold();
    w.load('q');
    expect(w.kernel.disable('q')).toBe(0);
    expect(w.kernel.disable('q')).toBe(-22);
    expect(w.kernel.enable('q')).toBe(0);
    expect(w.kernel.transition()).toEqual({ patch: 1, to: 'patched' });
    w.kernel.resume();
    expect(w.takeCalls()).toEqual(['q.vmlinux.pre_patch', 'q.vmlinux.post_patch']);
    expect(w.kernel.transition()).toBeNull();
  });

  test('a reversal completes after the step that asked for it, as a work item does: no callback before "starting"', () => {
    const w = after();
    w.kernel.stall();
    w.load('q');
    w.log_.length = 0;
    w.kernel.disable('q');
    expect(w.texts()).toEqual([
      "livepatch: 'q': reversing transition from patching to unpatching",
      "livepatch: 'q': starting unpatching transition",
      "livepatch: 'q': completing unpatching transition",
      "livepatch: 'q': unpatching complete",
    ]);
    w.load('p');
    w.kernel.resume();
    w.kernel.stall();
    w.kernel.disable('p');
    w.log_.length = 0;
    w.kernel.enable('p');
    expect(w.texts({ debug: false })).toEqual([
      "livepatch: 'p': starting patching transition",
      "livepatch: 'p': patching complete",
    ]);
  });
});

describe('klp_get_prev_state() during a transition', () => {
  const states = [{ id: 7, version: 1 }];
  /** What a callback of the named livepatch finds for id 7, by the name of the livepatch that has the entry. */
  function spied(found: string[]): Record<string, ScriptedModule> {
    const spy = (name: string, replace: 'nothing' | 'everything', objects: string[]): ScriptedModule => ({
      image: imageOf(objects, { states, replace }),
      callback: (now, { callback }) => {
        const last = now.kernel.previousStates(7).at(-1);
        found.push(`${name}.${callback}: ${last ? now.names.get(last.patch) : 'NULL'}`);
        return 0;
      },
    });
    return {
      a: spy('a', 'nothing', ['vmlinux']),
      b: spy('b', 'nothing', ['vmlinux']),
      r: spy('r', 'everything', ['vmlinux']),
      old: spy('old', 'nothing', ['m']),
    };
  }

  test('the youngest older one, while enabled and while disabled without replace', () => {
    const found: string[] = [];
    const w = world(spied(found));
    for (const name of ['a', 'b']) w.load(name);
    w.kernel.disable('b');
    expect(found).toEqual([
      'a.pre_patch: NULL',
      'a.post_patch: NULL',
      'b.pre_patch: a',
      'b.post_patch: a',
      'b.pre_unpatch: a',
      'b.post_unpatch: a',
    ]);
  });

  test('what replaces finds the youngest of all; when it is disabled they are gone', () => {
    const found: string[] = [];
    const w = world(spied(found));
    for (const name of ['a', 'b', 'r']) w.load(name);
    w.kernel.disable('r');
    expect(found.slice(4)).toEqual([
      'r.pre_patch: b',
      'r.post_patch: b',
      'r.pre_unpatch: NULL',
      'r.post_unpatch: NULL',
    ]);
  });

  test('in a reversal the replaced one is still there', () => {
    const found: string[] = [];
    const w = world(spied(found));
    w.load('a');
    w.kernel.stall();
    w.load('r');
    w.kernel.disable('r');
    expect(found.at(-1)).toBe('r.post_unpatch: a');
  });

  test("a callback of the old one that runs during another's transition finds its own", () => {
    const found: string[] = [];
    const w = world(spied(found));
    w.load('old');
    w.kernel.stall();
    w.load('r');
    w.load('m');
    expect(found.slice(1)).toEqual(['old.pre_patch: old', 'old.post_patch: old']);
  });
});
