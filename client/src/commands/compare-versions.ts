import * as vscode from 'vscode';
import { COMPARE_REQUEST, type CompareResult, type ManifestParams } from '../../../server/src/lsp/protocol';
import { chooseLineage } from '../lineages';
import type { ServerHandle } from '../server-handle';
import { pairsOf, type VersionPair } from './compare-choice';

/** Livepatch: Compare with the Version It Replaces. Opens the editor's own diff. */
export async function compareVersions(server: ServerHandle, argument?: unknown): Promise<void> {
  const lineage = await chooseLineage(server, typeof argument === 'string' ? argument : undefined);
  if (lineage === undefined) return;
  const params: ManifestParams = { manifest: lineage.manifest };
  const { pairs } = await server.request<CompareResult>(COMPARE_REQUEST, params);
  const document = vscode.window.activeTextEditor?.document.uri.toString();
  const found = pairsOf(pairs, document ?? '', (uri) => vscode.Uri.parse(uri).toString());
  const pair = found.length === 1 ? found[0] : await askPair(found);
  if (pair === undefined) {
    if (found.length === 0)
      void vscode.window.showInformationMessage(
        vscode.l10n.t(
          '{0} has no version that replaces another and whose sources are known.',
          lineage.lineage,
        ),
      );
    return;
  }
  const file = pair.files.length === 1 ? pair.files[0] : await askFile(pair);
  if (file !== undefined) await show(pair, file);
}

async function askPair(pairs: readonly VersionPair[]): Promise<VersionPair | undefined> {
  if (pairs.length === 0) return undefined;
  const items = pairs.map((pair) => ({ label: pair.to, description: `· ${pair.from} → ${pair.to}`, pair }));
  const title = vscode.l10n.t('Compare which version with the one it replaces?');
  return (await vscode.window.showQuickPick(items, { title }))?.pair;
}

async function askFile({ from, to, files }: VersionPair): Promise<VersionPair['files'][number] | undefined> {
  const items = files.map((file) => ({
    label: file.name,
    description: file.same
      ? vscode.l10n.t('· unchanged')
      : file.before === null
        ? vscode.l10n.t('· new in {0}', to)
        : file.after === null
          ? vscode.l10n.t('· only in {0}', from)
          : '',
    file,
  }));
  const title = vscode.l10n.t('Compare which file of {0}?', to);
  return (await vscode.window.showQuickPick(items, { title }))?.file;
}

async function show(
  { from, to }: VersionPair,
  { name, before, after }: VersionPair['files'][number],
): Promise<void> {
  const sides = [before, after].flatMap((uri) => (uri === null ? [] : [vscode.Uri.parse(uri)]));
  const [left, right] = sides;
  if (left !== undefined && right !== undefined)
    await vscode.commands.executeCommand('vscode.diff', left, right, `${name} (${from} ↔ ${to})`);
  else if (left !== undefined) await vscode.window.showTextDocument(left);
}
