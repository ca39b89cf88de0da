import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CLI, EXAMPLE } from '../cli/run';
import { isRunning } from './processes';

/** What a rehearsal starts ends with it, however it is ended, and comes from nowhere but the PATH's own folders. */

let folder: string;
let work: string;

const TOOLS = ['qemu-system-x86_64', 'make', 'strip', 'gcc', 'setpriv'];

/** Programs that say they were started and then never end. */
function tools(at: string, mark: string): void {
  mkdirSync(at, { recursive: true });
  for (const name of TOOLS) {
    writeFileSync(join(at, name), `#!/bin/sh\necho $$ > "${folder}/${mark}"\nsleep 600\n`);
    chmodSync(join(at, name), 0o755);
  }
}

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-signals-'));
  work = join(folder, 'work');
  cpSync(EXAMPLE, work, { recursive: true });
  write('headers/Makefile', '');
  write('headers/include/generated/utsrelease.h', '#define UTS_RELEASE "6.1.0"\n');
  write('vmlinuz', '');
  mkdirSync(join(folder, 'tmp'));
  tools(join(folder, 'tools'), 'started');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const args = (): string[] => {
  const kernel = ['--headers', join(folder, 'headers'), '--image', join(folder, 'vmlinuz')];
  return [CLI, 'rehearse', '--steps', 'load v1', ...kernel];
};

function environment(path: string): NodeJS.ProcessEnv {
  const temporary = join(folder, 'tmp');
  return { ...process.env, PATH: path, TMPDIR: temporary, LIVEPATCH_LINEAGE_CACHE: join(folder, 'cache') };
}

const path = (): string => `${join(folder, 'tools')}:/usr/bin:/bin`;

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s while a tool works: the tool is ended too, and nothing is left',
  async (signal) => {
    const child = spawn(process.execPath, args(), {
      cwd: work,
      env: environment(path()),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise((done) => child.once('close', (code, by) => done(code ?? by)));
    await vi.waitFor(() => expect(readFileSync(join(folder, 'started'), 'utf8')).toMatch(/^\d+\n/), 20_000);
    const pid = Number(readFileSync(join(folder, 'started'), 'utf8'));
    child.kill(signal);
    expect(await ended).toBe(130);
    expect(said).toContain('klp-lineage: the rehearsal was interrupted');
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 5_000);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
    const cache = readdirSync(join(folder, 'cache'), { recursive: true, encoding: 'utf8' });
    expect(cache.filter((name) => name.includes('.part'))).toEqual([]);
  },
);

test('no tool comes from where somebody happens to work', () => {
  for (const at of ['.', 'bin', 'node_modules/.bin']) tools(join(work, at), 'trapped');
  const tell = (text: string) =>
    spawnSync(process.execPath, args(), {
      cwd: work,
      encoding: 'utf8',
      timeout: 4_000,
      env: environment(text),
    });
  // Nothing but relative entries: as if there were no tools.
  const none = tell('.::bin:node_modules/.bin:./bin:../work');
  expect(none.stderr).toMatch(/^klp-lineage: rehearsing needs qemu-system-x86, make, binutils, gcc/);
  expect(none.status).toBe(2);
  // In front of the real ones: it is those that are started. (They never end: the time is up.)
  tell(`.::bin:./node_modules/.bin:${path()}`);
  expect(existsSync(join(folder, 'started'))).toBe(true);
  expect(existsSync(join(folder, 'trapped'))).toBe(false);
}, 30_000);
