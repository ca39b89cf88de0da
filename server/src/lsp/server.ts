import {
  type Connection,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  type InitializeParams,
  type InitializeResult,
  ResponseError,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { promiseParser } from '../core/csource/tree';
import { Lines } from '../core/lines';
import { Disk } from '../host/files';
import { RevisionFiles, Revisions } from '../host/git/revisions';
import { Workspace } from '../host/workspace';
import { initializeResult } from './capabilities';
import { Configuration } from './configuration';
import { toDiagnostic, Uris } from './convert';
import { Editor } from './editor';
import { languageRequests } from './language-requests';
import { ownRequests } from './own-requests';
import {
  CHANGED_NOTIFICATION,
  type InitializationOptions,
  type ManifestParams,
  STATUS_NOTIFICATION,
  type StatusParams,
  TRUSTED_NOTIFICATION,
} from './protocol';
import { now, Schedule } from './schedule';
import { patiently, Session } from './session';

/** When the parser is started, unless a text needs it earlier: the first findings are on their way by then. */
const PARSER_AFTER_MS = 100;

/** One connection to one editor: documents and files come in, findings go out; requests are answered elsewhere. */
export class Server {
  readonly #connection: Connection;
  readonly #documents = new TextDocuments(TextDocument);
  readonly #revisions: Revisions;
  readonly #workspace: Workspace;
  readonly #uris: Uris;
  readonly #session: Session;
  readonly #schedule = new Schedule(() => this.#publish());
  readonly #editor: Editor;
  readonly #configuration: Configuration;
  /** What was published last, by file, so that unchanged lists are not sent again. */
  readonly #published = new Map<string, string>();
  #watches = false;
  /** Whether the client tells of folders that come and go; asking one that does not is an error. */
  #movesFolders = false;

  /** `trusted`: whether git may be run whatever the client says. */
  constructor(connection: Connection, trusted = false) {
    this.#connection = connection;
    promiseParser(true);
    this.#revisions = new Revisions(trusted);
    this.#workspace = new Workspace(new RevisionFiles(new Disk(), this.#revisions));
    this.#uris = new Uris((file) => this.#workspace.revisionOf(file));
    this.#session = new Session(connection, this.#documents, this.#workspace, this.#uris);
    this.#editor = new Editor(this.#session);
    this.#configuration = new Configuration(this.#session, () => {
      this.#workspace.useSeverities(this.#session.settings.rules);
      this.#editor.refresh();
      this.#schedule.changed();
    });
  }

  listen(): void {
    const connection = this.#connection;
    connection.onInitialize((params) => this.#initialize(params));
    connection.onInitialized(() => void this.#initialized());
    connection.onShutdown(() => {
      if (this.#session.phase === 'over')
        throw new ResponseError(ErrorCodes.InvalidRequest, 'The server has been shut down.');
      if (this.#session.phase === 'new')
        throw new ResponseError(ErrorCodes.ServerNotInitialized, 'The server is not initialized.');
      this.#session.phase = 'over';
      this.#schedule.dispose();
      this.#workspace.dispose();
    });
    this.#documents.onDidChangeContent(({ document }) => {
      this.#withPath(document.uri, (path) =>
        this.#workspace.open(path, document.version, document.getText()),
      );
    });
    this.#documents.onDidClose(({ document }) => {
      this.#withPath(document.uri, (path) => this.#workspace.close(path));
    });
    connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const change of changes)
        this.#withPath(change.uri, (path) => this.#workspace.diskChanged(path, change.type === 3));
    });
    connection.onNotification(TRUSTED_NOTIFICATION, () => {
      this.#revisions.trusted = true;
      this.#workspace.filesChanged();
      if (this.#session.phase === 'running') this.#schedule.changed();
    });
    languageRequests(this.#session);
    ownRequests(this.#session);
    this.#documents.listen(connection);
    connection.listen();
  }

  #initialize(params: InitializeParams): InitializeResult {
    const session = this.#session;
    if (session.phase !== 'new')
      throw new ResponseError(ErrorCodes.InvalidRequest, 'The server has been initialized before.');
    session.phase = 'running';
    const { workspace, textDocument } = params.capabilities;
    const options = params.initializationOptions as Partial<InitializationOptions> | null | undefined;
    if (options?.trusted === true) this.#revisions.trusted = true;
    if (Array.isArray(options?.hidden))
      this.#workspace.hide(options.hidden.filter((it) => typeof it === 'string'));
    this.#watches = workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
    this.#movesFolders = workspace?.workspaceFolders === true;
    session.versionedEdits = workspace?.workspaceEdit?.documentChanges === true;
    session.actionLiterals = textDocument?.codeAction?.codeActionLiteralSupport !== undefined;
    session.symbolTrees = textDocument?.documentSymbol?.hierarchicalDocumentSymbolSupport === true;
    this.#configuration.initialize(params);
    this.#workspace.useSeverities(session.settings.rules);
    const folders = params.workspaceFolders ?? (params.rootUri ? [{ uri: params.rootUri, name: '' }] : []);
    for (const folder of folders) {
      const path = this.#uris.path(String(folder?.uri));
      if (path !== null) this.#workspace.addFolder(path);
    }
    this.#workspace.putOff();
    this.#editor.initialize(params);
    return initializeResult(params.capabilities);
  }

  async #initialized(): Promise<void> {
    const session = this.#session;
    if (session.phase !== 'running') return;
    // An editor may refuse each of these by itself.
    const [progress] = await Promise.all([
      session.guard('progress', undefined, () => this.#editor.createProgress()),
      session.guard('configuration', undefined, () => patiently(this.#configuration.start())),
    ]);
    if (progress) await this.#editor.firstLook(progress);
    else this.#workspace.takeUp(this.#workspace.projects);
    // At once: documents that were opened meanwhile are no typing that would be waited for.
    this.#schedule.flush();
    // Most C is read without it.
    setTimeout(() => void session.parser(), PARSER_AFTER_MS).unref();
    await session.guard('registration', undefined, () => this.#editor.register());
    if (this.#watches)
      await session.guard('registration', undefined, async () => {
        // Tags and branches that move are told too: what a manifest names may mean another commit then.
        const refs = '**/.git/{packed-refs,refs/heads/**,refs/tags/**}';
        const watchers = ['**/*.{c,h}', '**/livepatch.{yaml,yml}', '**/*.livepatch.yaml', refs];
        await this.#connection.client.register(DidChangeWatchedFilesNotification.type, {
          watchers: watchers.map((globPattern) => ({ globPattern })),
        });
      });
    if (!this.#movesFolders) return;
    this.#connection.workspace.onDidChangeWorkspaceFolders((event) => {
      for (const folder of event.added) this.#withPath(folder.uri, (path) => this.#workspace.addFolder(path));
      for (const folder of event.removed)
        this.#withPath(folder.uri, (path) => this.#workspace.removeFolder(path));
    });
  }

  /** Something happened to a file; what comes outside of the running phase is nobody's business any more. */
  #withPath(uri: string, use: (path: string) => void): void {
    const path = this.#uris.path(uri);
    if (path === null || this.#session.phase !== 'running') return;
    use(path);
    this.#schedule.changed();
  }

  /** Analyses what changed and sends the findings that are not on the screen yet. */
  #publish(): void {
    void this.#session.guard('diagnostics', undefined, () => {
      if (this.#session.phase !== 'running') return;
      const start = now();
      const findings = this.#workspace.findings();
      const { linesOf, uri } = this.#session.editTarget();
      for (const file of new Set([...findings.keys(), ...this.#published.keys()])) {
        const lines = linesOf(file) ?? new Lines('');
        const diagnostics = (findings.get(file) ?? []).map((finding) =>
          toDiagnostic(finding, lines, linesOf, uri),
        );
        const version = this.#workspace.files.version(file);
        // A document that is opened gets its findings once more, with the version that they are for.
        const text = `${version === null} ${JSON.stringify(diagnostics)}`;
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
      let changed = false;
      for (const project of this.#workspace.projects) {
        if (project.changedSinceLastAsked()) {
          changed = true;
          const params: ManifestParams = { manifest: this.#uris.uri(project.manifest) };
          void this.#connection.sendNotification(CHANGED_NOTIFICATION, params);
        }
      }
      if (changed) this.#editor.refresh();
      const count = [...findings.values()].reduce((sum, list) => sum + list.length, 0);
      const status: StatusParams = {
        busy: false,
        text: `${this.#workspace.projects.length} lineages, ${count} findings, ${Math.round(now() - start)} ms${this.#workspace.notLookedAt}`,
      };
      void this.#connection.sendNotification(STATUS_NOTIFICATION, status);
    });
  }
}
