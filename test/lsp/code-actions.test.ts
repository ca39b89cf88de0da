import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestClient } from './client';
import { applied, LineageFolder, onlyDocument, rangeOf } from './lineage-folder';

const V2 = 'v2/livepatch_net_v2.c';
let folder: LineageFolder;
let client: TestClient;

beforeEach(() => {
  folder = new LineageFolder();
});

afterEach(() => {
  if (client.process.exitCode === null && !client.process.killed) client.process.kill();
  folder.remove();
});

async function start(capabilities?: object): Promise<void> {
  client = new TestClient(folder.path, capabilities);
  await client.initialized;
}

/** v2 is a draft that forgot to replace v1. */
function forgetReplace(): string {
  folder.change('livepatch.yaml', (text) => text.replace('status: faulty', 'status: draft'));
  return folder.change(V2, (text) => text.replace('\t.replace = true,\n', ''));
}

test('the missing .replace is added, at the version of the document that was looked at', async () => {
  const text = forgetReplace();
  await start();
  const uri = await client.open(folder.file(V2), 'c', text);
  // The edit has to fit the document as it is now, not as it was opened.
  const version = await client.change(uri, [{ text: `/* two */\n/* lines */\n${text}` }]);
  const found = await client.until(
    uri,
    (list, at) => at === version && list.some((it) => it.code === 'missing-replace'),
  );
  const actions = await client.codeActions(uri, rangeOf(found, 'missing-replace'));
  const fix = actions.find((action) => action.title === 'Add `.replace = true`');
  expect(fix).toMatchObject({ kind: 'quickfix', isPreferred: true });
  expect(fix?.diagnostics).toEqual(found.filter((it) => it.code === 'missing-replace'));
  const change = onlyDocument(fix?.edit);
  expect(change.uri).toBe(uri);
  expect(change.version).toBe(version);
  const fixed = applied(`/* two */\n/* lines */\n${text}`, change.edits);
  expect(fixed).toMatch(/\.objs = objs,\n\t\.replace = true,\n\};/);
  const next = await client.change(uri, [{ text: fixed }]);
  await client.until(uri, (list, at) => at === next && list.every((it) => it.code !== 'missing-replace'));
});

test('all preferred fixes of a file are one edit, and only where they are asked for', async () => {
  const text = forgetReplace();
  await start();
  const uri = await client.open(folder.file(V2), 'c', text);
  await client.until(uri, (list) => list.some((it) => it.code === 'missing-replace'));
  const nowhere = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  for (const only of ['source.fixAll', 'source.fixAll.livepatch', 'source']) {
    const all = await client.codeActions(uri, nowhere, [only]);
    expect(all.map((action) => action.kind)).toEqual(['source.fixAll.livepatch']);
    expect(applied(text, onlyDocument(all[0]?.edit).edits)).toContain('.replace = true,\n');
  }
  expect(await client.codeActions(uri, nowhere, ['quickfix'])).toEqual([]);
  expect(await client.codeActions(uri, nowhere, ['refactor', 'source.fixAllTheRest'])).toEqual([]);
});

test('a file that is not open is edited as it is on disk', async () => {
  const text = forgetReplace();
  await start();
  const uri = folder.uri(V2);
  const found = await client.until(uri, (list) => list.some((it) => it.code === 'missing-replace'));
  const actions = await client.codeActions(uri, rangeOf(found, 'missing-replace'));
  const change = onlyDocument(actions.find((action) => action.isPreferred)?.edit);
  expect(change.version).toBeNull();
  expect(applied(text, change.edits)).toContain('.replace = true,\n');
});

test('a finding is suppressed where it stands', async () => {
  await start();
  const text = folder.read(V2).replaceAll('\n', '\r\n');
  const uri = await client.open(folder.file(V2), 'c', text);
  const found = await client.until(uri, (list, at) => at === 1 && list.length > 0);
  const range = rangeOf(found, 'unsafe-downgrade');
  const actions = await client.codeActions(uri, range);
  const suppress = actions.find((action) => action.title === 'Suppress unsafe-downgrade here (reason …)');
  expect(suppress?.isPreferred).toBeUndefined();
  const hidden = applied(text, onlyDocument(suppress?.edit).edits);
  const lines = hidden.split('\r\n');
  expect(lines[range.start.line]).toBe('\t/* livepatch-ignore unsafe-downgrade: reason */');
  expect(lines[range.start.line + 1]).toContain('debugfs_create_file');
  expect(hidden.replaceAll('\r\n', '')).not.toContain('\n');
  const next = await client.change(uri, [{ text: hidden }]);
  await client.until(uri, (list, at) => at === next && list.length === 0);
});

test('in the manifest a finding is mended or suppressed', async () => {
  await start();
  const text = folder.read('livepatch.yaml').replace('kernel: "6.1"', 'kernel: 6.1');
  const uri = await client.open(folder.file('livepatch.yaml'), 'livepatch-manifest', text);
  const found = await client.until(uri, (list) => list.some((it) => it.code === 'manifest-invalid'));
  const actions = await client.codeActions(uri, rangeOf(found, 'manifest-invalid'));
  const fix = actions.find((action) => action.isPreferred);
  expect(applied(text, onlyDocument(fix?.edit).edits)).toBe(folder.read('livepatch.yaml'));
  const suppress = actions.find((action) => action.title.startsWith('Suppress manifest-invalid'));
  const hidden = applied(text, onlyDocument(suppress?.edit).edits);
  expect(hidden).toContain('\n# livepatch-ignore manifest-invalid: reason\nkernel: 6.1\n');
  const next = await client.change(uri, [{ text: hidden }]);
  await client.until(uri, (list, at) => (at === undefined || at === next) && list.length === 0);
});

test('a cleanup version is generated by the command that asks for the rest', async () => {
  await start();
  const uri = folder.uri(V2);
  const found = await client.until(uri, (list) => list.some((it) => it.code === 'unsafe-downgrade'));
  const actions = await client.codeActions(uri, rangeOf(found, 'unsafe-downgrade'), ['quickfix']);
  const generate = actions.find((action) => action.command);
  expect(generate?.edit).toBeUndefined();
  expect(generate?.isPreferred).toBeUndefined();
  expect(generate?.command).toMatchObject({
    command: 'livepatch.generateCleanupPatch',
    arguments: [{ manifest: folder.uri('livepatch.yaml'), restore: 'v1', after: ['v2'] }],
  });
  expect(generate?.diagnostics?.map((it) => it.code)).toEqual(['unsafe-downgrade']);
});

test('an editor that knows neither versions nor literals gets what it understands', async () => {
  const text = forgetReplace();
  await start({ textDocument: { codeAction: { codeActionLiteralSupport: {} } } });
  const uri = await client.open(folder.file(V2), 'c', text);
  const found = await client.until(uri, (list) => list.some((it) => it.code === 'missing-replace'));
  const range = rangeOf(found, 'missing-replace');
  const fix = (await client.codeActions(uri, range)).find((action) => action.isPreferred);
  expect(fix?.edit?.documentChanges).toBeUndefined();
  expect(applied(text, fix?.edit?.changes?.[uri] ?? [])).toContain('.replace = true,\n');
  await client.close();
  await start({});
  await client.open(folder.file(V2), 'c', text);
  await client.until(uri, (list) => list.some((it) => it.code === 'missing-replace'));
  // Commands only: `command` is then the id itself.
  for (const action of await client.codeActions(uri, range)) expect(typeof action.command).toBe('string');
});

test('places that are no longer there have no actions', async () => {
  await start();
  const text = folder.read(V2);
  const uri = await client.open(folder.file(V2), 'c', text);
  await client.until(uri, (list) => list.length > 0);
  const last = await client.change(uri, [{ text: '/* nothing left */\n' }]);
  const far = { start: { line: 5_000, character: 9 }, end: { line: 6_000, character: 0 } };
  expect(await client.codeActions(uri, far)).toEqual([]);
  const backwards = { start: { line: 70, character: 9 }, end: { line: 2, character: 0 } };
  expect(await client.codeActions(uri, backwards)).toEqual([]);
  expect(await client.codeActions('file:///nowhere/at-all.c', far)).toEqual([]);
  expect(await client.codeActions('untitled:Untitled-1', far)).toEqual([]);
  await client.until(uri, (list, at) => at === last && list.length === 0);
});
