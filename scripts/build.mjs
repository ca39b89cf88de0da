/**
 * Bundles everything that ships into dist/.
 *
 *   node scripts/build.mjs [--watch] [--meta]
 *
 * The packaged extension has to stay small, so the client's half of the connection and the language server are one
 * bundle: they share libraries. What an activation needs is a script of its own, so that a C file without livepatches
 * costs no more than that. Both lie in dist/editor.js.br. dist/program.js.br is the language server and the command
 * line. These and the parser's two WebAssembly files are compressed with Brotli, which does that better than a zip
 * archive; dist/server.js and what it loads unpack them in memory. It also answers an editor first where it is what
 * Node was started with: one script less to find. dist/client.js and dist/cli.js only choose which part starts; the
 * latter runs on load.
 */

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build, context } from 'esbuild';
import { minify } from 'terser';
import { gatherPages } from './gather-pages.mjs';
import { leanLibraries } from './lean-libraries.mjs';
import { leanProtocol } from './lean-protocol.mjs';
import { packTables } from './pack-tables.mjs';
import { pruneWasm } from './prune-wasm.mjs';
import { quickImports, withoutNamesAhead, withSharedImports } from './quick-imports.mjs';
import { leaveOutUnusedFeatures } from './unused-features.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

const ENTRIES = {
  client: 'client/src/extension.ts',
  connection: 'client/src/server.ts',
  lsp: 'server/src/lsp/main.ts',
  handshake: 'server/src/lsp/handshake.ts',
  cli: 'server/src/cli/main.ts',
  webview: 'client/webview/main.ts',
  style: 'client/webview/style.css',
};

const WASM_LIBRARY = 'node_modules/web-tree-sitter/web-tree-sitter.wasm';
const GRAMMAR = 'node_modules/tree-sitter-c/tree-sitter-c.wasm';
const WASM = [WASM_LIBRARY, GRAMMAR];

/**
 * What of the parser's library server/src/core/csource/tree.ts never calls: queries, lookahead iterators, walking by
 * nodes (it walks by cursors), comparing trees, and the C functions that only scanners of other languages use. Code
 * that starts to use one of them fails in the bundle with "... is not a function".
 */
const UNUSED_IN_WASM = new RegExp(
  [
    '^ts_(?:query|lookahead)_',
    '^ts_node_(?!symbol|has_error|start|end|is_)',
    '^ts_tree_cursor_(?:copy|reset_to|current_(?:field|depth|descendant)|goto_(?!first_child_wasm|next_sibling))',
    '^ts_language_(?:state_count|next_state|symbol_for_name|supertypes|subtypes|metadata|name$)',
    '^ts_(?:range|point)_edit',
    '_included_ranges_wasm',
    '_changed_ranges_',
    '^isw|^str|^tow',
  ].join('|'),
);

/**
 * Printing, by the numbers of its functions in the one build that is known: snprintf() and what it is made of, and the
 * streams. The parser prints to a logger, which tree.ts never sets, and on its way to an abort. Also the callback of queries.
 */
const PRINTING = {
  digest: '99fa2281fc4c6da713ccdadce72e81571b032ab9901b751be2d5aa127c843aaf',
  functions: new Set([11, 94, 170, 171, 172, 176, 177, 178, 180]),
};

const SHIMS = {
  'client.js': `module.exports = require('./server.js')('editor.js', 0).client();\n`,
  'cli.js': `#!/usr/bin/env node
let load;
try {
  load = require('./server.js')('program.js', 0);
} catch (error) {
  const why = String(error.message).split('\\n')[0];
  process.stderr.write('klp-lineage: it cannot be started: ' + why + '; this installation is not whole: install it anew\\n');
  process.exit(3);
}
load.cli();
`,
};

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  write: false,
  // In a CommonJS bundle import.meta.url is undefined: better no build than one that dies at start.
  logOverride: { 'empty-import-meta': 'error', 'unsupported-dynamic-import': 'error' },
};

const modules = join(root, 'node_modules');

/** Builds the page and hands it to the program as texts. */
const pageAssets = {
  name: 'page-assets',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]panel[\\/]page-assets\.ts$/ }, async () => {
      const { outputFiles, metafile } = await build(forBrowser);
      const texts = { script: '', style: '' };
      for (const { path, text } of outputFiles) {
        if (path.endsWith('.js')) texts.script = await smallest(text);
        else texts.style = text;
      }
      const watchFiles = Object.keys(metafile.inputs).map((file) => join(root, file));
      return { contents: `export const PAGE_ASSETS = ${JSON.stringify(texts)};`, loader: 'js', watchFiles };
    });
  },
};

/** What hands out these entries. `require` inside a function: what one needs is not run for the others. */
function handingOut(...names) {
  const contents = names.map((name) => `exports.${name} = () => require('./${ENTRIES[name]}');`).join('\n');
  return { contents, resolveDir: root, sourcefile: 'program.js' };
}

const program = {
  ...common,
  stdin: handingOut('cli'),
  outfile: join(dist, 'program.js'),
  platform: 'node',
  format: 'cjs',
  // The extension host of VS Code 1.91 is Node 20.
  target: 'node20',
  external: ['vscode'],
  // One byte a character: V8 reads that faster, and scripts/load.mjs relies on it.
  charset: 'ascii',
  // node:vm, which scripts/load.mjs uses, has no import().
  supported: { 'dynamic-import': false },
  plugins: [
    leaveOutUnusedFeatures,
    leanLibraries,
    leanProtocol(root),
    quickImports,
    gatherPages(root),
    pageAssets,
  ],
  alias: {
    // The ES module build of web-tree-sitter finds its files by import.meta.url.
    'web-tree-sitter': join(modules, 'web-tree-sitter/web-tree-sitter.cjs'),
    // For Node, yaml offers CommonJS, of which nothing can be left out. Both builds are made from the same sources.
    yaml: join(modules, 'yaml/browser/dist/index.js'),
    // Client and server depend on two versions of this that differ in corrections only: one copy, the newer one.
    'vscode-languageserver-protocol/node': join(modules, 'vscode-languageserver-protocol/lib/node/main.js'),
    'vscode-languageserver-protocol': join(modules, 'vscode-languageserver-protocol/lib/common/api.js'),
  },
};

/** What is handed out of the other script when the server is first needed. */
const laterConnection = {
  name: 'later-connection',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]client[\\/]src[\\/]server\.ts$/ }, () => ({
      contents: `export const startServer = (...all) => require('./server.js')('editor.js', 1).connection().startServer(...all);`,
      loader: 'js',
    }));
  },
};

const editor = { ...program, stdin: handingOut('connection', 'lsp'), outfile: join(dist, 'editor.js') };

const extension = {
  ...program,
  stdin: handingOut('client'),
  outfile: join(dist, 'extension.js'),
  external: [...program.external, './server.js'],
  plugins: [laterConnection, ...program.plugins],
};

/** What loads the others, and answers the client first, before the rest is loaded. */
const handshake = {
  ...program,
  stdin: {
    contents: `import { start } from './${ENTRIES.handshake}';
import { load } from './scripts/load.mjs';
module.exports = load;
if (require.main === module) start(() => load('editor.js', 1, 'server').lsp());`,
    resolveDir: root,
    sourcefile: 'server.js',
  },
  outfile: join(dist, 'server.js'),
  logOverride: { ...program.logOverride, 'commonjs-variable-in-esm': 'silent' },
};

const PROGRAMS = [program, editor, extension, handshake];

/** Which scripts lie in which compressed file, by their numbers for scripts/load.mjs; NUL stands between them. */
const PACKS = { 'program.js': ['program.js'], 'editor.js': ['extension.js', 'editor.js'] };
const PACKED = new Set(Object.values(PACKS).flat());

/** The compressed files of those scripts that are there. */
function packs(texts, fast) {
  const complete = Object.entries(PACKS).filter(([, parts]) => parts.every((part) => texts.has(part)));
  return complete.map(([name, parts]) => [
    `${name}.br`,
    packed(Buffer.from(parts.map((part) => texts.get(part)).join('\0')), fast),
  ]);
}

const forBrowser = {
  ...common,
  entryPoints: { webview: ENTRIES.webview, style: ENTRIES.style },
  outdir: dist,
  platform: 'browser',
  format: 'iife',
  target: 'es2022',
};

function missingInputs() {
  return [...Object.values(ENTRIES), ...WASM].filter((file) => !existsSync(join(root, file)));
}

/** How Brotli is told to look at what it packs: the size of its blocks, and which near distances get codes of their own. */
const TEXT = { block: 0, postfix: 0, direct: 0 };
const CODE = { block: 0, postfix: 2, direct: 24 };
const TABLES = { block: 20, postfix: 3, direct: 120 };

/** The smallest that Brotli makes of it takes seconds; with `fast`, good enough. */
function packed(bytes, fast, { block, postfix, direct } = TEXT) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: fast ? 5 : constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    [constants.BROTLI_PARAM_LGBLOCK]: block,
    [constants.BROTLI_PARAM_NPOSTFIX]: postfix,
    [constants.BROTLI_PARAM_NDIRECT]: direct,
  };
  return brotliCompressSync(bytes, { params });
}

/** What needs no bundler: the three starters and the parser's WebAssembly. */
function plainFiles(fast) {
  const files = new Map(Object.entries(SHIMS));
  for (const file of WASM) {
    const bytes = readFileSync(join(root, file));
    const small = file === WASM_LIBRARY ? pruned(bytes) : tablesPacked(bytes);
    files.set(`${basename(file)}.br`, packed(small, fast, file === GRAMMAR ? TABLES : CODE));
  }
  return files;
}

function write(files) {
  mkdirSync(dist, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(dist, name), content);
  if (files.has('cli.js')) chmodSync(join(dist, 'cli.js'), 0o755);
}

/** The parser's library without what is not used, or as it is if it is of a kind not known here. */
function pruned(bytes) {
  try {
    const known = createHash('sha256').update(bytes).digest('hex') === PRINTING.digest;
    if (!known)
      process.stderr.write('build: web-tree-sitter.wasm is not the build whose printing is known\n');
    const unentered = known ? PRINTING.functions : new Set();
    const smaller = pruneWasm(bytes, (name) => !UNUSED_IN_WASM.test(name), unentered);
    if (WebAssembly.validate(smaller)) return smaller;
    process.stderr.write('build: web-tree-sitter.wasm stays whole: pruning broke it\n');
  } catch (error) {
    process.stderr.write(`build: web-tree-sitter.wasm stays whole: ${error.message}\n`);
  }
  return bytes;
}

/** The grammar with its tables in an order that compresses better, or as it is if it is a build not known here. */
function tablesPacked(bytes) {
  const smaller = packTables(bytes);
  if (smaller === null) process.stderr.write(`build: ${GRAMMAR} is not the one that pack-tables.mjs knows\n`);
  return smaller ?? bytes;
}

/** A bundle minified once more: terser finds some 5 % that esbuild leaves. */
async function smallest(text) {
  const { code } = await minify(withSharedImports(text), {
    ecma: 2020,
    toplevel: true,
    compress: { passes: 4, unsafe_arrows: true, keep_fargs: false, pure_getters: true },
    format: { ascii_only: true },
  });
  return withoutNamesAhead(code);
}

/** What --watch has built last. */
const watchedTexts = new Map();

/** esbuild's plugin for --watch: no second minifying, since it takes seconds. */
const writeOnEnd = {
  name: 'write-program',
  setup({ onEnd }) {
    onEnd(({ outputFiles = [] }) => {
      for (const { path, text } of outputFiles) watchedTexts.set(basename(path), withSharedImports(text));
      write(new Map([...watchedTexts].filter(([name]) => !PACKED.has(name))));
      write(new Map(packs(watchedTexts, true)));
    });
  },
};

/** The licences of the packages of which something is in dist/: they ask to travel with their code. */
function notices(meta) {
  const folders = new Set();
  for (const input of [...Object.keys(meta.inputs), ...WASM]) {
    const match = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input);
    if (match !== null) folders.add(match[0]);
  }
  const texts = new Map();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text =
      file === undefined ? `Licence: ${license}` : readFileSync(join(root, folder, file), 'utf8').trim();
    texts.set(text, [...(texts.get(text) ?? []), `${name} ${version}`]);
  }
  const parts = [...texts].map(([text, names]) => `${names.join(', ')}\n\n${text}\n`);
  const head = 'This extension contains code of the following packages.\n\n';
  return head + parts.join(`\n${'-'.repeat(72)}\n\n`);
}

async function main(args) {
  const unknown = args.filter((arg) => !['--watch', '--meta'].includes(arg));
  if (unknown.length > 0) {
    process.stderr.write(`build: unknown argument ${unknown[0]} (--watch and --meta are known)\n`);
    return 2;
  }
  const missing = missingInputs();
  for (const file of missing)
    process.stderr.write(
      `build: ${file} is missing${file.startsWith('node_modules') ? '; run npm ci' : ''}\n`,
    );
  if (missing.length > 0) return 1;

  const emptyDist = () => rmSync(dist, { recursive: true, force: true });
  if (args.includes('--watch')) {
    emptyDist();
    write(plainFiles(true));
    for (const one of PROGRAMS) {
      const watched = { ...one, plugins: [...one.plugins, writeOnEnd], logLevel: 'info' };
      await (await context(watched)).watch();
    }
    return 0;
  }
  // dist/ is replaced at the end, at once: what uses it can do so while this works.
  const files = plainFiles(false);
  try {
    const built = await Promise.all(PROGRAMS.map((one) => build(one)));
    const texts = new Map();
    for (const { path, text } of built.flatMap(({ outputFiles }) => outputFiles))
      texts.set(basename(path), await smallest(text));
    for (const [name, text] of texts) if (text.includes('\0')) throw new Error(`${name} has a NUL in it`);
    for (const [name, content] of packs(texts, false)) files.set(name, content);
    for (const [name, text] of texts) if (!PACKED.has(name)) files.set(name, text);
    const meta = { inputs: {}, outputs: {} };
    for (const { metafile } of built) {
      Object.assign(meta.inputs, metafile.inputs);
      Object.assign(meta.outputs, metafile.outputs);
    }
    files.set('NOTICES.txt', notices(meta));
    if (args.includes('--meta')) files.set('meta.json', JSON.stringify(meta));
  } catch (error) {
    // Of what esbuild found it has told itself. An older build may not pass for this one.
    if (error?.errors === undefined) process.stderr.write(`build: ${error?.message ?? error}\n`);
    emptyDist();
    return 1;
  }
  emptyDist();
  write(files);
  const sizes = [...files]
    .filter(([name]) => /\.(?:br|js)$/.test(name) && !(name in SHIMS))
    .map(([name, content]) => `${name} ${(Buffer.byteLength(content) / 1024).toFixed(1)} KB`);
  process.stdout.write(`${sizes.join(', ')}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
