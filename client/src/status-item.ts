import * as vscode from 'vscode';
import { DOCUMENT_SELECTOR } from './documents';

/** The language status of manifests and C files: working, ready, or in trouble. */
export class StatusItem implements vscode.Disposable {
  readonly #item: vscode.LanguageStatusItem;

  constructor() {
    this.#item = vscode.languages.createLanguageStatusItem('livepatch.status', DOCUMENT_SELECTOR.slice(0, 3));
    this.#item.name = 'Livepatch Lineage';
    this.#item.command = { command: 'livepatch.showStack', title: vscode.l10n.t('Show Version Stack') };
    this.#item.text = 'Livepatch';
  }

  busy(detail: string): void {
    this.#show(vscode.LanguageStatusSeverity.Information, 'Livepatch', detail, true);
  }

  ready(detail: string): void {
    this.#show(vscode.LanguageStatusSeverity.Information, 'Livepatch', detail, false);
  }

  trouble(detail: string): void {
    this.#show(vscode.LanguageStatusSeverity.Error, vscode.l10n.t('Livepatch: trouble'), detail, false);
  }

  dispose(): void {
    this.#item.dispose();
  }

  #show(severity: vscode.LanguageStatusSeverity, text: string, detail: string, busy: boolean): void {
    this.#item.severity = severity;
    this.#item.text = text;
    this.#item.detail = detail;
    this.#item.busy = busy;
  }
}
