import { spawn, spawnSync } from 'node:child_process';
import { closeSync, cpSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CLI, EXAMPLE } from './run';

/** What goes wrong in the program itself, or where it prints to, is one line that a person can act on. */

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-trouble-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program with a script loaded before it. */
function broken(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const hook = join(folder, 'hook.cjs');
  writeFileSync(hook, script);
  return spawnSync(process.execPath, ['--require', hook, CLI, ...args], {
    cwd: EXAMPLE,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

const HINT =
  'this is a fault of the program, not of your files: set KLP_LINEAGE_DEBUG=1 for the stack, and report it with that';

test.each([
  ['thrown later', `setTimeout(() => { throw new TypeError('later\\nthan this'); }, 0)`, 'later than this'],
  ['a promise that nobody waits for', `Promise.reject(new RangeError('alone'))`, 'alone'],
  ['no error at all', `setTimeout(() => { throw { toString: null }; }, 0)`, 'an error without a message'],
  [
    'control characters',
    `setTimeout(() => { throw new Error('\\u001b[31m\\u202e'); }, 0)`,
    '\\u001b[31m\\u202e',
  ],
])('%s: one line, status 3', (_, script, told) => {
  const { status, stderr } = broken(script, ['lsp', '--stdio']);
  expect(stderr).toBe(`klp-lineage: internal error: ${told}; ${HINT}\n`);
  expect(status).toBe(3);
});

test('what breaks while a command works is told with the command, and the stack where it is wanted', () => {
  const script = `Map.prototype.entries = () => { throw new Error('broken map'); }; Map.prototype[Symbol.iterator] = Map.prototype.entries;`;
  const short = broken(script, ['check']);
  expect(short.status).toBe(3);
  expect(short.stderr).toBe(`klp-lineage: internal error in check: broken map; ${HINT}\n`);
  const long = broken(script, ['check'], { KLP_LINEAGE_DEBUG: '1' });
  expect(long.stderr).toMatch(
    /^klp-lineage: internal error in check: broken map; .*\nError: broken map\n +at /,
  );
});

test('a program that is not whole says so', () => {
  for (const name of ['cli.js', 'server.js']) cpSync(join(resolve('dist'), name), join(folder, name));
  const { status, stderr } = spawnSync(process.execPath, [join(folder, 'cli.js'), 'check'], {
    encoding: 'utf8',
  });
  expect(stderr).toMatch(
    /^klp-lineage: .*program\.js\.br.*; this installation is not whole: install it anew\n$/,
  );
  expect(status).toBe(3);
});

test('where nothing can be printed to, that is said', () => {
  const full = openSync('/dev/full', 'w');
  try {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'check'], {
      cwd: EXAMPLE,
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    });
    expect(stderr).toBe('klp-lineage: standard output cannot be written: no space is left there\n');
    expect(status).toBe(2);
    // And where that cannot be said, the status is all there is.
    expect(
      spawnSync(process.execPath, [CLI, 'check', '--format', 'x'], {
        cwd: EXAMPLE,
        stdio: ['ignore', 'pipe', full],
      }).status,
    ).toBe(2);
  } finally {
    closeSync(full);
  }
});

test('a reader that has gone is no fault', async () => {
  const child = spawn(process.execPath, [CLI, 'check', '--format', 'sarif'], {
    cwd: EXAMPLE,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdout.destroy();
  const status = await new Promise((done) => child.once('close', done));
  expect([said, status]).toEqual(['', 0]);
});
