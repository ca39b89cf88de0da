import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

test('graph writes over its own pictures alone, whole, and follows no link', () => {
  const work = join(folder, 'work');
  cpSync(EXAMPLE, work, { recursive: true });
  const graph = (...args: string[]) =>
    spawnSync(process.execPath, [CLI, 'graph', '-o', ...args], { cwd: work, encoding: 'utf8' });
  const before = filesOf(work);
  for (const theirs of ['livepatch.yaml', 'v1/livepatch_net_v1.c', 'v1']) {
    const { status, stderr } = graph(theirs);
    expect(status, theirs).toBe(2);
    expect(stderr).toMatch(
      /^klp-lineage: \S+ cannot be written: it (?:exists already and is no such picture|is a folder)/,
    );
  }
  writeFileSync(join(work, 'empty.svg'), '');
  expect(graph('empty.svg').status).toBe(2);
  rmSync(join(work, 'empty.svg'));
  expect(filesOf(work)).toEqual(before);
  expect(graph('a.svg').status).toBe(0);
  expect(graph('a.html').status).toBe(0);
  expect(graph('a.svg', '--format', 'html').status).toBe(2);
  // A picture that is there is replaced in one step: a reader who has it open still sees all of the old one.
  const old = openSync(join(work, 'a.svg'), 'r');
  const drawn = readFileSync(join(work, 'a.svg'), 'utf8');
  expect([0, 130]).toContain(
    signalled('SIGTERM', 1, ['graph', '-o', 'a.svg', '--from', 'v1', '--to', 'v2'], work),
  );
  expect(readFileSync(old, 'utf8')).toBe(drawn);
  closeSync(old);
  expect(readFileSync(join(work, 'a.svg'), 'utf8')).toMatch(/<\/svg>\s*$/);
  expect(readFileSync(join(work, 'a.svg'), 'utf8')).not.toBe(drawn);
  // Links: one to a picture elsewhere, one that leads nowhere, one to what is no picture.
  const outside = join(folder, 'outside');
  mkdirSync(outside);
  cpSync(join(work, 'a.html'), join(outside, 'b.html'));
  writeFileSync(join(outside, 'profile'), 'text');
  for (const [link, to] of [
    ['b.html', 'b.html'],
    ['c.svg', 'none'],
    ['d.svg', 'profile'],
  ] as const)
    symlinkSync(join(outside, to), join(work, link));
  const was = filesOf(outside);
  expect(graph('b.html').status).toBe(0);
  expect(lstatSync(join(work, 'b.html')).isSymbolicLink()).toBe(false);
  for (const link of ['c.svg', 'd.svg']) expect(graph(link).status).toBe(2);
  expect(filesOf(outside)).toEqual(was);
  const piped = `"${process.execPath}" "${CLI}" graph -o /dev/stdout | cat`;
  expect(spawnSync('sh', ['-c', piped], { cwd: work, encoding: 'utf8' }).stdout).toMatch(/^<svg /);
  expect(readdirSync(work).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a folder that becomes a link between the check and the write: nothing is written behind it', () => {
  const work = join(folder, 'work');
  const outside = join(folder, 'outside');
  cpSync(EXAMPLE, work, { recursive: true });
  mkdirSync(outside);
  const before = filesOf(work);
  const hook = join(folder, 'swap.cjs');
  // One for the first file of a version, one for a later one.
  for (const n of [1, 2]) {
    writeFileSync(
      hook,
      `const fs = require('fs');
const { openSync } = fs;
let left = ${n};
fs.openSync = (path, flags, ...rest) => {
  if (flags === 'wx' && --left === 0) {
    fs.renameSync(${JSON.stringify(join(work, 'v3'))}, ${JSON.stringify(join(folder, 'moved'))} + ${n});
    fs.symlinkSync(${JSON.stringify(outside)}, ${JSON.stringify(join(work, 'v3'))});
  }
  return openSync(path, flags, ...rest);
};
require('module').syncBuiltinESMExports();
`,
    );
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--require', hook, CLI, 'new-version', '--from', 'v2', '--as', 'v3'],
      { cwd: work, encoding: 'utf8' },
    );
    expect(stderr).toMatch(/its folder leads outside .*; nothing was written/);
    expect(status).toBe(2);
    expect(readdirSync(outside)).toEqual([]);
    expect(filesOf(work)).toEqual(before);
    rmSync(join(work, 'v3'), { force: true });
  }
});

test('a manifest that is a link out of the folder is not changed', () => {
  const work = join(folder, 'work');
  const outside = join(folder, 'outside');
  cpSync(EXAMPLE, work, { recursive: true });
  mkdirSync(outside);
  renameSync(join(work, 'livepatch.yaml'), join(outside, 'theirs.yaml'));
  symlinkSync('../outside/theirs.yaml', join(work, 'livepatch.yaml'));
  const before = [filesOf(work), filesOf(outside)];
  const args = [CLI, 'new-version', '--from', 'v2', '--as', 'v3'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: work, encoding: 'utf8' });
  expect(stderr).toMatch(/livepatch\.yaml: it is a link that leads outside .*; nothing was written/);
  expect(status).toBe(2);
  expect([filesOf(work), filesOf(outside)]).toEqual(before);
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
