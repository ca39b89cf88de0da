import * as vscode from 'vscode';
import { chooseLineage, type KnownLineage } from '../lineages';
import type { RunDocuments } from '../run-documents';
import type { ServerHandle } from '../server-handle';
import { destinations, origins, readPairWish } from './run-choice';

/** The clean kernel, as the server's requests call it. */
const CLEAN = 'none';

/** Livepatch: Explain Transition. Asks for two versions and tells in prose what one does when it replaces the other. */
export async function explainTransition(
  server: ServerHandle,
  documents: RunDocuments,
  argument?: unknown,
): Promise<void> {
  const wish = readPairWish(argument);
  const lineage = await chooseLineage(server, wish.manifest);
  if (lineage === undefined) return;
  const from = wish.from ?? (await askFrom(lineage));
  if (from === undefined) return;
  const to = wish.to ?? (await askTo(lineage, from));
  if (to === undefined) return;
  await documents.show(lineage.lineage, { k: 'explain', manifest: lineage.manifest, from, to });
}

async function askFrom({ versions }: KnownLineage): Promise<string | undefined> {
  const items = origins(versions).map((one) => ({
    label: one?.version ?? vscode.l10n.t('Clean kernel'),
    description: one ? `· ${one.status} · ${one.module}` : vscode.l10n.t('· nothing is patched'),
    version: one?.version ?? CLEAN,
  }));
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('From which version?') }))?.version;
}

async function askTo({ versions }: KnownLineage, from: string): Promise<string | undefined> {
  const items = destinations(versions, from).map((one) => ({
    label: one.version,
    description: `· ${one.status} · ${one.module}`,
    version: one.version,
  }));
  return (
    await vscode.window.showQuickPick(items, { title: vscode.l10n.t('From {0} to which version?', from) })
  )?.version;
}
