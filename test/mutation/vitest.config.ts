import { defineConfig } from 'vitest/config';

/**
 * The tests that mutants have to face: `MUTATED=kernel` or `MUTATED=rules` takes one half, `MUTATED_TESTS` names the
 * files (see scripts/mutate-changed.mjs). Guests are too slow.
 */
const HALVES: Readonly<Record<string, readonly string[]>> = {
  kernel: ['test/kernel/**/*.test.ts'],
  rules: ['test/rules/**/*.test.ts'],
};
const half = HALVES[process.env['MUTATED'] ?? ''];
const named = process.env['MUTATED_TESTS']?.split(' ');

export default defineConfig({
  test: {
    include: [...(named ?? half ?? Object.values(HALVES).flat())],
    testTimeout: 60_000,
    pool: 'forks',
  },
});
