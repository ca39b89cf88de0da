import {
  type DocumentSymbol,
  type FoldingRange,
  type Location,
  LSPErrorCodes,
  type PrepareRenameResult,
  ResponseError,
  type SymbolInformation,
  SymbolKind,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import type { Place } from '../core/place';
import { manifestFolds } from '../features/folding';
import { definition, references } from '../features/navigation';
import { renamable, rename } from '../features/rename';
import {
  type SymbolKind as Kind,
  lineageSymbols,
  type ManifestSymbol,
  manifestSymbols,
} from '../features/symbols';
import { toLineSpan, toRange, toWorkspaceEdit } from './convert';
import { atPosition, type Session, throwIfCancelled } from './session';

const KINDS: Readonly<Record<Kind, SymbolKind>> = {
  version: SymbolKind.Module,
  target: SymbolKind.Package,
  callback: SymbolKind.Function,
  state: SymbolKind.Constant,
  shadow: SymbolKind.Key,
  scenario: SymbolKind.Event,
  section: SymbolKind.Namespace,
  step: SymbolKind.String,
};

/** Going from one place of a lineage to another, and renaming what stands there. */
export function navigationRequests(session: Session): void {
  const { connection, uris, workspace } = session;
  const locations = (places: readonly Place[]): Location[] =>
    places.flatMap((place) => {
      const lines = session.linesOf(place.file);
      return lines ? [{ uri: uris.uri(place.file), range: toRange(lines, place) }] : [];
    });
  connection.onDefinition((params, token) =>
    session.answer<Location[] | null>('definition', null, token, () => {
      for (const { analysis, path, offset } of atPosition(session, params, token)) {
        const found = definition(analysis, path, offset);
        if (found.length > 0) return locations(found);
      }
      return null;
    }),
  );
  connection.onReferences((params, token) =>
    session.answerSlowly<Location[] | null>('references', null, token, () => {
      const found: Place[] = [];
      for (const { analysis, path, offset } of atPosition(session, params, token))
        found.push(...references(analysis, path, offset, params.context.includeDeclaration));
      const once = new Map(locations(found).map((it) => [JSON.stringify(it), it]));
      return once.size > 0 ? [...once.values()] : null;
    }),
  );
  connection.onPrepareRename((params, token) =>
    session.answer<PrepareRenameResult | null>('prepare rename', null, token, () => {
      for (const { analysis, path, offset, lines } of atPosition(session, params, token)) {
        const found = renamable(analysis, path, offset);
        if (found) return { range: toRange(lines, found.span), placeholder: found.text };
      }
      return null;
    }),
  );
  connection.onRenameRequest((params, token) =>
    session.answerSlowly<WorkspaceEdit | null>('rename', null, token, () => {
      for (const { analysis, path, offset } of atPosition(session, params, token)) {
        const answer = rename(analysis, path, offset, params.newName);
        if (!answer) continue;
        if ('problem' in answer) throw new ResponseError(LSPErrorCodes.RequestFailed, answer.problem);
        return toWorkspaceEdit(answer.edits, session.editTarget());
      }
      return null;
    }),
  );
  connection.onDocumentSymbol((params, token) =>
    session.answer<DocumentSymbol[] | SymbolInformation[] | null>('document symbols', null, token, () => {
      const { uri } = params.textDocument;
      const path = uris.path(uri);
      const project = path === null ? undefined : workspace.project(path);
      const lines = path === null ? null : session.linesOf(path);
      if (!project || !lines) return null;
      const convert = ({ name, detail, kind, span, nameSpan, children }: ManifestSymbol): DocumentSymbol => ({
        name,
        detail,
        kind: KINDS[kind],
        range: toRange(lines, span),
        selectionRange: toRange(lines, nameSpan),
        children: children.map(convert),
      });
      const tree = manifestSymbols(project.analyse()).map(convert);
      return session.symbolTrees ? tree : flat(tree, uri, '');
    }),
  );
  connection.onFoldingRanges((params, token) =>
    session.answer<FoldingRange[] | null>('folding', null, token, () => {
      const path = uris.path(params.textDocument.uri);
      const project = path === null ? undefined : workspace.project(path);
      const lines = path === null ? null : session.linesOf(path);
      if (!project || !lines) return null;
      return manifestFolds(project.analyse()).map((fold) => ({
        ...toLineSpan(lines, fold),
        kind: fold.kind,
      }));
    }),
  );
  connection.onWorkspaceSymbol((params, token) =>
    session.answerSlowly<SymbolInformation[]>('workspace symbols', [], token, () => {
      const found: SymbolInformation[] = [];
      for (const project of workspace.projects) {
        throwIfCancelled(token);
        for (const { name, kind, container, place } of lineageSymbols(project.analyse(), params.query)) {
          const [location] = locations([place]);
          if (location) found.push({ name, kind: KINDS[kind], containerName: container, location });
        }
      }
      return found;
    }),
  );
}

/** For editors that know no trees of symbols. */
function flat(symbols: readonly DocumentSymbol[], uri: string, containerName: string): SymbolInformation[] {
  return symbols.flatMap(({ name, kind, range, children }) => [
    { name, kind, containerName, location: { uri, range } },
    ...flat(children ?? [], uri, name),
  ]);
}
