import * as vscode from 'vscode';

/** What the task of a rehearsal is about. */
export interface Rehearsal {
  /** As the terminal's tab shows it. */
  readonly name: string;
  /** The manifest's path. */
  readonly manifest: string;
  readonly steps: string;
}

export interface RunningRehearsal {
  /** The program's exit code when it has ended; undefined where it was ended from outside. */
  readonly exitCode: Promise<number | undefined>;
  stop(): void;
}

/** Starts `klp-lineage rehearse` as a task, whose terminal shows the prediction beside the real log. */
export async function startRehearsal(
  program: string,
  { name, manifest, steps }: Rehearsal,
): Promise<RunningRehearsal> {
  const task = new vscode.Task(
    { type: 'livepatch', rehearse: steps },
    vscode.TaskScope.Workspace,
    name,
    'livepatch',
    new vscode.ProcessExecution(program, ['rehearse', manifest, '--steps', steps]),
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
  const execution = await vscode.tasks.executeTask(task);
  const exitCode = new Promise<number | undefined>((resolve) => {
    const listening = vscode.tasks.onDidEndTaskProcess((event) => {
      if (event.execution !== execution) return;
      listening.dispose();
      resolve(event.exitCode);
    });
  });
  return { exitCode, stop: () => execution.terminate() };
}
