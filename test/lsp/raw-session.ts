import { type ChildProcess, spawn } from 'node:child_process';
import { StreamMessageReader } from 'vscode-languageserver/node';
import { SERVER } from './client';

interface Response {
  readonly id?: number | string | null;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Messages as they go over the wire, for what a well-behaved client never sends. */
export class RawSession {
  readonly process: ChildProcess;
  /** What it wrote to standard error. */
  told = '';
  readonly #responses = new Map<number | string, Response>();
  #waiting: (() => void)[] = [];

  /** `env` goes over the environment of this process. */
  constructor(env: NodeJS.ProcessEnv = {}) {
    this.process = spawn(process.execPath, [SERVER, '--stdio'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const { stdin, stdout, stderr } = this.process;
    stderr?.on('data', (data) => {
      this.told += String(data);
    });
    // A server that ended does not take what is still sent to it.
    stdin?.on('error', () => undefined);
    if (!stdout) throw new Error('no pipe');
    new StreamMessageReader(stdout).listen((message) => {
      const response = message as Response;
      if (response.id !== undefined && response.id !== null && !('method' in message))
        this.#responses.set(response.id, response);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.process.once('exit', () => {
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** Sends messages in one piece, so that the server reads them all before it answers the first. */
  send(...messages: readonly object[]): void {
    const frames = messages.map((message) => {
      const body = JSON.stringify({ jsonrpc: '2.0', ...message });
      return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    });
    this.process.stdin?.write(frames.join(''));
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    this.process.stdin?.write(bytes);
  }

  async response(id: number | string): Promise<Response> {
    const end = Date.now() + 15_000;
    for (;;) {
      const known = this.#responses.get(id);
      if (known) return known;
      if (this.process.exitCode !== null) throw new Error(`the server ended with ${this.process.exitCode}`);
      if (Date.now() > end) throw new Error(`no response to ${id}`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, 500);
        this.#waiting.push(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
  }

  async ask(id: number | string, method: string, params?: unknown): Promise<Response> {
    this.send({ id, method, ...(params === undefined ? {} : { params }) });
    return this.response(id);
  }

  async initialize(rootUri: string | null): Promise<Response> {
    const answer = await this.ask('initialize', 'initialize', { processId: null, rootUri, capabilities: {} });
    this.send({ method: 'initialized', params: {} });
    return answer;
  }

  ended(): Promise<number | null> {
    return this.process.exitCode !== null
      ? Promise.resolve(this.process.exitCode)
      : new Promise((done) => this.process.once('exit', done));
  }
}
