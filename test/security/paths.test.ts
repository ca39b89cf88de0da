import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { nextVersion } from '../../server/src/core/scaffold/next-version';
import { scaffoldAnswer } from '../../server/src/features/scaffold-answer';
import { Disk } from '../../server/src/host/files';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { klp } from '../cli/run';
import type { Random } from '../execution/random';
import { made } from '../support/soak';

/** No name that a workspace holds leads out of it, to read or to write. */

/** Ways out, each to be followed by a file's name; `@` stands for the folder outside. */
const WAYS = [
  '../outside/',
  './../outside/',
  'v1/../../outside/',
  'v1/../v1/../../outside/',
  '//@/',
  '@/',
  '/../../../../../../../../..@/',
  'link/',
  'v1/link/',
  '..//outside/',
  '../tree/../outside/',
  '../outside/./',
  '..\\outside\\',
  '%2e%2e/outside/',
  '..%2foutside/',
  'file://@/',
  '\u2025/outside/',
  '\uff0e\uff0e/outside/',
  '~/../outside/',
  '..;/outside/',
  '.../outside/',
  '{..,.}/outside/',
  '[.][.]/outside/',
  '**/../outside/',
  'v1/**/../../../outside/',
  '../o*/',
  '../outsid?/',
];

const SEGMENTS = [
  '..',
  '..',
  '.',
  '',
  'v1',
  'link',
  'outside',
  'tree',
  '@',
  '%2e%2e',
  '~',
  '**',
  '*',
  '{..,v1}',
  '..\\..',
];

/** A way through the folders that are there, out of them more often than not. */
function wandering(random: Random): string {
  const segments = Array.from({ length: 1 + random.below(6) }, () => random.pick(SEGMENTS));
  return `${[...segments, random.pick(['outside', 'link', ''])].join('/')}/`;
}

let top: string;
let work: string;
let outside: string;

beforeAll(startParser);

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'lineage-paths-'));
  work = join(top, 'tree');
  outside = join(top, 'outside');
  cpSync(resolve('examples/net-fixes'), work, { recursive: true });
  mkdirSync(join(work, '.git'));
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret.c'), 'int secret_function(void) { return 0; }\n');
  writeFileSync(join(outside, 'secret.ko'), '\u007fELF');
  writeFileSync(join(outside, 'secret.patch'), '--- a/secret.c\n+++ b/secret.c\n@@ -1 +1 @@\n-a\n+b\n');
  symlinkSync(outside, join(work, 'link'));
  symlinkSync('../../outside', join(work, 'v1', 'link'));
});

afterEach(() => rmSync(top, { recursive: true, force: true }));

/** The disk, and whose content was asked for. */
class WatchedDisk extends Disk {
  readonly read_: string[] = [];

  override read(path: string): ReturnType<Disk['read']> {
    this.#note(path);
    return super.read(path);
  }

  override bytes(path: string): ReturnType<Disk['bytes']> {
    this.#note(path);
    return super.bytes(path);
  }

  override entries(folder: string): ReturnType<Disk['entries']> {
    this.#note(folder);
    return super.entries(folder);
  }

  #note(path: string): void {
    this.read_.push(this.real(path) ?? resolve(path));
  }

  /** What was looked into outside of the repository, the folders that lead to it left out. */
  strangers(root: string): string[] {
    return this.read_.filter(
      (path) => path !== root && !path.startsWith(`${root}/`) && !root.startsWith(path),
    );
  }
}

function manifest(sources: string, more = ''): string {
  return `lineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: livepatch_net_v1\n    ${sources}\n${more}`;
}

/** Reads a lineage to its findings; answers what was looked into outside. */
function looked(text: string, file?: string, content = ''): { strangers: string[]; said: string } {
  writeFileSync(join(work, 'livepatch.yaml'), text);
  if (file !== undefined) {
    mkdirSync(dirname(join(work, file)), { recursive: true });
    writeFileSync(join(work, file), content);
  }
  const disk = new WatchedDisk();
  const analysis = new Project(join(work, 'livepatch.yaml'), work, disk).analyse();
  const findings = analysis.findings();
  for (const version of analysis.lineage.versions)
    for (const unit of analysis.unitsOf(version))
      expect([...unit.functions.keys()]).not.toContain('secret_function');
  return { strangers: disk.strangers(work), said: findings.map(({ message }) => message).join('\n') };
}

const yaml = (text: string): string => JSON.stringify(text);
const ways = [...WAYS, ...made(10, 500, wandering)].map((way) => [way] as const);

test.each(ways)('%s: sources, built modules and folders of headers', (way) => {
  const at = (name: string): string => way.replace('@', outside) + name;
  for (const sources of [
    `sources: ${yaml(at('secret.c'))}`,
    `sources: ${yaml(at('*.c'))}`,
    `sources: ${yaml(at('**'))}`,
    `sources: ${yaml(at('secret.patch'))}`,
    `built: ${yaml(at('secret.ko'))}`,
    `sources: v1/*.c\n    include: [${yaml(at(''))}]`,
  ]) {
    const { strangers } = looked(manifest(sources));
    expect(strangers, sources).toEqual([]);
  }
  expect(
    looked(manifest('sources: v1/*.c', `targets: [{ module: t, sources: ${yaml(at('secret.c'))} }]\n`))
      .strangers,
  ).toEqual([]);
  expect(
    looked(
      manifest('sources: v1/*.c').replace('"6.1"', `{ release: "6.1", config: ${yaml(at('secret.c'))} }`),
    ).strangers,
  ).toEqual([]);
});

test.each(ways)('%s: the kernel that diffs are for', (way) => {
  const at = (name: string): string => way.replace('@', outside) + name;
  mkdirSync(join(outside, 'net'));
  for (const name of ['net/Makefile', 'net/Kbuild', '.config'])
    writeFileSync(join(outside, name), 'CONFIG_X=m\nobj-$(CONFIG_X) += x.o\n');
  mkdirSync(join(work, 'linux'));
  symlinkSync(join(outside, 'net'), join(work, 'linux', 'net'));
  const diff = `--- a/net/x.c\n+++ b/net/x.c\n@@ -1,3 +1,4 @@\n int f(void)\n {\n+\tg();\n \treturn 0;\n`;
  for (const kernel of [
    `{ release: "6.1", tree: ${yaml(at(''))} }`,
    `{ release: "6.1", config: ${yaml(at('.config'))} }`,
    `{ release: "6.1", tree: linux, config: ${yaml(at('.config'))} }`,
  ]) {
    const text = manifest('dialect: kpatch\n    sources: d/a.patch').replace('"6.1"', kernel);
    const { strangers, said } = looked(text, 'd/a.patch', diff);
    expect(strangers, kernel).toEqual([]);
    if (way === '../outside/') expect(said).toMatch(/lies outside/);
  }
});

test.each(ways)('%s: what C includes and what a diff names', (way) => {
  const at = way.replace('@', outside);
  const included = `#include "${at}secret.c"\n#include <${at}secret.c>\nint own;\n`;
  expect(looked(manifest('sources: c/a.c'), 'c/a.c', included).strangers).toEqual([]);
  const diff = `diff --git a/${at}secret.c b/${at}secret.c\n--- a/${at}secret.c\n+++ b/${at}secret.c\n@@ -1,1 +1,2 @@ int f(void)\n int a;\n+#include "${at}secret.c"\n`;
  expect(looked(manifest('sources: d/a.patch'), 'd/a.patch', diff).strangers).toEqual([]);
});

const NAMES = [
  '../../outside/v9',
  '../v9',
  '/etc/v9',
  'a/b',
  'a\\b',
  '..',
  '.',
  '.git',
  '-rf',
  'v9\0',
  'v9\n',
  'v 9',
  '$(v9)',
  '`v9`',
  'link',
  'v9/../../x',
  'CON',
  '~',
  '__proto__',
  'constructor',
  'v9\u202e',
  'x'.repeat(300),
];

/** Characters and whole names out of which a name can be made that is none. */
function odd(random: Random): string {
  const pieces = [...NAMES, ...'ab9_-./\\~$`"\' \t\r\n:*?<>|\u00e9\u202e\ufeff'];
  return Array.from({ length: 1 + random.below(8) }, () => random.pick(pieces)).join('');
}

test.each([...NAMES, ...made(10, 500, odd)].map((name) => [name] as const))(
  'a new version called %j stays in the folder, or is refused',
  (name) => {
    const analysis = new Project(join(work, 'livepatch.yaml'), work, new Disk()).analyse();
    for (const answer of [
      scaffoldAnswer(analysis, 'v1', ['v2'], name),
      nextVersion(analysis, { from: 'v2', as: name, out: null }),
    ]) {
      if (!answer.ok) {
        expect(answer.reasons.join('')).not.toBe('');
        continue;
      }
      for (const { path } of answer.files) {
        expect(resolve(path)).toBe(path);
        expect(path.startsWith(`${work}/`)).toBe(true);
        expect(path).not.toMatch(/\/\.git\/|[\0\n\\$`]/);
      }
    }
  },
);

test('the command line writes nothing outside, whatever it is told', () => {
  const before = readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((it) => !it.startsWith('tree'))
    .sort();
  const wish = ['--restore', 'v1', '--after', 'v2'];
  for (const name of NAMES.filter((it) => !it.includes('\0')))
    klp(['scaffold', ...wish, `--as=${name}`], work);
  for (const way of WAYS.slice(0, 9)) {
    const out = way.replace('@', outside);
    klp(['scaffold', ...wish, '--as', 'v3', `--out=${out}`], work);
    klp(['new-version', '--from', 'v2', '--as', 'v4', `--out=${out}`], work);
  }
  const after = readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((it) => !it.startsWith('tree'))
    .sort();
  expect(after).toEqual(before);
}, 240_000);
