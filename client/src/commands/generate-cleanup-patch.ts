import * as vscode from 'vscode';
import { SCAFFOLD_REQUEST, type ScaffoldParams, type ScaffoldResult } from '../../../server/src/lsp/protocol';
import { chooseLineage, type KnownLineage } from '../lineages';
import type { ServerHandle } from '../server-handle';
import { type CleanupWish, faultyVersions, goodVersions, readWish, suggestName } from './cleanup-choice';
import { nameProblem } from './name-problem';
import { writeGenerated } from './write-generated';

/** Livepatch: Generate Cleanup Patch. Asks, shows a preview, and changes all files as one undoable edit. */
export async function generateCleanupPatch(server: ServerHandle, argument?: unknown): Promise<void> {
  const wish = readWish(argument);
  const lineage = await chooseLineage(server, wish.manifest);
  if (lineage === undefined) return;
  const params = await ask(lineage, wish);
  if (params === undefined) return;

  const title = vscode.l10n.t(
    '{0} = {1} + cleanup after {2}',
    params.as,
    params.restore,
    params.after.join(', '),
  );
  await writeGenerated(lineage.manifest, params.as, title, async () => {
    const answer = await server.request<ScaffoldResult>(SCAFFOLD_REQUEST, params);
    if (answer.ok || !answer.asks?.length) return answer;
    const values = await askValues(answer.asks, answer.reasons);
    return values && server.request<ScaffoldResult>(SCAFFOLD_REQUEST, { ...params, values });
  });
}

/** What kernel variables are to hold again; undefined where the person gave up. */
async function askValues(
  names: readonly string[],
  reasons: readonly string[],
): Promise<Record<string, string> | undefined> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = await vscode.window.showInputBox({
      title: vscode.l10n.t('What does {0} hold without the faulty version?', name),
      prompt: reasons.find((reason) => reason.includes(name)) ?? '',
      placeHolder: vscode.l10n.t('an integer, or the name of a constant'),
      ignoreFocusOut: true,
    });
    if (!value) return undefined;
    values[name] = value;
  }
  return values;
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
