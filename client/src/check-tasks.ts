import * as vscode from 'vscode';
import { commandLineProgram, PROGRAM } from './command-line';
import { MANIFEST_GLOB } from './documents';

/** The task type of package.json's `taskDefinitions`. */
export const CHECK_TASK = 'klp-lineage';

/** Most manifests that become tasks of their own. */
const MOST = 50;

/** `klp-lineage check` as a task for every manifest of the workspace; its findings reach the Problems view. */
export class CheckTasks implements vscode.TaskProvider {
  async provideTasks(): Promise<vscode.Task[]> {
    const found = await vscode.workspace.findFiles(MANIFEST_GLOB, '**/{node_modules,.git}/**', MOST);
    return found
      .filter((uri) => uri.scheme === 'file')
      .map((uri) => {
        const path = vscode.workspace.asRelativePath(uri, false);
        return this.#task(
          { type: CHECK_TASK, manifest: path },
          path,
          vscode.workspace.getWorkspaceFolder(uri),
        );
      });
  }

  /** A task that a person wrote into tasks.json; undefined where it names no manifest. */
  resolveTask(task: vscode.Task): vscode.Task | undefined {
    const manifest: unknown = task.definition['manifest'];
    if (typeof manifest !== 'string' || manifest === '') return undefined;
    const scope = typeof task.scope === 'object' ? task.scope : undefined;
    return this.#task(task.definition, manifest, scope);
  }

  #task(
    definition: vscode.TaskDefinition,
    manifest: string,
    folder: vscode.WorkspaceFolder | undefined,
  ): vscode.Task {
    // Colours would stand in the matcher's way, and a file name relative to the manifest may mean several files. Where the program is missing the task says so when it is run.
    // (By a path that is none: looked up by name, it could be one in a folder of the workspace.)
    const program = commandLineProgram() ?? `/not on the PATH/${PROGRAM}`;
    const execution = new vscode.ProcessExecution(program, ['check', '--absolute', '--', manifest], {
      env: { NO_COLOR: '1' },
    });
    const name = vscode.l10n.t('check {0}', manifest);
    const scope = folder ?? vscode.TaskScope.Workspace;
    return new vscode.Task(definition, scope, name, CHECK_TASK, execution, '$klp-lineage');
  }
}
