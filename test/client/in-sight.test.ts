import { beforeEach, expect, test, vi } from 'vitest';
import { InSight } from '../../client/src/in-sight';

const vscode = vi.hoisted(() => ({
  executed: [] as unknown[][],
  workspace: { findFiles: async (): Promise<{ scheme: string }[]> => [] },
}));
vi.mock('vscode', async () => {
  const { fakeVscode } = await import('./fake-vscode');
  return Object.assign(vscode, fakeVscode());
});

const context = (): unknown[] => vscode.executed.map(([command, key, value]) => [command, key, value]);
const says = (value: string | undefined): unknown[] => ['setContext', 'livepatch.lineage', value];

beforeEach(() => {
  vscode.executed.length = 0;
  vscode.workspace.findFiles = async () => [];
});

test('a workspace without livepatches has no context, one with sources lacks a lineage', async () => {
  const sight = new InSight();
  expect(await sight.look()).toBe(false);
  sight.sources();
  expect(context()).toEqual([says(undefined), says('none')]);
});

test('a manifest outweighs sources until the last one is deleted', async () => {
  const sight = new InSight();
  vscode.workspace.findFiles = async () => [{ scheme: 'file' }];
  expect(await sight.look()).toBe(true);
  sight.sources();
  vscode.workspace.findFiles = async () => [];
  await sight.look();
  sight.manifest();
  expect(context()).toEqual([says('known'), says('known'), says('none'), says('known')]);
});
