import { missingTools } from '../../scripts/install-test-tools.mjs';
import { debianKernel, type RehearsalKernel } from '../../server/src/host/rehearsal/kernel-packages';

/**
 * A real kernel of this series for a test, fetched on first use. null where it cannot be had: the test is skipped and
 * stderr says so. Never in CI: there it is an error.
 */
export async function kernelForTests(series: string): Promise<RehearsalKernel | null> {
  try {
    const missing = missingTools('rehearsal');
    if (missing.length > 0)
      throw new Error(`${missing.join(', ')} missing; install with: node scripts/install-test-tools.mjs`);
    return await debianKernel({ series });
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(`NOT TESTED in a real kernel ${series}: ${String(error)}\n`);
    return null;
  }
}
