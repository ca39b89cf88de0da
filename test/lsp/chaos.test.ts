import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ErrorCodes } from 'vscode-languageserver/node';
import { Random } from '../execution/random';
import { made } from '../support/soak';
import { LineageFolder } from './lineage-folder';
import { RawSession } from './raw-session';

/** What no client should send, and what some send all the same. */

let folder: LineageFolder;
let session: RawSession;

beforeEach(() => {
  folder = new LineageFolder();
  session = new RawSession();
});

afterEach(() => {
  if (session.process.exitCode === null) session.process.kill('SIGKILL');
  folder.remove();
});

const MANIFEST = 'livepatch.yaml';
const V2 = 'v2/livepatch_net_v2.c';

function frame(body: string | Buffer, length = Buffer.byteLength(body)): Buffer {
  return Buffer.concat([Buffer.from(`Content-Length: ${length}\r\n\r\n`), Buffer.from(body)]);
}

async function alive(id: string): Promise<void> {
  expect((await session.ask(id, 'livepatch/lineages', {})).result).toMatchObject({
    lineages: [{ lineage: 'net-fixes' }],
  });
}

test('bodies that are no messages are passed over', async () => {
  await session.initialize(folder.uri(''));
  const bodies = [
    '{"jsonrpc":',
    'null',
    '42',
    '"text"',
    '[]',
    '{}',
    '[{"jsonrpc":"2.0","id":9,"method":"livepatch/lineages"}]',
    '{"jsonrpc":"2.0","id":5}',
    '{"jsonrpc":"2.0","id":5,"method":7}',
    '{"jsonrpc":"2.0","id":{},"method":"textDocument/hover","params":{}}',
    '{"jsonrpc":"2.0","id":77,"result":{}}',
    '{"jsonrpc":"2.0","id":78,"error":{"code":1}}',
    '{"jsonrpc":"2.0","method":"$/progress","params":null}',
    '{"jsonrpc":"2.0","method":"$/cancelRequest"}',
    '{"jsonrpc":"2.0","method":"$/cancelRequest","params":null}',
    '{"jsonrpc":"2.0","method":"$/cancelRequest","params":[]}',
    '{"jsonrpc":"2.0","method":"window/workDoneProgress/cancel","params":null}',
    '{"__proto__":{"method":"exit"},"jsonrpc":"2.0","id":1}',
    '',
  ];
  for (const body of bodies) session.write(frame(body));
  session.write(frame(Buffer.from([0xff, 0xfe, 0x80, 0x7b])));
  await alive('after all of them');
});

test.each([
  ['no length', 'Content-Type: x\r\n\r\n{}'],
  ['a length that is no number', 'Content-Length: abc\r\n\r\n{}'],
  ['text that is no header', 'GET / HTTP/1.1\r\nHost\r\n\r\n'],
  ['a length that is too short', frame('{"jsonrpc":"2.0","id":1,"method":"x"}', 2).toString()],
])('%s ends the server: nothing behind it could be read', async (_, bytes) => {
  await session.initialize(folder.uri(''));
  session.write(Buffer.from(bytes));
  session.send({ id: 'behind', method: 'livepatch/lineages', params: {} });
  expect(await session.ended()).toBe(1);
});

test.each([
  '-5',
  '-1',
  '-99999999999',
  '1e3',
  '134217729',
  '99999999999999999999',
  '0x10',
  '5 5',
  '\u001b[2J',
])('a length of %j ends the server with one line that says so, while the pipe stays open', async (length) => {
  await session.initialize(folder.uri(''));
  session.write(Buffer.from(`Content-Length: ${length}\r\n\r\n{"jsonrpc":"2.0","method":"x"}`));
  session.send({ id: 'behind', method: 'livepatch/lineages', params: {} });
  expect(await session.ended()).toBe(1);
  expect(session.told).toBe(
    `livepatch-lineage: a message cannot have the Content-Length ${JSON.stringify(length)}; the connection is ended.\n`,
  );
});

test('headers without an end are not kept for ever', async () => {
  await session.initialize(folder.uri(''));
  session.write(Buffer.from('X'.repeat(70_000)));
  expect(await session.ended()).toBe(1);
  expect(session.told).toBe(
    'livepatch-lineage: a message cannot have more than 65536 bytes of headers; the connection is ended.\n',
  );
  const first = new RawSession();
  first.write(Buffer.from('X'.repeat(1_200_000)));
  expect(await first.ended()).toBe(1);
});

test('what initialize brings may be anything', async () => {
  const root = folder.uri('');
  for (const params of [
    { capabilities: [], rootUri: root },
    {
      capabilities: { workspace: 7, textDocument: [] },
      workspaceFolders: [null, { uri: 5 }, { uri: root }],
      processId: -1,
    },
    {
      capabilities: {},
      rootUri: root,
      processId: 'x',
      initializationOptions: {
        trusted: 'yes',
        hidden: [{}, '{{{{', '[', 'x*'.repeat(2_000)],
        livepatch: { rules: [1], inlayHints: null },
      },
    },
  ]) {
    const other = new RawSession();
    expect((await other.ask(1, 'initialize', params)).error).toBeUndefined();
    other.send({ method: 'initialized', params: {} });
    expect((await other.ask(2, 'livepatch/lineages', {})).result).toMatchObject({
      lineages: [{ lineage: 'net-fixes' }],
    });
    other.process.kill();
  }
});

test('half a message and then no client: the server is gone, whoever started it', async () => {
  await session.initialize(folder.uri(''));
  session.write(frame('{"jsonrpc":"2.0"', 99_999_999));
  session.process.stdin?.end();
  expect(await session.ended()).toBe(1);
});

test('an error that nobody caught ends the server with a message that can be reported, not with a line of the bundle', async () => {
  const hook = folder.file('hook.cjs');
  writeFileSync(
    hook,
    `process.stdin.on('newListener', () => setTimeout(() => Promise.reject(new TypeError('poisoned turn')), 300));`,
  );
  const broken = new RawSession({ NODE_OPTIONS: `--require ${hook}` });
  await broken.initialize(folder.uri(''));
  expect(await broken.ended()).toBe(3);
  expect(broken.told).toMatch(
    /^livepatch-lineage: internal error, the server ends: TypeError: poisoned turn\n[^]*\nA fault of the program, not of your files: report it with these lines\.\n$/,
  );
  for (const line of broken.told.split('\n')) expect(line.length).toBeLessThan(300);
});

test('messages come in pieces of any size', async () => {
  const random = new Random(7);
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { processId: null, rootUri: folder.uri(''), capabilities: {}, note: 'é\u{1f600}' },
  });
  const bytes = Buffer.concat([
    frame(body),
    frame('{"jsonrpc":"2.0","method":"initialized","params":{}}'),
    frame('{"jsonrpc":"2.0","id":2,"method":"livepatch/lineages","params":{}}'),
  ]);
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + random.below(40);
    session.write(bytes.subarray(at, at + size));
    at += size;
    await new Promise((turn) => setImmediate(turn));
  }
  expect((await session.response(2)).result).toMatchObject({ lineages: [{ lineage: 'net-fixes' }] });
});

test('documents out of order, twice, never opened, with wrong versions and places outside', async () => {
  await session.initialize(folder.uri(''));
  const uri = folder.uri(V2);
  const text = folder.read(V2);
  const change = (version: unknown, range: unknown, what = 'x'): object => ({
    method: 'textDocument/didChange',
    params: { textDocument: { uri, version }, contentChanges: [{ range, text: what }] },
  });
  const at = (line: number, character: number): object => ({ line, character });
  session.send(
    change(4, { start: at(0, 0), end: at(0, 1) }),
    { method: 'textDocument/didClose', params: { textDocument: { uri } } },
    { method: 'textDocument/didSave', params: { textDocument: { uri } } },
    { method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'c', version: 7, text } } },
    { method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'c', version: 7, text } } },
    change(3, { start: at(0, 0), end: at(0, 0) }),
    change(-1, { start: at(-5, -5), end: at(-1, 3) }),
    change(8, { start: at(9_999, 9_999), end: at(99_999, 0) }),
    change(9, { start: at(5, 0), end: at(2, 0) }),
    change(10, { start: at(1, 1e9), end: at(1, 1e10) }),
    change(null, null),
    change('eleven', { start: { line: 'a' }, end: {} }),
    {
      method: 'textDocument/didChange',
      params: { textDocument: { uri, version: 12 }, contentChanges: null },
    },
    { method: 'textDocument/didChange', params: { textDocument: { uri: 7 } } },
    { method: 'textDocument/didOpen', params: {} },
    {
      method: 'textDocument/didOpen',
      params: { textDocument: { uri: 'untitled:x', languageId: 'c', version: 1, text } },
    },
    {
      method: 'textDocument/didOpen',
      params: { textDocument: { uri: 'file://%', languageId: 'c', version: 1, text } },
    },
    { method: 'workspace/didChangeWatchedFiles', params: { changes: null } },
    { method: 'workspace/didChangeWatchedFiles', params: { changes: [{ uri: 'x:y', type: 9 }] } },
    { method: 'workspace/didChangeConfiguration', params: { settings: [null] } },
    { method: 'initialized', params: {} },
  );
  await alive('after the storm');
  // A whole text puts everything right.
  session.send(change(20, undefined, text));
  for (const [id, position] of Object.entries({
    a: at(-1, -1),
    b: at(1e9, 0),
    c: at(0, -7),
    d: at(2, 1e12),
    e: at(0.5, 0.5),
  })) {
    const answer = await session.ask(id, 'textDocument/hover', { textDocument: { uri }, position });
    expect(answer.error, id).toBeUndefined();
    expect(answer.result, id).toBeNull();
  }
  const line = text.slice(0, text.indexOf('klp_patch patch')).split('\n').length - 1;
  const hover = await session.ask('whole', 'textDocument/hover', {
    textDocument: { uri },
    position: at(line, text.split('\n')[line]?.indexOf('patch patch') ?? 0),
  });
  expect(hover.error).toBeUndefined();
});

const SEEDS = made(1, 40, (random) => [random.below(1_000_000)] as const);

test.each(SEEDS)('random messages of seed %d: each request is answered', async (seed) => {
  await session.initialize(folder.uri(''));
  await alive('before');
  const random = new Random(seed);
  const methods = [
    'textDocument/hover',
    'textDocument/definition',
    'textDocument/references',
    'textDocument/completion',
    'textDocument/rename',
    'textDocument/prepareRename',
    'textDocument/codeAction',
    'textDocument/codeLens',
    'textDocument/inlayHint',
    'textDocument/signatureHelp',
    'textDocument/documentSymbol',
    'textDocument/foldingRange',
    'workspace/symbol',
    'workspace/executeCommand',
    'livepatch/lineages',
    'livepatch/panel',
    'livepatch/transition',
    'livepatch/scaffold',
    'livepatch/newVersion',
    'livepatch/steps',
    'livepatch/simulate',
    'livepatch/explain',
    'livepatch/runbook',
    'livepatch/init',
    'livepatch/compare',
    'livepatch/page',
    'livepatch/rehearsal',
    'livepatch/revision',
  ];
  const value = (depth: number): unknown => {
    if (depth > 0 && random.below(2) === 0) {
      const keys = [
        'textDocument',
        'position',
        'range',
        'uri',
        'line',
        'character',
        'manifest',
        'from',
        'to',
        'restore',
        'after',
        'as',
        'steps',
        'context',
        'newName',
        'query',
        'folder',
        'code',
        'values',
        'start',
        'end',
        '__proto__',
      ];
      return Object.fromEntries(
        Array.from({ length: random.below(6) }, () => [random.pick(keys), value(depth - 1)]),
      );
    }
    return random.pick<unknown>([
      null,
      0,
      -1,
      1e308,
      '',
      'v1',
      'v2',
      'none',
      '__proto__',
      'constructor',
      [],
      ['v2'],
      true,
      folder.uri(MANIFEST),
      folder.uri(V2),
      'file:///',
      'file:///etc/passwd',
      '../../x',
      '\ud800',
      'load v1; load v2',
      'x'.repeat(5_000),
    ]);
  };
  for (let first = 0; first < 600; first += 50) {
    const ids = Array.from({ length: 50 }, (_, i) => `r${first + i}`);
    session.send(
      ...ids.map((id) => {
        const known = {
          textDocument: { uri: folder.uri(random.pick([MANIFEST, V2])) },
          manifest: folder.uri(MANIFEST),
        };
        const params = random.below(2) === 0 ? value(3) : { ...known, ...(value(2) as object | null) };
        return { id, method: random.pick(methods), params };
      }),
    );
    for (const id of ids) expect((await session.response(id)).id).toBe(id);
  }
  await alive('behind');
});

test('a storm of requests and cancellations, and the last one is answered', async () => {
  await session.initialize(folder.uri(''));
  await alive('before');
  const params = { manifest: folder.uri(MANIFEST), from: 'v1', to: 'v2' };
  const ids = Array.from({ length: 1_000 }, (_, i) => `s${i}`);
  for (let at = 0; at < ids.length; at += 100)
    session.send(
      ...ids.slice(at, at + 100).flatMap((id) => [
        { id, method: 'livepatch/transition', params },
        { method: '$/cancelRequest', params: { id } },
        { method: '$/cancelRequest', params: { id: `never ${id}` } },
      ]),
    );
  session.send(
    { method: '$/cancelRequest', params: null },
    { method: '$/cancelRequest', params: { id: {} } },
  );
  for (const id of ids) await session.response(id);
  await alive('behind');
});

test('after shutdown a request is refused, and closing the pipe is enough', async () => {
  await session.initialize(folder.uri(''));
  await session.ask('bye', 'shutdown');
  const late = await session.ask('late', 'livepatch/lineages', {});
  expect(late.error?.code).toBe(ErrorCodes.InvalidRequest);
  session.process.stdin?.end();
  await session.ended();
});

test('the client is killed: the server is gone, also one that has not been told of its process', async () => {
  await session.initialize(folder.uri(''));
  await alive('before');
  session.process.stdin?.destroy();
  session.process.stdout?.destroy();
  await session.ended();
});

test('the client is killed while the server computes: it is gone when it looks up', async () => {
  const versions = Array.from(
    { length: 14 },
    (_, i) => `  - { version: v${i}, module: lp_${i}, sources: v2/*.c }\n`,
  );
  writeFileSync(folder.file(MANIFEST), `lineage: a\nkernel: "6.1"\nversions:\n${versions.join('')}`);
  await session.initialize(folder.uri(''));
  session.send({ id: 'long', method: 'livepatch/panel', params: { manifest: folder.uri(MANIFEST) } });
  await once(session.process.stdout as NodeJS.ReadableStream, 'data');
  session.process.stdin?.destroy();
  session.process.stdout?.destroy();
  await session.ended();
});
