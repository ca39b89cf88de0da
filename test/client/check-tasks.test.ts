import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { CHECK_TASK, CheckTasks } from '../../client/src/check-tasks';

vi.mock('vscode', async () => (await import('./fake-vscode')).fakeVscode());

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { contributes } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  contributes: {
    taskDefinitions: { type: string; required: string[] }[];
    problemMatchers: { name: string; pattern: { regexp: string } }[];
  };
};
const [matcher] = contributes.problemMatchers;
const pattern = new RegExp(matcher?.pattern.regexp ?? '^never$');

test('a task of tasks.json runs the check of the manifest it names', () => {
  const definition = { type: CHECK_TASK, manifest: 'a b/livepatch.yaml' };
  const task = new CheckTasks().resolveTask({ definition } as never);
  expect(task?.definition).toBe(definition);
  expect(task?.execution).toMatchObject({
    process: expect.stringMatching(/klp-lineage$/),
    args: ['check', '--absolute', '--', 'a b/livepatch.yaml'],
    options: { env: { NO_COLOR: '1' } },
  });
});

test('a task that names no manifest is left alone', () => {
  const tasks = new CheckTasks();
  for (const manifest of [undefined, '', 7])
    expect(tasks.resolveTask({ definition: { type: CHECK_TASK, manifest } } as never)).toBeUndefined();
});

test('the task type and the matcher are contributed under the names the provider uses', () => {
  expect(contributes.taskDefinitions).toMatchObject([{ type: CHECK_TASK, required: ['manifest'] }]);
  expect(matcher?.name).toBe('klp-lineage');
});

test('the matcher reads what the program prints, and nothing else of it', () => {
  const cwd = join(ROOT, 'examples', 'net-fixes');
  const cli = join(ROOT, 'dist', 'cli.js');
  const check = (...more: string[]): string => {
    const { stdout } = spawnSync(process.execPath, [cli, 'check', ...more], { cwd, encoding: 'utf8' });
    return stdout;
  };
  const { findings } = JSON.parse(check('--format', 'json')) as { findings: { code: string }[] };
  const matched = check()
    .split('\n')
    .flatMap((line) => pattern.exec(line) ?? []).length;
  expect(findings.length).toBeGreaterThan(0);
  // A match is the line and its six parts.
  expect(matched).toBe(findings.length * 7);
});

test('every severity is one that the editor knows', () => {
  const severity = (word: string) => pattern.exec(`v2/a.c:1:2: ${word}: text [the-rule]`)?.[4];
  // "information" is no word of the editor's; "info" and "hint" are.
  expect(['error', 'warning', 'information', 'hint'].map(severity)).toEqual([
    'error',
    'warning',
    'info',
    'hint',
  ]);
});
