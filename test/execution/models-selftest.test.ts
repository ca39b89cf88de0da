import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { linuxSource } from '../support/linux-source';
import { load, startParser } from './machine-kit';

beforeAll(startParser);

test("what the kernel's shadow variable test prints is what its script expects", async () => {
  const tree = await linuxSource();
  if (tree === null) return;
  const script = readFileSync(join(tree, 'tools/testing/selftests/livepatch/test-shadow-vars.sh'), 'utf8');
  const expected = [...script.matchAll(/^\$MOD_TEST: (.*?)"?$/gm)].map((match) => `test: ${match[1]}`);
  expect(expected.length).toBeGreaterThan(50);
  const { host, machine } = load(readFileSync(join(tree, 'lib/livepatch/test_klp_shadow_vars.c'), 'utf8'));
  expect(machine.init(1)).toBe(0);
  expect(host.lines).toEqual(expected);
  expect(host.faults()).toEqual([]);
  expect(host.unknowns).toEqual([]);
  // It frees all it allocates.
  expect(machine.effects()).toEqual([]);
});
