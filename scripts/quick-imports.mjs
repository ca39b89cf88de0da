/**
 * What a bundle spends on its imports when it starts. esbuild copies all that a CommonJS module exports into a new object
 * for each file that imports from it, as a getter each, and TypeScript's `export *` does the same at each level of a
 * library: for the protocol's 600 names, that took a third of the time in which the server's modules are run. Here
 * importers share one object, `export *` hands on the values, and parts of Node that take milliseconds to load are
 * loaded when something of them is first used.
 */

const NAME = '[\\w$]+';
/** esbuild's helper __toESM(module, isNodeMode), minified: what it is called, and its parameters. */
const TO_ESM = new RegExp(
  `(?<=[ ,;])(${NAME})=\\((${NAME}),(${NAME}),(${NAME})\\)=>\\(\\4=\\2!=null\\?${NAME}\\(${NAME}\\(\\2\\)\\):\\{\\},` +
    `${NAME}\\(\\3\\|\\|!\\2\\|\\|!\\2\\.__esModule\\?${NAME}\\(\\4,"default",\\{value:\\2,enumerable:!0\\}\\):\\4,\\2\\)\\)`,
);

/** `text`, which esbuild has minified, with the helper that shares. Throws where something else stands in its place. */
export function withSharedImports(text) {
  if (!text.includes('"default",{value:')) return text;
  if (!TO_ESM.test(text)) throw new Error("esbuild's __toESM is not the one that quick-imports.mjs knows");
  // A default import of what is no ES module is the whole of it.
  return text.replace(
    TO_ESM,
    '$1=($2,$3)=>$3||!$2||!$2.__esModule?Object.create($2??null,{default:{value:$2,enumerable:!0}}):$2',
  );
}

/**
 * The helper for `export *` with one that copies. None of the protocol's modules changes what it exports once it has run;
 * and a getter would keep a module from exporting something of its own under the same name.
 */
export function withCopiedExports(text) {
  return text.replace('__createBinding(exports, m, p);', 'exports[p] = m[p];');
}

/** What TypeScript writes ahead of a module: that each of its exports is undefined so far. */
const AHEAD =
  /(Object\.defineProperty\(([\w$]+),"__esModule",\{value:!0\}\))(?:[;,](?:\2\.[\w$]+=)+void 0)+/g;

/** `text`, minified, without that: where `export *` copies, a name of the module's own replaces one of the same name. */
export function withoutNamesAhead(text) {
  return text.replace(AHEAD, '$1');
}

const LATE = /^(?:crypto|node:(?:child_process|crypto|zlib))$/;

/** The esbuild plugin: for parts of Node. */
export const quickImports = {
  name: 'quick-imports',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: LATE }, ({ path, namespace }) =>
      namespace === 'late' ? { path, external: true } : { path, namespace: 'late' },
    );
    onLoad({ filter: LATE, namespace: 'late' }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, name) => name === '__esModule' || require('${path}')[name] });`,
    }));
  },
};
