import { spawnSync } from 'node:child_process';
import type { Dirent } from 'node:fs';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findingJson } from '../../server/src/cli/json';
import { sarif } from '../../server/src/cli/sarif';
import { Disk } from '../../server/src/host/files';
import { initManifest } from '../../server/src/host/init';
import { placesOf } from '../../server/src/host/places-of';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { RULES } from '../../server/src/rules/registry';
import { CLI, klp } from '../cli/run';
import { Random } from '../execution/random';

/** What a pipeline compares byte by byte is the same each time, whatever order a disk lists its files in. */

let folder: string;

beforeEach(async () => {
  await startParser();
  folder = mkdtempSync(join(tmpdir(), 'lineage-order-'));
  cpSync(resolve('examples/net-fixes'), folder, { recursive: true });
  // More files than one, found by a pattern.
  for (const name of ['b', 'a', 'c', 'Z', '_'])
    writeFileSync(
      join(folder, 'v2', `${name}.c`),
      `int ${name}_more(void)\n{\n\treturn kmalloc_${name}();\n}\n`,
    );
  const manifest = `lineage: l\nkernel: "6.1"\nversions:\n  - { version: v1, module: livepatch_net_v1, sources: "v1/*.c" }\n  - { version: v2, module: livepatch_net_v2, sources: ["v2/**/*.c", v2] }\n`;
  writeFileSync(join(folder, 'livepatch.yaml'), manifest);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A disk that lists folders in an order of its own. */
class ShuffledDisk extends Disk {
  readonly #random: Random;

  constructor(seed: number) {
    super();
    this.#random = new Random(seed);
  }

  override entries(at: string): readonly Dirent[] {
    return [...super.entries(at)]
      .map((entry) => ({ entry, rank: this.#random.below(1_000_000) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ entry }) => entry);
  }
}

function answers(disk: Disk): string {
  const project = new Project(join(folder, 'livepatch.yaml'), folder, disk);
  const findings = project.analyse().findings();
  const places = placesOf(project);
  return JSON.stringify([findings.map((it) => findingJson(it, places)), sarif(findings, RULES, places)]);
}

test('SARIF and JSON do not hang on the order of a folder', () => {
  const first = answers(new Disk());
  expect(first.length).toBeGreaterThan(10_000);
  for (let seed = 1; seed <= 6; seed++) expect(answers(new ShuffledDisk(seed))).toBe(first);
});

test('a manifest that init makes does not, either', () => {
  rmSync(join(folder, 'livepatch.yaml'));
  const text = (disk: Disk): string => {
    const made = initManifest(disk, folder);
    return made.ok ? made.text : made.reason;
  };
  const first = text(new Disk());
  for (let seed = 1; seed <= 6; seed++) expect(text(new ShuffledDisk(seed))).toBe(first);
});

test('neither language, time zone, place nor the way the manifest is named changes a byte', () => {
  const bytes = (
    format: string,
    path: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv = {},
  ): string => {
    const { stdout, status } = spawnSync(process.execPath, [CLI, 'check', ...path, '--format', format], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    expect(status).not.toBe(3);
    return stdout;
  };
  for (const format of ['json', 'sarif']) {
    const first = bytes(format, [], folder);
    expect(first.length).toBeGreaterThan(500);
    for (const locale of ['C', 'tr_TR.UTF-8', 'ja_JP.eucJP', 'de_DE@euro'])
      expect(bytes(format, [], folder, { LC_ALL: locale, LANG: locale, LANGUAGE: locale }), locale).toBe(
        first,
      );
    expect(bytes(format, [], folder, { TZ: 'Asia/Kathmandu', NO_COLOR: '', FORCE_COLOR: '1' })).toBe(first);
    expect(bytes(format, [folder], '/')).toBe(first);
    expect(bytes(format, [join(folder, 'livepatch.yaml')], '/')).toBe(first);
    expect(bytes(format, ['../v1/../livepatch.yaml'], join(folder, 'v2'))).toBe(first);
    expect(bytes(format, [], join(folder, 'v1'))).toBe(first);
    symlinkSync(folder, `${folder}-${format}`);
    expect(bytes(format, [`${folder}-${format}`], '/')).toBe(first);
    rmSync(`${folder}-${format}`);
  }
}, 120_000);

test('two runs of each command print the same bytes, with nothing of the day or the machine in them', () => {
  expect(readdirSync(folder)).toContain('v2');
  for (const args of [
    ['check', '--format', 'sarif'],
    ['check', '--format', 'json'],
    ['matrix', '--format', 'json'],
    ['facts', 'v2/livepatch_net_v2.c', '--format', 'json'],
    ['simulate', '--steps', 'load v1; load v2', '--format', 'json'],
  ]) {
    const one = klp(args, folder);
    const two = klp(args, folder);
    expect(one.stdout.length, args.join(' ')).toBeGreaterThan(50);
    expect(two.stdout).toBe(one.stdout);
    expect(one.stdout).not.toContain(folder);
    expect(one.stdout).not.toMatch(/20\d\d-\d\d-\d\dT/);
  }
});
