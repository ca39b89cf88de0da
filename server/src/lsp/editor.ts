import {
  DocumentSymbolRequest,
  FoldingRangeRequest,
  type InitializeParams,
  type WorkDoneProgressServerReporter,
} from 'vscode-languageserver/node';
import { registersLater } from './capabilities';
import { searchAhead } from './search-ahead';
import { patiently, type Session } from './session';

/** For which documents outline and folding are asked: C has others who know it, and an empty answer is one too. */
const MANIFESTS = [
  { scheme: 'file', language: 'livepatch-manifest' },
  { scheme: 'file', pattern: '**/{livepatch.yaml,livepatch.yml,*.livepatch.yaml}' },
];

/** What the server says to the editor unasked, as far as the editor can hear it. */
export class Editor {
  readonly #session: Session;
  #progress = false;
  #lens = false;
  #hints = false;
  #outline = false;
  #folding = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** What the editor can hear. */
  initialize({ capabilities }: InitializeParams): void {
    const { window, workspace } = capabilities;
    const later = registersLater(capabilities);
    this.#progress = window?.workDoneProgress === true;
    this.#lens = workspace?.codeLens?.refreshSupport === true;
    this.#hints = workspace?.inlayHint?.refreshSupport === true;
    this.#outline = later.outline;
    this.#folding = later.folding;
  }

  async register(): Promise<void> {
    const { client } = this.#session.connection;
    const options = { documentSelector: MANIFESTS };
    if (this.#outline) await client.register(DocumentSymbolRequest.type, options);
    if (this.#folding) await client.register(FoldingRangeRequest.type, options);
  }

  /** What another file or a setting changed is asked for again. */
  refresh(): void {
    const { connection } = this.#session;
    const refused = (error: unknown): void => connection.console.log(`refresh: ${String(error)}`);
    if (this.#lens) connection.sendRequest('workspace/codeLens/refresh').catch(refused);
    if (this.#hints) connection.languages.inlayHint.refresh().catch(refused);
  }

  /** Asks for a place to show how far the first analysis is; undefined where there is none or nothing to do. */
  async createProgress(): Promise<WorkDoneProgressServerReporter | undefined> {
    const { connection, workspace } = this.#session;
    if (!this.#progress || workspace.projects.length === 0) return undefined;
    return patiently(connection.window.createWorkDoneProgress());
  }

  /**
   * Analyses all lineages once, one after the other, so that a person sees how far it is and requests are answered in
   * between. Where a person cancels it the rest stays put off.
   */
  async firstLook(progress: WorkDoneProgressServerReporter): Promise<void> {
    const { workspace } = this.#session;
    const { projects } = workspace;
    progress.begin('Livepatch Lineage', 0, '', true);
    try {
      for (const [index, project] of projects.entries()) {
        const name = project.manifest.split('/').slice(-2).join('/');
        progress.report((100 * index) / projects.length, `${index + 1}/${projects.length} ${name}`);
        await new Promise((turn) => setTimeout(turn, 0));
        const isOver = (): boolean =>
          progress.token.isCancellationRequested || this.#session.phase !== 'running';
        if (isOver()) break;
        await this.#session.guard('first analysis', undefined, async () => {
          const analysis = project.analyse();
          await searchAhead(analysis.transitions.withoutStalls(), isOver);
          if (!isOver()) analysis.findings();
        });
        if (isOver()) break;
        workspace.takeUp([project]);
      }
    } finally {
      progress.done();
    }
  }
}
