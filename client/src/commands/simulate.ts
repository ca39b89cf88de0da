import * as vscode from 'vscode';
import { STEPS_REQUEST, type StepsParams, type StepsResult } from '../../../server/src/lsp/protocol';
import { chooseLineage, type KnownLineage } from '../lineages';
import type { RunDocuments } from '../run-documents';
import type { ServerHandle } from '../server-handle';
import { defaultSteps, readRunWish, remember, remembered, troubleText } from './run-choice';

/** Livepatch: Simulate Steps. Asks for steps that the lineage understands and shows what they would do. */
export async function simulate(
  server: ServerHandle,
  documents: RunDocuments,
  state: vscode.Memento,
  argument?: unknown,
): Promise<void> {
  const wish = readRunWish(argument);
  const lineage = await chooseLineage(server, wish.manifest);
  if (lineage === undefined) return;
  const key = `livepatch.runs ${lineage.manifest}`;
  const steps = wish.steps ?? (await ask(server, lineage, remembered(state.get(key))));
  if (steps === undefined) return;
  await state.update(key, remember(state.get(key), steps));
  await documents.show(lineage.lineage, { k: 'simulate', manifest: lineage.manifest, steps });
}

/** The typed steps, or undefined where the person gave up. Earlier runs are offered first, to be changed or taken. */
async function ask(
  server: ServerHandle,
  lineage: KnownLineage,
  earlier: readonly string[],
): Promise<string | undefined> {
  let value = defaultSteps(lineage.versions);
  if (earlier.length > 0) {
    const fresh = { label: vscode.l10n.t('$(edit) New steps…'), steps: value };
    const items = [fresh, ...earlier.map((steps) => ({ label: steps, steps }))];
    const pick = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Simulate which steps of {0}?', lineage.lineage),
    });
    if (pick === undefined) return undefined;
    value = pick.steps;
  }
  return vscode.window.showInputBox({
    title: vscode.l10n.t('Steps on a clean kernel'),
    prompt: vscode.l10n.t(
      'Separated by ";": load, disable, enable, unload NAME · stall · hold · resume · force NAME · set NAME param=value · fail NAME FUNCTION',
    ),
    value,
    ignoreFocusOut: true,
    validateInput: (typed) => trouble(server, lineage, typed),
  });
}

async function trouble(server: ServerHandle, lineage: KnownLineage, steps: string): Promise<string | null> {
  const params: StepsParams = { manifest: lineage.manifest, steps };
  const answer = await server.request<StepsResult>(STEPS_REQUEST, params, true);
  return answer === null ? null : troubleText(steps, answer);
}
