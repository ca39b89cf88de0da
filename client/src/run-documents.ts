import * as vscode from 'vscode';
import {
  EXPLAIN_REQUEST,
  type ExplainResult,
  RUNBOOK_REQUEST,
  SIMULATE_REQUEST,
  type SimulateResult,
  type StepsParams,
  type TransitionParams,
} from '../../server/src/lsp/protocol';
import { addressParts, RUN_SCHEME, type RunAddress, readAddress } from './run-address';
import type { ServerHandle } from './server-handle';

/** Runs and transitions as read-only documents that follow their lineage while they are open. */
export class RunDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #server: ServerHandle;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #listening: vscode.Disposable;

  constructor(server: ServerHandle) {
    this.#server = server;
    this.#listening = server.onChanged((manifest) => this.#refresh(manifest));
  }

  get onDidChange(): vscode.Event<vscode.Uri> {
    return this.#changed.event;
  }

  /** Opens the document beside what is being edited. */
  async show(lineage: string, address: RunAddress): Promise<void> {
    const uri = vscode.Uri.from({ scheme: RUN_SCHEME, ...addressParts(lineage, address) });
    const document = await vscode.workspace.openTextDocument(uri);
    // It may have been open since the lineage was another one.
    this.#changed.fire(uri);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const address = readAddress(uri.query);
    if (address === null) return `${vscode.l10n.t('This address names no run.')}\n`;
    // One that is open follows its lineage by itself.
    const open = vscode.workspace.textDocuments.some((it) => it.uri.toString() === uri.toString());
    const answer = await this.#ask(address, open);
    return 'text' in answer ? answer.text : `${answer.problem}\n`;
  }

  dispose(): void {
    this.#listening.dispose();
    this.#changed.dispose();
  }

  async #ask(address: RunAddress, quiet: boolean): Promise<SimulateResult | ExplainResult> {
    const { manifest } = address;
    if (address.k === 'simulate') {
      const params: StepsParams = { manifest, steps: address.steps };
      return this.#server.request<SimulateResult>(SIMULATE_REQUEST, params, quiet);
    }
    const params: TransitionParams = { manifest, from: address.from, to: address.to };
    const method = address.k === 'runbook' ? RUNBOOK_REQUEST : EXPLAIN_REQUEST;
    return this.#server.request<ExplainResult>(method, params, quiet);
  }

  #refresh(manifest: string): void {
    const wanted = vscode.Uri.parse(manifest).toString();
    for (const { uri } of vscode.workspace.textDocuments) {
      if (uri.scheme !== RUN_SCHEME) continue;
      const address = readAddress(uri.query);
      if (address !== null && vscode.Uri.parse(address.manifest).toString() === wanted)
        this.#changed.fire(uri);
    }
  }
}
