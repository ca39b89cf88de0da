/**
 * Writes docs/rules/ from the rules themselves: one page a rule and a table of all.
 *
 *   node scripts/generate-rule-pages.mjs [--check]
 *
 * --check writes nothing and fails where a page is out of step.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'docs/rules');

/** The rules as they stand in the sources, bundled in memory. */
async function loadRules() {
  const bundle = await build({
    absWorkingDir: root,
    stdin: {
      contents: "export { RULES } from './registry';\nexport { rulePage, rulesTable } from './page';\n",
      resolveDir: join(root, 'server/src/rules'),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
    // CommonJS packages in the bundle ask for node's own modules by `require`.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire('file:///rules.mjs');",
    },
  });
  return import(
    `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`
  );
}

function textOf(file) {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    return null;
  }
}

async function main(args) {
  const unknown = args.filter((arg) => arg !== '--check');
  if (unknown.length > 0) {
    process.stderr.write(`generate-rule-pages: unknown argument ${unknown[0]} (--check is known)\n`);
    return 2;
  }
  const { RULES, rulePage, rulesTable } = await loadRules();
  const pages = new Map([['README.md', rulesTable(RULES)]]);
  for (const rule of RULES) pages.set(`${rule.code}.md`, rulePage(rule));
  mkdirSync(folder, { recursive: true });
  const wrong = [...pages].filter(([file, text]) => textOf(file) !== text).map(([file]) => file);
  const left = readdirSync(folder).filter((file) => file.endsWith('.md') && !pages.has(file));
  if (args.includes('--check')) {
    for (const file of [...wrong, ...left]) process.stderr.write(`docs/rules/${file} is out of step\n`);
    return wrong.length + left.length > 0 ? 1 : 0;
  }
  for (const file of wrong) writeFileSync(join(folder, file), pages.get(file));
  for (const file of left) rmSync(join(folder, file));
  process.stdout.write(`docs/rules: ${pages.size} pages, ${wrong.length} written, ${left.length} removed\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
