import * as vscode from 'vscode';
import {
  REHEARSAL_REQUEST,
  type RehearsalResult,
  type TransitionParams,
} from '../../../server/src/lsp/protocol';
import { commandLineProgram, tellOfMissingProgram } from '../command-line';
import { startRehearsal } from '../rehearsal-task';
import type { ServerHandle } from '../server-handle';
import { choosePair } from './choose-pair';

/**
 * Livepatch: Rehearse Transition. Builds the modules and runs the transition in an emulated kernel, as a task whose
 * terminal shows the prediction beside the real log; the panel shows the outcome when it ends.
 */
export async function rehearse(
  server: ServerHandle,
  ended: (manifest: string) => void,
  argument?: unknown,
): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage(
      vscode.l10n.t('A rehearsal compiles and runs code of this workspace: trust the workspace first.'),
    );
    return;
  }
  const program = commandLineProgram();
  if (program === null) {
    tellOfMissingProgram(vscode.l10n.t('A rehearsal'));
    return;
  }
  const pair = await choosePair(server, argument);
  if (pair === undefined) return;
  const { lineage, manifest, from, to } = pair;
  const params: TransitionParams = { manifest, from, to };
  const answer = await server.request<RehearsalResult>(REHEARSAL_REQUEST, params);
  if ('problem' in answer) throw new Error(answer.problem);
  const { exitCode } = await startRehearsal(program, {
    name: vscode.l10n.t('rehearse {0}: {1} to {2}', lineage, from, to),
    manifest: vscode.Uri.parse(manifest).fsPath,
    steps: answer.steps,
  });
  void exitCode.then(() => ended(manifest));
}
