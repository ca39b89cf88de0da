import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Throws unless dist/ has been built. */
export function builtFolder(): string {
  const dist = join(ROOT, 'dist');
  if (!existsSync(join(dist, 'cli.js'))) throw new Error('dist/ is not built; run npm run build first');
  return dist;
}

/** Packs the built extension and returns the path of the VSIX; throws with what the packer said. */
export async function packagedExtension(): Promise<string> {
  builtFolder();
  const vsix = join(ROOT, 'test', 'artefacts', 'livepatch-lineage.vsix');
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'package.mjs'), '--out', vsix]);
  return vsix;
}
