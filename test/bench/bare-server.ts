import {
  createConnection,
  ProposedFeatures,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';

/** A server on the same library that knows nothing: what any server costs. */
const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments(TextDocument);
connection.onInitialize(() => ({
  capabilities: { textDocumentSync: TextDocumentSyncKind.Incremental, hoverProvider: true },
}));
connection.onHover(({ textDocument, position }) => {
  const line = documents.get(textDocument.uri)?.getText({
    start: { line: position.line, character: 0 },
    end: { line: position.line + 1, character: 0 },
  });
  return { contents: { kind: 'markdown', value: line ?? '' } };
});
documents.onDidChangeContent(({ document }) => {
  const start = { line: 0, character: 0 };
  void connection.sendDiagnostics({
    uri: document.uri,
    version: document.version,
    diagnostics: [{ range: { start, end: { line: 0, character: 1 } }, message: 'the first line' }],
  });
});
documents.listen(connection);
connection.listen();
