import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { type StatusParams, TRUSTED_NOTIFICATION } from '../../server/src/lsp/protocol';
import type { StatusItem } from './status-item';

export interface ServerEvents {
  changed(manifest: string): void;
  status(params: StatusParams): void;
  running(): void;
  stopped(): void;
  /** It died so often that it is not started again by itself. */
  gone(): void;
}

/** Milliseconds after which an answer is late. */
const LATE = 1_000;

/** The answer; where it is late, behind a notification with a button that gives it up. */
async function cancellable<R>(answer: Promise<R>, cancel: () => void): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const options = {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Analysing livepatches'),
        cancellable: true,
      };
      void vscode.window.withProgress(options, (_progress, token) => {
        token.onCancellationRequested(() => {
          cancel();
          reject(new vscode.CancellationError());
        });
        return Promise.race([answer, late]).catch(() => undefined);
      });
    }, LATE);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The language server, started once, when something first needs it. */
export class ServerHandle implements vscode.Disposable {
  readonly #extensionPath: string;
  readonly #log: vscode.LogOutputChannel;
  readonly #status: StatusItem;
  readonly #changed = new vscode.EventEmitter<string>();
  #client: Promise<LanguageClient> | null = null;

  constructor(extensionPath: string, log: vscode.LogOutputChannel, status: StatusItem) {
    this.#extensionPath = extensionPath;
    this.#log = log;
    this.#status = status;
  }

  /** Fires with the URI of a manifest whose lineage has been analysed anew. */
  get onChanged(): vscode.Event<string> {
    return this.#changed.event;
  }

  /** Something outside of the server changed what is known of a lineage: a rehearsal has ended. */
  changed(manifest: string): void {
    this.#changed.fire(manifest);
  }

  /** The running client. Rejects when the server cannot be started; the next call tries again. */
  start(): Promise<LanguageClient> {
    this.#client ??= this.#begin();
    return this.#client;
  }

  /**
   * Sends one of the requests of protocol.ts; `R` is what that request answers. One that takes long says so and can be
   * cancelled (a CancellationError), unless it is `quiet`: nobody waits for what follows an edit by itself.
   */
  async request<R>(method: string, params: object, quiet = false): Promise<R> {
    const client = await this.start();
    const source = new vscode.CancellationTokenSource();
    const answer = client.sendRequest<R>(method, params, source.token);
    return quiet ? answer : cancellable(answer, () => source.cancel());
  }

  /** From now on the workspace is trusted; a server that starts later is told by then. */
  trust(): void {
    void this.#client?.then((client) => client.sendNotification(TRUSTED_NOTIFICATION)).catch(() => undefined);
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    try {
      await (await client).stop();
    } catch (error) {
      this.#log.warn(`the server did not stop in order: ${String(error)}`);
    }
  }

  dispose(): void {
    this.#changed.dispose();
  }

  async #begin(): Promise<LanguageClient> {
    this.#status.busy(vscode.l10n.t('starting'));
    try {
      // Loaded here and not above: a C file without livepatches shall cost nothing but reading it.
      const { startServer } = await import('./server');
      const hides = vscode.workspace.getConfiguration('files').get<Record<string, unknown>>('exclude') ?? {};
      const options = () => ({
        trusted: vscode.workspace.isTrusted,
        hidden: Object.keys(hides).filter((pattern) => hides[pattern] === true),
      });
      return await startServer(this.#extensionPath, this.#log, options, {
        changed: (manifest) => this.#changed.fire(manifest),
        status: ({ busy, text }) => (busy ? this.#status.busy(text) : this.#status.ready(text)),
        running: () => this.#status.ready(''),
        // The next command tries again.
        gone: () => {
          this.#client = null;
        },
        stopped: () => this.#status.trouble(vscode.l10n.t('the language server has stopped')),
      });
    } catch (error) {
      this.#client = null;
      this.#log.error(error instanceof Error ? error : String(error));
      this.#status.trouble(vscode.l10n.t('the language server could not be started'));
      throw new Error(vscode.l10n.t('The livepatch language server could not be started; its log says why.'));
    }
  }
}
