import * as vscode from 'vscode';
import { SCAFFOLD_REQUEST, type ScaffoldParams, type ScaffoldResult } from '../../../server/src/lsp/protocol';
import { chooseLineage, type KnownLineage } from '../lineages';
import type { ServerHandle } from '../server-handle';
import {
  type CleanupWish,
  faultyVersions,
  goodVersions,
  nameProblem,
  readWish,
  suggestName,
} from './cleanup-choice';
import { cleanupEdit } from './cleanup-edit';

/** Livepatch: Generate Cleanup Patch. Asks, shows a preview, and changes all files as one undoable edit. */
export async function generateCleanupPatch(server: ServerHandle, argument?: unknown): Promise<void> {
  const wish = readWish(argument);
  const lineage = await chooseLineage(server, wish.manifest);
  if (lineage === undefined) return;
  const params = await ask(lineage, wish);
  if (params === undefined) return;

  const manifestUri = vscode.Uri.parse(lineage.manifest);
  const manifest = await vscode.workspace.openTextDocument(manifestUri);
  const before = manifest.version;
  const answer = await server.request<ScaffoldResult>(SCAFFOLD_REQUEST, params);
  if (!answer.ok) {
    await refuse(params.as, answer.reasons);
    return;
  }
  if (
    manifest.version !== before ||
    (answer.manifestVersion !== null && answer.manifestVersion !== manifest.version)
  ) {
    await refuse(params.as, [
      vscode.l10n.t('The manifest was changed in the meantime. Run the command again.'),
    ]);
    return;
  }
  const title = vscode.l10n.t(
    '{0} = {1} + cleanup after {2}',
    params.as,
    params.restore,
    params.after.join(', '),
  );
  const done = await vscode.workspace.applyEdit(cleanupEdit(manifestUri, answer, title), {
    isRefactoring: true,
  });
  if (!done) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0} was not generated; nothing was changed.', params.as),
    );
    return;
  }
  const first = answer.files.find((file) => file.uri.endsWith('.c')) ?? answer.files[0];
  if (first !== undefined)
    await vscode.window.showTextDocument(vscode.Uri.parse(first.uri), { preview: false });
  const said = vscode.l10n.t('{0} was generated.', params.as);
  if (answer.notes.length === 0) vscode.window.setStatusBarMessage(said, 5000);
  else void vscode.window.showInformationMessage([said, ...answer.notes].join(' '));
}

async function refuse(name: string, reasons: readonly string[]): Promise<void> {
  await vscode.window.showErrorMessage(vscode.l10n.t('{0} cannot be generated.', name), {
    modal: true,
    detail: reasons.map((reason) => `• ${reason}`).join('\n'),
  });
}

/** The answers to the three questions, or undefined where one was left without. */
async function ask(lineage: KnownLineage, wish: CleanupWish): Promise<ScaffoldParams | undefined> {
  const { versions } = lineage;
  const restore = await askGood(lineage, wish.restore);
  if (restore === undefined) return undefined;
  const after = await askFaulty(lineage, restore, wish.after);
  if (after === undefined || after.length === 0) return undefined;
  const as = await vscode.window.showInputBox({
    title: vscode.l10n.t('Name of the cleanup version'),
    prompt: vscode.l10n.t('{0}, plus callbacks that clean up after {1}', restore, after.join(', ')),
    value: suggestName(versions),
    validateInput: (name) => nameProblem(name, versions),
  });
  return as === undefined ? undefined : { manifest: lineage.manifest, restore, after, as };
}

async function askGood({ versions }: KnownLineage, known: string | undefined): Promise<string | undefined> {
  if (known !== undefined && versions.some((one) => one.version === known)) return known;
  const items = goodVersions(versions).map((one) => ({
    label: one.version,
    description: `· ${one.status} · ${one.module}`,
  }));
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Which version is good?') }))
    ?.label;
}

async function askFaulty(
  { versions }: KnownLineage,
  restore: string,
  known: readonly string[] | undefined,
): Promise<string[] | undefined> {
  const candidates = faultyVersions(versions, restore);
  if (
    known !== undefined &&
    known.length > 0 &&
    known.every((name) => candidates.some((one) => one.version.version === name))
  )
    return [...known];
  const items = candidates.map(({ version, picked }) => ({
    label: version.version,
    description: `· ${version.status} · ${version.module}`,
    picked,
  }));
  const picks = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Clean up after which versions?'),
    canPickMany: true,
  });
  if (picks === undefined) return undefined;
  // Oldest first, as in the manifest.
  return picks.map((pick) => pick.label).reverse();
}
