/**
 * Bundles everything that ships into dist/.
 *
 *   node scripts/build.mjs [--watch] [--meta]
 *
 * dist/program.js holds the language server and the command line in one bundle, because they share
 * nearly all of their code and the packaged extension has to stay small. dist/server.js and
 * dist/cli.js only choose which of the two starts. Both run on load.
 */

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

const ENTRIES = {
  client: 'client/src/extension.ts',
  lsp: 'server/src/lsp/main.ts',
  cli: 'server/src/cli/main.ts',
  webview: 'client/webview/main.ts',
  style: 'client/webview/style.css',
};

const WASM = [
  'node_modules/web-tree-sitter/web-tree-sitter.wasm',
  'node_modules/tree-sitter-c/tree-sitter-c.wasm',
];

const SHIMS = {
  'server.js': `require('./program.js').lsp();\n`,
  'cli.js': `#!/usr/bin/env node\nrequire('./program.js').cli();\n`,
};

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  // In a CommonJS bundle import.meta.url is undefined: better no build than one that dies at start.
  logOverride: { 'empty-import-meta': 'error', 'unsupported-dynamic-import': 'error' },
};

const forNode = {
  ...common,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // The ES module build of web-tree-sitter finds its files by import.meta.url.
  alias: { 'web-tree-sitter': join(root, 'node_modules/web-tree-sitter/web-tree-sitter.cjs') },
};

const BUNDLES = [
  {
    ...forNode,
    entryPoints: { client: ENTRIES.client },
    outdir: dist,
    // The extension host of VS Code 1.91 is Node 20.
    external: ['vscode'],
  },
  {
    ...forNode,
    // `require` inside a function: what one of the two needs is not run for the other.
    stdin: {
      contents:
        `exports.lsp = () => require('./${ENTRIES.lsp}');\n` +
        `exports.cli = () => require('./${ENTRIES.cli}');\n`,
      resolveDir: root,
      sourcefile: 'program.js',
    },
    outfile: join(dist, 'program.js'),
  },
  {
    ...common,
    entryPoints: { webview: ENTRIES.webview, style: ENTRIES.style },
    outdir: dist,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
  },
];

function missingInputs() {
  return [...Object.values(ENTRIES), ...WASM].filter((file) => !existsSync(join(root, file)));
}

/** What needs no bundler: the two starters and the parser's WebAssembly, which lie beside the bundle. */
function writePlainFiles() {
  for (const [name, text] of Object.entries(SHIMS)) writeFileSync(join(dist, name), text);
  chmodSync(join(dist, 'cli.js'), 0o755);
  for (const file of WASM) copyFileSync(join(root, file), join(dist, file.slice(file.lastIndexOf('/') + 1)));
}

function merged(metafiles) {
  const all = { inputs: {}, outputs: {} };
  for (const meta of metafiles) {
    Object.assign(all.inputs, meta.inputs);
    Object.assign(all.outputs, meta.outputs);
  }
  return all;
}

/** The licences of the packages of which something is in dist/: they ask to travel with their code. */
function writeNotices(meta) {
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
  writeFileSync(join(dist, 'NOTICES.txt'), head + parts.join(`\n${'-'.repeat(72)}\n\n`));
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

  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  if (args.includes('--watch')) {
    writePlainFiles();
    for (const options of BUNDLES) await (await context({ ...options, logLevel: 'info' })).watch();
    return 0;
  }
  let results;
  try {
    results = await Promise.all(BUNDLES.map((options) => build(options)));
  } catch {
    // esbuild has said what is wrong. No half of a build may pass for a whole one.
    rmSync(dist, { recursive: true, force: true });
    return 1;
  }
  writePlainFiles();
  const meta = merged(results.map((result) => result.metafile));
  writeNotices(meta);
  if (args.includes('--meta')) writeFileSync(join(dist, 'meta.json'), JSON.stringify(meta));
  const sizes = Object.keys(meta.outputs).map(
    (file) => `${file} ${Math.round(statSync(join(root, file)).size / 1024)} KB`,
  );
  process.stdout.write(`${sizes.join(', ')}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
