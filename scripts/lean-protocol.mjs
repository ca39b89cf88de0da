/**
 * What of the language server protocol's names nobody mentions, taken out while bundling.
 *
 * The protocol's packages keep each type and message in a namespace of its own, which TypeScript writes as a function
 * that fills an object: no bundler may drop a part of that. This drops `Name.member = …;` where no source of client,
 * server or their libraries says `Name.member`. A name that is used in any other way (handed on, indexed, renamed)
 * keeps all of its members. In the same way the client's two converters lose the functions that nobody calls, and the
 * server's connection the messages that nobody asks it to hear. All of these
 * packages share their helpers.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withCopiedExports } from './quick-imports.mjs';
import { HELPERS, helperModule, helpersIn, withSharedHelpers } from './shared-helpers.mjs';
import { isLeftOut } from './unused-features.mjs';

const READERS = [
  'client/src',
  'server/src',
  'node_modules/vscode-languageclient/lib',
  'node_modules/vscode-languageserver/lib',
  'node_modules/vscode-languageserver-protocol/lib',
  'node_modules/vscode-languageserver-types/lib/esm',
  'node_modules/vscode-languageserver-textdocument/lib/esm',
];

const ASSIGNMENT = /^ {4}([A-Z]\w*)\.([A-Za-z]\w*) = .*;$/;

/** Comments may mention anything. */
function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** How TypeScript opens and closes a namespace and lists what a module hands out: no use of a name. */
const FRAME =
  /^(?:\(function \(\w+\) \{|\}\)\(.*\);|export var \w+;|var \w+;|exports\..* = void 0;|Object\.defineProperty\(exports, .*)$/;
const MEMBER = /(?<![\w$#])([A-Z]\w*)\??\.([A-Za-z]\w*)/g;
/** A name that is indexed, renamed, an argument, an element or what something is set to. */
const VALUE =
  /(?<![\w$#])([A-Z]\w*)(?=\[| as\b)|(?:[([=,]|\.\.\.|\breturn|\bin|=>)\s*(?:\w+\.)?([A-Z]\w*)(?=\s*[\]),;])/g;

/** All that is said of names that begin with a capital: `Name.member`, and names that are used as values otherwise. */
export function mentionsIn(texts) {
  const members = new Set();
  const values = new Set();
  const converters = new Set();
  const heard = new Set();
  for (const line of texts.flatMap((text) => withoutComments(text).split('\n'))) {
    if (FRAME.test(line)) continue;
    for (const [, name] of line.matchAll(/\.(as[A-Z]\w*)/g)) converters.add(name);
    for (const [, name] of line.matchAll(/\.(on[A-Z]\w*)/g)) heard.add(name);
    const said = ASSIGNMENT.test(line) ? line.slice(line.indexOf(' = ')) : line;
    for (const [, name, member] of said.matchAll(MEMBER)) members.add(`${name}.${member}`);
    for (const [, indexed, handedOn] of said.matchAll(VALUE)) values.add(indexed ?? handedOn);
  }
  return { members, values, converters, heard };
}

function sourcesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isLeftOut(path))
    .map((path) => readFileSync(path, 'utf8'));
}

/** How the server's connection offers a message: `onHover: (handler) => …,` */
const OFFERED =
  /^ {8}(on[A-Z]\w*): \(handler\) => connection\.on\w+\((?:.*\),|.*\{\n(?: {12}.*\n)* {8}\}\),)\n/gm;

/** The connection's text without the messages that nobody asks it to hear. */
export function withoutUnheard(text, { heard }) {
  return text.replace(OFFERED, (entry, name) => (heard.has(name) ? entry : ''));
}

/** `text` without the members of namespaces that `mentions` does not know. */
export function withoutUnmentioned(text, { members, values }) {
  const kept = text.split('\n').filter((line) => {
    const [, name, member] = ASSIGNMENT.exec(line) ?? [];
    return name === undefined || values.has(name) || members.has(`${name}.${member}`);
  });
  return kept.join('\n');
}

/** A converter's text without what it hands out and nobody calls: the minifier then drops the functions. */
export function withoutUncalled(text, { converters }) {
  return text.replace(/^ {8}(as[A-Z]\w*),?\n/gm, (line, name) => (converters.has(name) ? line : ''));
}

/** The esbuild plugin; `root` is the project's folder. */
export function leanProtocol(root) {
  return {
    name: 'lean-protocol',
    setup({ onLoad, onResolve }) {
      const texts = READERS.flatMap((folder) => sourcesBelow(join(root, folder)));
      const said = mentionsIn(texts);
      // What is offered and not heard mentions nothing either.
      const mentions = mentionsIn(texts.map((text) => withoutUnheard(text, said)));
      const helpers = helpersIn(texts);
      const read = (path) => withSharedHelpers(readFileSync(path, 'utf8'), helpers);
      onResolve({ filter: new RegExp(`^${HELPERS}$`) }, ({ path }) => ({ path, namespace: HELPERS }));
      onLoad({ filter: /./, namespace: HELPERS }, () => ({
        contents: withCopiedExports(helperModule(helpers)),
      }));
      const filter =
        /[\\/]vscode-languageserver-(?:protocol[\\/]lib[\\/]common[\\/]protocol[\w.$]*|types[\\/]lib[\\/]esm[\\/]main)\.js$/;
      onLoad({ filter }, ({ path }) => ({
        contents: withoutUnmentioned(read(path), mentions),
      }));
      onLoad(
        { filter: /[\\/]vscode-languageclient[\\/]lib[\\/]common[\\/](?:code|protocol)Converter\.js$/ },
        ({ path }) => ({
          contents: withoutUncalled(read(path), mentions),
        }),
      );
      onLoad(
        { filter: /[\\/]vscode-(?:languageclient|languageserver|jsonrpc)[\w-]*[\\/]lib[\\/]/ },
        ({ path }) => ({
          contents: withoutUnheard(read(path), mentions),
        }),
      );
    },
  };
}
