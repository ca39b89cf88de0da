import { describe, expect, test } from 'vitest';
import { imageOf, ScriptedWorld } from './scripted-world';
import { after } from './two-modules';

/** Transitions that stay pending, and forced ones. */

describe('stalls', () => {
  test('stall: what starts stays pending until resume', () => {
    const w = after();
    w.kernel.stall();
    w.load('q');
    w.kernel.settle();
    expect(w.kernel.transition()?.to).toBe('patched');
    w.kernel.resume();
    expect(w.takeCalls()).toEqual(['q.vmlinux.pre_patch', 'q.vmlinux.post_patch']);
  });

  test('hold: a reversal stays pending, and completes when the hold becomes a mere stall', () => {
    const w = after();
    w.kernel.hold();
    w.load('q');
    w.kernel.disable('q');
    expect(w.kernel.transition()?.to).toBe('unpatched');
    w.kernel.stall();
    expect(w.kernel.transition()).toBeNull();
    expect(w.takeCalls()).toEqual(['q.vmlinux.pre_patch', 'q.vmlinux.post_unpatch']);
  });

  test('a stall that begins during a transition has its task switched already: the reversal is what stays pending', () => {
    const w = after();
    w.isBusy = () => true;
    w.load('q');
    w.kernel.stall();
    w.kernel.disable('q');
    expect(w.kernel.transition()?.to).toBe('unpatched');
    w.kernel.enable('q');
    w.isBusy = () => false;
    w.kernel.settle();
    expect(w.kernel.transition()).toBeNull();
    expect(w.listed()).toEqual(['q+']);
  });

  test('busy: asked with the direction; a task that never switched does not hold the reversal', () => {
    const w = after();
    const asked: string[] = [];
    w.isBusy = (patch, to) => asked.push(`${patch} ${to}`) > 0;
    w.load('q');
    w.kernel.settle();
    expect(new Set(asked)).toEqual(new Set(['q patched']));
    expect(w.kernel.transition()).not.toBeNull();
    w.kernel.disable('q');
    expect(w.kernel.transition()).toBeNull();
  });

  test('busy: a task in the new code holds the disabling until it has moved', () => {
    const w = after('q');
    let standing = true;
    w.isBusy = (_, to) => standing && to === 'unpatched';
    w.kernel.disable('q');
    expect(w.takeCalls()).toEqual(['q.vmlinux.pre_unpatch']);
    standing = false;
    w.kernel.settle();
    expect(w.takeCalls()).toEqual(['q.vmlinux.post_unpatch']);
  });
});

describe('force', () => {
  test('F: completes with the normal callbacks; the stall itself stays', () => {
    const w = after('p');
    w.kernel.stall();
    w.load('small');
    expect(w.kernel.force('p')).toBe(-22);
    expect(w.kernel.force('small')).toBe(0);
    expect(w.takeCalls()).toEqual(['small.vmlinux.pre_patch', 'small.vmlinux.post_patch']);
    expect(w.texts({ debug: false })).toContain('livepatch: forcing remaining tasks to the patched state');
    expect(w.kernel.force('small')).toBe(-22);
    w.kernel.disable('small');
    expect(w.kernel.transition()?.to).toBe('unpatched');
  });

  test('F of a disabling and of a reversal: post_unpatch comes as ever', () => {
    const disabling = after('q');
    disabling.kernel.stall();
    disabling.kernel.disable('q');
    expect(disabling.takeCalls()).toEqual(['q.vmlinux.pre_unpatch']);
    expect(disabling.kernel.force('q')).toBe(0);
    expect(disabling.takeCalls()).toEqual(['q.vmlinux.post_unpatch']);
    const reversal = after();
    reversal.kernel.hold();
    reversal.load('q');
    reversal.kernel.disable('q');
    expect(reversal.kernel.force('q')).toBe(0);
    expect(reversal.takeCalls()).toEqual(['q.vmlinux.pre_patch', 'q.vmlinux.post_unpatch']);
    // klp_force_transition() says "patched" in both directions.
    expect(reversal.texts()).toContain('livepatch: forcing remaining tasks to the patched state');
  });

  test('a forced replacement pins the replaced modules for ever, not the new one', () => {
    const w = after('p', 'q');
    w.kernel.stall();
    w.load('small');
    w.kernel.force('small');
    expect(w.listed()).toEqual(['small+']);
    expect([w.references('p'), w.references('q')]).toEqual([1, 1]);
    expect(w.kernel.unload('p')).toBe(-11);
    w.kernel.resume();
    w.kernel.disable('small');
    expect(w.kernel.unload('small')).toBe(0);
    expect(w.load('p')).toBe(-17);
  });

  test('a forced disable pins the livepatch itself; forcing a plain enable pins nothing', () => {
    const w = after('p');
    w.kernel.stall();
    w.load('q');
    w.kernel.force('q');
    expect(w.kernel.patches().map((patch) => patch.forced)).toEqual([false, false]);
    w.kernel.disable('q');
    w.kernel.force('q');
    expect(w.listed()).toEqual(['p+']);
    expect(w.references('q')).toBe(1);
    expect(w.kernel.unload('q')).toBe(-11);
  });

  test('before 5.19 force marks every listed livepatch', () => {
    const w = new ScriptedWorld(
      { p: { image: imageOf(['vmlinux']) }, q: { image: imageOf(['vmlinux']) } },
      { release: '5.10' },
    );
    w.load('p');
    w.kernel.stall();
    w.load('q');
    w.kernel.force('q');
    expect(w.kernel.patches().map((patch) => [patch.name, patch.forced])).toEqual([['q', true]]);
    w.kernel.resume();
    w.kernel.disable('q');
    expect(w.kernel.unload('q')).toBe(-11);
  });
});
