import * as vscode from 'vscode';
import { INIT_REQUEST, type InitParams, type InitResult } from '../../../server/src/lsp/protocol';
import { tellOfNoDisk } from '../lineages';
import type { ServerHandle } from '../server-handle';

/** Livepatch: Create Manifest From Sources. Shows the manifest as a preview and makes it as one undoable edit. */
export async function createManifest(server: ServerHandle, argument?: unknown): Promise<void> {
  if (tellOfNoDisk()) return;
  const folder = folderOf(argument) ?? (await askFolder());
  if (folder === undefined) return;
  const params: InitParams = { folder: folder.toString() };
  const answer = await server.request<InitResult>(INIT_REQUEST, params);
  if (!answer.ok) {
    void vscode.window.showWarningMessage(answer.reason);
    return;
  }
  const uri = vscode.Uri.parse(answer.uri);
  const title = vscode.l10n.t('Manifest from the sources of {0}', vscode.workspace.asRelativePath(folder));
  const edit = new vscode.WorkspaceEdit();
  const metadata: vscode.WorkspaceEditEntryMetadata = { needsConfirmation: false, label: title };
  const start = new vscode.Position(0, 0);
  edit.createFile(uri, { overwrite: false, ignoreIfExists: false }, metadata);
  edit.insert(uri, start, answer.text, metadata);
  // The part that asks for the preview changes nothing: it need not be ticked.
  const asking = { needsConfirmation: true, label: vscode.l10n.t('Preview (changes nothing)') };
  edit.insert(uri, start, '', asking);
  if (!(await vscode.workspace.applyEdit(edit, { isRefactoring: true }))) {
    void vscode.window.showInformationMessage(vscode.l10n.t('No manifest was made; nothing was changed.'));
    return;
  }
  await vscode.window.showTextDocument(uri, { preview: false });
  if (answer.notes.length > 0) void vscode.window.showInformationMessage(answer.notes.join(' '));
}

/** The folder that the caller means: a URI as text, or what the explorer's menu hands over. */
function folderOf(argument: unknown): vscode.Uri | undefined {
  if (typeof argument === 'string') return vscode.Uri.parse(argument);
  return argument instanceof vscode.Uri ? argument : undefined;
}

/** The folder of what is being edited, where the workspace has several; the only one without asking. */
async function askFolder(): Promise<vscode.Uri | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri);
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active?.scheme === 'file') {
    const own = vscode.Uri.joinPath(active, '..');
    if (folders.every((folder) => folder.toString() !== own.toString())) folders.push(own);
  }
  if (folders.length <= 1) {
    if (folders.length === 0)
      void vscode.window.showInformationMessage(
        vscode.l10n.t('Open the folder of the livepatch sources first.'),
      );
    return folders[0];
  }
  const items = folders.map((uri) => ({
    label: vscode.workspace.asRelativePath(uri),
    description: uri.fsPath,
    uri,
  }));
  const title = vscode.l10n.t('A manifest for which folder?');
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.uri;
}
