import * as vscode from 'vscode';
import type { ScaffoldResult } from '../../../server/src/lsp/protocol';
import { cleanupEdit } from './cleanup-edit';

/**
 * Asks the server for a new version (undefined: the person gave up) and shows what it would change; what the person accepts is one undoable edit. Says
 * why where there is none.
 */
export async function writeGenerated(
  manifestUri: string,
  name: string,
  title: string,
  ask: () => Promise<ScaffoldResult | undefined>,
): Promise<void> {
  const uri = vscode.Uri.parse(manifestUri);
  const manifest = await vscode.workspace.openTextDocument(uri);
  const before = manifest.version;
  const answer = await ask();
  if (answer === undefined) return;
  if (!answer.ok) {
    const make = answer.draft ? [vscode.l10n.t('Make {0} Replaceable', answer.draft)] : [];
    if (await refuse(name, answer.reasons, make))
      await vscode.commands.executeCommand('livepatch.makeReplaceable', {
        manifest: manifestUri,
        to: answer.draft,
      });
    return;
  }
  if (
    manifest.version !== before ||
    (answer.manifestVersion !== null && answer.manifestVersion !== manifest.version)
  ) {
    await refuse(name, [vscode.l10n.t('The manifest was changed in the meantime. Run the command again.')]);
    return;
  }
  const done = await vscode.workspace.applyEdit(cleanupEdit(uri, answer, title), { isRefactoring: true });
  if (!done) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0} was not generated; nothing was changed.', name),
    );
    return;
  }
  const first = answer.files.find((file) => file.uri.endsWith('.c')) ?? answer.files[0];
  if (first !== undefined)
    await vscode.window.showTextDocument(vscode.Uri.parse(first.uri), { preview: false });
  const said = vscode.l10n.t('{0} was generated.', name);
  if (answer.notes.length === 0) vscode.window.setStatusBarMessage(said, 5000);
  else void vscode.window.showInformationMessage([said, ...answer.notes].join(' '));
}

/** Whether the person chose the offer. */
async function refuse(
  name: string,
  reasons: readonly string[],
  offer: readonly string[] = [],
): Promise<boolean> {
  const detail = reasons.map((reason) => `• ${reason}`).join('\n');
  const title = vscode.l10n.t('{0} cannot be generated.', name);
  return (await vscode.window.showErrorMessage(title, { modal: true, detail }, ...offer)) !== undefined;
}
