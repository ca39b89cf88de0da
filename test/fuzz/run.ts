import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { Campaign, Plan } from './campaign';
import type { WorkerData } from './worker';

/** No single input may take longer; a person would have given up long before. */
export const LONGEST_INPUT_MS = 60_000;
/** Of the worker, with the kept inputs of many runs in it. */
const HEAP_MB = 1_500;
/** Most of what an input makes is gone with it: rarer collections take a third off the time. */
const YOUNG_MB = 64;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The targets as one script, to run in workers: a worker that hangs can be ended, and its seed told. */
export class FuzzProgram {
  readonly #folder: string;

  private constructor(
    folder: string,
    private readonly root: string,
  ) {
    this.#folder = folder;
  }

  static async build(root: string): Promise<FuzzProgram> {
    const folder = mkdtempSync(join(tmpdir(), 'lineage-fuzz-'));
    await build({
      entryPoints: [join(root, 'test/fuzz/worker.ts')],
      outfile: join(folder, 'worker.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      sourcemap: 'inline',
      logLevel: 'warning',
      alias: { 'web-tree-sitter': join(root, 'node_modules/web-tree-sitter/web-tree-sitter.cjs') },
    });
    return new FuzzProgram(folder, root);
  }

  /** Runs one campaign. An input that does not end, or takes all memory, is a failure with its seed. */
  run(target: string, plan: Plan): Promise<Campaign> {
    const shared = new SharedArrayBuffer(8);
    const at = new Int32Array(shared);
    const workerData: WorkerData = { ...plan, target, root: this.root, at: shared };
    const worker = new Worker(join(this.#folder, 'worker.cjs'), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB },
      execArgv: ['--enable-source-maps'],
    });
    return new Promise((resolve) => {
      let last = -1;
      let since = Date.now();
      let used = cpuMs();
      const ended = (message: string): void => {
        clearInterval(watch);
        const n = Atomics.load(at, 0);
        const from = n < 0 ? 'a kept input' : `seed ${plan.seed}, execution ${n}`;
        resolve({
          executions: Math.max(0, n - plan.first),
          failures: [{ from, message, input: {} }],
          slowest: { from, ms: LONGEST_INPUT_MS },
          cutShort: true,
        });
        void worker.terminate();
      };
      const watch = setInterval(() => {
        const count = Atomics.load(at, 1);
        if (count !== last) {
          last = count;
          since = Date.now();
          used = cpuMs();
        } else if (
          count > 0 &&
          Date.now() - since > LONGEST_INPUT_MS &&
          // Where others want the processor too, a minute of the clock says little.
          cpuMs() - used > LONGEST_INPUT_MS
        )
          ended('it does not end');
      }, 500);
      worker.once('message', (result: Campaign) => {
        clearInterval(watch);
        resolve(result);
        void worker.terminate();
      });
      worker.once('error', (error) => ended(String(error)));
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
