import { LanguageClient, TransportKind } from 'vscode-languageclient/node';

let client: LanguageClient | undefined;

/** What the client of a minimal language server does, as in the documentation of the editor. */
export function activate(): Promise<void> {
  const run = { module: 'server.js', transport: TransportKind.ipc };
  client = new LanguageClient('bare', 'Bare', { run, debug: run }, { documentSelector: [{ language: 'c' }] });
  return client.start();
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}
