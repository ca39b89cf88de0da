import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type {
  PanelRequest,
  PanelSource,
  PanelTransition,
  PanelUpdate,
  PictureFormat,
} from '../../../server/src/features/panel-model';
import {
  type ManifestParams,
  PANEL_REQUEST,
  type PanelResult,
  TRANSITION_REQUEST,
  type TransitionParams,
  type TransitionResult,
} from '../../../server/src/lsp/protocol';
import { isCommandId } from '../command-ids';
import { REVISION_SCHEME } from '../revisions';
import type { ServerHandle } from '../server-handle';
import { actionWish } from './action-wish';
import { type Pair, pairToShow } from './default-pair';
import { PAGE_ASSETS } from './page-assets';
import { pageHtml } from './page-html';
import { pictureName } from './picture-name';
import { isPanelRequest } from './request-shape';

/** Edits come in bursts; the picture follows when they pause. */
const FOLLOW_AFTER_MS = 150;

export interface StackPanelParts {
  readonly extensionUri: vscode.Uri;
  readonly server: ServerHandle;
  readonly log: vscode.LogOutputChannel;
}

/** The extension's side of one panel: answers its page and follows one manifest. */
export class StackPanel {
  readonly #panel: vscode.WebviewPanel;
  readonly #manifest: string;
  readonly #parts: StackPanelParts;
  readonly #disposables: vscode.Disposable[] = [];
  #pair: Pair | null;
  /** Of the newest question to the server: the answer to an older one is dropped. */
  #asked = 0;
  #ready = false;
  /** What the person wants to have exported; asked of the page as soon as it shows something. */
  #wanted: PictureFormat | null = null;
  #lineage = '';
  #timer: NodeJS.Timeout | undefined;

  /** `pair` is the transition to show, or null for the one that deserves a look most. */
  constructor(panel: vscode.WebviewPanel, manifest: string, pair: Pair | null, parts: StackPanelParts) {
    this.#panel = panel;
    this.#manifest = manifest;
    this.#pair = pair;
    this.#parts = parts;
    const { server } = parts;
    const wanted = vscode.Uri.parse(manifest).toString();
    this.#disposables.push(
      panel.webview.onDidReceiveMessage((message: unknown) => this.#receive(message)),
      server.onChanged((changed) => {
        if (vscode.Uri.parse(changed).toString() === wanted) this.#follow();
      }),
      panel.onDidChangeViewState(() => {
        // A hidden page is unloaded; it says that it is ready when it comes back.
        if (!panel.visible) this.#ready = false;
      }),
    );
    panel.onDidDispose(() => this.#dispose());
    this.#load();
  }

  reveal(): void {
    this.#panel.reveal();
  }

  /** Saves what the panel shows as a picture, after asking where. */
  export(format: PictureFormat): void {
    this.#wanted = format;
    if (this.#ready) this.#receive({ type: 'ready' });
  }

  #load(): void {
    const { webview } = this.#panel;
    webview.options = { enableScripts: true, localResourceRoots: [] };
    webview.html = pageHtml({ ...PAGE_ASSETS, nonce: randomBytes(16).toString('hex') });
  }

  #dispose(): void {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#ready = false;
    for (const one of this.#disposables) one.dispose();
  }

  #receive(message: unknown): void {
    if (!isPanelRequest(message)) {
      this.#parts.log.warn('a message of unknown form from the panel was ignored');
      return;
    }
    this.#answer(message).catch((error: unknown) => {
      this.#parts.log.error(error instanceof Error ? error : String(error));
      this.#post({ type: 'trouble', message: error instanceof Error ? error.message : String(error) });
    });
  }

  async #answer(request: PanelRequest): Promise<void> {
    switch (request.type) {
      case 'ready':
        this.#ready = true;
        return this.#sendModel();
      case 'select':
        this.#pair = { from: request.from, to: request.to };
        return this.#sendTransition(this.#pair);
      case 'open':
        return this.#open(request.source);
      case 'exported':
        return this.#save(request.format, request.data);
      case 'action': {
        if (!isCommandId(request.command)) {
          this.#parts.log.warn('the panel asked for a command that is not one of its own');
          return;
        }
        const wish = actionWish(request.command, this.#manifest, request.arguments);
        await vscode.commands.executeCommand(request.command, wish);
      }
    }
  }

  #follow(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#ready) this.#receive({ type: 'ready' });
    }, FOLLOW_AFTER_MS);
  }

  async #sendModel(): Promise<void> {
    const asked = ++this.#asked;
    const params: ManifestParams = { manifest: this.#manifest };
    const answer = await this.#parts.server.request<PanelResult | null>(PANEL_REQUEST, params, true);
    if (asked !== this.#asked) return;
    if (answer === null) {
      const path = vscode.workspace.asRelativePath(vscode.Uri.parse(this.#manifest));
      this.#post({ type: 'trouble', message: vscode.l10n.t('There is no lineage at {0}.', path) });
      return;
    }
    const pair = pairToShow(answer.model, this.#pair);
    const transition = pair === null ? null : await this.#transition(pair);
    if (asked !== this.#asked) return;
    this.#pair = pair;
    this.#panel.title = vscode.l10n.t('Stack: {0}', answer.model.lineage.slice(0, 60));
    this.#lineage = answer.model.lineage;
    this.#post({ type: 'model', model: answer.model, transition });
    if (this.#wanted !== null) this.#post({ type: 'export', format: this.#wanted });
  }

  /** The save dialog asks before a file is overwritten. */
  async #save(format: PictureFormat, data: string | null): Promise<void> {
    if (this.#wanted !== format) return;
    this.#wanted = null;
    if (data === null) {
      const message = vscode.l10n.t('The picture is too large for a PNG. Export it as SVG.');
      void vscode.window.showWarningMessage(message);
      return;
    }
    const uri = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.joinPath(
        vscode.Uri.parse(this.#manifest),
        '..',
        pictureName(this.#lineage, this.#pair, format),
      ),
      filters: { [format.toUpperCase()]: [format] },
    });
    if (uri === undefined) return;
    await vscode.workspace.fs.writeFile(uri, Buffer.from(data, format === 'svg' ? 'utf8' : 'base64'));
    const where = vscode.workspace.asRelativePath(uri);
    void vscode.window.showInformationMessage(vscode.l10n.t('Saved as {0}.', where));
  }

  async #sendTransition(pair: Pair): Promise<void> {
    const asked = ++this.#asked;
    const transition = await this.#transition(pair);
    if (asked !== this.#asked) return;
    if (transition === null)
      this.#post({
        type: 'trouble',
        message: vscode.l10n.t('There is no transition from {0} to {1}.', pair.from, pair.to),
      });
    else this.#post({ type: 'transition', transition });
  }

  /** Without the actions that this extension has no command for. */
  async #transition(pair: Pair): Promise<PanelTransition | null> {
    const params: TransitionParams = { manifest: this.#manifest, from: pair.from, to: pair.to };
    const answer = await this.#parts.server.request<TransitionResult | null>(
      TRANSITION_REQUEST,
      params,
      true,
    );
    if (answer === null) return null;
    const { transition } = answer;
    return { ...transition, actions: transition.actions.filter((action) => isCommandId(action.command)) };
  }

  #post(update: PanelUpdate): void {
    if (this.#ready) void this.#panel.webview.postMessage(update);
  }

  /** Opens a source where texts are edited, not over the panel. */
  async #open(source: PanelSource): Promise<void> {
    const uri = vscode.Uri.parse(source.uri, true);
    if (uri.scheme !== 'file' && uri.scheme !== REVISION_SCHEME) {
      this.#parts.log.warn(`the panel asked for something that is no file: ${uri.scheme}`);
      return;
    }
    const own = this.#panel.viewColumn;
    const other = vscode.window.visibleTextEditors.find(
      (editor) => editor.viewColumn !== undefined && editor.viewColumn !== own,
    )?.viewColumn;
    const at = new vscode.Position(source.line - 1, source.column - 1);
    await vscode.window.showTextDocument(uri, {
      viewColumn: other ?? (own === vscode.ViewColumn.One ? vscode.ViewColumn.Beside : vscode.ViewColumn.One),
      selection: new vscode.Range(at, at),
    });
  }
}
