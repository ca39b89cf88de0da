import {
  type CancellationToken,
  type Connection,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  type TextDocumentPositionParams,
  type TextDocuments,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { ParserMissing, promiseParser } from '../core/csource/tree';
import { Lines } from '../core/lines';
import type { Analysis } from '../features/analysis';
import { startParser } from '../host/start-parser';
import type { Workspace } from '../host/workspace';
import { DEFAULTS, type Settings } from './configuration';
import { type EditTarget, toOffset, type Uris } from './convert';

/** Between `initialize` and `shutdown` a server is running; outside of that it answers nothing but errors. */
export type Phase = 'new' | 'running' | 'over';

/** What the requests of one connection share, and the guard that each of them runs under. */
export class Session {
  readonly connection: Connection;
  readonly documents: TextDocuments<TextDocument>;
  readonly workspace: Workspace;
  readonly uris: Uris;
  phase: Phase = 'new';
  /** What the editor can do with answers. */
  versionedEdits = false;
  actionLiterals = false;
  symbolTrees = false;
  settings: Settings = DEFAULTS;
  readonly #lines = new WeakMap<TextDocument, { readonly text: string; readonly lines: Lines }>();

  constructor(
    connection: Connection,
    documents: TextDocuments<TextDocument>,
    workspace: Workspace,
    uris: Uris,
  ) {
    this.connection = connection;
    this.documents = documents;
    this.workspace = workspace;
    this.uris = uris;
  }

  /**
   * Runs one request. What goes wrong is logged, the answer is `empty`, the server stays alive. A request outside of
   * the running phase and a cancelled one are answered with the protocol's error for that.
   */
  async answer<T>(
    what: string,
    empty: T,
    token: CancellationToken | undefined,
    work: () => T | Promise<T>,
  ): Promise<T> {
    this.#refuse();
    throwIfCancelled(token);
    try {
      return await this.#withParser(work);
    } catch (error) {
      if (error instanceof ResponseError) throw error;
      return this.#failed(what, empty, error);
    }
  }

  /** As `answer`, for work that is dear: a cancellation that is on its way already is heard before it begins. */
  async answerSlowly<T>(
    what: string,
    empty: T,
    token: CancellationToken | undefined,
    work: () => T | Promise<T>,
  ): Promise<T> {
    await new Promise((turn) => setImmediate(turn));
    return this.answer(what, empty, token, work);
  }

  /** Runs what no request waits for; a question that the editor refuses is what goes wrong as well. */
  async guard<T>(what: string, empty: T, work: () => T | Promise<T>): Promise<T> {
    try {
      return await this.#withParser(work);
    } catch (error) {
      return this.#failed(what, empty, error);
    }
  }

  /** Work that turns out to need the parser is done once more when that is there. */
  async #withParser<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ParserMissing)) throw error;
      await this.parser();
      return await work();
    }
  }

  #failed<T>(what: string, empty: T, error: unknown): T {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.connection.console.error(`${what} failed: ${text}`);
    return empty;
  }

  /** Starts the parser. Where that fails, C is read without it from then on. */
  async parser(): Promise<void> {
    try {
      await startParser();
    } catch (error) {
      promiseParser(false);
      this.connection.console.error(`the parser could not be started: ${String(error)}`);
    }
  }

  /** The lines of a file as the analysis sees it; null where it cannot be read. */
  linesOf(file: string): Lines | null {
    const text = this.workspace.files.read(file);
    return typeof text === 'string' ? new Lines(text) : null;
  }

  /** The lines of an open document as it is now. */
  linesOfDocument(document: TextDocument): Lines {
    const text = document.getText();
    const kept = this.#lines.get(document);
    if (kept?.text === text) return kept.lines;
    const lines = new Lines(text);
    this.#lines.set(document, { text, lines });
    return lines;
  }

  /** Where edits go, with the versions that the documents have now. */
  editTarget(): EditTarget {
    const lines = new Map<string, Lines | null>();
    return {
      linesOf: (file) => {
        let known = lines.get(file);
        if (known === undefined) lines.set(file, (known = this.linesOf(file)));
        return known;
      },
      uri: (file) => this.uris.uri(file),
      version: (file) => this.workspace.files.version(file),
      versioned: this.versionedEdits,
    };
  }

  #refuse(): void {
    if (this.phase === 'new')
      throw new ResponseError(ErrorCodes.ServerNotInitialized, 'The server is not initialized.');
    if (this.phase === 'over')
      throw new ResponseError(ErrorCodes.InvalidRequest, 'The server has been shut down.');
  }
}

/** Ends the work of a request that nobody waits for. */
export function throwIfCancelled(token: CancellationToken | undefined): void {
  if (token?.isCancellationRequested)
    throw new ResponseError(LSPErrorCodes.RequestCancelled, 'The request was cancelled.');
}

/** How long an answer of the editor is waited for before work goes on without it, in milliseconds. */
const PATIENCE = 5_000;

/** What a promise gives, or undefined where it takes too long: an editor that does not answer stops nothing. */
export function patiently<T>(promise: Promise<T>): Promise<T | undefined> {
  const late = new Promise<undefined>((done) => {
    const timer = setTimeout(done, PATIENCE);
    const stop = (): void => clearTimeout(timer);
    promise.then(stop, stop);
  });
  return Promise.race([promise, late]);
}

/** A place that a request is about, in one of the lineages it belongs to. */
export interface Asked {
  readonly analysis: Analysis;
  readonly path: string;
  readonly lines: Lines;
  readonly offset: number;
}

/** The position of a request in every lineage that its document takes part in; a cancellation ends it in between. */
export function* atPosition(
  session: Session,
  params: TextDocumentPositionParams,
  token: CancellationToken,
): Generator<Asked> {
  const { uris, workspace, documents } = session;
  const document = documents.get(params.textDocument.uri);
  const path = uris.path(params.textDocument.uri);
  if (!document || path === null) return;
  const lines = session.linesOfDocument(document);
  const offset = toOffset(lines, params.position);
  for (const project of workspace.projectsOf(path)) {
    throwIfCancelled(token);
    yield { analysis: project.analyse(), path, lines, offset };
  }
}
