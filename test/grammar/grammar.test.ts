import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const CASES = readdirSync(join(HERE, 'cases'));
/** The program cannot be found by name: its package exports no path to it. */
const PROGRAM = join(ROOT, 'node_modules/vscode-tmgrammar-test/dist/unit.js');

function run(...files: string[]): { status: number | null; output: string } {
  const options = { cwd: ROOT, encoding: 'utf8' } as const;
  const result = spawnSync(
    process.execPath,
    [PROGRAM, '--config', join(HERE, 'configuration.json'), ...files],
    options,
  );
  return { status: result.status, output: result.stdout + result.stderr };
}

test.each(CASES)('the scopes that %s expects', (file) => {
  const text = readFileSync(join(HERE, 'cases', file), 'utf8');
  expect(text.match(/^(?:#|\/\/)\s*[\^<].*$/gm)?.length ?? 0).toBeGreaterThan(10);
  const { status, output } = run(join(HERE, 'cases', file));
  expect(output).toContain('run successfuly');
  expect(status).toBe(0);
});

test('a wrong expectation fails', () => {
  const { status, output } = run(join(HERE, 'wrong.livepatch-manifest'));
  expect(output).toContain('missing required scopes: keyword.control');
  expect(status).not.toBe(0);
});

test('the grammars are injected and named as the editor needs it', () => {
  const read = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(ROOT, 'syntaxes', name), 'utf8'));
  expect(read('livepatch-manifest.tmLanguage.json')['scopeName']).toBe('source.livepatch-manifest');
  expect(read('livepatch-c.injection.tmLanguage.json')['injectionSelector']).toBe(
    'L:source.c -comment -string',
  );
});

test('the grammar knows every key and every word of the format', async () => {
  const names = await import('../../server/src/core/manifest/names');
  const { STEP_VERBS } = await import('../../server/src/core/manifest/steps');
  const text = readFileSync(join(ROOT, 'syntaxes/livepatch-manifest.tmLanguage.json'), 'utf8');
  const words = [
    ...names.TOP_KEYS,
    ...names.KERNEL_KEYS,
    ...names.VERSION_KEYS,
    ...names.KEEP_KEYS,
    ...names.GIT_KEYS,
    ...names.TARGET_KEYS,
    ...names.EFFECT_KEYS,
    ...names.SCENARIO_KEYS,
  ];
  for (const word of [
    ...words,
    ...names.STATUSES,
    ...names.DIALECTS,
    ...names.VERDICTS,
    ...names.RULE_SEVERITIES,
    ...STEP_VERBS,
  ]) {
    expect(text, word).toMatch(new RegExp(`[(|]${word}[)|]`));
  }
});
