import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FuzzProgram } from './run';
import { TARGETS } from './targets';

/** `node scripts/soak.mjs` runs these for hours and says how one execution is run again; see docs/fuzzing.md. */
const SEED = 1;
/** No execution begins later: what is not done by then is left to the long campaign. */
const TIME = 30_000;

let program: FuzzProgram;

beforeAll(async () => {
  program = await FuzzProgram.build(resolve(import.meta.dirname, '../..'));
});

afterAll(() => program.remove());

test.each(TARGETS.map((target) => [target.name, target] as const))(
  '%s: kept inputs and new ones break nothing',
  async (name, { short }) => {
    const plan = { seed: SEED, first: 0, executions: short, time: TIME };
    const { executions, failures } = await program.run(name, plan);
    expect(failures.map(({ from, message, input }) => ({ from, message, input }))).toEqual([]);
    expect(executions).toBeGreaterThan(0);
  },
  180_000,
);
