import * as vscode from 'vscode';
import {
  LINEAGES_REQUEST,
  type LineagesResult,
  type ManifestParams,
  SCENARIOS_REQUEST,
  type ScenariosResult,
  SIMULATE_REQUEST,
  type SimulateResult,
  type StepsParams,
} from '../../server/src/lsp/protocol';
import { commandLineProgram, PROGRAM } from './command-line';
import { startRehearsal } from './rehearsal-task';
import type { ServerHandle } from './server-handle';

type Scenario = ScenariosResult['scenarios'][number];

/** What an entry of the test explorer runs. */
interface Subject {
  readonly manifest: string;
  readonly scenario: Scenario;
  readonly how: 'predict' | 'rehearse';
}

/**
 * The manifest's scenarios in the test explorer: predicted by the model, which takes no time, and below "Rehearsals"
 * the same ones in a real kernel, which "run all tests" leaves out.
 */
export class ScenarioTests implements vscode.Disposable {
  readonly #server: ServerHandle;
  readonly #controller = vscode.tests.createTestController(
    'livepatch.scenarios',
    vscode.l10n.t('Livepatch scenarios'),
  );
  readonly #predict = new vscode.TestTag('predict');
  readonly #rehearse = new vscode.TestTag('rehearse');
  readonly #subjects = new WeakMap<vscode.TestItem, Subject>();
  readonly #listening: vscode.Disposable;
  #shown = false;

  constructor(server: ServerHandle) {
    this.#server = server;
    this.#controller.resolveHandler = async (item) => {
      if (item === undefined) await this.#refresh();
    };
    this.#controller.refreshHandler = () => this.#refresh();
    const { Run } = vscode.TestRunProfileKind;
    const profile = (name: string, tag: vscode.TestTag): void => {
      const run = (request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> =>
        this.#run(request, token, tag);
      this.#controller.createRunProfile(name, Run, run, tag === this.#predict, tag);
    };
    profile(vscode.l10n.t('Predict'), this.#predict);
    profile(vscode.l10n.t('Rehearse in a real kernel'), this.#rehearse);
    this.#listening = server.onChanged(() => {
      if (this.#shown) void this.#refresh();
    });
  }

  dispose(): void {
    this.#listening.dispose();
    this.#controller.dispose();
  }

  /** Makes the entries anew from what the manifests say now. */
  async #refresh(): Promise<void> {
    this.#shown = true;
    const { lineages } = await this.#server.request<LineagesResult>(LINEAGES_REQUEST, {}, true);
    const roots: vscode.TestItem[] = [];
    for (const { manifest, lineage } of lineages) {
      const scenarios = await this.#scenarios(manifest);
      if (scenarios.length === 0) continue;
      const uri = vscode.Uri.parse(manifest);
      const root = this.#controller.createTestItem(manifest, lineage, uri);
      root.tags = [this.#predict, this.#rehearse];
      const title = vscode.l10n.t('Rehearsals');
      const rehearsals = this.#controller.createTestItem(`${manifest} rehearsals`, title, uri);
      rehearsals.tags = [this.#rehearse];
      for (const scenario of scenarios) {
        root.children.add(this.#item({ manifest, scenario, how: 'predict' }));
        rehearsals.children.add(this.#item({ manifest, scenario, how: 'rehearse' }));
      }
      root.children.add(rehearsals);
      roots.push(root);
    }
    this.#controller.items.replace(roots);
  }

  #item(subject: Subject): vscode.TestItem {
    const { manifest, scenario, how } = subject;
    const { start, end } = scenario.range;
    const id = `${manifest} ${how} ${scenario.name}`;
    const item = this.#controller.createTestItem(id, scenario.name, vscode.Uri.parse(manifest));
    item.range = new vscode.Range(start.line, start.character, end.line, end.character);
    item.tags = [how === 'predict' ? this.#predict : this.#rehearse];
    // Below the scenarios, which stand in the order of the manifest.
    item.sortText = `${how} ${String(start.line).padStart(6, '0')}`;
    this.#subjects.set(item, subject);
    return item;
  }

  async #scenarios(manifest: string): Promise<ScenariosResult['scenarios']> {
    const params: ManifestParams = { manifest };
    return (await this.#server.request<ScenariosResult>(SCENARIOS_REQUEST, params, true)).scenarios;
  }

  async #run(
    request: vscode.TestRunRequest,
    token: vscode.CancellationToken,
    tag: vscode.TestTag,
  ): Promise<void> {
    const wanted: vscode.TestItem[] = [];
    const gather = (item: vscode.TestItem): void => {
      if (request.exclude?.includes(item)) return;
      if (this.#subjects.has(item) && item.tags.includes(tag)) wanted.push(item);
      item.children.forEach(gather);
    };
    if (request.include) request.include.forEach(gather);
    else this.#controller.items.forEach(gather);
    const run = this.#controller.createTestRun(request);
    try {
      for (const item of wanted) run.enqueued(item);
      for (const item of wanted) {
        if (token.isCancellationRequested) break;
        const subject = this.#subjects.get(item);
        if (subject === undefined) continue;
        run.started(item);
        if (subject.how === 'predict') await this.#predicted(run, item, subject);
        else await this.#rehearsed(run, item, subject, token);
      }
    } finally {
      run.end();
    }
  }

  /** The scenario as the manifest has it by now. */
  async #predicted(
    run: vscode.TestRun,
    item: vscode.TestItem,
    { manifest, scenario: { name } }: Subject,
  ): Promise<void> {
    const scenario = (await this.#scenarios(manifest)).find((one) => one.name === name);
    if (scenario?.steps == null) {
      const why = scenario?.text ?? vscode.l10n.t('The manifest has no scenario {0} any more.', name);
      run.errored(item, new vscode.TestMessage(new vscode.MarkdownString(why)));
      return;
    }
    const { steps, passed, text } = scenario;
    const params: StepsParams = { manifest, steps };
    const told = await this.#server.request<SimulateResult>(SIMULATE_REQUEST, params, true);
    const output = 'text' in told ? told.text : told.problem;
    run.appendOutput(`${output.replace(/\r?\n/g, '\r\n')}\r\n`, undefined, item);
    if (passed) {
      run.passed(item);
      return;
    }
    const link = encodeURIComponent(JSON.stringify([{ manifest, steps }]));
    // The first line is what the list of results shows.
    const show = vscode.l10n.t('Show this run');
    const markdown = new vscode.MarkdownString(`${text}\n\n[${show}](command:livepatch.simulate?${link})`);
    markdown.isTrusted = { enabledCommands: ['livepatch.simulate'] };
    run.failed(item, messageAt(markdown, item));
  }

  async #rehearsed(
    run: vscode.TestRun,
    item: vscode.TestItem,
    { manifest, scenario: { name, steps, text } }: Subject,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const program = commandLineProgram();
    const why =
      steps === null
        ? text
        : !vscode.workspace.isTrusted
          ? vscode.l10n.t('A rehearsal compiles and runs code of this workspace: trust the workspace first.')
          : program === null
            ? vscode.l10n.t(
                '{0} runs in the command line program, and {1} is not on the PATH.',
                vscode.l10n.t('A rehearsal'),
                PROGRAM,
              )
            : null;
    if (why !== null || steps === null || program === null) {
      run.errored(item, messageAt(why ?? '', item));
      return;
    }
    const path = vscode.Uri.parse(manifest).fsPath;
    const rehearsal = await startRehearsal(program, { name, manifest: path, steps });
    const cancelling = token.onCancellationRequested(() => rehearsal.stop());
    const code = await rehearsal.exitCode;
    cancelling.dispose();
    if (token.isCancellationRequested || code === undefined) run.skipped(item);
    else if (code === 0) run.passed(item);
    else if (code === 1)
      run.failed(
        item,
        messageAt(
          vscode.l10n.t(
            'The real kernel did something else than predicted, or ended: the terminal says where.',
          ),
          item,
        ),
      );
    else run.errored(item, messageAt(vscode.l10n.t('The terminal says why there was no rehearsal.'), item));
    this.#server.changed(manifest);
  }
}

function messageAt(text: string | vscode.MarkdownString, item: vscode.TestItem): vscode.TestMessage {
  const message = new vscode.TestMessage(text);
  if (item.uri !== undefined && item.range !== undefined)
    message.location = new vscode.Location(item.uri, item.range);
  return message;
}
