/**
 * Copies the pictures of the README from what the tests in the real workbench have kept: run them first.
 *
 *   npx vitest run --project editor && node scripts/readme-pictures.mjs
 */

import { copyFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** A picture of docs/images and the scene that it shows. */
const PICTURES = {
  stack: 'panel-light',
  hover: 'story-3-hover-callback',
  cleanup: 'story-5-questions',
  scenarios: 'language-tests',
};

for (const [name, scene] of Object.entries(PICTURES)) {
  const from = join(root, 'test', 'artefacts', `${scene}.png`);
  if (existsSync(from)) copyFileSync(from, join(root, 'docs', 'images', `${name}.png`));
  else {
    process.stderr.write(`readme-pictures: ${from} is missing: run the editor tests\n`);
    process.exitCode = 1;
  }
}
