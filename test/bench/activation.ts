import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { build as Build } from 'esbuild';
import type { Figure } from './measure';

/** How often each is started; the fastest start counts, as the one that least else disturbed. */
const STARTS = 15;

/**
 * An extension that starts a language server as the protocol's guide shows it: its activation makes a client. Bundled
 * in one file as extensions are.
 */
const SAMPLE = `
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
let client;
export function activate(context) {
  const module = context.asAbsolutePath('server.js');
  const run = { module, transport: TransportKind.ipc };
  client = new LanguageClient('sample', 'Sample', { run, debug: run }, { documentSelector: [{ language: 'plaintext' }] });
}
export const deactivate = () => client?.stop();
`;

/**
 * Loads and activates an extension with an editor of which nothing answers (`EDITOR` are the names of its API); prints
 * the CPU time of that in µs.
 */
const PROBE = `
const { Module } = require('node:module');
const answer = () => new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => '' : key === 'then' ? undefined : key === Symbol.iterator ? [][Symbol.iterator].bind([]) : answer()),
  set: () => true,
  apply: () => answer(),
  construct: () => answer(),
});
const editor = { version: '1.91.0' };
for (const name of process.env.EDITOR.split(' ')) editor[name] ??= answer();
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? editor : load(name, ...rest));
const before = process.cpuUsage();
const extension = require(process.argv[1]);
extension.activate({ subscriptions: [], asAbsolutePath: (path) => path, extensionPath: '/', extensionUri: {} });
const { user, system } = process.cpuUsage(before);
console.log(user + system);
process.exit(0);
`;

/** What loading and activating costs beside the language-server sample's, both in a plain Node. */
export async function activationFigures(root: string): Promise<Figure[]> {
  const ours = join(root, 'dist', 'client.js');
  if (!existsSync(ours)) throw new Error('dist/ is missing: npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'lineage-activation-'));
  try {
    const sample = join(folder, 'extension.js');
    // Not bundled with this: it finds its own program by where it lies.
    const { build } = createRequire(join(root, 'package.json'))('esbuild') as { build: typeof Build };
    await build({
      stdin: { contents: SAMPLE, resolveDir: root },
      outfile: sample,
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'cjs',
      external: ['vscode'],
      logLevel: 'error',
    });
    const api = readFileSync(join(root, 'node_modules', '@types', 'vscode', 'index.d.ts'), 'utf8');
    const names = [...api.matchAll(/^\texport (?:class|enum|namespace) (\w+)/gm)].map(([, name]) => name);
    const cost = (extension: string): number => costOf(extension, names.join(' '));
    let [own, other] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    // Turn about, so that what else the machine does meets both.
    for (let i = 0; i < STARTS; i++) {
      own = Math.min(own, cost(ours));
      other = Math.min(other, cost(sample));
    }
    const detail = `${(own / 1000).toFixed(1)} ms of CPU beside ${(other / 1000).toFixed(1)} ms`;
    return [{ name: 'activation, of the sample', value: own / other, limit: 1.25, unit: '×', detail }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function costOf(extension: string, editor: string): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', PROBE, extension], {
    encoding: 'utf8',
    env: { ...process.env, EDITOR: editor },
  });
  if (status !== 0) throw new Error(`${extension} could not be activated: ${stderr.slice(-600)}`);
  return Number(stdout);
}
