import { join } from 'node:path';
import type * as vscode from 'vscode';
import {
  CloseAction,
  type ErrorHandler,
  LanguageClient,
  type LanguageClientOptions,
  State,
  TransportKind,
} from 'vscode-languageclient/node';
import {
  CHANGED_NOTIFICATION,
  type InitializationOptions,
  type ManifestParams,
  STATUS_NOTIFICATION,
  type StatusParams,
} from '../../server/src/lsp/protocol';
import { DOCUMENT_SELECTOR } from './documents';
import type { ServerEvents } from './server-handle';

/**
 * Starts the language server with the editor's own Node and resolves when it answers. One that dies is started again by
 * the client, which tells it all that is open; the options are asked for anew, since trust may have been granted since.
 */
export async function startServer(
  extensionPath: string,
  log: vscode.LogOutputChannel,
  initializationOptions: () => InitializationOptions,
  events: ServerEvents,
): Promise<LanguageClient> {
  const module = join(extensionPath, 'dist', 'server.js');
  let known: ErrorHandler | undefined;
  const standard = (): ErrorHandler => (known ??= client.createDefaultErrorHandler());
  const options: LanguageClientOptions = {
    initializationOptions,
    errorHandler: {
      error: (...about) => standard().error(...about),
      closed: async () => {
        const result = await standard().closed();
        if (result.action === CloseAction.DoNotRestart) events.gone();
        return result;
      },
    },
    documentSelector: DOCUMENT_SELECTOR,
    outputChannel: log,
    markdown: { isTrusted: false, supportHtml: false },
  };
  const client = new LanguageClient(
    'livepatch',
    'Livepatch Lineage',
    { run: { module, transport: TransportKind.ipc }, debug: { module, transport: TransportKind.ipc } },
    options,
  );
  client.onNotification(CHANGED_NOTIFICATION, (params: ManifestParams) => events.changed(params.manifest));
  client.onNotification(STATUS_NOTIFICATION, (params: StatusParams) => events.status(params));
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Stopped) events.stopped();
    if (newState === State.Running) events.running();
  });
  await client.start();
  return client;
}
