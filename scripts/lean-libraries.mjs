/**
 * What of two libraries this project never reaches, taken out while bundling. Each cut says what it takes to be true;
 * what does not look as expected stays as it is.
 *
 * - yaml: a manifest is only read, so nothing turns into YAML text; server/src/core/manifest/yaml-tree.ts refuses
 *   directives and tags, so only YAML 1.2's core schema is met, and none of its tags.
 * - web-tree-sitter: no grammar brings JavaScript to evaluate (EM_ASM, EM_JS), and a bundle without eval is one that a
 *   minifier can read; it runs in Node; server/src/core/csource/tree.ts uses its Parser, Language and Edit; queries cannot be
 *   made without the C functions that the build takes out of the .wasm file anyway.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STUB = '() => { throw new Error("left out of this bundle"); }';

/** A module whose exported names are all functions that throw. */
function stubOf(path) {
  const text = readFileSync(path, 'utf8');
  const names = /export \{([^}]*)\};?\s*$/.exec(text)?.[1] ?? '';
  const lines = names.split(',').flatMap((name) => {
    const exported = name.trim().split(/ as /).pop()?.trim();
    return exported ? [`export const ${exported} = ${STUB};`] : [];
  });
  return lines.length > 0 ? lines.join('\n') : text;
}

/** The core schema alone, and no tag that a document may name. */
function withoutTags(text) {
  return text
    .replace(/(const schemas = new Map\(\[\n *\['core', schema\]),[\s\S]*?\n\]\);/, '$1]);')
    .replace(/(const (?:tagsByName|coreKnownTags) = )\{[^}]*\};/g, '$1{};');
}

function withoutNames(text) {
  return text
    .replace('__defProp(target, "name", { value, configurable: true })', 'target')
    .replace(/static \{\s*__name\(this, "[^"]*"\);\s*\}/g, '')
    .replace(/^\s*__name\(\w+, "[^"]*"\);$/gm, '');
}

function withoutEval(text) {
  return text.replace(/= eval\(func\);/g, '= undefined;');
}

function inNode(text) {
  return text
    .replace(/(var ENVIRONMENT_IS_(?:WEB|WORKER) = )[^;]*;/g, '$1false;')
    .replace(/(var ENVIRONMENT_IS_NODE = )[^;]*;/, '$1true;');
}

const USED = ['Edit', 'Language', 'Parser'];

/** Only what is used is handed out, so that the minifier sees that the rest is not. */
function fewerExports(text) {
  return text.replace(/__export\(([\w$]+), \{[\s\S]*?\n\}\);/, (whole, target) =>
    target.endsWith('_exports')
      ? `__export(${target}, {\n${USED.map((name) => `  ${name}: () => ${name}`).join(',\n')}\n});`
      : whole,
  );
}

/** How a library writes its classes, and by how far their members are indented. */
const TREE_SITTER = {
  opens: /^var (?:Edit|LookaheadIterator|Tree|TreeCursor|Node|Language|Parser) = class/,
  closes: '};',
  indent: '  ',
};
const PLAIN = { opens: /^class \w+/, closes: '}', indent: '    ' };
/** Called by the language itself. */
const IMPLICIT = new Set(['constructor', 'toString', 'toJSON']);

/** Pieces of a library: each member of a class by itself, with its name, and all that lies between. */
function piecesOf(text, { opens, closes, indent }) {
  const member = new RegExp(`^${indent}(?:static )?(?:async )?(?:get |set )?([A-Za-z]\\w*)\\(.*\\) \\{$`);
  const pieces = [{ name: null, lines: [] }];
  let inClass = false;
  for (const line of text.split('\n')) {
    if (opens.test(line)) inClass = true;
    else if (line === closes) inClass = false;
    const name = inClass ? member.exec(line)?.[1] : undefined;
    if (name !== undefined && !IMPLICIT.has(name)) pieces.push({ name, lines: [line] });
    else pieces.at(-1).lines.push(line);
    if (pieces.at(-1).name !== null && line === `${indent}}`) pieces.push({ name: null, lines: [] });
  }
  return pieces.map(({ name, lines }) => ({ name, text: lines.join('\n') }));
}

/**
 * The texts of a library without the methods that neither its users nor what stays of it name: the word anywhere, be it
 * in a string, keeps every method of that name.
 */
export function withoutUnusedMembers(texts, users, style) {
  const files = texts.map((text) => piecesOf(text, style));
  const mentioned = new Set();
  const mention = (code) => {
    const said = code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
    for (const [name] of said.matchAll(/[A-Za-z]\w*/g)) mentioned.add(name);
  };
  users.forEach(mention);
  const kept = new Set();
  for (let size = -1; size !== kept.size; ) {
    size = kept.size;
    for (const piece of files.flat()) {
      if (kept.has(piece) || (piece.name !== null && !mentioned.has(piece.name))) continue;
      kept.add(piece);
      mention(piece.text);
    }
  }
  const joined = (pieces) => pieces.filter((piece) => kept.has(piece)).map(({ text }) => text);
  return files.map((pieces) => joined(pieces).join('\n'));
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const TREE_USER = 'server/src/core/csource/tree.ts';

function sourcesIn(folder) {
  return filesIn(folder).map((path) => readFileSync(path, 'utf8'));
}

function filesIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((path) => join(root, folder, path))
    .filter((path) => /(?<!\.d)\.[jt]s$/.test(path));
}

/** Files by their path, without what nobody calls. */
function lean(paths, users) {
  const texts = paths.map((path) => readFileSync(path, 'utf8'));
  const smaller = withoutUnusedMembers(texts, users, PLAIN);
  return paths.map((path, i) => [path, smaller[i]]);
}

/** The classes that are looked through, by file. */
function leanClasses() {
  const yaml = filesIn('node_modules/yaml/browser/dist').filter((path) => !path.includes('stringify'));
  const users = sourcesIn('server/src').filter((text) => text.includes("from 'yaml'"));
  return new Map(lean(yaml, users));
}

export const leanLibraries = {
  name: 'lean-libraries',
  setup({ onLoad }) {
    const yaml = /[\\/]yaml[\\/]browser[\\/]dist[\\/]/.source;
    const classes = leanClasses();
    onLoad({ filter: new RegExp(`${yaml}stringify[\\\\/]\\w+\\.js$`) }, ({ path }) => ({
      contents: stubOf(path),
    }));
    onLoad({ filter: new RegExp(`${yaml}schema[\\\\/]yaml-1\\.1[\\\\/]schema\\.js$`) }, () => ({
      contents: `export { schema } from '../core/schema.js';`,
    }));
    onLoad({ filter: new RegExp(`${yaml}schema[\\\\/]tags\\.js$`) }, ({ path }) => ({
      contents: withoutTags(classes.get(path) ?? readFileSync(path, 'utf8')),
    }));
    onLoad({ filter: /[\\/](?:yaml|vscode-\w+)[\\/].*\.js$/ }, ({ path }) => {
      const contents = classes.get(path);
      return contents === undefined ? undefined : { contents };
    });
    onLoad({ filter: /[\\/]web-tree-sitter\.cjs$/ }, ({ path }) => ({
      contents: withoutUnusedMembers(
        [fewerExports(inNode(withoutEval(withoutNames(readFileSync(path, 'utf8')))))],
        [readFileSync(join(root, TREE_USER), 'utf8')],
        TREE_SITTER,
      )[0],
    }));
  },
};
