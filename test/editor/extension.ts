import { execFile } from 'node:child_process';
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
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

/** What the package is made from, and by. */
const MADE_FROM = [
  'dist',
  'client',
  'docs',
  'l10n',
  'schemas',
  'scripts',
  'snippets',
  'syntaxes',
  '.vscodeignore',
  'CHANGELOG.md',
  'LICENSE',
  'package.json',
  'package.nls.json',
  'package.nls.de.json',
];

/**
 * The path of the built extension as a VSIX; throws with what the packer said. One that is newer than all that it is made
 * from is taken again, unless it is to be packed `anew`: packing takes seconds, and most tests of a run want the same.
 */
export async function packagedExtension(anew = false): Promise<string> {
  builtFolder();
  const vsix = join(ROOT, 'test', 'artefacts', 'livepatch-lineage.vsix');
  if (!anew && existsSync(vsix) && Math.max(...MADE_FROM.map(newest)) < statSync(vsix).mtimeMs) return vsix;
  const packed = `${vsix}.new`;
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'package.mjs'), '--out', packed]);
  renameSync(packed, vsix);
  return vsix;
}

/** When a file, or the newest one of a folder, was written last. */
function newest(name: string): number {
  const path = join(ROOT, name);
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  const inside = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return Math.max(...inside.map((one) => statSync(join(path, one)).mtimeMs));
}
