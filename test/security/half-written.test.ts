import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { CLI } from '../cli/run';

/** A command that is ended while it writes leaves everything or nothing. */

const EXAMPLE = resolve('examples/net-fixes');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-half-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Sends the program a signal as soon as it has opened its n-th new file, still empty. It ends with 130, or with 0 where
 * it was done before it heard; null where the signal killed it.
 */
function signalled(signal: string, n: number, args: readonly string[], cwd: string): number | null {
  const hook = join(folder, 'hook.cjs');
  writeFileSync(
    hook,
    `const fs = require('fs');
const { openSync } = fs;
let left = ${n};
fs.openSync = (path, flags, ...rest) => {
  const file = openSync(path, flags, ...rest);
  if (flags === 'wx' && --left === 0) process.kill(process.pid, '${signal}');
  return file;
};
require('module').syncBuiltinESMExports();
`,
  );
  const { status, signal: died } = spawnSync(process.execPath, ['--require', hook, CLI, ...args], { cwd });
  return died === null ? status : null;
}

/** The files of a folder by name, those of the hook left out. */
function filesOf(at: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(at, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      found[path.slice(at.length + 1)] = readFileSync(path, 'utf8');
    }
  return found;
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'].flatMap((signal) => [1, 2, 3].map((n) => [signal, n] as const)))(
  'scaffold, %s at new file %i: the version is whole, the manifest names it',
  (signal, n) => {
    const work = join(folder, 'work');
    cpSync(EXAMPLE, work, { recursive: true });
    const wish = ['scaffold', '--restore', 'v1', '--after', 'v2', '--as', 'v3'];
    const whole = join(folder, 'whole');
    cpSync(EXAMPLE, whole, { recursive: true });
    expect(spawnSync(process.execPath, [CLI, ...wish], { cwd: whole }).status).toBe(0);
    expect([0, 130]).toContain(signalled(signal, n, wish, work));
    expect(filesOf(work)).toEqual(filesOf(whole));
    const manifest = parseManifest('f', readFileSync(join(work, 'livepatch.yaml'), 'utf8')).manifest;
    expect(manifest.versions.map((it) => it.version.value)).toEqual(['v1', 'v2', 'v3']);
  },
);

test.each(['SIGINT', 'SIGTERM'])('init, %s: the manifest is whole', (signal) => {
  const work = join(folder, 'work');
  cpSync(EXAMPLE, work, { recursive: true });
  rmSync(join(work, 'livepatch.yaml'));
  expect([0, 130]).toContain(signalled(signal, 1, ['init'], work));
  expect(parseManifest('f', readFileSync(join(work, 'livepatch.yaml'), 'utf8')).problems).toEqual([]);
});

test('new-version, SIGINT: the copy is whole', () => {
  const work = join(folder, 'work');
  cpSync(EXAMPLE, work, { recursive: true });
  expect([0, 130]).toContain(signalled('SIGINT', 1, ['new-version', '--from', 'v2', '--as', 'v3'], work));
  expect(existsSync(join(work, 'v3', 'livepatch_net_v3.c'))).toBe(true);
  expect(readFileSync(join(work, 'livepatch.yaml'), 'utf8')).toContain('version: v3');
});

test('a disk that is full in the middle: nothing is left', () => {
  const work = join(folder, 'work');
  cpSync(EXAMPLE, work, { recursive: true });
  const before = filesOf(work);
  const hook = join(folder, 'full.cjs');
  writeFileSync(
    hook,
    `const fs = require('fs');
const { writeSync } = fs;
let left = 3;
fs.writeSync = (...args) => {
  if (--left === 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  return writeSync(...args);
};
require('module').syncBuiltinESMExports();
`,
  );
  const wish = ['scaffold', '--restore', 'v1', '--after', 'v2', '--as', 'v3'];
  const { status, stderr } = spawnSync(process.execPath, ['--require', hook, CLI, ...wish], {
    cwd: work,
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(/nothing was written/);
  expect(filesOf(work)).toEqual(before);
});
