import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { DEFAULTS, readSettings } from '../../server/src/lsp/configuration';
import { TestClient } from './client';
import { LineageFolder } from './lineage-folder';

let folder: LineageFolder;
let client: TestClient;
let settings: unknown;
let asked: string[];

/** An editor that is asked for settings, shows progress and refreshes what it shows. */
const ABLE = {
  window: { workDoneProgress: true },
  workspace: {
    configuration: true,
    didChangeConfiguration: { dynamicRegistration: true },
    codeLens: { refreshSupport: true },
    inlayHint: { refreshSupport: true },
  },
  textDocument: {
    documentSymbol: { dynamicRegistration: true, hierarchicalDocumentSymbolSupport: true },
    foldingRange: { dynamicRegistration: true },
  },
};

beforeEach(() => {
  folder = new LineageFolder();
  settings = {};
});

afterEach(() => {
  if (client.process.exitCode === null && !client.process.killed) client.process.kill();
  folder.remove();
});

function connect(): void {
  // A list of its own: the server of the test before may still be speaking.
  const heard: string[] = [];
  asked = heard;
  client = new TestClient(folder.path, ABLE, null, (connection) => {
    for (const method of METHODS) connection.onRequest(method, (params) => answer(heard, method, params));
    connection.onNotification('$/progress', ({ value }: { value: { kind: string } }) => {
      heard.push(value.kind);
    });
  });
}

/** What the server may ask this editor. */
const METHODS = [
  'client/registerCapability',
  'workspace/configuration',
  'window/workDoneProgress/create',
  'workspace/codeLens/refresh',
  'workspace/inlayHint/refresh',
];

function answer(heard: string[], method: string, params: unknown): unknown {
  heard.push(method);
  if (method === 'client/registerCapability') {
    const { registrations } = params as { registrations: { method: string; registerOptions: object }[] };
    for (const it of registrations) heard.push(`${it.method} ${JSON.stringify(it.registerOptions)}`);
  }
  return method === 'workspace/configuration' ? [settings] : null;
}

/** The one finding of the example, and where it stands. */
const RULE = 'unsafe-downgrade';
const SOURCE = 'v2/livepatch_net_v2.c';

test('severities of rules come from the settings, at the start and when they change', async () => {
  settings = { rules: { [RULE]: 'hint' } };
  connect();
  const first = await client.until(folder.uri(SOURCE), (it) => it.length > 0);
  expect(first.map((it) => [it.code, it.severity])).toEqual([[RULE, DiagnosticSeverity.Hint]]);
  settings = { rules: { [RULE]: 'off' } };
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: null });
  await client.until(folder.uri(SOURCE), (it) => it.length === 0);
  await vi.waitFor(() => {
    expect(asked).toContain('workspace/codeLens/refresh');
    expect(asked).toContain('workspace/inlayHint/refresh');
  }, 5_000);
});

test('findings come with their page and the places they speak of, in files that nobody opened', async () => {
  connect();
  const [finding] = await client.until(folder.uri(SOURCE), (it) => it.length > 0);
  expect(finding?.source).toBe('livepatch');
  expect(finding?.codeDescription?.href).toBe(`livepatch-rule:/${RULE}.md`);
  const page = await client.connection.sendRequest<{ markdown: string }>('livepatch/page', { code: RULE });
  expect(page.markdown).toMatch(/^# unsafe-downgrade\n/);
  const related = finding?.relatedInformation?.map((it) => it.location.uri);
  expect(related).toEqual([folder.uri(SOURCE), folder.uri('v1/livepatch_net_v1.c')]);
});

test('what the manifest says of a rule goes before the settings', async () => {
  folder.change('livepatch.yaml', (text) => `${text}rules:\n  ${RULE}: information\n`);
  settings = { rules: { [RULE]: 'off' } };
  connect();
  const all = await client.until(folder.uri(SOURCE), (it) => it.length > 0);
  expect(all.map((it) => [it.code, it.severity])).toEqual([[RULE, DiagnosticSeverity.Information]]);
});

test('the first analysis shows its progress; outline and folding are registered for manifests', async () => {
  connect();
  await client.until(folder.uri(SOURCE), (it) => it.length > 0);
  await client.connection.sendRequest('workspace/symbol', { query: '' });
  expect(asked.filter((it) => ['begin', 'report', 'end'].includes(it))).toEqual(['begin', 'report', 'end']);
  expect(asked.indexOf('window/workDoneProgress/create')).toBeGreaterThanOrEqual(0);
  const registered = await vi.waitFor(() => {
    const found = asked.filter((it) => /^textDocument\/(documentSymbol|foldingRange) /.test(it));
    expect(found).toHaveLength(2);
    return found;
  }, 5_000);
  for (const it of registered) expect(it).toContain('"language":"livepatch-manifest"');
  const { capabilities } = await client.initialized;
  expect(capabilities.documentSymbolProvider).toBe(false);
});

test('a first analysis that is cancelled stays so: what is opened is analysed, and nothing else', async () => {
  for (const name of ['one', 'two', 'three']) folder.copyTo(name);
  const heard: string[] = [];
  const cancelled = new Promise<void>((resolve) => {
    client = new TestClient(folder.path, ABLE, null, (connection) => {
      for (const method of METHODS)
        connection.onRequest(method, (params: { token: string }) => {
          // The cancellation follows the answer, before anything is analysed.
          if (method === 'window/workDoneProgress/create')
            setImmediate(() => {
              void connection.sendNotification('window/workDoneProgress/cancel', { token: params.token });
            });
          return method === 'workspace/configuration' ? [settings] : null;
        });
      connection.onNotification('$/progress', ({ value }: { value: { kind: string } }) => {
        heard.push(value.kind);
        if (value.kind === 'end') resolve();
      });
      connection.onNotification('livepatch/status', ({ text }: { text: string }) => {
        heard.push(text);
      });
    });
  });
  await cancelled;
  await vi.waitFor(
    () => expect(heard.join()).toMatch(/4 lineages, 0 findings.*, 4 not analysed until/),
    5_000,
  );
  const file = `two/${SOURCE}`;
  await client.open(folder.file(file), 'c', folder.read(file));
  const found = await client.until(folder.uri(file), (it) => it.length > 0);
  expect(found.map((it) => it.code)).toEqual([RULE]);
  // The lineage of the whole folder has that file below it; the other two have not.
  const published = new Set(client.history.map((it) => it.uri));
  expect([...published].sort()).toEqual([folder.uri(file), folder.uri(SOURCE)].sort());
});

test('an editor that answers no question gets its diagnostics all the same', async () => {
  client = new TestClient(folder.path, ABLE, null, (connection) => {
    for (const method of METHODS)
      connection.onRequest(method, () =>
        method === 'client/registerCapability' ? null : new Promise(() => {}),
      );
  });
  expect(await client.until(folder.uri(SOURCE), (it) => it.length > 0)).not.toEqual([]);
});

test('an editor that refuses every question gets its diagnostics all the same, and the server lives on', async () => {
  const asked: string[] = [];
  client = new TestClient(folder.path, ABLE, null, (connection) => {
    for (const method of METHODS)
      connection.onRequest(method, () => {
        asked.push(method);
        throw new Error('refused');
      });
  });
  const uri = folder.uri(SOURCE);
  expect(await client.until(uri, (it) => it.length > 0)).not.toEqual([]);
  await client.open(folder.file(SOURCE), 'c', folder.read(SOURCE));
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: null });
  await vi.waitFor(() => {
    for (const method of METHODS) expect(asked).toContain(method);
  }, 5_000);
  const line = folder.read(SOURCE).split('\n').indexOf('\t.replace = true,');
  expect(await client.hover(uri, line, 3)).not.toBeNull();
});

test('settings may be anything', () => {
  for (const value of [null, undefined, 7, 'x', [], { rules: [] }, { rules: { a: 1 } }, { codeLens: null }])
    expect(readSettings(value)).toEqual(DEFAULTS);
  expect(readSettings({ codeLens: { enable: false } }).codeLens).toBe(false);
  expect(readSettings({ inlayHints: { enable: false } }).inlayHints).toBe(false);
  expect([...readSettings({ rules: { a: 'off', b: 'loud' } }).rules]).toEqual([['a', 'off']]);
});
