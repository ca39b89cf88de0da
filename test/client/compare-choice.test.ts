import { expect, test, vi } from 'vitest';
import { pairsOf, type VersionPair } from '../../client/src/commands/compare-choice';
import { COMPARE_REQUEST, INIT_REQUEST, LINEAGES_REQUEST } from '../../server/src/lsp/protocol';
import { fakeVscode } from './fake-vscode';

const vscode = fakeVscode();
vi.mock('vscode', () => vscode);

const file = (
  name: string,
  before: string | null,
  after: string | null,
  same = false,
): VersionPair['files'][number] => ({
  name,
  before,
  after,
  same,
});

const PAIRS: VersionPair[] = [
  { from: 'v1', to: 'v2', files: [file('a.c', 'r:/1/a.c', 'r:/2/a.c'), file('b.c', null, 'r:/2/b.c')] },
  {
    from: 'v2',
    to: 'v3',
    files: [file('b.c', 'r:/2/b.c', 'r:/2/b.c', true), file('a.c', 'r:/2/a.c', 'file:///a.c')],
  },
];

test('the document says which version is meant; a shared file was changed by the oldest that has it', () => {
  const meant = (document: string): string[] =>
    pairsOf(PAIRS, document, (uri) => uri).map(
      (pair) => `${pair.to}: ${pair.files.map((it) => it.name).join()}`,
    );
  expect(meant('file:///a.c')).toEqual(['v3: a.c']);
  expect(meant('r:/2/a.c')).toEqual(['v2: a.c']);
  expect(meant('r:/2/b.c')).toEqual(['v2: b.c']);
  // Only older than all that replace something, or of no version: everything, the newest first.
  expect(meant('r:/1/a.c')).toEqual(['v3: b.c,a.c', 'v2: a.c,b.c']);
  expect(pairsOf([{ from: 'v1', to: 'v2', files: [] }], '', (uri) => uri)).toEqual([]);
});

function serverOf(answers: Readonly<Record<string, unknown>>): never {
  const lineage = { manifest: 'file:///livepatch.yaml', lineage: 'l', versions: [] };
  return {
    request: async (method: string) =>
      method === LINEAGES_REQUEST ? { lineages: [lineage] } : answers[method],
  } as never;
}

test("the editor's diff opens for the file that is edited, and for what the person picks", async () => {
  const { compareVersions } = await import('../../client/src/commands/compare-versions');
  const server = serverOf({ [COMPARE_REQUEST]: { pairs: PAIRS } });
  vscode.window.activeTextEditor = { document: { uri: vscode.Uri.parse('file:///a.c') } };
  await compareVersions(server);
  const [[command, left, right, title] = []] = vscode.executed;
  expect([command, String(left), String(right), title]).toEqual([
    'vscode.diff',
    'r:///2/a.c',
    'file:///a.c',
    'a.c (v2 ↔ v3)',
  ]);
  vscode.executed.length = 0;
  vscode.window.activeTextEditor = undefined;
  const offered: string[][] = [];
  vscode.answers.quickPick = (items) => {
    offered.push(items.map((item) => item.label));
    return items[items.length - 1];
  };
  await compareVersions(server);
  expect(offered).toEqual([
    ['v3', 'v2'],
    ['a.c', 'b.c'],
  ]);
  // b.c is new in v2: there is nothing to compare it with.
  expect(vscode.executed).toEqual([]);
  expect(vscode.shown.map((it) => it.uri)).toEqual(['r:///2/b.c']);
});

test('a manifest is made as an edit that the editor shows first', async () => {
  const { createManifest } = await import('../../client/src/commands/create-manifest');
  const answer = { ok: true, uri: 'file:///w/livepatch.yaml', text: 'lineage: w\n', notes: ['A note.'] };
  vscode.workspace.workspaceFolders = [{ uri: vscode.Uri.parse('file:///w') }];
  await createManifest(serverOf({ [INIT_REQUEST]: answer }));
  expect(vscode.edits[0]?.entries).toEqual([
    { what: 'create', uri: answer.uri, text: '{"overwrite":false,"ignoreIfExists":false}', asks: false },
    { what: 'insert', uri: answer.uri, text: 'lineage: w\n', asks: false },
    { what: 'insert', uri: answer.uri, text: '', asks: true },
  ]);
  expect(vscode.warnings).toEqual(['A note.']);
  await createManifest(serverOf({ [INIT_REQUEST]: { ok: false, reason: 'nothing there' } }));
  expect(vscode.edits).toHaveLength(1);
  expect(vscode.warnings).toContain('nothing there');
});
