// Fuzzes for as long as it is let; docs/fuzzing.md tells how.
// `node scripts/soak.mjs [--target NAME]... [--seed N] [--first N] [--executions N] [--minutes N] [--keep] [--write]`
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForNode } from './bundle-for-node.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
// Inside the project, for what it bundles itself finds its packages from there.
const folder = mkdtempSync(join(root, 'node_modules', '.soak-'));
try {
  const outfile = join(folder, 'soak.cjs');
  await bundleForNode(root, 'test/fuzz/soak.ts', outfile, { external: ['esbuild'] });
  const { status } = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], {
    stdio: 'inherit',
    cwd: root,
    env: { ...process.env, LIVEPATCH_LINEAGE_ROOT: root },
  });
  process.exitCode = status ?? 3;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
