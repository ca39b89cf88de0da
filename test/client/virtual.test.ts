import { beforeEach, expect, test, vi } from 'vitest';
import { fakeVscode } from './fake-vscode';

const vscode = fakeVscode();
vi.mock('vscode', () => vscode);

/** Folders that lie on no disk: the extension says so, and starts no server for them. */

const virtual = { uri: vscode.Uri.parse('vscode-vfs://github/acme/livepatches') };
const local = { uri: vscode.Uri.file('/net') };
const SAID =
  'This folder is virtual (vscode-vfs): a lineage is read from files on a disk. Open a clone of it.';

const server = {
  asked: 0,
  async request() {
    server.asked++;
    return { lineages: [], ok: false, reason: 'no sources' };
  },
};

beforeEach(() => {
  vscode.warnings.length = 0;
  vscode.executed.length = 0;
  server.asked = 0;
  vscode.workspace.workspaceFolders = [virtual];
  vscode.window.activeTextEditor = undefined;
});

test('every command that asks for a lineage says that the folder is virtual', async () => {
  const { chooseLineage } = await import('../../client/src/lineages');
  const { createManifest } = await import('../../client/src/commands/create-manifest');
  expect(await chooseLineage(server as never)).toBeUndefined();
  await createManifest(server as never);
  vscode.window.activeTextEditor = { document: { uri: vscode.Uri.parse('vscode-vfs://github/acme/a.c') } };
  await chooseLineage(server as never);
  expect(vscode.warnings).toEqual([SAID, SAID, SAID]);
  expect(server.asked).toBe(0);
});

test('a folder on a disk beside it, or a file that is open, is analysed', async () => {
  const { chooseLineage } = await import('../../client/src/lineages');
  vscode.workspace.workspaceFolders = [virtual, local];
  await chooseLineage(server as never);
  vscode.workspace.workspaceFolders = [virtual];
  vscode.window.activeTextEditor = { document: { uri: vscode.Uri.file('/net/a.c') } };
  await chooseLineage(server as never);
  vscode.workspace.workspaceFolders = [];
  vscode.window.activeTextEditor = undefined;
  await chooseLineage(server as never);
  expect(server.asked).toBeGreaterThanOrEqual(3);
  expect(vscode.warnings.join()).not.toContain('virtual');
});

test('a manifest in a virtual folder is in sight, but no reason to start the server', async () => {
  const { InSight } = await import('../../client/src/in-sight');
  vscode.workspace.findFiles = async () =>
    [vscode.Uri.parse('vscode-vfs://github/acme/livepatch.yaml')] as never;
  expect(await new InSight().look()).toBe(false);
  expect(vscode.executed).toEqual([['setContext', 'livepatch.lineage', 'known']]);
  vscode.workspace.findFiles = async () =>
    [
      vscode.Uri.parse('vscode-vfs://github/acme/livepatch.yaml'),
      vscode.Uri.file('/net/livepatch.yaml'),
    ] as never;
  expect(await new InSight().look()).toBe(true);
});
