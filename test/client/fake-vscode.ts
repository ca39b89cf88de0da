/** As much of the editor's API as the client touches in these tests; it writes down what is asked of it. */

interface Disposable {
  dispose(): void;
}

const nothing = (): Disposable => ({ dispose: () => undefined });

class Emitter<T> {
  readonly #listeners: ((value: T) => void)[] = [];
  readonly event = (listener: (value: T) => void): Disposable => {
    this.#listeners.push(listener);
    return nothing();
  };
  fire(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
  dispose(): void {
    this.#listeners.length = 0;
  }
}

class Position {
  readonly line: number;
  readonly character: number;
  constructor(line: number, character: number) {
    this.line = line;
    this.character = character;
  }
}

class Uri {
  readonly scheme: string;
  readonly path: string;
  readonly query: string;
  private constructor(scheme: string, path: string, query = '') {
    this.scheme = scheme;
    this.path = path;
    this.query = query;
  }
  static from(parts: { scheme: string; path: string; query: string }): Uri {
    return new Uri(parts.scheme, parts.path, parts.query);
  }
  static file(path: string): Uri {
    return new Uri('file', path);
  }
  get fsPath(): string {
    return this.path;
  }
  static parse(text: string): Uri {
    const at = text.indexOf(':');
    return new Uri(text.slice(0, at), text.slice(at + 1).replace(/^\/\//, ''));
  }
  static joinPath(base: Uri, ...parts: string[]): Uri {
    return new Uri(base.scheme, [base.path, ...parts].join('/'));
  }
  toString(): string {
    return `${this.scheme}://${this.path}${this.query === '' ? '' : `?${encodeURIComponent(this.query)}`}`;
  }
}

/** Keeps its entries in the order they were added. */
interface FakeMetadata {
  readonly needsConfirmation: boolean;
  readonly description?: string;
}

class WorkspaceEdit {
  readonly entries: {
    readonly what: string;
    readonly uri: string;
    readonly text: string;
    readonly asks: boolean;
    readonly says?: string | undefined;
  }[] = [];
  createFile(uri: Uri, options: object, metadata: FakeMetadata): void {
    this.entries.push({
      what: 'create',
      uri: uri.toString(),
      text: JSON.stringify(options),
      asks: metadata.needsConfirmation,
      says: metadata.description,
    });
  }
  insert(uri: Uri, _at: Position, text: string, metadata?: FakeMetadata): void {
    this.entries.push({
      what: 'insert',
      uri: uri.toString(),
      text,
      asks: metadata?.needsConfirmation ?? false,
      says: metadata?.description,
    });
  }
  replace(uri: Uri, _range: unknown, text: string, metadata?: FakeMetadata): void {
    this.entries.push({
      what: 'replace',
      uri: uri.toString(),
      text,
      asks: metadata?.needsConfirmation ?? false,
      says: metadata?.description,
    });
  }
}

/** What a command asks with. */
export interface FakeInput {
  readonly value: string;
  readonly validateInput: (typed: string) => Promise<string | null>;
}

interface FakeTask {
  terminate?(): void;
  readonly name: string;
  readonly execution: unknown;
}

export type FakeEdit = InstanceType<typeof WorkspaceEdit>;

/** An entry of the test explorer. */
class TestItem {
  readonly id: string;
  readonly label: string;
  readonly uri: Uri | undefined;
  readonly children = new TestItems();
  tags: readonly { readonly id: string }[] = [];
  range: unknown;
  sortText: string | undefined;
  constructor(id: string, label: string, uri?: Uri) {
    this.id = id;
    this.label = label;
    this.uri = uri;
  }
}

class TestItems {
  #items: TestItem[] = [];
  add(item: TestItem): void {
    this.#items.push(item);
  }
  replace(items: readonly TestItem[]): void {
    this.#items = [...items];
  }
  forEach(look: (item: TestItem) => void): void {
    this.#items.forEach(look);
  }
  get all(): readonly TestItem[] {
    return this.#items;
  }
}

interface FakeProfile {
  readonly label: string;
  readonly isDefault: boolean;
  readonly run: (request: object, token: object) => Promise<void>;
}

interface FakeTestController {
  /** What the runs said of each item. */
  readonly log: { readonly what: string; readonly label: string; readonly message?: unknown }[];
  readonly profiles: FakeProfile[];
  readonly items: TestItems;
  resolveHandler: ((item?: TestItem) => Promise<void>) | undefined;
}

/** The test controllers that were made, newest last. */
export const testControllers: FakeTestController[] = [];

function fakeTestController(id: string, label: string): FakeTestController {
  const log: FakeTestController['log'] = [];
  const profiles: FakeProfile[] = [];
  const tell =
    (what: string) =>
    (item: TestItem, message?: unknown): void =>
      void log.push({ what, label: item.label, ...(message === undefined ? {} : { message }) });
  const controller = {
    id,
    label,
    log,
    profiles,
    items: new TestItems(),
    resolveHandler: undefined,
    refreshHandler: undefined,
    createTestItem: (...parts: [string, string, Uri?]) => new TestItem(...parts),
    createRunProfile: (name: string, _kind: number, run: FakeProfile['run'], isDefault: boolean) => {
      profiles.push({ label: name, isDefault, run });
    },
    createTestRun: () => ({
      enqueued() {},
      started: tell('started'),
      passed: tell('passed'),
      failed: tell('failed'),
      errored: tell('errored'),
      skipped: tell('skipped'),
      appendOutput: (text: string, _at: unknown, item: TestItem) => tell('output')(item, text),
      end: () => void log.push({ what: 'end', label: '' }),
    }),
    dispose() {},
  };
  testControllers.push(controller);
  return controller;
}

/** What is shown while something takes long. */
export interface FakeProgress {
  readonly options: { readonly title: string; readonly cancellable: boolean };
  done: boolean;
  cancel(): void;
}

/** A fresh fake. `registered` holds the ids of commands, `executed` the commands run, `shown` the documents opened. */
export function fakeVscode() {
  const registered: string[] = [];
  const executed: unknown[][] = [];
  const shown: { readonly uri: string; readonly options: unknown }[] = [];
  const warnings: string[] = [];
  const edits: FakeEdit[] = [];
  const written: [string, Uint8Array][] = [];
  const ended = new Emitter<{ readonly execution: unknown; readonly exitCode: number | undefined }>();
  const started: FakeTask[] = [];
  const progress: FakeProgress[] = [];
  const answers: {
    saveAs: (options: { defaultUri: Uri; filters: object }) => Uri | undefined;
    quickPick: (items: readonly { label: string }[]) => unknown;
    input: (box: FakeInput) => unknown;
    button: (items: readonly string[]) => unknown;
  } = {
    saveAs: () => undefined,
    quickPick: () => undefined,
    input: () => undefined,
    button: () => undefined,
  };
  const channel = {
    info() {},
    warn: (text: string) => warnings.push(text),
    error() {},
    debug() {},
    trace() {},
    dispose() {},
  };
  return {
    registered,
    executed,
    shown,
    warnings,
    progress,
    /** Edits that were applied. */
    edits,
    /** Files that were written, with their bytes. */
    written,
    /** What the person does when asked: a test replaces these. */
    answers,
    channel,
    EventEmitter: Emitter,
    ProgressLocation: { Notification: 15 },
    CancellationError: class extends Error {},
    CancellationTokenSource: class {
      readonly token = { isCancellationRequested: false };
      cancel(): void {
        this.token.isCancellationRequested = true;
      }
    },
    Position,
    Range: class {
      readonly parts: readonly unknown[];
      constructor(...parts: unknown[]) {
        this.parts = parts;
      }
    },
    Uri,
    WorkspaceEdit,
    ViewColumn: { One: 1, Beside: -2 },
    Disposable: { from: nothing },
    LanguageStatusSeverity: { Information: 0, Warning: 1, Error: 2 },
    l10n: {
      t: (text: string, ...values: string[]) =>
        text.replace(/\{(\d)\}/g, (_, n: string) => values[Number(n)] ?? ''),
    },
    commands: {
      registerCommand: (id: string): Disposable => {
        registered.push(id);
        return nothing();
      },
      executeCommand: async (...call: unknown[]) => {
        executed.push(call);
      },
    },
    TaskScope: { Workspace: 2 },
    TaskRevealKind: { Always: 1 },
    Task: class {
      readonly definition: object;
      readonly name: string;
      readonly execution: unknown;
      constructor(definition: object, _scope: number, name: string, _source: string, execution: unknown) {
        this.definition = definition;
        this.name = name;
        this.execution = execution;
      }
    },
    ProcessExecution: class {
      readonly process: string;
      readonly args: readonly string[];
      readonly options: object;
      constructor(process: string, args: readonly string[], options: object) {
        this.process = process;
        this.args = args;
        this.options = options;
      }
    },
    tasks: {
      executed: started,
      executeTask: async (task: FakeTask) => {
        started.push(task);
        return Object.assign(task, { terminate: () => ended.fire({ execution: task, exitCode: undefined }) });
      },
      registerTaskProvider: nothing,
      onDidEndTaskProcess: ended.event,
      /** The task's process has ended. */
      end: (execution: unknown, exitCode?: number) => ended.fire({ execution, exitCode }),
    },
    tests: { createTestController: fakeTestController },
    TestRunProfileKind: { Run: 1 },
    TestTag: class {
      readonly id: string;
      constructor(id: string) {
        this.id = id;
      }
    },
    TestMessage: class {
      readonly message: unknown;
      constructor(message: unknown) {
        this.message = message;
      }
    },
    MarkdownString: class {
      readonly value: string;
      constructor(value: string) {
        this.value = value;
      }
    },
    Location: class {},
    languages: { createLanguageStatusItem: () => ({ dispose() {} }) },
    window: {
      createOutputChannel: () => channel,
      registerWebviewPanelSerializer: nothing,
      visibleTextEditors: [] as { viewColumn?: number }[],
      activeTextEditor: undefined as { document: { uri: Uri } } | undefined,
      showTextDocument: async (what: Uri | { uri: Uri }, options: unknown) => {
        shown.push({ uri: ('uri' in what ? what.uri : what).toString(), options });
      },
      showQuickPick: async (items: readonly { label: string }[]) => answers.quickPick(items),
      showSaveDialog: async (options: { defaultUri: Uri; filters: object }) => answers.saveAs(options),
      showInputBox: async (box: FakeInput) => answers.input(box),
      showInformationMessage: async (text: string) => void warnings.push(text),
      showWarningMessage: async (text: string) => void warnings.push(text),
      showErrorMessage: async (text: string, { detail }: { detail: string }, ...items: string[]) => {
        warnings.push(`${text} ${detail}`);
        return answers.button(items);
      },
      setStatusBarMessage: () => undefined,
      withProgress: async (
        options: FakeProgress['options'],
        task: (report: object, token: object) => Promise<unknown>,
      ) => {
        const cancelled = new Emitter<void>();
        const one: FakeProgress = { options, done: false, cancel: () => cancelled.fire() };
        progress.push(one);
        await task({}, { onCancellationRequested: cancelled.event });
        one.done = true;
      },
    },
    workspace: {
      isTrusted: true,
      fs: {
        writeFile: async (uri: Uri, bytes: Uint8Array) => {
          if (uri.path.startsWith('/full/')) throw new Error('no space left');
          written.push([uri.path, bytes]);
        },
      },
      applyEdit: async (edit: FakeEdit) => {
        edits.push(edit);
        return true;
      },
      textDocuments: [] as { uri: Uri }[],
      openTextDocument: async (uri: Uri) => ({ uri }),
      asRelativePath: (uri: Uri) => uri.path,
      registerTextDocumentContentProvider: nothing,
      createFileSystemWatcher: () => ({ onDidCreate: nothing, onDidDelete: nothing, dispose() {} }),
      workspaceFolders: [] as { uri: Uri }[],
      onDidGrantWorkspaceTrust: nothing,
      getConfiguration: () => ({ get: () => undefined }),
      onDidOpenTextDocument: nothing,
      onDidChangeTextDocument: nothing,
      findFiles: () => Promise.resolve([]),
    },
  };
}

/** A webview panel whose page is the test: `receive` is what the page posts, `posted` what the page gets. */
export function fakePanel() {
  const received = new Emitter<unknown>();
  const disposed = new Emitter<void>();
  const viewState = new Emitter<void>();
  const posted: unknown[] = [];
  return {
    posted,
    receive: (message: unknown) => received.fire(message),
    close: () => disposed.fire(),
    setVisible(this: { visible: boolean }, visible: boolean): void {
      this.visible = visible;
      viewState.fire();
    },
    title: '',
    visible: true,
    viewColumn: 2,
    webview: {
      html: '',
      options: {},
      cspSource: 'vscode-resource:',
      asWebviewUri: (uri: Uri) => uri,
      onDidReceiveMessage: received.event,
      postMessage: async (message: unknown) => posted.push(message),
    },
    onDidDispose: disposed.event,
    onDidChangeViewState: viewState.event,
    reveal() {},
  };
}
