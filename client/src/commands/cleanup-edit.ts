import * as vscode from 'vscode';
import type { ScaffoldResult } from '../../../server/src/lsp/protocol';

type Scaffold = Extract<ScaffoldResult, { ok: true }>;

/**
 * The new files and the manifest's entry as one edit that the editor shows before it is applied.
 *
 * The editor previews an edit when one of its parts asks for confirmation, and leaves just these parts unticked. So
 * that a person need not tick every file, the part that asks is one that changes nothing.
 */
export function cleanupEdit(manifest: vscode.Uri, scaffold: Scaffold, title: string): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  const metadata: vscode.WorkspaceEditEntryMetadata = {
    needsConfirmation: false,
    label: title,
    // The worst that is to be known, before it is accepted.
    description: scaffold.notes[0] ?? '',
  };
  const start = new vscode.Position(0, 0);
  // First every file, then every text: so the texts are one step to undo, whichever of them is open by then.
  const files = scaffold.files.map((file) => ({ uri: vscode.Uri.parse(file.uri), text: file.text }));
  for (const { uri } of files) edit.createFile(uri, { overwrite: false, ignoreIfExists: false }, metadata);
  for (const { uri, text } of files) edit.insert(uri, start, text, metadata);
  for (const { range, newText } of scaffold.manifestEdits) {
    const { start: from, end: to } = range;
    edit.replace(
      manifest,
      new vscode.Range(from.line, from.character, to.line, to.character),
      newText,
      metadata,
    );
  }
  edit.insert(manifest, start, '', {
    needsConfirmation: true,
    label: vscode.l10n.t('Preview (changes nothing)'),
  });
  return edit;
}
