import { type CodeLens, type Command, type InlayHint, MarkupKind } from 'vscode-languageserver/node';
import { codeLenses, type Lens } from '../features/code-lens';
import { inlayHints } from '../features/inlay-hints';
import { toPosition, toRange, toSpan } from './convert';
import { type Session, throwIfCancelled } from './session';

/** What is shown between and behind the lines: code lenses and inlay hints, each with a setting. */
export function marginRequests(session: Session): void {
  const { connection, uris, workspace } = session;
  connection.onCodeLens((params, token) =>
    session.answerSlowly<CodeLens[] | null>('code lens', null, token, () => {
      const path = uris.path(params.textDocument.uri);
      const lines = path === null ? null : session.linesOf(path);
      if (path === null || !lines || !session.settings.codeLens) return null;
      return workspace.projectsOf(path).flatMap((project) => {
        throwIfCancelled(token);
        const manifest = uris.uri(project.manifest);
        return codeLenses(project.analyse(), path).map(
          (lens): CodeLens => ({ range: toRange(lines, lens.place), command: toCommand(lens, manifest) }),
        );
      });
    }),
  );
  connection.languages.inlayHint.on((params, token) =>
    session.answerSlowly<InlayHint[] | null>('inlay hints', null, token, () => {
      const path = uris.path(params.textDocument.uri);
      const lines = path === null ? null : session.linesOf(path);
      if (path === null || !lines || !session.settings.inlayHints) return null;
      const span = toSpan(lines, params.range);
      const found = new Map<string, InlayHint>();
      for (const project of workspace.projectsOf(path)) {
        throwIfCancelled(token);
        for (const { at, label, tooltip } of inlayHints(project.analyse(), path, span))
          found.set(`${at} ${label}`, {
            position: toPosition(lines, at),
            label,
            paddingLeft: true,
            tooltip: { kind: MarkupKind.Markdown, value: tooltip },
          });
      }
      return [...found.values()];
    }),
  );
}

/** The editor's commands take one argument: the stack's is the manifest, that of the others an object. */
function toCommand({ title, command }: Lens, manifest: string): Command {
  const { id, ...rest } = command;
  return {
    title,
    command: id,
    arguments: [id === 'livepatch.showStack' ? manifest : { manifest, ...rest }],
  };
}
