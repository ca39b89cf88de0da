import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { liveTrees } from '../../server/src/core/csource/tree';
import { Disk } from '../../server/src/host/files';
import { startParser } from '../../server/src/host/start-parser';
import { Workspace } from '../../server/src/host/workspace';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
let folder: string;

beforeEach(async () => {
  await startParser();
  folder = mkdtempSync(join(tmpdir(), 'lineage-workspace-'));
  cpSync(EXAMPLE, join(folder, 'net'), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function opened(...names: readonly string[]): { workspace: Workspace; disk: Disk } {
  const disk = new Disk();
  const workspace = new Workspace(disk);
  workspace.addFolder(folder);
  for (const name of names) {
    const path = join(folder, name);
    workspace.open(path, 1, readFileSync(path, 'utf8'));
  }
  workspace.findings();
  return { workspace, disk };
}

test('only open documents keep a tree, and closing gives it back', () => {
  const before = liveTrees();
  const { workspace } = opened('net/v1/livepatch_net_v1.c', 'net/v2/livepatch_net_v2.c');
  expect(liveTrees() - before).toBe(2);
  const path = join(folder, 'net/v1/livepatch_net_v1.c');
  const text = readFileSync(path, 'utf8');
  for (let i = 0; i < 50; i++) {
    workspace.open(path, 2 + i, `${text}/* ${i} */\n`);
    workspace.findings();
  }
  expect(liveTrees() - before).toBe(2);
  workspace.close(path);
  workspace.findings();
  expect(liveTrees() - before).toBe(1);
  workspace.dispose();
  expect(liveTrees()).toBe(before);
});

test('manifests are not looked for where git or the editor does not look, nor through links that go round', () => {
  const put = (name: string): void => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'livepatch.yaml'), 'lineage: x\nkernel: "6.1"\nversions: []\n');
  };
  for (const name of [
    'build/a',
    'out/kept',
    'out/gone',
    'deep/build',
    'deep/only',
    'hidden/b',
    'deep/x/only',
  ])
    put(name);
  writeFileSync(join(folder, '.gitignore'), '# made\nbuild/\n/out/*\n!/out/kept\n');
  writeFileSync(join(folder, 'deep/.gitignore'), '/only\n');
  symlinkSync(folder, join(folder, 'deep/round'));
  const workspace = new Workspace(new Disk());
  workspace.hide(['**/hidden']);
  workspace.addFolder(folder);
  const found = (): string[] =>
    workspace.projects.map((project) => project.manifest.slice(folder.length + 1)).sort();
  expect(found()).toEqual(['deep/x/only/livepatch.yaml', 'net/livepatch.yaml', 'out/kept/livepatch.yaml']);
  workspace.diskChanged(join(folder, 'build/a/livepatch.yaml'), false);
  expect(found()).toHaveLength(3);
  // What somebody opens is read all the same.
  workspace.open(join(folder, 'build/a/livepatch.yaml'), 1, 'lineage: x\n');
  expect(found()).toContain('build/a/livepatch.yaml');
  workspace.dispose();
});

test('a large tree beside the lineage is not read', () => {
  mkdirSync(join(folder, 'linux/drivers'), { recursive: true });
  for (let i = 0; i < 300; i++) writeFileSync(join(folder, `linux/drivers/d${i}.c`), 'int x;\n');
  const { workspace, disk } = opened();
  expect(workspace.projects.map((project) => project.manifest)).toEqual([join(folder, 'net/livepatch.yaml')]);
  // The manifest and the two sources it names; each may be looked at more than once, nothing else at all.
  expect(disk.opened).toBeLessThanOrEqual(10);
  workspace.dispose();
});

test('folders that link to each other end, and manifests behind links out of the folder are not taken', () => {
  symlinkSync(folder, join(folder, 'net', 'up'));
  const { workspace } = opened();
  expect(workspace.projects.length).toBe(1);
  workspace.dispose();
});

test('an open document answers before the disk, also for files that do not exist', () => {
  const { workspace } = opened();
  const path = join(folder, 'net/livepatch.yaml');
  workspace.open(path, 1, 'lineage: other\nkernel: "6.1"\nversions: []\n');
  expect(workspace.project(path)?.analyse().lineage.name).toBe('other');
  workspace.close(path);
  expect(workspace.project(path)?.analyse().lineage.name).toBe('net-fixes');
  const fresh = join(folder, 'new.livepatch.yaml');
  workspace.open(fresh, 1, 'lineage: fresh\nkernel: "6.1"\nversions: []\n');
  expect(workspace.projects.length).toBe(2);
  workspace.dispose();
});

test('files that come and go are seen', () => {
  const { workspace } = opened();
  const added = join(folder, 'net/v2/more.c');
  writeFileSync(added, 'int more(void) { return 0; }\n');
  workspace.diskChanged(added, false);
  const manifest = join(folder, 'net/livepatch.yaml');
  const v2 = workspace.project(manifest)?.analyse().lineage.versions[1];
  expect(v2?.program?.units.map((unit) => unit.file)).toContain(added);
  rmSync(added);
  workspace.diskChanged(added, true);
  expect(workspace.project(manifest)?.analyse().lineage.versions[1]?.program?.units.length).toBe(1);
  rmSync(manifest);
  workspace.diskChanged(manifest, true);
  expect(workspace.projects.length).toBe(0);
  workspace.dispose();
});
