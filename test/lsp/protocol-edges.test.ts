import { afterEach, beforeEach, expect, test } from 'vitest';
import { ErrorCodes, LSPErrorCodes } from 'vscode-languageserver/node';
import { LineageFolder } from './lineage-folder';
import { RawSession } from './raw-session';

let folder: LineageFolder;
let session: RawSession;

beforeEach(() => {
  folder = new LineageFolder();
  session = new RawSession();
});

afterEach(() => {
  if (session.process.exitCode === null) session.process.kill();
  folder.remove();
});

const REQUESTS: readonly (readonly [string, () => object])[] = [
  [
    'textDocument/hover',
    () => ({ textDocument: { uri: folder.uri('v2/livepatch_net_v2.c') }, position: at(0) }),
  ],
  [
    'textDocument/codeAction',
    () => ({
      textDocument: { uri: folder.uri('v2/livepatch_net_v2.c') },
      range: { start: at(0), end: at(9_000) },
      context: { diagnostics: [] },
    }),
  ],
  ['livepatch/lineages', () => ({})],
  ['livepatch/panel', () => ({ manifest: folder.uri('livepatch.yaml') })],
  ['livepatch/transition', () => ({ manifest: folder.uri('livepatch.yaml'), from: 'v1', to: 'v2' })],
  [
    'livepatch/scaffold',
    () => ({ manifest: folder.uri('livepatch.yaml'), restore: 'v1', after: ['v2'], as: 'v3' }),
  ],
  ['livepatch/page', () => ({ code: 'missing-replace' })],
  ['livepatch/steps', () => ({ manifest: folder.uri('livepatch.yaml'), steps: 'load v1' })],
  ['livepatch/simulate', () => ({ manifest: folder.uri('livepatch.yaml'), steps: 'load v1' })],
  ['livepatch/explain', () => ({ manifest: folder.uri('livepatch.yaml'), from: 'v1', to: 'v2' })],
];

function at(line: number): { line: number; character: number } {
  return { line, character: 0 };
}

async function alive(): Promise<void> {
  expect((await session.ask('alive', 'livepatch/lineages', {})).result).toMatchObject({
    lineages: [{ lineage: 'net-fixes' }],
  });
}

test('before it is initialized the server answers with errors and stays alive', async () => {
  for (const [method, params] of REQUESTS) {
    const answer = await session.ask(`early ${method}`, method, params());
    expect(answer.error?.code, method).toBe(ErrorCodes.ServerNotInitialized);
  }
  session.send({
    method: 'textDocument/didOpen',
    params: {
      textDocument: { uri: folder.uri('v1/x.c'), languageId: 'c', version: 1, text: 'int x;' },
    },
  });
  expect((await session.ask('early shutdown', 'shutdown')).error?.code).toBe(ErrorCodes.ServerNotInitialized);
  expect((await session.initialize(folder.uri(''))).error).toBeUndefined();
  await alive();
});

test('requests right behind initialize wait until C can be read', async () => {
  session.send(
    { id: 1, method: 'initialize', params: { processId: null, rootUri: folder.uri(''), capabilities: {} } },
    { id: 2, method: 'livepatch/explain', params: REQUESTS[9]?.[1]() },
    { id: 3, method: 'textDocument/codeAction', params: REQUESTS[1]?.[1]() },
    { method: 'initialized', params: {} },
  );
  expect((await session.response(2)).result).toMatchObject({ text: expect.stringContaining('v1 → v2') });
  // This client knows no literals: of the actions it gets the command.
  expect((await session.response(3)).result).toMatchObject([{ command: 'livepatch.generateCleanupPatch' }]);
});

test('a second initialize is refused', async () => {
  await session.initialize(folder.uri(''));
  const again = await session.ask(2, 'initialize', { processId: null, rootUri: null, capabilities: {} });
  expect(again.error?.code).toBe(ErrorCodes.InvalidRequest);
  await alive();
});

test('after shutdown everything is an invalid request, and exit ends in order', async () => {
  await session.initialize(folder.uri(''));
  await alive();
  expect(await session.ask('bye', 'shutdown')).toMatchObject({ result: null });
  for (const [method, params] of REQUESTS) {
    const answer = await session.ask(`late ${method}`, method, params());
    expect(answer.error?.code, method).toBe(ErrorCodes.InvalidRequest);
  }
  expect((await session.ask('bye again', 'shutdown')).error?.code).toBe(ErrorCodes.InvalidRequest);
  session.send(
    {
      method: 'textDocument/didOpen',
      params: { textDocument: { uri: folder.uri('v1/x.c'), languageId: 'c', version: 1, text: 'int x;' } },
    },
    { method: 'exit' },
  );
  expect(await session.ended()).toBe(0);
});

test('exit without shutdown is an error of the client', async () => {
  await session.initialize(folder.uri(''));
  session.send({ method: 'exit' });
  expect(await session.ended()).toBe(1);
});

test('what it does not know it says so, and notifications of that kind are passed over', async () => {
  await session.initialize(folder.uri(''));
  for (const method of ['textDocument/moniker', 'livepatch/no-such', '$/no-such']) {
    const answer = await session.ask(method, method, {});
    expect(answer.error?.code, method).toBe(ErrorCodes.MethodNotFound);
  }
  session.send({ method: 'livepatch/no-such-notification', params: {} }, { method: '$/other', params: {} });
  await alive();
});

test('a cancelled request is answered as such, whatever it is', async () => {
  await session.initialize(folder.uri(''));
  await alive();
  for (const [method, params] of REQUESTS) {
    const id = `cancelled ${method}`;
    session.send({ id, method, params: params() }, { method: '$/cancelRequest', params: { id } });
    expect((await session.response(id)).error?.code, method).toBe(LSPErrorCodes.RequestCancelled);
  }
  // Too late, and for what never was.
  session.send({ method: '$/cancelRequest', params: { id: 'alive' } });
  session.send({ method: '$/cancelRequest', params: { id: 'never sent' } });
  await alive();
});

test('of many requests each is answered, those in between that were cancelled as well', async () => {
  await session.initialize(folder.uri(''));
  await alive();
  const ids = Array.from({ length: 40 }, (_, i) => i + 100);
  session.send(
    ...ids.map((id) => ({ id, method: 'livepatch/panel', params: REQUESTS[3]?.[1]() })),
    ...ids.filter((id) => id % 2 === 1).map((id) => ({ method: '$/cancelRequest', params: { id } })),
  );
  for (const id of ids) {
    const answer = await session.response(id);
    if (id % 2 === 0) expect(answer.result).toHaveProperty('model');
    else
      expect(answer.error?.code === LSPErrorCodes.RequestCancelled || answer.result !== undefined).toBe(true);
  }
});

test('parameters of any shape are answered', async () => {
  await session.initialize(folder.uri(''));
  let id = 500;
  for (const [method] of REQUESTS) {
    for (const params of [undefined, null, [], {}, [1, 2, 3], { textDocument: null, manifest: {} }]) {
      const answer = await session.ask(id, method, params);
      expect(answer.id, `${method} ${JSON.stringify(params)}`).toBe(id);
      id++;
    }
  }
  await alive();
});
