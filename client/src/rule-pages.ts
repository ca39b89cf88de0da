import * as vscode from 'vscode';
import { PAGE_REQUEST, type PageParams } from '../../server/src/lsp/protocol';
import type { ServerHandle } from './server-handle';

export const RULE_SCHEME = 'livepatch-rule';

/** The rule that a page's path names: `/orphaned-side-effect.md`. Null for any other path. */
export function ruleOfPath(path: string): string | null {
  return /^\/([a-z0-9-]{1,60})\.md$/.exec(path)?.[1] ?? null;
}

/** The pages that a finding's code links to, as read-only documents. */
export class RulePages implements vscode.TextDocumentContentProvider {
  readonly #server: ServerHandle;

  constructor(server: ServerHandle) {
    this.#server = server;
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const code = ruleOfPath(uri.path);
    const params: PageParams = { code: code ?? '' };
    const page =
      code === null
        ? null
        : await this.#server.request<{ markdown: string } | null>(PAGE_REQUEST, params, true);
    return page?.markdown ?? `${vscode.l10n.t('There is no rule of this name: {0}', uri.path)}\n`;
  }
}
