import { beforeAll, expect, test, vi } from 'vitest';
import { Interpreter, STEP_BUDGET } from '../../server/src/core/execution/interpreter';
import { load, startParser } from '../execution/machine-kit';
import { randomLivepatch } from '../fuzz/targets/c-text';
import { made } from '../support/soak';

/** Whatever the C is, a call takes no more than its steps, and its steps pay for all that it makes be done. */

beforeAll(startParser);

const CALLBACKS = ['f', 'pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'];

test.each(made(8, 1_500, (random) => [randomLivepatch(random)] as const))('random livepatch %#', (text) => {
  const known = Interpreter.prototype.compute;
  let worked = 0;
  const compute = vi.spyOn(Interpreter.prototype, 'compute').mockImplementation(function (
    this: Interpreter,
    ...operands
  ) {
    worked++;
    return known.apply(this, operands);
  });
  try {
    for (const flip of [undefined, 0, 1, 2, 3]) {
      const { host, machine } = load(text, {}, flip === undefined ? {} : { flip });
      machine.init(1);
      for (const name of CALLBACKS) {
        const before = { spent: machine.spent, worked, told: host.events.length + host.unknowns.length };
        machine.call(1, name, [], 'init');
        const spent = machine.spent - before.spent;
        expect(spent).toBeLessThan(2 * STEP_BUDGET);
        expect(worked - before.worked).toBeLessThan(40 * (spent + 100));
        expect(host.events.length + host.unknowns.length - before.told).toBeLessThan(2 * (spent + 100));
      }
    }
  } finally {
    compute.mockRestore();
  }
});
