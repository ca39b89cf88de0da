import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FuzzProgram } from './run';
import { TARGETS } from './targets';

/** `node scripts/soak.mjs` runs these for hours and says how one execution is run again; see docs/fuzzing.md. */
const SEED = 1;
/** No execution begins later, unless there were fewer than the least: the rest is left to the long campaign. */
const TIME = process.env.CI === 'true' ? 60_000 : 10_000;

let program: FuzzProgram;
/** Workers that may run at the same time: this waits for them and takes little itself. */
let free = 2;
const waiting: (() => void)[] = [];

beforeAll(async () => {
  program = await FuzzProgram.build(resolve(import.meta.dirname, '../..'));
});

afterAll(() => program.remove());

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (free > 0) free--;
  else await new Promise<void>((turn) => waiting.push(turn));
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }
}

describe.concurrent('kept inputs and new ones', () => {
  test.each(TARGETS.map((target) => [target.name, target] as const))(
    '%s: they break nothing',
    async (name, { least, long }) => {
      const plan = {
        seed: SEED,
        first: 0,
        executions: long,
        least,
        time: TIME,
        kept: true,
      };
      const { executions, failures } = await inTurn(() => program.run(name, plan));
      expect(failures.map(({ from, message, input }) => ({ from, message, input }))).toEqual([]);
      expect(executions).toBeGreaterThanOrEqual(least);
    },
    600_000,
  );
});
