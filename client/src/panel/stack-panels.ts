import * as vscode from 'vscode';
import { readPageState } from '../../webview/page-state';
import type { Pair } from './default-pair';
import { StackPanel, type StackPanelParts } from './stack-panel';

export const STACK_VIEW = 'livepatch.stack';

/** The open panels, one a manifest; brings them back after a reload of the window. */
export class StackPanels implements vscode.WebviewPanelSerializer {
  readonly #parts: StackPanelParts;
  readonly #open = new Map<string, StackPanel>();

  constructor(parts: StackPanelParts) {
    this.#parts = parts;
  }

  /** Shows the lineage of `manifest` (a URI) beside the active editor. */
  show(manifest: string, name: string): StackPanel {
    const known = this.#open.get(manifest);
    if (known !== undefined) {
      known.reveal();
      return known;
    }
    const title = vscode.l10n.t('Stack: {0}', name.slice(0, 60));
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false };
    return this.#adopt(
      vscode.window.createWebviewPanel(STACK_VIEW, title, column, { retainContextWhenHidden: false }),
      manifest,
      null,
    );
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { manifest, from, to } = readPageState(state);
    if (manifest === null) {
      panel.dispose();
      return;
    }
    this.#adopt(panel, manifest, from === null || to === null ? null : { from, to });
  }

  #adopt(panel: vscode.WebviewPanel, manifest: string, pair: Pair | null): StackPanel {
    panel.iconPath = vscode.Uri.joinPath(this.#parts.extensionUri, 'client', 'icon.png');
    const stack = new StackPanel(panel, manifest, pair, this.#parts);
    this.#open.set(manifest, stack);
    panel.onDidDispose(() => {
      if (this.#open.get(manifest) === stack) this.#open.delete(manifest);
    });
    return stack;
  }
}
