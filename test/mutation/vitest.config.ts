import { defineConfig } from 'vitest/config';

/** The tests that mutants have to face: `MUTATED=kernel` or `MUTATED=rules` takes one half. Guests are too slow. */
const HALVES: Readonly<Record<string, readonly string[]>> = {
  kernel: ['test/kernel/**/*.test.ts'],
  rules: ['test/rules/**/*.test.ts'],
};
const half = HALVES[process.env['MUTATED'] ?? ''];

export default defineConfig({
  test: {
    include: [...(half ?? Object.values(HALVES).flat())],
    testTimeout: 60_000,
    pool: 'forks',
  },
});
