import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Disk } from '../../server/src/host/files';
import { startParser } from '../../server/src/host/start-parser';
import { Workspace } from '../../server/src/host/workspace';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
let folder: string;
let workspace: Workspace;

beforeEach(async () => {
  await startParser();
  folder = mkdtempSync(join(tmpdir(), 'lineage-several-'));
  for (const name of ['one', 'two']) cpSync(EXAMPLE, join(folder, name), { recursive: true });
  workspace = new Workspace(new Disk());
});

afterEach(() => {
  workspace.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** What the findings of the faulty version's source say of which versions. */
function saidOf(name: string): string[] {
  const findings = workspace.findings().get(join(folder, name, 'v2/livepatch_net_v2.c')) ?? [];
  return findings.map(({ code, versions }) => `${code} ${versions.join(' ')}`).sort();
}

test('folders of one workspace have their own lineages, and one that leaves takes its findings along', () => {
  workspace.addFolder(join(folder, 'one'));
  workspace.addFolder(join(folder, 'two'));
  expect(workspace.projects.length).toBe(2);
  const said = saidOf('one');
  expect(said.length).toBeGreaterThan(0);
  expect(saidOf('two')).toEqual(said);
  workspace.removeFolder(join(folder, 'two'));
  expect(workspace.projects.length).toBe(1);
  expect(saidOf('two')).toEqual([]);
  expect(saidOf('one')).toEqual(said);
});

test('two manifests of one folder share a source: what is edited in it shows in both', () => {
  const manifest = readFileSync(join(folder, 'one/livepatch.yaml'), 'utf8');
  const spare = manifest.replace(/^lineage: .*$/m, 'lineage: spare').replaceAll(/\bv2\b(?!\/)/g, 'w2');
  expect(spare).toContain('version: w2');
  writeFileSync(join(folder, 'one/spare.livepatch.yaml'), spare);
  workspace.addFolder(join(folder, 'one'));
  expect(workspace.projects.map(({ manifest: path }) => path.slice(folder.length + 5)).sort()).toEqual([
    'livepatch.yaml',
    'spare.livepatch.yaml',
  ]);
  const [inFirst, inSpare] = ['v2', 'w2'].map((name) => saidOf('one').filter((it) => it.includes(name)));
  expect(inFirst?.some((it) => it.startsWith('unsafe-downgrade'))).toBe(true);
  expect(inSpare).toEqual(inFirst?.map((it) => it.replaceAll('v2', 'w2')));
  // Without its callbacks v2 leaves nothing behind, in whichever lineage it stands.
  const path = join(folder, 'one/v2/livepatch_net_v2.c');
  const text = readFileSync(path, 'utf8').replace(/\.callbacks = \{[^}]*\},?/, '');
  workspace.open(path, 1, text);
  expect(saidOf('one').filter((it) => it.startsWith('unsafe-downgrade'))).toEqual([]);
  workspace.close(path);
  expect(saidOf('one').filter((it) => it.includes('w2'))).toEqual(inSpare);
});
