import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type CodeAction,
  createProtocolConnection,
  type Diagnostic,
  type Hover,
  type InitializeResult,
  type ProtocolConnection,
  type Range,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';

const ROOT = resolve(import.meta.dirname, '../..');
/** The packaged server: what is tested is what is shipped. */
export const SERVER = join(ROOT, 'dist', 'server.js');

interface Published {
  readonly version: number | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export const CAPABILITIES = {
  workspace: {
    didChangeWatchedFiles: { dynamicRegistration: true },
    workspaceEdit: { documentChanges: true },
  },
  textDocument: { codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['quickfix'] } } } },
};

/** A client on a real connection to the built server, for one test. */
export class TestClient {
  readonly connection: ProtocolConnection;
  readonly process: ChildProcess;
  readonly initialized: Promise<InitializeResult>;
  readonly #diagnostics = new Map<string, Published>();
  readonly #history: { uri: string; published: Published }[] = [];
  #waiting: (() => void)[] = [];
  #versions = new Map<string, number>();

  /** `answers` sets what the client answers to the server's requests. */
  constructor(
    folder: string,
    capabilities: object = CAPABILITIES,
    options: object | null = null,
    answers: (connection: ProtocolConnection) => void = (connection) =>
      connection.onRequest('client/registerCapability', () => null),
  ) {
    if (!existsSync(SERVER)) throw new Error(`${SERVER} is missing: npm run build`);
    this.process = spawn(process.execPath, [SERVER, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdin, stdout } = this.process;
    if (!stdin || !stdout) throw new Error('no pipes');
    this.connection = createProtocolConnection(
      new StreamMessageReader(stdout),
      new StreamMessageWriter(stdin),
    );
    this.connection.onNotification(
      'textDocument/publishDiagnostics',
      (params: { uri: string; version?: number; diagnostics: Diagnostic[] }) => {
        const published = { version: params.version, diagnostics: params.diagnostics };
        this.#diagnostics.set(params.uri, published);
        this.#history.push({ uri: params.uri, published });
        for (const wake of this.#waiting.splice(0)) wake();
      },
    );
    answers(this.connection);
    this.connection.listen();
    this.initialized = this.#initialize(folder, capabilities, options);
  }

  async #initialize(folder: string, capabilities: object, options: object | null): Promise<InitializeResult> {
    const uri = pathToFileURL(folder).toString();
    const result = await this.connection.sendRequest<InitializeResult>('initialize', {
      processId: process.pid,
      rootUri: uri,
      workspaceFolders: [{ uri, name: 'test' }],
      capabilities,
      ...(options ? { initializationOptions: options } : {}),
    });
    await this.connection.sendNotification('initialized', {});
    return result;
  }

  async open(path: string, languageId: string, text: string): Promise<string> {
    const uri = pathToFileURL(path).toString();
    this.#versions.set(uri, 1);
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId, version: 1, text },
    });
    return uri;
  }

  async change(
    uri: string,
    changes: readonly {
      range?: { start: { line: number; character: number }; end: { line: number; character: number } };
      text: string;
    }[],
  ): Promise<number> {
    const version = (this.#versions.get(uri) ?? 0) + 1;
    this.#versions.set(uri, version);
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges: changes,
    });
    return version;
  }

  hover(uri: string, line: number, character: number): Promise<Hover | null> {
    return this.connection.sendRequest('textDocument/hover', {
      textDocument: { uri },
      position: { line, character },
    });
  }

  codeActions(uri: string, range: Range, only?: readonly string[]): Promise<CodeAction[]> {
    return this.connection.sendRequest('textDocument/codeAction', {
      textDocument: { uri },
      range,
      context: { diagnostics: this.diagnostics(uri), ...(only ? { only } : {}) },
    });
  }

  /** Everything published so far, in order. */
  get history(): readonly { readonly uri: string; readonly published: Published }[] {
    return this.#history;
  }

  diagnostics(uri: string): readonly Diagnostic[] {
    return this.#diagnostics.get(uri)?.diagnostics ?? [];
  }

  /** Waits until the diagnostics of a file are as wanted. */
  async until(
    uri: string,
    wanted: (diagnostics: readonly Diagnostic[], version: number | undefined) => boolean,
  ): Promise<readonly Diagnostic[]> {
    const end = Date.now() + 15_000;
    for (;;) {
      const known = this.#diagnostics.get(uri);
      if (known && wanted(known.diagnostics, known.version)) return known.diagnostics;
      const left = end - Date.now();
      if (left <= 0) throw new Error(`${uri}: last diagnostics were ${JSON.stringify(known)}`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, Math.min(left, 1_000));
        this.#waiting.push(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
  }

  /** Ends the session in the protocol's way; answers the server's exit code. */
  async close(): Promise<number | null> {
    const ended = new Promise<number | null>((done) => this.process.once('exit', done));
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    const code = await ended;
    this.connection.dispose();
    return code;
  }
}
