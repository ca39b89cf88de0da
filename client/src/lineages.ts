import * as vscode from 'vscode';
import { LINEAGES_REQUEST, type LineagesParams, type LineagesResult } from '../../server/src/lsp/protocol';
import { REVISION_SCHEME } from './revisions';
import type { ServerHandle } from './server-handle';

export type KnownLineage = LineagesResult['lineages'][number];

/**
 * The lineage a command is about: that of `manifest`, or of the active document, or the only one there is, or the one
 * the person picks. Undefined when there is none, which the person is told, or when nothing was picked.
 */
export async function chooseLineage(
  server: ServerHandle,
  manifest?: string,
): Promise<KnownLineage | undefined> {
  if (manifest === undefined && tellOfNoDisk()) return undefined;
  const active = vscode.window.activeTextEditor?.document.uri;
  let lineages: readonly KnownLineage[] = [];
  if (manifest === undefined && (active?.scheme === 'file' || active?.scheme === REVISION_SCHEME))
    lineages = await known(server, { document: active.toString() });
  if (lineages.length === 0) lineages = await known(server, {});
  if (manifest !== undefined) {
    const wanted = vscode.Uri.parse(manifest).toString();
    lineages = lineages.filter((one) => vscode.Uri.parse(one.manifest).toString() === wanted);
  }
  if (lineages.length === 0) {
    await offerManifest();
    return undefined;
  }
  if (lineages.length === 1) return lineages[0];
  const items = lineages.map((lineage) => ({
    label: lineage.lineage,
    description: vscode.workspace.asRelativePath(vscode.Uri.parse(lineage.manifest)),
    lineage,
  }));
  return (
    await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Which lineage?'),
      matchOnDescription: true,
    })
  )?.lineage;
}

/** In a workspace of folders that lie on no disk, says so; whether it is one. */
export function tellOfNoDisk(): boolean {
  const { workspaceFolders } = vscode.workspace;
  const [first] = workspaceFolders ?? [];
  const active = vscode.window.activeTextEditor?.document.uri;
  if (!first || active?.scheme === 'file' || workspaceFolders?.some(({ uri }) => uri.scheme === 'file'))
    return false;
  void vscode.window.showInformationMessage(
    vscode.l10n.t(
      'This folder is virtual ({0}): a lineage is read from files on a disk. Open a clone of it.',
      first.uri.scheme,
    ),
  );
  return true;
}

/** Where there is no lineage, the way to one. */
async function offerManifest(): Promise<void> {
  const create = vscode.l10n.t('Create One From These Sources');
  const picked = await vscode.window.showInformationMessage(
    vscode.l10n.t('No livepatch lineage is known here. It begins with a file named livepatch.yaml.'),
    create,
  );
  if (picked === create) await vscode.commands.executeCommand('livepatch.createManifest');
}

async function known(server: ServerHandle, params: LineagesParams): Promise<readonly KnownLineage[]> {
  return (await server.request<LineagesResult>(LINEAGES_REQUEST, params)).lineages;
}
