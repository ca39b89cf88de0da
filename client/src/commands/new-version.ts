import * as vscode from 'vscode';
import {
  NEW_VERSION_REQUEST,
  type NewVersionParams,
  type ScaffoldResult,
} from '../../../server/src/lsp/protocol';
import { chooseLineage } from '../lineages';
import type { ServerHandle } from '../server-handle';
import { suggestName } from './cleanup-choice';
import { nameProblem } from './name-problem';
import { origins, readPairWish } from './run-choice';
import { writeGenerated } from './write-generated';

/** Livepatch: New Version. The next cumulative version as a copy of an earlier one, previewed and undoable. */
export async function newVersion(server: ServerHandle, argument?: unknown): Promise<void> {
  const wish = readPairWish(argument);
  const lineage = await chooseLineage(server, wish.manifest);
  if (lineage === undefined) return;
  const { versions, manifest } = lineage;
  const known = versions.find((one) => one.version === wish.from);
  const items = origins(versions).flatMap((one) =>
    one === null ? [] : [{ label: one.version, description: `· ${one.status} · ${one.module}` }],
  );
  const from =
    known?.version ??
    (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Go on from which version?') }))?.label;
  if (from === undefined) return;
  const as = await vscode.window.showInputBox({
    title: vscode.l10n.t('Name of the new version'),
    prompt: vscode.l10n.t('Begun as a copy of {0}, with its states', from),
    value: suggestName(versions),
    validateInput: (name) => nameProblem(name, versions),
  });
  if (as === undefined) return;
  const params: NewVersionParams = { manifest, from, as };
  await writeGenerated(manifest, as, vscode.l10n.t('{0}, after {1}', as, from), () =>
    server.request<ScaffoldResult>(NEW_VERSION_REQUEST, params),
  );
}
