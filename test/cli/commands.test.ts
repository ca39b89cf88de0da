import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EXAMPLE, klp, withFolder } from './run';

let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'lineage-commands-')), 'net');
  cpSync(EXAMPLE, folder, { recursive: true });
});

afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

function json<T>(args: readonly string[], status = 0): T {
  const result = klp([...args, '--format', 'json'], folder);
  expect(result.stderr).toBe('');
  expect(result.status).toBe(status);
  return JSON.parse(result.stdout) as T;
}

const LEFT = {
  effect: 'debugfs_create_file',
  key: 'net_status',
  hazard: 'use-after-free',
  certainty: 'must',
  version: 'v2',
  file: 'v2/livepatch_net_v2.c',
  line: 78,
};

test('check predicts the use-after-free, at the line that causes it, with the run that shows it', () => {
  const answer = json<{ schema: number; findings: unknown[] }>(['check']);
  expect(answer.schema).toBe(1);
  expect(answer.findings).toMatchObject([
    {
      code: 'unsafe-downgrade',
      severity: 'warning',
      certainty: 'must',
      file: 'v2/livepatch_net_v2.c',
      line: 78,
      column: 15,
      versions: ['v2', 'v1'],
      run: ['load v2', 'load v1', 'unload v2'],
    },
  ]);
  expect(klp(['check', '--fail-on', 'warning'], folder).status).toBe(1);
  expect(klp(['check', '--new-in', 'v1', '--format', 'json'], folder).stdout).toContain('unsafe-downgrade');
});

test('with --absolute every file is named by its whole path, wherever one stands', () => {
  const { stdout } = klp(['check', 'livepatch.yaml', '--absolute'], folder);
  const file = join(folder, 'v2/livepatch_net_v2.c');
  expect(stdout.startsWith(`${file}:78:15: warning: `)).toBe(true);
  expect(stdout).toContain(`\n    ${file}:88: `);
  expect(stdout).toContain(`\n    ${join(folder, 'v1/livepatch_net_v1.c')}:79: `);
});

test('a baseline takes out what was known, also when lines have moved', () => {
  const first = klp(['check', '--format', 'json'], folder).stdout;
  const path = join(folder, 'base.json');
  writeFileSync(path, first);
  const v2 = join(folder, 'v2/livepatch_net_v2.c');
  writeFileSync(v2, `/* one line more */\n${readFileSync(v2, 'utf8')}`);
  expect(json<{ findings: unknown[] }>(['check', '--baseline', 'base.json']).findings).toEqual([]);
});

test('simulate says what is called, what is skipped and why, and what stays', () => {
  const answer = json<{
    steps: { step: string; result: number; called: object[]; skipped: object[]; log: string[] }[];
    enabled: string[];
    modules: object[];
    leftovers: object[];
    verdict: string;
    certainty: string;
  }>(['simulate', '--steps', 'load v2; load v1; unload v2']);
  expect(answer.steps.map((step) => [step.step, step.result])).toEqual([
    ['load v2', 0],
    ['load v1', 0],
    ['unload v2', 0],
  ]);
  expect(answer.steps[0]?.called).toMatchObject([
    {
      version: 'v2',
      object: null,
      callback: 'pre_patch',
      function: 'livepatch_net_pre_patch',
      certainty: 'must',
    },
  ]);
  expect(answer.steps[1]?.skipped).toMatchObject([
    { version: 'v2', object: null, callback: 'post_unpatch', because: 'replaced' },
  ]);
  expect(answer.steps[1]?.log).toEqual([
    "livepatch: enabling patch 'livepatch_net_v1'",
    "livepatch: 'livepatch_net_v1': initializing patching transition",
    "livepatch: 'livepatch_net_v1': starting patching transition",
    "livepatch: 'livepatch_net_v1': completing patching transition",
    "livepatch: 'livepatch_net_v1': patching complete",
  ]);
  expect(answer).toMatchObject({
    enabled: ['v1'],
    modules: [{ name: 'livepatch_net_v1', references: 1 }],
    verdict: 'unsafe',
    certainty: 'must',
    leftovers: [LEFT],
  });
});

test('the log alone has the debug lines, and without them on demand', () => {
  const full = klp(['simulate', '--steps', 'load v1', '--format', 'log'], folder).stdout;
  expect(full).toContain('completing patching transition');
  const brief = klp(['simulate', '--steps', 'load v1', '--format', 'log', '--no-debug'], folder).stdout;
  expect(brief.trim().split('\n')).toEqual([
    "livepatch: enabling patch 'livepatch_net_v1'",
    "livepatch: 'livepatch_net_v1': starting patching transition",
    "livepatch: 'livepatch_net_v1': patching complete",
  ]);
});

test('the kernel answers a second load of a module that is still in memory with -EEXIST', () => {
  const answer = json<{ steps: { result: number }[]; verdict: string }>([
    'simulate',
    '--steps',
    'load v1; load v2; load v1',
  ]);
  expect(answer.steps.map((step) => step.result)).toEqual([0, 0, -17]);
  expect(answer.verdict).toBe('refused');
});

test('matrix has every ordered pair and the clean kernel', () => {
  const answer = json<{
    versions: string[];
    verdicts: { from: string; to: string; verdict: string; worst: object }[];
  }>(['matrix']);
  expect(answer.versions).toEqual(['v1', 'v2']);
  expect(answer.verdicts.map(({ from, to, verdict }) => `${from} ${to} ${verdict}`)).toEqual([
    'none v1 clean',
    'none v2 clean',
    'v1 v2 clean',
    'v2 v1 unsafe',
  ]);
  expect(answer.verdicts[3]).toMatchObject({ leftovers: [LEFT], worst: { verdict: 'unsafe' } });
  expect(klp(['matrix', '--fail-on', 'unsafe'], folder).status).toBe(1);
  expect(klp(['matrix'], folder).status).toBe(0);
});

test('facts are those of the source', () => {
  const answer = json<{ livepatches: object[] }>(['facts', 'v2/livepatch_net_v2.c']);
  expect(answer.livepatches).toMatchObject([
    {
      file: 'v2/livepatch_net_v2.c',
      dialect: 'module',
      replace: true,
      states: [],
      shadow: [],
      init: 'livepatch_net_init',
      exit: 'livepatch_net_exit',
      objects: [
        {
          name: null,
          callbacks: {
            pre_patch: { function: 'livepatch_net_pre_patch' },
            post_unpatch: { function: 'livepatch_net_post_unpatch' },
          },
        },
      ],
    },
  ]);
});

test('scaffold writes v3, and with it every way forward is clean', () => {
  const dry = klp(['scaffold', '--restore', 'v1', '--after', 'v2', '--as', 'v3', '--dry-run'], folder);
  expect(dry.status).toBe(0);
  expect(existsSync(join(folder, 'v3'))).toBe(false);
  expect(klp(['scaffold', '--restore', 'v1', '--after', 'v2', '--as', 'v3'], folder).status).toBe(0);
  expect(readFileSync(join(folder, 'livepatch.yaml'), 'utf8')).toContain('cleans-up-after: [v2]');
  const answer = json<{ verdicts: { from: string; to: string; verdict: string }[] }>(['matrix']);
  const of = (from: string, to: string): string | undefined =>
    answer.verdicts.find((row) => row.from === from && row.to === to)?.verdict;
  expect([of('none', 'v3'), of('v1', 'v3'), of('v2', 'v3')]).toEqual(['clean', 'clean', 'clean']);
  expect(json<{ findings: unknown[] }>(['check']).findings).toEqual([]);
  // A second time there is something in the way, and nothing is overwritten.
  const again = klp(['scaffold', '--restore', 'v1', '--after', 'v2', '--as', 'v3'], folder);
  expect(again.status).not.toBe(0);
  expect(again.stderr).toContain('v3');
});

test('graph draws the same picture twice, self-contained', () => {
  const one = klp(['graph', '-o', '-'], folder).stdout;
  expect(one).toMatch(/^<svg /);
  expect(one).toContain('post_unpatch');
  expect(one).not.toMatch(/<script|href="http/);
  expect(klp(['graph', '-o', '-'], folder).stdout).toBe(one);
  expect(klp(['graph', '-o', join(folder, 'stack.html')], folder).status).toBe(0);
  expect(readFileSync(join(folder, 'stack.html'), 'utf8')).toMatch(/^<!doctype html>/i);
});

test('explain tells it in prose', () => {
  const { stdout, status } = klp(['explain', 'v2', 'v1'], folder);
  expect(status).toBe(0);
  expect(stdout).toMatch(/v2's post_unpatch is not called/);
  expect(stdout).toMatch(/disable v2/);
  expect(klp(['explain', 'none', 'v1'], folder).stdout).toMatch(/nothing stays behind/);
});

test('sarif points at the same places', () => {
  const answer = JSON.parse(klp(['check', '--format', 'sarif'], folder).stdout) as {
    version: string;
    runs: {
      results: {
        ruleId: string;
        locations: {
          physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
        }[];
      }[];
    }[];
  };
  expect(answer.version).toBe('2.1.0');
  expect(answer.runs[0]?.results[0]).toMatchObject({
    ruleId: 'unsafe-downgrade',
    locations: [
      { physicalLocation: { artifactLocation: { uri: 'v2/livepatch_net_v2.c' }, region: { startLine: 78 } } },
    ],
  });
});

test('of a version in whose sources no livepatch was found nothing is promised', () => {
  const manifest =
    'lineage: l\nkernel: "6.1"\nversions:\n  - { version: v1, module: lp_v1, sources: v1.c }\n  - { version: v2, module: lp_v2 }\n';
  withFolder({ 'livepatch.yaml': manifest, 'v1.c': 'static int half_of_it(void) {' }, (folder) => {
    const { stdout, status } = klp(['matrix'], folder);
    expect(status).toBe(0);
    expect(stdout).toContain(
      '\nv1: no livepatch was found in its sources; its verdicts are those of a module that patches nothing\n',
    );
    // Of a version that is only named, nothing was read.
    expect(stdout).not.toContain('v2: no livepatch');
    const json = JSON.parse(klp(['matrix', '--format', 'json'], folder).stdout) as {
      verdicts: { from: string; to: string; verdict: string; certainty: string; because: string }[];
    };
    expect(json.verdicts.find((it) => it.from === 'none' && it.to === 'v1')).toMatchObject({
      verdict: 'clean',
      certainty: 'may',
      because: 'clean as far as read: 1 thing unknown',
    });
    expect(klp(['explain', 'none', 'v1'], folder).stdout).toContain(
      'Not known: v1: no livepatch was found in its sources.',
    );
    const runbook = klp(['runbook', '--from', 'v2', '--to', 'v1'], folder);
    expect(runbook.status).toBe(1);
    expect(runbook.stderr).toContain('no livepatch was found in the sources of v1');
  });
  expect(klp(['matrix'], EXAMPLE).stdout).not.toContain('no livepatch was found');
});
