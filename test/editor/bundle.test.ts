import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UNUSED_FEATURES } from '../../scripts/unused-features.mjs';
import { readArchive } from '../../scripts/zip-archive.mjs';
import { builtFolder, packagedExtension, ROOT } from './extension';

/** What ships is tried as it ships: alone in a folder, where no node_modules can make up for a gap. */
let folder: string;
const run = promisify(execFile);
const node = (args: readonly string[]) => run(process.execPath, [...args], { cwd: folder });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'livepatch-bundle-'));
  cpSync(builtFolder(), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'examples', 'net-fixes'), join(folder, 'net-fixes'), { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the command line prints its help under plain node', async () => {
  const { stdout, stderr } = await node(['dist/cli.js', '--help']);
  expect(stdout).toMatch(/klp-lineage/);
  expect(stdout).toMatch(/\bcheck\b/);
  expect(stderr).toBe('');
});

test('the command line can be executed by its name', async () => {
  const { stdout } = await run(join(folder, 'dist', 'cli.js'), ['--help']);
  expect(stdout).toMatch(/klp-lineage/);
});

test('the bundled parser reads C: the callbacks of an example are facts', async () => {
  const { stdout } = await node([
    'dist/cli.js',
    'facts',
    'net-fixes/v2/livepatch_net_v2.c',
    '--format',
    'json',
  ]);
  const { livepatches } = JSON.parse(stdout);
  expect(livepatches).toHaveLength(1);
  expect(livepatches[0].replace).toBe(true);
  expect(livepatches[0].objects[0].name).toBeNull();
  expect(livepatches[0].objects[0].callbacks.pre_patch.function).toBe('livepatch_net_pre_patch');
  expect(livepatches[0].objects[0].callbacks.post_unpatch.function).toBe('livepatch_net_post_unpatch');
});

test.each([
  ['the bundle the client starts', ['dist/server.js', '--stdio']],
  ['the bundle for other editors', ['dist/cli.js', 'lsp', '--stdio']],
])('the language server answers initialize and ends on exit: %s', async (_name, args) => {
  const server = spawn(process.execPath, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => server.once('exit', resolve));
  const answers = answersOf(server.stdout);
  const send = (message: object): void => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  try {
    send({ id: 1, method: 'initialize', params: { processId: null, rootUri: null, capabilities: {} } });
    const { result } = await answers(1);
    expect(result.capabilities).toHaveProperty('hoverProvider');
    for (const capability of Object.values(UNUSED_FEATURES))
      expect(result.capabilities).not.toHaveProperty(capability);
    send({ method: 'initialized', params: {} });
    send({ id: 2, method: 'shutdown' });
    await answers(2);
    send({ method: 'exit' });
    expect(await ended).toBe(0);
  } finally {
    server.kill();
  }
});

/** Answers every name with a class, which is enough for what the client's modules do while they load. */
const FAKE_EDITOR = `
const { Module } = require('node:module');
const editor = new Proxy({}, { get: () => class {} });
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? editor : load(name, ...rest));
console.log(JSON.stringify(Object.entries(require('./dist/client.js')).map(([name, value]) => [name, typeof value])));
`;

test('the client loads in an editor and offers what the editor calls', async () => {
  const { stdout } = await node(['-e', FAKE_EDITOR]);
  expect(Object.fromEntries(JSON.parse(stdout))).toEqual({ activate: 'function', deactivate: 'function' });
});

test('the editor versions that install the extension suit the client, whose own check is left out', () => {
  const engines = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8')).engines.vscode;
  expect(engines('package.json')).toBe(engines('node_modules/vscode-languageclient/package.json'));
});

test('a stack trace names the script, which nothing writes to disk', async () => {
  // There is no editor here: the client fails while it loads.
  const failing = `try { require('./dist/client.js'); } catch (error) { console.log(error.stack); }`;
  const { stdout } = await node(['-e', failing]);
  expect(stdout).toMatch(/Cannot find module 'vscode'/);
  expect(stdout).toMatch(/dist[\\/]editor\.js:\d+:\d+/);
  expect(existsSync(join(folder, 'dist', 'editor.js'))).toBe(false);
});

test.each(['editor', 'program'])('%s.js is ASCII, as the loader takes it', (name) => {
  const text = brotliDecompressSync(readFileSync(join(folder, 'dist', `${name}.js.br`)));
  expect(text.findIndex((byte) => byte > 127)).toBe(-1);
});

test("the parser's library is packed without queries and with what parsing needs", async () => {
  const packed = readFileSync(join(folder, 'dist', 'web-tree-sitter.wasm.br'));
  const names = WebAssembly.Module.exports(await WebAssembly.compile(brotliDecompressSync(packed))).map(
    ({ name }) => name,
  );
  expect(names).toContain('ts_parser_parse_wasm');
  expect(names).toContain('ts_tree_cursor_goto_next_sibling_wasm');
  expect(names).not.toContain('ts_query_new');
});

/** Packages and what they depend on, without those that the bundle has nothing of. */
function dependenciesOf(names: readonly string[], leftOut: readonly string[]): Set<string> {
  const found = new Set(names);
  for (const name of found) {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'),
    ) as { dependencies?: Record<string, string> };
    for (const next of Object.keys(dependencies)) if (!leftOut.includes(next)) found.add(next);
  }
  return found;
}

test("other people's work travels with its licence and copyright", () => {
  const notices = readFileSync(join(folder, 'dist', 'NOTICES.txt'), 'utf8');
  const direct = ['vscode-languageclient', 'vscode-languageserver', 'vscode-languageserver-textdocument'];
  direct.push('web-tree-sitter', 'tree-sitter-c', 'yaml');
  // The version check and the features that match file names are replaced; the parser's two are for building it natively.
  const leftOut = ['semver', 'minimatch', 'node-addon-api', 'node-gyp-build'];
  const wanted = dependenciesOf(direct, leftOut);
  expect(wanted.size).toBeGreaterThan(direct.length);
  for (const name of wanted) {
    const at = join(ROOT, 'node_modules', name);
    const { version } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as { version: string };
    expect(notices).toContain(`${name} ${version}`);
    const licence = readdirSync(at).find((file) => /^licen[cs]e/i.test(file));
    const copyright = /^.*copyright.*$/im
      .exec(readFileSync(join(at, licence ?? 'LICENSE'), 'utf8'))?.[0]
      .trim();
    expect(copyright).toBeTruthy();
    expect(notices).toContain(copyright);
  }
});

test('the package holds what package.json names and stays within its limits', async () => {
  const file = await packagedExtension(true);
  expect(file).toMatch(/\.vsix$/);
  const licence = readArchive(readFileSync(file)).find(({ name }) => name === 'extension/LICENSE.txt');
  expect(licence?.bytes.toString()).toContain(readFileSync(join(folder, 'dist', 'NOTICES.txt'), 'utf8'));
});

/** Reads messages from a server's output; the function it returns waits for the answer to a request. */
function answersOf(output: NodeJS.ReadableStream) {
  let bytes = Buffer.alloc(0);
  const received = new Map<number, { result: { capabilities: object } }>();
  const waiting = new Map<number, () => void>();
  output.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const header = /^Content-Length: (\d+)[^]*?\r\n\r\n/.exec(bytes.toString('latin1'));
      if (header === null) return;
      const end = header[0].length + Number(header[1]);
      if (bytes.length < end) return;
      const message = JSON.parse(bytes.toString('utf8', header[0].length, end));
      bytes = bytes.subarray(end);
      // A request of the server has an id as well, but no result.
      if (typeof message.id !== 'number' || !('result' in message)) continue;
      received.set(message.id, message);
      waiting.get(message.id)?.();
    }
  });
  return async (id: number) => {
    if (!received.has(id)) await new Promise<void>((resolve) => waiting.set(id, resolve));
    const answer = received.get(id);
    if (answer === undefined) throw new Error(`no answer to request ${id}`);
    return answer;
  };
}
