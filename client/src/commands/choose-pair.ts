import * as vscode from 'vscode';
import { chooseLineage, type KnownLineage } from '../lineages';
import type { ServerHandle } from '../server-handle';
import { destinations, origins, readPairWish } from './run-choice';

/** The clean kernel, as the server's requests call it. */
const CLEAN = 'none';

export interface ChosenPair {
  readonly lineage: string;
  readonly manifest: string;
  /** A version, or `none`. */
  readonly from: string;
  readonly to: string;
}

/** The transition a command is about, asked for as far as its argument does not name it; undefined: given up. */
export async function choosePair(server: ServerHandle, argument: unknown): Promise<ChosenPair | undefined> {
  const wish = readPairWish(argument);
  const lineage = await chooseLineage(server, wish.manifest);
  if (lineage === undefined) return undefined;
  const from = wish.from ?? (await askFrom(lineage));
  if (from === undefined) return undefined;
  const to = wish.to ?? (await askTo(lineage, from));
  if (to === undefined) return undefined;
  return { lineage: lineage.lineage, manifest: lineage.manifest, from, to };
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
