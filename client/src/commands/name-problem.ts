import * as vscode from 'vscode';
import type { VersionChoice } from './cleanup-choice';

/** Why `name` cannot be the name of a new version, or null. The manifest's own check is the server's. */
export function nameProblem(name: string, versions: readonly VersionChoice[]): string | null {
  if (!/^[^\s\p{C};="',-][^\s\p{C};="',]{0,99}$/u.test(name))
    return vscode.l10n.t(
      'A name has 1 to 100 characters, none of them blank or one of ; = , " \' and does not start with a dash.',
    );
  if (name === 'none') return vscode.l10n.t('"none" stands for the kernel without a livepatch.');
  return versions.some((one) => one.version === name || one.module === name)
    ? vscode.l10n.t('{0} is taken.', name)
    : null;
}
