import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeVscode } from './fake-vscode';

const vscode = fakeVscode();
vi.mock('vscode', () => vscode);

/** What the server was asked; a test answers when it likes. */
const asked: {
  readonly method: string;
  readonly token: { readonly isCancellationRequested: boolean };
  readonly answer: (value: unknown) => void;
  readonly fail: (error: Error) => void;
}[] = [];
vi.mock('../../client/src/server', () => ({
  startServer: async () => ({
    sendRequest: (method: string, _params: object, token: { isCancellationRequested: boolean }) =>
      new Promise((answer, fail) => asked.push({ method, token, answer, fail })),
  }),
}));

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  vscode.progress.length = 0;
  vscode.warnings.length = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

async function handle() {
  const { ServerHandle } = await import('../../client/src/server-handle');
  const status = { busy() {}, ready() {}, trouble() {} };
  return new ServerHandle('/extension', vscode.channel as never, status as never);
}

test('an answer that comes soon shows nothing', async () => {
  const answer = (await handle()).request('livepatch/lineages', {});
  await vi.advanceTimersByTimeAsync(900);
  asked[0]?.answer({ lineages: [] });
  expect(await answer).toEqual({ lineages: [] });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(vscode.progress).toEqual([]);
});

test('one that takes long says so until it is there', async () => {
  const answer = (await handle()).request('livepatch/scaffold', {});
  await vi.advanceTimersByTimeAsync(1_100);
  expect(vscode.progress).toMatchObject([
    { options: { title: 'Analysing livepatches', cancellable: true }, done: false },
  ]);
  asked[0]?.answer('made');
  expect(await answer).toBe('made');
  await vi.advanceTimersByTimeAsync(0);
  expect(vscode.progress[0]?.done).toBe(true);
});

test("a person gives up: at once, the server is told, and what it still says is nobody's business", async () => {
  const answer = (await handle()).request('livepatch/scaffold', {});
  const ended = expect(answer).rejects.toBeInstanceOf(vscode.CancellationError);
  await vi.advanceTimersByTimeAsync(1_100);
  vscode.progress[0]?.cancel();
  await ended;
  expect(asked[0]?.token.isCancellationRequested).toBe(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(vscode.progress[0]?.done).toBe(true);
  asked[0]?.fail(new Error('The request was cancelled.'));
  await vi.advanceTimersByTimeAsync(0);
});

test('an error that comes late is the error of the request', async () => {
  const answer = (await handle()).request('livepatch/scaffold', {});
  const ended = expect(answer).rejects.toThrow('broken');
  await vi.advanceTimersByTimeAsync(1_100);
  asked[0]?.fail(new Error('broken'));
  await ended;
  await vi.advanceTimersByTimeAsync(0);
  expect(vscode.progress[0]?.done).toBe(true);
});

test('what follows an edit by itself never shows a notification', async () => {
  const answer = (await handle()).request('livepatch/panel', {}, true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(vscode.progress).toEqual([]);
  asked[0]?.answer(null);
  expect(await answer).toBeNull();
});
