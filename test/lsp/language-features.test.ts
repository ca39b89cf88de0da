import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type CodeLens,
  type CompletionList,
  DiagnosticTag,
  type DocumentSymbol,
  type FoldingRange,
  type InlayHint,
  type Location,
  type PrepareRenameResult,
  type SignatureHelp,
  type SymbolInformation,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import { FILES } from '../features/fixture';
import { TestClient } from './client';
import { applied, LineageFolder } from './lineage-folder';

let folder: LineageFolder;
let client: TestClient;

beforeEach(async () => {
  folder = new LineageFolder();
  for (const [name, text] of Object.entries(FILES)) folder.write(name, text);
  client = new TestClient(folder.path);
  await client.initialized;
});

afterEach(() => {
  if (client.process.exitCode === null && !client.process.killed) client.process.kill();
  folder.remove();
});

/** Opens a file whose text is changed so that it holds `$0`; answers the position of that. */
async function at(name: string, before: string, after: string): Promise<object> {
  const marked = folder.read(name).replace(before, () => after);
  const offset = marked.indexOf('$0');
  const lines = marked.slice(0, offset).split('\n');
  const uri = await client.open(
    folder.file(name),
    name.endsWith('.c') ? 'c' : 'livepatch-manifest',
    marked.replace('$0', ''),
  );
  const position = { line: lines.length - 1, character: lines[lines.length - 1]?.length ?? 0 };
  return { textDocument: { uri }, position };
}

function ask<T>(method: string, params: object): Promise<T> {
  return client.connection.sendRequest(method, params);
}

function lineOf({ uri, range }: Location): string {
  const name = uri.slice(uri.lastIndexOf('/') + 1);
  const line = folder.read(name).split('\n')[range.start.line] ?? '';
  return `${name}: ${line.slice(range.start.character, range.end.character)}`;
}

test('the server says what it can do', async () => {
  const { capabilities } = await client.initialized;
  for (const name of [
    'definition',
    'references',
    'workspaceSymbol',
    'documentSymbol',
    'foldingRange',
    'inlayHint',
  ])
    expect(capabilities, name).toHaveProperty(`${name}Provider`, true);
  expect(capabilities.renameProvider).toEqual({ prepareProvider: true });
  expect(capabilities.codeLensProvider).toBeDefined();
  // Pulled diagnostics of the workspace would make the editor poll for ever.
  expect(capabilities.diagnosticProvider).toBeUndefined();
});

test('completion replaces the word that is being written', async () => {
  const params = await at('livepatch.yaml', 'status: released', 'status: rel$0');
  const { items } = await ask<CompletionList>('textDocument/completion', params);
  expect(items.map((it) => it.label)).toEqual(['draft', 'released', 'faulty', 'withdrawn']);
  const { character, line } = (params as { position: { character: number; line: number } }).position;
  expect(items[1]?.textEdit).toEqual({
    newText: 'released',
    range: { start: { line, character: character - 3 }, end: { line, character } },
  });
  const c = await at('v1.c', '\treturn 1;', '\treturn $0;');
  expect(await ask('textDocument/completion', c)).toBeNull();
});

test('signature help answers for callbacks and for nothing else', async () => {
  const entry = await at('v1.c', '.pre_patch = demo_pre_patch', '.pre_patch = $0');
  const help = await ask<SignatureHelp>('textDocument/signatureHelp', entry);
  expect(help.signatures[0]?.label).toBe('int pre_patch(struct klp_object *obj)');
  const call = await at('v2.c', 'debugfs_remove(file', 'debugfs_remove($0file');
  expect(await ask('textDocument/signatureHelp', call)).toBeNull();
});

test('definition and references cross files', async () => {
  const params = await at('v1.c', 'int demo_pre_patch', 'int demo_$0pre_patch');
  expect((await ask<Location[]>('textDocument/definition', params)).map(lineOf)).toEqual([
    'v1.c: demo_post_unpatch',
    'v2.c: demo_pre_patch',
  ]);
  const context = { includeDeclaration: false };
  const found = await ask<Location[]>('textDocument/references', { ...params, context });
  expect(found.map(lineOf)).toEqual([
    'v1.c: .pre_patch = demo_pre_patch',
    'v2.c: .pre_patch = demo_pre_patch',
    'v1.c: .post_unpatch = demo_post_unpatch',
  ]);
  const other = await at('v2.c', 'debugfs_remove', '$0debugfs_remove');
  expect(await ask('textDocument/definition', other)).toBeNull();
  expect(await ask('textDocument/references', { ...other, context })).toBeNull();
});

test('rename changes all files of the lineage, says why it cannot, and leaves C alone', async () => {
  const params = await at('v1.c', '&patch, LOUD', '&patch, $0LOUD');
  const prepared = await ask<PrepareRenameResult>('textDocument/prepareRename', params);
  expect(prepared).toMatchObject({ placeholder: 'LOUD_STATE' });
  const edit = await ask<WorkspaceEdit>('textDocument/rename', { ...params, newName: 'QUIET_STATE' });
  for (const change of edit.documentChanges ?? []) {
    if (!('textDocument' in change)) throw new Error('no text edit');
    const name = change.textDocument.uri.slice(-4);
    expect(change.textDocument.version).toBe(name === 'v1.c' ? 1 : null);
    const after = applied(folder.read(name), change.edits as never);
    expect(after).toBe(folder.read(name).replaceAll('LOUD_STATE', 'QUIET_STATE'));
  }
  expect(edit.documentChanges).toHaveLength(2);
  await expect(ask('textDocument/rename', { ...params, newName: 'NOTE_ID' })).rejects.toThrow(
    '"NOTE_ID" is already used in v1.c of v1.',
  );
  const local = await at('v2.c', 'int demo_pre_patch', 'int demo_$0pre_patch');
  expect(await ask('textDocument/prepareRename', local)).toBeNull();
  expect(await ask('textDocument/rename', { ...local, newName: 'other' })).toBeNull();
});

test('what can never run is marked as unnecessary', async () => {
  const params = await at('v1.c', '\tif (before)\n\t\treturn 0;\n', '\treturn -EINVAL;$0\n');
  const { uri } = (params as { textDocument: { uri: string } }).textDocument;
  const all = await client.until(uri, (it) => it.some((one) => one.code === 'callback-never-runs'));
  const found = all.find((it) => it.code === 'callback-never-runs');
  expect(found).toMatchObject({ severity: 4, tags: [DiagnosticTag.Unnecessary] });
});

test('every command of a lens is one that the extension has', async () => {
  const params = await at('v1.c', '#include', '$0#include');
  const lenses = await ask<CodeLens[]>('textDocument/codeLens', params);
  const manifest = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
    contributes: { commands: { command: string }[] };
  };
  const contributed = manifest.contributes.commands.map((it) => it.command);
  expect(lenses.length).toBeGreaterThan(3);
  for (const lens of lenses) expect(contributed).toContain(lens.command?.command);
});

test('outline and folding are the manifest’s alone; symbols are found by name', async () => {
  const params = await at('livepatch.yaml', 'lineage: demo', '$0lineage: demo');
  const outline = await ask<(DocumentSymbol | SymbolInformation)[]>('textDocument/documentSymbol', params);
  // This client knows no trees.
  expect(outline.map((it) => it.name)).toContain('load v2');
  const folds = await ask<FoldingRange[]>('textDocument/foldingRange', params);
  expect(folds[0]).toMatchObject({ startLine: 2, endLine: 11, kind: 'region' });
  const c = await at('v1.c', '#include', '$0#include');
  expect(await ask('textDocument/documentSymbol', c)).toBeNull();
  expect(await ask('textDocument/foldingRange', c)).toBeNull();
  const symbols = await ask<SymbolInformation[]>('workspace/symbol', { query: 'prepatch' });
  expect(symbols.map((it) => lineOf(it.location))).toEqual(['v1.c: demo_pre_patch', 'v2.c: demo_pre_patch']);
});

test('lenses and hints come with commands and settings', async () => {
  const params = await at('v1.c', '#include', '$0#include');
  const lenses = await ask<CodeLens[]>('textDocument/codeLens', params);
  const manifest = folder.uri('livepatch.yaml');
  expect(lenses.map((it) => it.command)).toContainEqual({
    title: 'simulate',
    command: 'livepatch.simulate',
    arguments: [{ manifest, steps: 'load nf_tables; load v1; load v2; unload v1' }],
  });
  // v2 does not make the file again and has no pointer to it: it stays.
  expect(lenses.map((it) => it.command?.title)).toContain('replaced by v2: 1 callback skipped, 1 leftover');
  const range = { start: { line: 0, character: 0 }, end: { line: 999, character: 0 } };
  const hints = await ask<InlayHint[]>('textDocument/inlayHint', { ...params, range });
  expect(hints.map((it) => it.label)).toEqual(['skipped when replaced']);
  // Editors that are not asked send their settings along.
  const settings = { livepatch: { codeLens: { enable: false }, inlayHints: { enable: false } } };
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings });
  expect(await ask('textDocument/codeLens', params)).toBeNull();
  expect(await ask('textDocument/inlayHint', { ...params, range })).toBeNull();
});
