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

import { readFileSync } from 'node:fs';

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

export const leanLibraries = {
  name: 'lean-libraries',
  setup({ onLoad }) {
    const yaml = /[\\/]yaml[\\/]browser[\\/]dist[\\/]/.source;
    onLoad({ filter: new RegExp(`${yaml}stringify[\\\\/]\\w+\\.js$`) }, ({ path }) => ({
      contents: stubOf(path),
    }));
    onLoad({ filter: new RegExp(`${yaml}schema[\\\\/]yaml-1\\.1[\\\\/]schema\\.js$`) }, () => ({
      contents: `export { schema } from '../core/schema.js';`,
    }));
    onLoad({ filter: new RegExp(`${yaml}schema[\\\\/]tags\\.js$`) }, ({ path }) => ({
      contents: withoutTags(readFileSync(path, 'utf8')),
    }));
    onLoad({ filter: /[\\/]web-tree-sitter\.cjs$/ }, ({ path }) => ({
      contents: fewerExports(inNode(withoutEval(withoutNames(readFileSync(path, 'utf8'))))),
    }));
  },
};
