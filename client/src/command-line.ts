import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';

/** The command line program, which is a package of its own: the extension holds the editor's part alone. */
export const PROGRAM = 'klp-lineage';

/** The program as the PATH has it; no folder of the workspace is looked into. null where it is not installed. */
export function commandLineProgram(path: string | undefined = process.env['PATH']): string | null {
  for (const folder of (path ?? '').split(delimiter)) {
    // An empty or relative entry would mean the folder that somebody happens to work in.
    if (!isAbsolute(folder)) continue;
    const file = join(folder, PROGRAM);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  return null;
}

/** Says that the program is missing and what to do. */
export function tellOfMissingProgram(what: string): void {
  void vscode.window.showErrorMessage(
    vscode.l10n.t('{0} runs in the command line program, and {1} is not on the PATH.', what, PROGRAM),
    {
      modal: true,
      detail: vscode.l10n.t(
        'It is the package livepatch-lineage: install it where this editor runs its extensions, so that {0} can be called, and start the editor anew.',
        PROGRAM,
      ),
    },
  );
}
