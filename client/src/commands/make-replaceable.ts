import * as vscode from 'vscode';
import { REPLACEABLE_REQUEST, type ReplaceableResult } from '../../../server/src/lsp/protocol';
import { chooseLineage } from '../lineages';
import type { ServerHandle } from '../server-handle';
import { readPairWish } from './run-choice';

/**
 * Livepatch: Make This Version Replaceable. Publishes in klp_states what only a draft knows: one undoable edit, and
 * what is left to be done by hand. The argument is `{ manifest, to }`.
 */
export async function makeReplaceable(server: ServerHandle, argument?: unknown): Promise<void> {
  const wish = readPairWish(argument);
  const lineage = await chooseLineage(server, wish.manifest);
  if (lineage === undefined) return;
  const { manifest } = lineage;
  const drafts = lineage.versions
    .filter((one) => one.status === 'draft')
    .map((one) => ({ label: one.version, description: `· ${one.module}` }));
  const version =
    wish.to ??
    (await vscode.window.showQuickPick(drafts, { title: vscode.l10n.t('Make which draft replaceable?') }))
      ?.label;
  if (version === undefined) return;
  const { edits, reasons } = await server.request<ReplaceableResult>(REPLACEABLE_REQUEST, {
    manifest,
    version,
  });
  const edit = new vscode.WorkspaceEdit();
  // Where the first change stands, in the text before and after it.
  let shown: vscode.TextDocumentShowOptions | undefined;
  for (const { uri, range, newText } of edits) {
    const { start, end } = range;
    const selection = new vscode.Range(start.line, start.character, end.line, end.character);
    shown ??= { preview: false, selection };
    edit.replace(vscode.Uri.parse(uri), selection, newText);
  }
  const [first] = edits;
  if (first) {
    await vscode.workspace.applyEdit(edit);
    await vscode.window.showTextDocument(vscode.Uri.parse(first.uri), shown);
  }
  if (reasons.length > 0) void vscode.window.showWarningMessage(reasons.join(' '));
}
