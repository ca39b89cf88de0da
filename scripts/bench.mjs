// Measures, each figure as a ratio within one run, and prints a table and JSON. Figures that do not hold stay in the
// table, marked. `node scripts/bench.mjs [--json FILE] [--only NAME] [--docs]`
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleForNode } from './bundle-for-node.mjs';

const unknown = process.argv
  .slice(2)
  .find(
    (arg, i, all) =>
      !['--json', '--only', '--docs'].includes(arg) && !/^--(?:json|only)$/.test(all[i - 1] ?? ''),
  );
if (unknown !== undefined) {
  process.stderr.write(`bench: ${unknown}? usage: npm run bench -- [--json FILE] [--only NAME] [--docs]\n`);
  process.exit(2);
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** The package is one of the things measured. */
function packaged() {
  if (existsSync(join(root, 'livepatch-lineage.vsix'))) return true;
  const steps = [...(existsSync(join(root, 'dist')) ? [] : ['build.mjs']), 'package.mjs'];
  return steps.every((step) => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', step)], {
      encoding: 'utf8',
    });
    if (status !== 0) process.stderr.write(stderr);
    return status === 0 || existsSync(join(root, 'livepatch-lineage.vsix'));
  });
}

if (!packaged()) process.exit(2);
const folder = mkdtempSync(join(tmpdir(), 'lineage-bench-'));
try {
  const outfile = join(folder, 'bench.cjs');
  await bundleForNode(root, 'test/bench/bench.ts', outfile, {
    external: ['esbuild', 'playwright-core'],
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'test/bench/bench.ts')).href),
      'import.meta.dirname': JSON.stringify(join(root, 'test/bench')),
    },
  });
  const bare = join(folder, 'bare-server.cjs');
  await bundleForNode(root, 'test/bench/bare-server.ts', bare, { minify: true });
  const { status } = spawnSync(process.execPath, ['--expose-gc', outfile, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: {
      ...process.env,
      LIVEPATCH_LINEAGE_ROOT: root,
      LIVEPATCH_LINEAGE_BARE: bare,
      NODE_PATH: join(root, 'node_modules'),
    },
  });
  process.exitCode = status ?? 3;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
