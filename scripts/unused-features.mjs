/**
 * vscode-languageclient brings the editor's half of every feature of the protocol and cannot be had without. Of the
 * features that this project's server does not offer, the bundle gets a class that does nothing instead: the client
 * then does not announce them. Take a line out here before the server offers what it names.
 */

import { readFileSync } from 'node:fs';

/** Modules in lib/common of vscode-languageclient, each with the server capability that would need it. */
export const UNUSED_FEATURES = {
  callHierarchy: 'callHierarchyProvider',
  colorProvider: 'colorProvider',
  declaration: 'declarationProvider',
  diagnostic: 'diagnosticProvider',
  documentHighlight: 'documentHighlightProvider',
  documentLink: 'documentLinkProvider',
  executeCommand: 'executeCommandProvider',
  fileOperations: 'workspace.fileOperations',
  formatting: 'documentFormattingProvider',
  implementation: 'implementationProvider',
  inlineCompletion: 'inlineCompletionProvider',
  inlineValue: 'inlineValueProvider',
  linkedEditingRange: 'linkedEditingRangeProvider',
  notebook: 'notebookDocumentSync',
  selectionRange: 'selectionRangeProvider',
  semanticTokens: 'semanticTokensProvider',
  textDocumentContent: 'workspace.textDocumentContent',
  typeDefinition: 'typeDefinitionProvider',
  typeHierarchy: 'typeHierarchyProvider',
};

/** Modules of vscode-languageserver that add an API to a connection which the server never calls. */
const UNUSED_IN_SERVER = [
  'common/callHierarchy',
  'common/diagnostic',
  'common/fileOperations',
  'common/inlineCompletion',
  'common/inlineValue',
  'common/linkedEditingRange',
  'common/moniker',
  'common/notebook',
  'common/semanticTokens',
  'common/textDocumentContent',
  'common/typeHierarchy',
  'node/files',
];

/** What LanguageClient asks of a feature. */
const UNUSED_CLASS = `class Unused {
  fillClientCapabilities() {}
  initialize() {}
  getState() { return { kind: 'static' }; }
  clear() {}
}
`;

/**
 * The client asks semver whether the editor is new enough. The editor itself has seen to that before it starts an
 * extension: `engines.vscode` in package.json is no older than what the client asks for.
 */
const ANY_VERSION = 'module.exports = () => ({});';
const VERSION_CHECK = /[\\/]semver[\\/]functions[\\/](?:parse|satisfies)\.js$/;

/** Modules in lib/common of libraries for which the language has something of its own. */
const SHORTER = [
  // Messages wait in a map that keeps their order, as every Map does; only the connection has one.
  [
    /[\\/]vscode-jsonrpc[\\/]lib[\\/]common[\\/]linkedMap\.js$/,
    `exports.LinkedMap = class extends Map {
  shift() {
    for (const [key, value] of this) {
      this.delete(key);
      return value;
    }
  }
};`,
  ],
  // Cancellation over shared memory is for threads.
  [/[\\/]vscode-jsonrpc[\\/]lib[\\/]common[\\/]sharedArrayCancellation\.js$/, ''],
  [
    /[\\/]vscode-languageserver[\\/]lib[\\/]common[\\/]utils[\\/]uuid\.js$/,
    `exports.generateUuid = () => require('node:crypto').randomUUID();`,
  ],
];

/** A module that exports something else under the names of another one. */
function exportsOf(path, value) {
  const names = [...readFileSync(path, 'utf8').matchAll(/\bexports\.(\w+) = /g)].map(([, name]) => name);
  return [...new Set(names)].map((name) => `exports.${name} = ${value(name)};\n`).join('');
}

const CLIENT_FILTER = new RegExp(
  `[\\\\/]vscode-languageclient[\\\\/]lib[\\\\/]common[\\\\/](?:${Object.keys(UNUSED_FEATURES).join('|')})\\.js$`,
);
const SERVER_FILTER = new RegExp(
  `[\\\\/]vscode-languageserver[\\\\/]lib[\\\\/](?:${UNUSED_IN_SERVER.map((name) => name.replace('/', '[\\\\/]')).join('|')})\\.js$`,
);

/** Does the bundle get something else instead of this file? */
export function isLeftOut(path) {
  return CLIENT_FILTER.test(path) || SERVER_FILTER.test(path);
}

/** The esbuild plugin that puts the class in. */
export const leaveOutUnusedFeatures = {
  name: 'leave-out-unused-features',
  setup({ onLoad }) {
    onLoad({ filter: CLIENT_FILTER }, ({ path }) => ({
      contents: UNUSED_CLASS + exportsOf(path, () => 'Unused'),
    }));
    // A feature is a function that makes a class with more methods out of one.
    onLoad({ filter: SERVER_FILTER }, ({ path }) => ({
      contents: exportsOf(path, (name) => (name.endsWith('Feature') ? '(Base) => Base' : 'class {}')),
    }));
    onLoad({ filter: VERSION_CHECK }, () => ({ contents: ANY_VERSION }));
    for (const [filter, contents] of SHORTER) onLoad({ filter }, () => ({ contents }));
  },
};
