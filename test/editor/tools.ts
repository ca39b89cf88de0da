import { missingTools } from '../../scripts/install-test-tools.mjs';

/**
 * Whether a test that needs a real editor is to be skipped. Never in CI: there it fails instead.
 * Says so on stderr, because a skipped test is easily overlooked.
 */
export function editorIsMissing(): boolean {
  const missing = missingTools('editor');
  if (missing.length === 0 || process.env['CI'] === 'true') return false;
  process.stderr.write(
    `NOT TESTED in a real editor: ${missing.join(', ')} missing; install with: node scripts/install-test-tools.mjs\n`,
  );
  return true;
}
