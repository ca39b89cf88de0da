import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runCommand } from '../../server/src/cli/program';
import { interestingWays } from '../../server/src/features/rehearsal-ways';
import { cannotRehearse } from '../../server/src/host/rehearsal/rehearse';
import { captureOutput } from '../support/captured';
import { analyseFolder } from '../support/project';
import { kernelForTests } from './kernels';

/** What the README tells of the examples, command by command. */

const EXAMPLES = resolve(import.meta.dirname, '../../examples');
const STATUS = '/sys/kernel/debug/net_status';
const LONG_MS = 6 * 60_000;
const kernel = await kernelForTests('6.1');

let folder = '';
const printed = captureOutput();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-examples-'));
  cpSync(EXAMPLES, folder, { recursive: true });
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command; answers its exit code and what it printed. */
async function cli(name: string, lineage: string, ...args: string[]) {
  printed.begin();
  const code = await runCommand(name, [join(folder, lineage), ...args]);
  return { code, out: printed.out, err: printed.err };
}

interface Answer {
  readonly same: boolean;
  readonly scenarios: readonly {
    readonly verdict: string;
    readonly read: string | null;
    readonly crash: { readonly kind: string; readonly headline: string } | null;
    readonly steps: readonly { readonly step: string; readonly same: boolean }[];
  }[];
}

async function rehearsed(lineage: string, steps: string, ...more: string[]): Promise<Answer> {
  const { out: text } = await cli('rehearse', lineage, '--steps', steps, '--format', 'json', ...more);
  return JSON.parse(text) as Answer;
}

test('check predicts a use-after-free in both examples', async () => {
  for (const lineage of ['net-fixes', 'module-watch']) {
    const { out: text } = await cli('check', lineage);
    expect(text).toMatch(/v1 cannot safely replace v2: .*use-after-free/);
  }
});

test('the second example is refused with its line, and has a runbook', async () => {
  const wish = ['--restore', 'v1', '--after', 'v2', '--as', 'v3'];
  const { code, err: why } = await cli('scaffold', 'module-watch', ...wish);
  expect(code).toBe(1);
  expect(why).toMatch(/v2\/livepatch_watch_v2\.c:\d+: notifier watch_nb of v2 cannot be undone by v3/);
  expect(why).toContain('klp-lineage runbook --from v2 --to v1');
  const book = await cli('runbook', 'module-watch', '--from', 'v2', '--to', 'v1');
  expect(book.code).toBe(0);
  expect(book.out).toContain('echo 0 > /sys/kernel/livepatch/livepatch_watch_v2/enabled');
  expect(book.out).toMatch(/Window: From step \d+ to the end of step \d+ nothing is patched/);
});

/** The ways of --search in the example, and the worst that `matrix` tells of each pair. */
async function searched() {
  const manifest = join(folder, 'net-fixes', 'livepatch.yaml');
  const analysis = await analyseFolder(manifest, join(folder, 'net-fixes'));
  const { out: text } = await cli('matrix', 'net-fixes', '--format', 'json');
  const { verdicts } = JSON.parse(text) as {
    verdicts: { to: string; worst: { verdict: string; run: string[] } }[];
  };
  const worst = verdicts
    .filter((it) => it.to === 'v1' && it.worst.verdict !== 'clean')
    .map((it) => it.worst.run.join('; '));
  const can = (steps: Parameters<typeof cannotRehearse>[0]): boolean => cannotRehearse(steps) === null;
  return { analysis, worst, ways: interestingWays(analysis, can).map((way) => way.name) };
}

test('--search rehearses every way onto a version that is wanted, and the worst that the search saw', async () => {
  const { analysis, worst, ways } = await searched();
  // Nobody wants to be on v2, which is faulty.
  expect(ways).toEqual(expect.arrayContaining(['load v1', 'load v2; load v1; unload v2']));
  expect(ways.some((way) => /(?:^|; )load v2$/.test(way))).toBe(false);
  expect(worst.length).toBeGreaterThan(0);
  expect(ways).toEqual(expect.arrayContaining(worst.filter((way) => !/\b(?:hold|fail)\b/.test(way))));
  expect(new Set(ways).size).toBe(ways.length);
  expect(ways.length).toBeLessThanOrEqual(12);
  expect(interestingWays(analysis, (steps) => steps.length > 1).map((way) => way.name)).not.toContain(
    'load v1',
  );
});

describe.skipIf(kernel === null)('in a real kernel', () => {
  test(
    '--search: every way ends as predicted',
    async () => {
      const { ways } = await searched();
      const { code, out: text } = await cli('rehearse', 'net-fixes', '--search', '--format', 'json');
      const answer = JSON.parse(text) as { scenarios: { name: string; same: boolean; verdict: string }[] };
      expect(answer.scenarios.map(({ name }) => name)).toEqual(ways);
      expect(answer.scenarios.filter(({ same }) => !same)).toEqual([]);
      expect(answer.scenarios.some(({ verdict }) => verdict === 'unsafe')).toBe(true);
      expect(code).toBe(0);
    },
    LONG_MS,
  );

  test(
    'net-fixes: an oops on the way over v1, silence on the way over v3',
    async () => {
      const back = 'load v1; load v2; unload v1; load v1; unload v2';
      const bad = await rehearsed('net-fixes', back, '--read', STATUS);
      expect(bad.scenarios[0]).toMatchObject({ verdict: 'unsafe', crash: { kind: 'oops' } });
      expect(bad.scenarios[0]?.steps.every((step) => step.same)).toBe(true);
      const told = (await cli('rehearse', 'net-fixes', '--steps', back, '--read', STATUS)).out;
      expect(told).toMatch(/\nthe kernel ended with: .*\(oops\)\nuntil then every line was predicted\n$/);
      expect(
        (await cli('scaffold', 'net-fixes', '--restore', 'v1', '--after', 'v2', '--as', 'v3')).code,
      ).toBe(0);
      const home = back.replace('load v1; unload v2', 'load v3; unload v2');
      const good = await rehearsed('net-fixes', home, '--read', STATUS);
      expect(good).toMatchObject({ same: true, scenarios: [{ verdict: 'clean', read: null, crash: null }] });
    },
    LONG_MS,
  );

  test(
    'module-watch: a panic at the next module load, and none on the way of the runbook',
    async () => {
      const bad = await rehearsed('module-watch', 'load v2; load v1; unload v2; stall');
      expect(bad.scenarios[0]?.verdict).toBe('unsafe');
      expect(bad.scenarios[0]?.crash?.kind).toBe('oops');
      expect(bad.scenarios[0]?.steps.slice(0, 3).every((step) => step.same)).toBe(true);
      const good = await rehearsed('module-watch', 'load v2; disable v2; unload v2; load v1');
      expect(good).toMatchObject({ same: true, scenarios: [{ verdict: 'clean', crash: null }] });
    },
    LONG_MS,
  );
});
