import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from './measure';

/** The packaged extension's size, if it has been packaged. */
export function vsixFigure(root: string): Figure[] {
  const path = join(root, 'livepatch-lineage.vsix');
  if (!existsSync(path))
    throw new Error('livepatch-lineage.vsix is missing: npm run build && npm run package');
  const size = statSync(path).size / 1024;
  return [{ name: 'VSIX size', value: size, limit: 450, unit: 'KB', detail: 'compressed' }];
}
