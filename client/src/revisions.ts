import * as vscode from 'vscode';
import { REVISION_REQUEST, type RevisionParams, type RevisionResult } from '../../server/src/lsp/protocol';
import type { ServerHandle } from './server-handle';

/** As the server calls files of a git revision. */
export const REVISION_SCHEME = 'livepatch-revision';

/** Files as they are in a revision, as read-only documents. What stands in a revision never changes. */
export class Revisions implements vscode.TextDocumentContentProvider {
  readonly #server: ServerHandle;

  constructor(server: ServerHandle) {
    this.#server = server;
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const params: RevisionParams = { uri: uri.toString() };
    const answer = await this.#server.request<RevisionResult>(REVISION_REQUEST, params, true);
    if (answer === null)
      throw new Error(vscode.l10n.t('No livepatch lineage names this file of a revision: {0}', uri.path));
    return answer.text;
  }
}
