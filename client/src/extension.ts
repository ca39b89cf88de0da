import * as vscode from 'vscode';
import { CHECK_TASK, CheckTasks } from './check-tasks';
import type { CommandId } from './command-ids';
import { compareVersions } from './commands/compare-versions';
import { createManifest } from './commands/create-manifest';
import { explainTransition } from './commands/explain-transition';
import { exportStack } from './commands/export-stack';
import { generateCleanupPatch } from './commands/generate-cleanup-patch';
import { makeReplaceable } from './commands/make-replaceable';
import { newVersion } from './commands/new-version';
import { rehearse } from './commands/rehearse';
import { runbook } from './commands/runbook';
import { showStack } from './commands/show-stack';
import { simulate } from './commands/simulate';
import { includesLivepatch, isManifestPath, MANIFEST_GLOB, MANIFEST_LANGUAGE } from './documents';
import { InSight } from './in-sight';
import { STACK_VIEW, StackPanels } from './panel/stack-panels';
import { REVISION_SCHEME, Revisions } from './revisions';
import { RULE_SCHEME, RulePages } from './rule-pages';
import { RUN_SCHEME } from './run-address';
import { RunDocuments } from './run-documents';
import { ScenarioTests } from './scenario-tests';
import { ServerHandle } from './server-handle';
import { StatusItem } from './status-item';

let server: ServerHandle | undefined;

/** Registers what the person can call, and starts the server as soon as a livepatch is in sight. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Livepatch Lineage', { log: true });
  const status = new StatusItem();
  const handle = new ServerHandle(context.extensionPath, log, status);
  server = handle;
  const panels = new StackPanels({ extensionUri: context.extensionUri, server: handle, log });
  const runs = new RunDocuments(handle);
  const commands: Readonly<Record<CommandId, (argument?: unknown) => Promise<void>>> = {
    'livepatch.showStack': (manifest) => showStack(handle, panels, manifest),
    'livepatch.generateCleanupPatch': (wish) => generateCleanupPatch(handle, wish),
    'livepatch.simulate': (wish) => simulate(handle, runs, context.workspaceState, wish),
    'livepatch.explainTransition': (wish) => explainTransition(handle, runs, wish),
    'livepatch.newVersion': (wish) => newVersion(handle, wish),
    'livepatch.makeReplaceable': (wish) => makeReplaceable(handle, wish),
    'livepatch.runbook': (wish) => runbook(handle, runs, wish),
    'livepatch.rehearse': (wish) => rehearse(handle, (manifest) => handle.changed(manifest), wish),
    'livepatch.compareVersions': (manifest) => compareVersions(handle, manifest),
    'livepatch.exportSvg': (manifest) => exportStack(handle, panels, 'svg', manifest),
    'livepatch.exportPng': (manifest) => exportStack(handle, panels, 'png', manifest),
    'livepatch.createManifest': (folder) => createManifest(handle, folder),
  };
  for (const [id, run] of Object.entries(commands))
    context.subscriptions.push(
      vscode.commands.registerCommand(id, (argument?: unknown) => guarded(log, run(argument))),
    );
  context.subscriptions.push(
    log,
    status,
    handle,
    vscode.window.registerWebviewPanelSerializer(STACK_VIEW, panels),
    vscode.workspace.registerTextDocumentContentProvider(RULE_SCHEME, new RulePages(handle)),
    vscode.workspace.registerTextDocumentContentProvider(REVISION_SCHEME, new Revisions(handle)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => handle.trust()),
    runs,
    vscode.tasks.registerTaskProvider(CHECK_TASK, new CheckTasks()),
    new ScenarioTests(handle),
    vscode.workspace.registerTextDocumentContentProvider(RUN_SCHEME, runs),
    startWhenNeeded(handle, log),
  );
}

export async function deactivate(): Promise<void> {
  await server?.stop();
  server = undefined;
}

/** A command that fails says so in one line; the log has the rest. */
async function guarded(log: vscode.LogOutputChannel, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (error instanceof vscode.CancellationError) return;
    log.error(error instanceof Error ? error : String(error));
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}

/** A manifest in the workspace, an open manifest, or C that includes linux/livepatch.h starts the server. */
function startWhenNeeded(handle: ServerHandle, log: vscode.LogOutputChannel): vscode.Disposable {
  const sight = new InSight();
  let started = false;
  const start = (): void => {
    if (started) return;
    started = true;
    handle.start().catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
  };
  const look = (document: vscode.TextDocument): void => {
    const what = concern(document);
    if (what === null) return;
    sight[what]();
    start();
  };
  const search = (): void => {
    sight.look().then(
      (found) => {
        if (found) start();
      },
      (error: unknown) => log.warn(`manifests could not be looked for: ${String(error)}`),
    );
  };
  const manifests = vscode.workspace.createFileSystemWatcher(MANIFEST_GLOB, false, true, false);
  const watching = vscode.Disposable.from(
    manifests,
    manifests.onDidCreate(() => {
      sight.manifest();
      start();
    }),
    manifests.onDidDelete(search),
    handle.onChanged(() => sight.manifest()),
    vscode.workspace.onDidOpenTextDocument(look),
    // An include may be typed into a file that is open already.
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (!started && contentChanges.some((change) => change.text.includes('h'))) look(document);
    }),
  );
  search();
  for (const document of vscode.workspace.textDocuments) look(document);
  return watching;
}

function concern(document: vscode.TextDocument): 'manifest' | 'sources' | null {
  if (document.uri.scheme !== 'file') return null;
  if (document.languageId === MANIFEST_LANGUAGE || isManifestPath(document.uri.path)) return 'manifest';
  return document.languageId === 'c' && includesLivepatch(document.getText()) ? 'sources' : null;
}
