import {
  type Connection,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type InitializeResult,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { Lines } from '../core/lines';
import { hover } from '../features/hover';
import { lineagesOf } from '../features/lineages';
import { panelModel } from '../features/panel';
import { panelTransition } from '../features/panel-transition';
import { scaffoldAnswer } from '../features/scaffold-answer';
import { Disk } from '../host/files';
import type { Project } from '../host/project';
import { startParser } from '../host/start-parser';
import { Workspace } from '../host/workspace';
import { rulePage } from '../rules/page';
import { RULES } from '../rules/registry';
import { toDiagnostic, toOffset, toRange, Uris } from './convert';
import {
  CHANGED_NOTIFICATION,
  LINEAGES_REQUEST,
  type LineagesParams,
  type LineagesResult,
  type ManifestParams,
  PAGE_REQUEST,
  PANEL_REQUEST,
  type PageParams,
  type PanelResult,
  SCAFFOLD_REQUEST,
  type ScaffoldParams,
  type ScaffoldResult,
  STATUS_NOTIFICATION,
  type StatusParams,
  TRANSITION_REQUEST,
  type TransitionParams,
  type TransitionResult,
} from './protocol';
import { Schedule } from './schedule';

/** One connection to one editor. Converts, calls, converts back; every request has its guard. */
export class Server {
  readonly #connection: Connection;
  readonly #documents = new TextDocuments(TextDocument);
  readonly #workspace = new Workspace(new Disk());
  readonly #uris = new Uris();
  readonly #schedule = new Schedule(() => this.#publish());
  /** What was published last, by file, so that unchanged lists are not sent again. */
  readonly #published = new Map<string, string>();
  #ready = false;
  #watches = false;
  /** Whether the client tells of folders that come and go; asking one that does not is an error. */
  #movesFolders = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  listen(): void {
    const connection = this.#connection;
    connection.onInitialize((params) => this.#initialize(params));
    connection.onInitialized(() => void this.#initialized());
    connection.onShutdown(() => {
      this.#schedule.dispose();
      this.#workspace.dispose();
    });
    this.#documents.onDidChangeContent(({ document }) => {
      const path = this.#uris.path(document.uri);
      if (path === null) return;
      this.#workspace.open(path, document.version, document.getText());
      this.#schedule.changed();
    });
    this.#documents.onDidClose(({ document }) => {
      const path = this.#uris.path(document.uri);
      if (path === null) return;
      this.#workspace.close(path);
      this.#schedule.changed();
    });
    connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const change of changes) {
        const path = this.#uris.path(change.uri);
        if (path !== null) this.#workspace.diskChanged(path, change.type === 3);
      }
      this.#schedule.changed();
    });
    this.#requests();
    this.#documents.listen(connection);
    connection.listen();
  }

  #initialize(params: InitializeParams): InitializeResult {
    this.#watches = params.capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
    this.#movesFolders = params.capabilities.workspace?.workspaceFolders === true;
    const folders = params.workspaceFolders ?? (params.rootUri ? [{ uri: params.rootUri, name: '' }] : []);
    for (const folder of folders) {
      const path = this.#uris.path(folder.uri);
      if (path !== null) this.#workspace.addFolder(path);
    }
    return {
      serverInfo: { name: 'livepatch-lineage' },
      capabilities: {
        positionEncoding: 'utf-16',
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
        hoverProvider: true,
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
    };
  }

  async #initialized(): Promise<void> {
    await this.#guard('start', undefined, async () => {
      await startParser();
      this.#ready = true;
      this.#schedule.changed();
      if (this.#watches) {
        const watchers = ['**/*.{c,h}', '**/livepatch.{yaml,yml}', '**/*.livepatch.yaml'];
        await this.#connection.client.register(DidChangeWatchedFilesNotification.type, {
          watchers: watchers.map((globPattern) => ({ globPattern })),
        });
      }
      if (!this.#movesFolders) return;
      this.#connection.workspace.onDidChangeWorkspaceFolders((event) => {
        for (const folder of event.added)
          this.#withPath(folder.uri, (path) => this.#workspace.addFolder(path));
        for (const folder of event.removed)
          this.#withPath(folder.uri, (path) => this.#workspace.removeFolder(path));
        this.#schedule.changed();
      });
    });
  }

  #withPath(uri: string, use: (path: string) => void): void {
    const path = this.#uris.path(uri);
    if (path !== null) use(path);
  }

  #requests(): void {
    const connection = this.#connection;
    connection.onHover((params) =>
      this.#guard('hover', null, () => {
        const document = this.#documents.get(params.textDocument.uri);
        const path = this.#uris.path(params.textDocument.uri);
        if (!document || path === null || !this.#ready) return null;
        const lines = new Lines(document.getText());
        const offset = toOffset(lines, params.position);
        for (const project of this.#workspace.projectsOf(path)) {
          const answer = hover(project.analyse(), path, offset);
          if (answer) {
            return {
              contents: { kind: 'markdown', value: answer.markdown },
              range: toRange(lines, answer.span),
            };
          }
        }
        return null;
      }),
    );
    connection.onRequest(LINEAGES_REQUEST, (params: LineagesParams) =>
      this.#guard<LineagesResult>('lineages', { lineages: [] }, () => {
        const path = params.document === undefined ? null : this.#uris.path(params.document);
        const projects = path === null ? this.#workspace.projects : this.#workspace.projectsOf(path);
        return { lineages: projects.map((it) => lineagesOf(it.analyse(), this.#uris.uri(it.manifest))) };
      }),
    );
    connection.onRequest(
      PANEL_REQUEST,
      (params: ManifestParams): Promise<PanelResult | null> =>
        this.#guard('panel', null, () => {
          const project = this.#project(params.manifest);
          return project ? { model: panelModel(project.analyse(), (file) => this.#uris.uri(file)) } : null;
        }),
    );
    connection.onRequest(
      TRANSITION_REQUEST,
      (params: TransitionParams): Promise<TransitionResult | null> =>
        this.#guard('transition', null, () => {
          const project = this.#project(params.manifest);
          const uri = (file: string): string => this.#uris.uri(file);
          const transition = project && panelTransition(project.analyse(), params.from, params.to, uri);
          return transition ? { transition } : null;
        }),
    );
    connection.onRequest<ScaffoldResult | null, void>(SCAFFOLD_REQUEST, (params: ScaffoldParams) =>
      this.#guard<ScaffoldResult | null>(
        'scaffold',
        { ok: false, reasons: ['The server failed; its log says why.'] },
        () => {
          const project = this.#project(params.manifest);
          if (!project) return { ok: false, reasons: [`The server knows no lineage at ${params.manifest}.`] };
          const answer = scaffoldAnswer(project.analyse(), params.restore, params.after, params.as);
          if (!answer.ok) return { ok: false, reasons: answer.reasons };
          const lines = new Lines(project.analyse().text(project.manifest));
          return {
            ok: true,
            files: answer.files.map((file) => ({ uri: this.#uris.uri(file.path), text: file.text })),
            manifestEdits: answer.manifestEdits.map((edit) => ({
              range: toRange(lines, edit),
              newText: edit.text,
            })),
            manifestVersion: this.#workspace.files.version(project.manifest),
            notes: answer.notes,
          };
        },
      ),
    );
    connection.onRequest(
      PAGE_REQUEST,
      (params: PageParams): Promise<{ markdown: string } | null> =>
        this.#guard('page', null, () => {
          const rule = RULES.find((item) => item.code === params.code);
          return rule ? { markdown: rulePage(rule) } : null;
        }),
    );
  }

  #project(uri: string): Project | null {
    const path = this.#uris.path(uri);
    return path === null ? null : (this.#workspace.project(path) ?? null);
  }

  /** Analyses what changed and sends the findings that are not on the screen yet. */
  #publish(): void {
    if (!this.#ready) return;
    void this.#guard('diagnostics', undefined, () => {
      const start = performance.now();
      const findings = this.#workspace.findings();
      for (const file of new Set([...findings.keys(), ...this.#published.keys()])) {
        const lines = this.#linesOf(file) ?? new Lines('');
        const diagnostics = (findings.get(file) ?? []).map((finding) =>
          toDiagnostic(
            finding,
            lines,
            (other) => this.#linesOf(other),
            (other) => this.#uris.uri(other),
          ),
        );
        const text = JSON.stringify(diagnostics);
        const version = this.#workspace.files.version(file);
        if (this.#published.get(file) === text || (diagnostics.length === 0 && !this.#published.has(file)))
          continue;
        if (diagnostics.length === 0) this.#published.delete(file);
        else this.#published.set(file, text);
        void this.#connection.sendDiagnostics({
          uri: this.#uris.uri(file),
          diagnostics,
          ...(version === null ? {} : { version }),
        });
      }
      for (const project of this.#workspace.projects) {
        if (project.changedSinceLastAsked()) {
          const params: ManifestParams = { manifest: this.#uris.uri(project.manifest) };
          void this.#connection.sendNotification(CHANGED_NOTIFICATION, params);
        }
      }
      const count = [...findings.values()].reduce((sum, list) => sum + list.length, 0);
      const status: StatusParams = {
        busy: false,
        text: `${this.#workspace.projects.length} lineages, ${count} findings, ${Math.round(performance.now() - start)} ms`,
      };
      void this.#connection.sendNotification(STATUS_NOTIFICATION, status);
    });
  }

  #linesOf(file: string): Lines | null {
    const text = this.#workspace.files.read(file);
    return typeof text === 'string' ? new Lines(text) : null;
  }

  /** One guard per request: what goes wrong is logged, the answer is empty, the server stays alive. */
  async #guard<T>(what: string, empty: T, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ResponseError) throw error;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#connection.console.error(`${what} failed: ${text}`);
      return empty;
    }
  }
}
