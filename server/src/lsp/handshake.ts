import { initializeResult } from './capabilities';

/** The id of a request that is answered already. */
export type Answered = number | string;

/** What main.ts hands out. */
export interface ServerScript {
  serve(answered?: Answered): void;
}

/** More than this before the first message is complete is no handshake. */
const LONGEST_HANDSHAKE = 0x100000;

/**
 * Answers `initialize` before the server itself is loaded, which takes longer than everything before it: the editor
 * goes on meanwhile. The server then reads the same message again, and keeps its own answer to itself (`withoutAnswer`
 * in serve.ts). Anything else that comes first is left to the server.
 */
export function start(load: () => ServerScript): void {
  if (process.argv.includes('--stdio')) overStreams(load);
  else if (process.argv.includes('--node-ipc') && process.send) overChannel(load);
  else load().serve();
}

function overStreams(load: () => ServerScript): void {
  const { stdin, stdout } = process;
  const gone = (): never => process.exit(1);
  stdin.once('end', gone);
  stdout.once('error', gone);
  let seen: Buffer = Buffer.alloc(0);
  const look = (): void => {
    for (let chunk = stdin.read(); chunk !== null; chunk = stdin.read()) seen = Buffer.concat([seen, chunk]);
    const message = firstMessage(seen);
    if (message === undefined) return;
    stdin.off('readable', look);
    stdin.unshift(seen);
    const answer = answerTo(message);
    const go = (): void => {
      stdin.off('end', gone);
      stdout.off('error', gone);
      load().serve(answer?.id);
    };
    if (answer === null) {
      setImmediate(go);
      return;
    }
    const body = JSON.stringify(answer);
    stdout.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => setImmediate(go));
  };
  stdin.on('readable', look);
}

function overChannel(load: () => ServerScript): void {
  const kept: unknown[] = [];
  const keep = (message: unknown): void => {
    if (kept.push(message) > 1) return;
    const answer = answerTo(message);
    const go = (): void => {
      load().serve(answer?.id);
      process.off('message', keep);
      for (const one of kept) process.emit('message', one, undefined);
    };
    if (answer === null) setImmediate(go);
    else process.send?.(answer, undefined, {}, () => setImmediate(go));
  };
  process.on('message', keep);
}

/** The first message in bytes of the protocol; undefined where more has to come, null where there will be none. */
export function firstMessage(bytes: Buffer): unknown {
  const end = bytes.indexOf('\r\n\r\n');
  const length = end < 0 ? undefined : /^content-length: *(\d+) *$/im.exec(bytes.toString('latin1', 0, end));
  if (length === null || bytes.length > LONGEST_HANDSHAKE) return null;
  if (length === undefined) return undefined;
  const stop = end + 4 + Number(length[1]);
  if (stop > bytes.length) return stop > LONGEST_HANDSHAKE ? null : undefined;
  try {
    return JSON.parse(bytes.toString('utf8', end + 4, stop));
  } catch {
    return null;
  }
}

/** The response to a request for `initialize`; null for any other message. */
function answerTo(message: unknown): { jsonrpc: '2.0'; id: Answered; result: unknown } | null {
  const { id, method, params } = (message ?? {}) as { id?: unknown; method?: unknown; params?: unknown };
  if (method !== 'initialize' || (typeof id !== 'number' && typeof id !== 'string')) return null;
  const capabilities = (params as { capabilities?: unknown } | null | undefined)?.capabilities;
  if (typeof capabilities !== 'object' || capabilities === null) return null;
  return { jsonrpc: '2.0', id, result: initializeResult(capabilities) };
}
