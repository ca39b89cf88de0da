import { join } from 'node:path';
import { build } from 'esbuild';

/** Writes a TypeScript program of this project as one script for Node; `more` are further settings of esbuild. */
export async function bundleForNode(root, entry, outfile, more = {}) {
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
    // The ES module build of web-tree-sitter finds its files by import.meta.url.
    alias: { 'web-tree-sitter': join(root, 'node_modules/web-tree-sitter/web-tree-sitter.cjs') },
    ...more,
  });
}
