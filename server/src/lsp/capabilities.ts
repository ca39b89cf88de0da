import type {
  ClientCapabilities,
  InitializeResult,
  ServerCapabilities,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';

// The protocol's library is not imported for its values: this is loaded before it (handshake.ts).
const INCREMENTAL: typeof TextDocumentSyncKind.Incremental = 2;

const ALWAYS: ServerCapabilities = {
  positionEncoding: 'utf-16',
  textDocumentSync: { openClose: true, change: INCREMENTAL },
  hoverProvider: true,
  codeActionProvider: { codeActionKinds: ['quickfix', 'source.fixAll.livepatch'] },
  completionProvider: { triggerCharacters: [' ', '.', '=', '['] },
  signatureHelpProvider: { triggerCharacters: ['=', '('] },
  definitionProvider: true,
  referencesProvider: true,
  renameProvider: { prepareProvider: true },
  workspaceSymbolProvider: true,
  codeLensProvider: {},
  inlayHintProvider: true,
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
};

/** Which of the features that are registered for manifests alone the editor lets a server register later. */
export function registersLater({ textDocument }: ClientCapabilities): { outline: boolean; folding: boolean } {
  return {
    outline: textDocument?.documentSymbol?.dynamicRegistration === true,
    folding: textDocument?.foldingRange?.dynamicRegistration === true,
  };
}

/** The answer to `initialize`, from what the client says of itself and nothing else. */
export function initializeResult(client: ClientCapabilities): InitializeResult {
  const later = registersLater(client);
  return {
    serverInfo: { name: 'livepatch-lineage' },
    capabilities: {
      ...ALWAYS,
      documentSymbolProvider: !later.outline,
      foldingRangeProvider: !later.folding,
    },
  };
}
