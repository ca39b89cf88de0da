import { describe, expect, test } from 'vitest';
import { imageOf, type ScriptedModule, ScriptedWorld } from './scripted-world';

/** Module references, rmmod, and what klp_mutex forbids. */

const plain = { replace: 'nothing' } as const;

function world(modules: Record<string, ScriptedModule> = {}): ScriptedWorld {
  return new ScriptedWorld({
    m: {},
    p: { image: imageOf(['vmlinux', 'm'], plain) },
    r: { image: imageOf(['vmlinux', 'm']) },
    ...modules,
  });
}

describe('references and rmmod', () => {
  test('results of unload', () => {
    const w = world({ stays: { exit: false }, bare: { init: false, exit: false } });
    expect(w.kernel.unload('m')).toBe(-2);
    w.load('stays');
    w.load('bare');
    w.load('p');
    expect(w.kernel.unload('stays')).toBe(-16);
    expect(w.kernel.unload('bare')).toBe(0);
    expect(w.kernel.unload('p')).toBe(-11);
    w.kernel.disable('p');
    expect(w.kernel.unload('p')).toBe(0);
  });

  test('a replaced module stays in memory without references until it is unloaded; then it can be loaded again', () => {
    const w = world({ p: { image: imageOf(['vmlinux']) } });
    w.load('p');
    w.load('r');
    expect([w.references('p'), w.references('r')]).toEqual([0, 1]);
    expect(w.freedNames).toEqual([]);
    expect(w.load('p')).toBe(-17);
    expect(w.kernel.unload('p')).toBe(0);
    expect(w.freedNames).toEqual(['p']);
    expect(w.load('p')).toBe(0);
    expect(w.listed()).toEqual(['p+']);
  });

  test("a replaced module's exit runs while its successor is live", () => {
    const seen: string[][] = [];
    const w = world({ p: { image: imageOf(['vmlinux']), exit: (now) => void seen.push(now.listed()) } });
    w.load('p');
    w.load('r');
    w.kernel.unload('p');
    expect(seen).toEqual([['r+']]);
  });

  test('references of its own hold a module; a going module gives none', () => {
    let refused: boolean | null = null;
    const w = world({ m: { exit: (now) => void (refused = !now.kernel.moduleGet(1)) } });
    w.load('m');
    expect(w.kernel.moduleGet(1)).toBe(true);
    expect(w.kernel.moduleReferences(1)).toBe(1);
    expect(w.kernel.unload('m')).toBe(-11);
    w.kernel.modulePut(1);
    expect(w.kernel.unload('m')).toBe(0);
    expect(refused).toBe(true);
    expect(w.kernel.moduleGet(1)).toBe(false);
  });

  test('one module_put too many is a warning at the second', () => {
    const w = world();
    w.load('m');
    w.kernel.modulePut(1);
    expect([w.references('m'), w.warnings()]).toEqual([-1, []]);
    w.kernel.modulePut(1);
    expect(w.warnings()).toHaveLength(1);
  });

  test('a livepatch whose init fails after klp_enable_patch() leaves freed memory behind', () => {
    const w = world({
      bad: { livepatch: true, image: imageOf(['vmlinux']), init: (now) => now.enable(1) || -5 },
    });
    expect(w.load('bad')).toBe(-5);
    expect(w.warnings()).toEqual(['the memory of bad is gone while its livepatch is still installed']);
  });

  test('instance numbers are never used again', () => {
    const w = world();
    w.load('m');
    w.kernel.unload('m');
    w.load('m');
    expect(w.kernel.modules().map((module) => module.instance)).toEqual([2]);
  });
});

describe('klp_mutex', () => {
  const fromCallback = (act: (w: ScriptedWorld) => unknown) => {
    let answer: unknown;
    const w = world({
      cb: {
        image: imageOf(['vmlinux']),
        callback: (now, { callback }) => {
          if (callback === 'post_patch') answer = act(now);
          return 0;
        },
      },
    });
    w.load('p');
    w.load('cb');
    return { answer, warnings: w.warnings(), w };
  };

  test.each([
    ['loading a module', (w: ScriptedWorld) => w.load('m')],
    ['unloading a module', (w: ScriptedWorld) => w.kernel.unload('m')],
    ['writing to enabled', (w: ScriptedWorld) => w.kernel.disable('p')],
    ['writing to force', (w: ScriptedWorld) => w.kernel.force('p')],
    ['klp_enable_patch()', (w: ScriptedWorld) => w.enable(1)],
  ])('%s in a callback is a deadlock', (what, act) => {
    const { answer, warnings } = fromCallback(act);
    expect(answer).toBe(-16);
    expect(warnings).toEqual([`deadlock: ${what} in a callback waits for klp_mutex, which is held`]);
  });

  test('a task that moves in a callback completes nothing there', () => {
    let asleep = true;
    const w = world({
      cb: {
        image: imageOf(['vmlinux', 'm'], plain),
        callback: (now, { object, callback }) => {
          if (object === 'm' && callback === 'pre_patch') {
            asleep = false;
            now.kernel.settle();
            expect(now.kernel.transition()).not.toBeNull();
          }
          return 0;
        },
      },
    });
    w.isBusy = () => asleep;
    w.load('cb');
    w.load('m');
    expect(w.calls()).toEqual([
      'cb.vmlinux.pre_patch',
      'cb.m.pre_patch',
      'cb.vmlinux.post_patch',
      'cb.m.post_patch',
    ]);
  });

  test('a module init may load another module', () => {
    const w = world({
      p: {
        livepatch: true,
        image: imageOf(['m']),
        init: (now) =>
          now.kernel.load({ name: 'm', livepatch: false, hasInit: false, hasExit: true }).result ||
          now.enable(1),
      },
    });
    expect(w.load('p')).toBe(0);
    expect(w.warnings()).toEqual([]);
    expect(w.calls()).toEqual(['p.m.pre_patch', 'p.m.post_patch']);
  });
});
