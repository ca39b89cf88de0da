import {
  type CodeAction,
  type CodeActionParams,
  Command,
  type Diagnostic,
  type Hover,
} from 'vscode-languageserver/node';
import { type EditorAction, fixAll, quickFixes } from '../features/code-actions';
import { hover } from '../features/hover';
import type { Finding } from '../rules/rule';
import { type EditTarget, toDiagnostic, toRange, toSpan, toWorkspaceEdit } from './convert';
import { marginRequests } from './margin-requests';
import { navigationRequests } from './navigation-requests';
import { atPosition, type Session, throwIfCancelled } from './session';
import { typingRequests } from './typing-requests';

/** The requests of the language server protocol itself. */
export function languageRequests(session: Session): void {
  const { connection, uris, workspace } = session;
  navigationRequests(session);
  typingRequests(session);
  marginRequests(session);
  connection.onHover((params, token) =>
    session.answer<Hover | null>('hover', null, token, () => {
      for (const { analysis, path, offset, lines } of atPosition(session, params, token)) {
        const answer = hover(analysis, path, offset);
        if (answer) {
          return {
            contents: { kind: 'markdown', value: answer.markdown },
            range: toRange(lines, answer.span),
          };
        }
      }
      return null;
    }),
  );
  connection.onCodeAction((params, token) =>
    session.answer<(CodeAction | Command)[]>('code action', [], token, () => {
      const path = uris.path(params.textDocument.uri);
      const lines = path === null ? null : session.linesOf(path);
      if (path === null || !lines) return [];
      const span = toSpan(lines, params.range);
      const target = session.editTarget();
      const answers = new Map<string, CodeAction>();
      const keep = (action: CodeAction | null): void => {
        // Two lineages that share a source offer the same thing twice.
        if (action) answers.set(JSON.stringify([action.title, action.edit, action.command]), action);
      };
      const findings: Finding[] = [];
      for (const project of workspace.projectsOf(path)) {
        throwIfCancelled(token);
        const analysis = project.analyse();
        findings.push(...analysis.findings());
        if (!wants(params, 'quickfix')) continue;
        for (const action of quickFixes(analysis, path, span))
          keep(toCodeAction(action, target, uris.uri(project.manifest)));
      }
      const all = wants(params, 'source.fixAll.livepatch') ? fixAll(findings, path) : null;
      if (all) keep(toCodeAction(all, target, ''));
      const list = [...answers.values()];
      return session.actionLiterals ? list : list.flatMap(({ command }) => command ?? []);
    }),
  );
}

/** Whether the editor asks for this kind: for it, for a kind above it, or for all. */
function wants(params: CodeActionParams, kind: string): boolean {
  const { only } = params.context;
  return only === undefined || only.some((one) => one === '' || kind === one || kind.startsWith(`${one}.`));
}

function toCodeAction(action: EditorAction, target: EditTarget, manifest: string): CodeAction | null {
  const edit = action.command ? null : toWorkspaceEdit(action.edits, target);
  if (!action.command && !edit) return null;
  const diagnostics = action.findings.flatMap((finding): Diagnostic[] => {
    const lines = target.linesOf(finding.place.file);
    return lines
      ? [
          toDiagnostic(
            finding,
            lines,
            (file) => target.linesOf(file),
            (file) => target.uri(file),
          ),
        ]
      : [];
  });
  return {
    title: action.title,
    kind: action.kind,
    diagnostics,
    ...(action.preferred ? { isPreferred: true } : {}),
    ...(edit ? { edit } : {}),
    ...(action.command
      ? { command: toCommand(action.title, action.command.id, action.command.arguments, manifest) }
      : {}),
  };
}

/** The editor's commands take one object; what a fix knows of it are the version to restore and those to clean up. */
function toCommand(title: string, id: string, given: readonly string[], manifest: string): Command {
  if (id !== 'livepatch.generateCleanupPatch') return Command.create(title, id, manifest, ...given);
  const [restore, ...after] = given;
  return Command.create(title, id, { manifest, restore, after });
}
