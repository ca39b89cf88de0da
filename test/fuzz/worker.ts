import { parentPort, workerData } from 'node:worker_threads';
import { initParser } from '../../server/src/core/csource/tree';
import { campaign, type Plan } from './campaign';
import { corpusOf } from './corpus';
import { TARGETS } from './targets';

export interface WorkerData extends Plan {
  readonly target: string;
  readonly root: string;
  /** One number that the watchdog reads: the execution that runs now. */
  readonly at: SharedArrayBuffer;
}

const data = workerData as WorkerData;
const at = new Int32Array(data.at);

async function main(): Promise<void> {
  await initParser({
    core: `${data.root}/node_modules/web-tree-sitter/web-tree-sitter.wasm`,
    language: `${data.root}/node_modules/tree-sitter-c/tree-sitter-c.wasm`,
  });
  const target = TARGETS.find(({ name }) => name === data.target);
  if (!target) throw new Error(`no target is called ${data.target}`);
  const kept = data.kept ? corpusOf(`${data.root}/test/fuzz/corpus`, target.name) : new Map();
  parentPort?.postMessage(
    campaign(target, data, kept, (n) => {
      Atomics.store(at, 0, n);
      Atomics.add(at, 1, 1);
    }),
  );
}

void main();
