import { fork } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { firstMessage } from '../../server/src/lsp/handshake';
import { SERVER } from './client';
import { RawSession } from './raw-session';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { processId: process.pid, rootUri: null, capabilities: {}, more: 'größer' },
};
const SHUTDOWN = { jsonrpc: '2.0', id: 2, method: 'shutdown' };

function frame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

describe('the first message of a stream', () => {
  const bytes = frame(INITIALIZE);

  test('is the message, whatever follows it', () => {
    expect(firstMessage(bytes)).toEqual(INITIALIZE);
    expect(firstMessage(Buffer.concat([bytes, frame(SHUTDOWN)]))).toEqual(INITIALIZE);
    const typed = Buffer.from(bytes.toString().replace('\r\n', '\r\nContent-Type: application/json\r\n'));
    expect(firstMessage(typed)).toEqual(INITIALIZE);
  });

  test.each([0, 1, 16, bytes.indexOf('{') - 1, bytes.indexOf('{'), bytes.length - 1])(
    'has more to come after %i bytes',
    (length) => expect(firstMessage(bytes.subarray(0, length))).toBeUndefined(),
  );

  test.each([
    ['a header without a length', 'Content-Type: application/json\r\n\r\n{}'],
    ['a length below zero', 'Content-Length: -5\r\n\r\n{}'],
    ['a body that is no JSON', 'Content-Length: 4\r\n\r\n{ooo'],
    ['a length that no handshake has', 'Content-Length: 99999999\r\n\r\n{'],
    ['more than a handshake without an end', `Content-Length: 2${' '.repeat(0x100000)}`],
  ])('is none for %s', (_, text) => expect(firstMessage(Buffer.from(text))).toBeNull());
});

describe('a server that answers before it is loaded', () => {
  test('answers once, also when the message comes in pieces', async () => {
    const session = new RawSession();
    const heard: unknown[] = [];
    session.process.stdout?.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    const bytes = frame(INITIALIZE);
    const middle = bytes.indexOf('ö') + 1;
    session.write(bytes.subarray(0, middle));
    await new Promise((done) => setTimeout(done, 100));
    session.write(bytes.subarray(middle));
    const { result } = await session.response(1);
    expect(result).toMatchObject({
      serverInfo: { name: 'livepatch-lineage' },
      capabilities: { hoverProvider: true, documentSymbolProvider: true },
    });
    session.send({ method: 'initialized', params: {} }, SHUTDOWN);
    expect((await session.response(2)).result).toBeNull();
    session.send({ method: 'exit' });
    expect(await session.ended()).toBe(0);
    expect(heard.join('').match(/"id":1\b/g)).toHaveLength(1);
  });

  test('answers what comes with the first message in one piece', async () => {
    const session = new RawSession();
    session.send(INITIALIZE, { method: 'initialized', params: {} }, SHUTDOWN);
    expect((await session.response(1)).result).toBeDefined();
    expect((await session.response(2)).result).toBeNull();
    session.send({ method: 'exit' });
    expect(await session.ended()).toBe(0);
  });

  test('leaves a handshake without capabilities, or a long one, to the server', async () => {
    const none = new RawSession();
    none.send({ id: 1, method: 'initialize', params: null });
    expect((await none.response(1)).error).toBeDefined();
    none.process.kill();
    const long = new RawSession();
    long.send({ ...INITIALIZE, params: { ...INITIALIZE.params, more: 'x'.repeat(0x110000) } });
    expect((await long.response(1)).result).toBeDefined();
    long.process.kill();
  });

  test('answers once over a channel between processes', async () => {
    const child = fork(SERVER, ['--node-ipc'], { stdio: 'ignore' });
    const heard: { id?: unknown; result?: unknown }[] = [];
    const answered = (id: number): Promise<unknown> =>
      new Promise((done) => {
        const look = (message: unknown): void => {
          if ((message as { id?: unknown }).id === id) done((message as { result?: unknown }).result);
        };
        child.on('message', look);
      });
    child.on('message', (message) => heard.push(message as { id?: unknown }));
    const first = answered(1);
    child.send(INITIALIZE);
    expect(await first).toMatchObject({ serverInfo: { name: 'livepatch-lineage' } });
    child.send({ jsonrpc: '2.0', method: 'initialized', params: {} });
    const second = answered(2);
    child.send(SHUTDOWN);
    expect(await second).toBeNull();
    expect(heard.filter(({ id }) => id === 1)).toHaveLength(1);
    const ended = new Promise((done) => child.once('exit', done));
    child.send({ jsonrpc: '2.0', method: 'exit' });
    expect(await ended).toBe(0);
  });
});

describe('what is compiled is kept', () => {
  const cache = mkdtempSync(join(tmpdir(), 'livepatch-code-'));
  afterAll(() => rmSync(cache, { recursive: true, force: true }));

  async function session(place = cache): Promise<unknown> {
    const raw = new RawSession({ LIVEPATCH_LINEAGE_CACHE: place });
    raw.send(INITIALIZE, { method: 'initialized', params: {} }, SHUTDOWN, { method: 'exit' });
    const { result } = await raw.response(1);
    expect(await raw.ended()).toBe(0);
    return result;
  }
  const only = (): string => {
    const names = readdirSync(join(cache, 'code'));
    expect(names).toHaveLength(1);
    return join(cache, 'code', names[0] ?? '');
  };

  test('for this person alone, and used by the next start', async () => {
    const first = await session();
    const kept = statSync(only());
    expect(kept.mode & 0o077).toBe(0);
    expect(await session()).toEqual(first);
    // Nothing was written anew: what was kept has been taken.
    expect(statSync(only()).ino).toBe(kept.ino);
  });

  test.each([
    [
      'of another build',
      (file: string) => writeFileSync(file, `1 1 2\n${readFileSync(file, 'latin1')}`, 'latin1'),
    ],
    ['cut off', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 100))],
    ['empty', (file: string) => writeFileSync(file, '')],
    ['that others may write', (file: string) => chmodSync(file, 0o666)],
  ])('a file %s is not used, and made anew', async (_, spoil) => {
    const before = readFileSync(only()).length;
    spoil(only());
    expect(await session()).toBeDefined();
    const after = statSync(only());
    expect(after.mode & 0o077).toBe(0);
    expect(after.size).toBeGreaterThan(before / 2);
  });

  test('or not, where no folder can be made', async () => {
    const file = join(cache, 'file');
    writeFileSync(file, '');
    for (const place of [join(file, 'below'), '/proc/nowhere/deep'])
      expect(await session(place)).toBeDefined();
  });
});
