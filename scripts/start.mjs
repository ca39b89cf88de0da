/**
 * Opens the example lineage in VS Code with the extension installed.
 *
 *   node scripts/start.mjs [--folder DIR] [--no-build] [--fresh]
 *
 * With `code` on the PATH that is where it opens. Otherwise a VS Code of its own is started for the browser, on this
 * machine alone (127.0.0.1), with its own settings and extensions, until Ctrl-C; the first time it is installed from npm
 * into the cache, which takes some minutes. The example is a copy in DIR (out/start), and what one changed there stays;
 * --fresh begins anew. --no-build takes dist/ as it is.
 */

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  cacheRoot,
  editorPaths,
  installCodeServer,
  missingTools,
  onPath,
  ToolError,
} from './install-test-tools.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const SETTINGS = {
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'chat.disableAIFeatures': true,
};

const say = (text) => process.stdout.write(`${text}\n`);
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Runs one of this project's scripts; throws when it fails, which it has told itself. */
function script(name, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', name), ...args], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new ToolError(`scripts/${name} failed`);
}

/** The copy of the example, as the person left it. */
function exampleIn(folder, fresh) {
  const copy = join(folder, 'net-fixes');
  if (fresh) rmSync(copy, { recursive: true, force: true });
  if (!existsSync(copy)) cpSync(join(root, 'examples', 'net-fixes'), copy, { recursive: true });
  return copy;
}

function openInDesktop(code, vsix, example) {
  for (const args of [
    ['--install-extension', vsix, '--force'],
    ['--new-window', example, join(example, 'livepatch.yaml')],
  ]) {
    const { status, error } = spawnSync(code, args, { stdio: 'inherit' });
    if (status !== 0) throw new ToolError(`${code} ${args[0]} failed${error ? `: ${error.message}` : ''}`);
  }
  const { publisher, name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  say(
    `Opened ${example} in VS Code. To remove the extension: code --uninstall-extension ${publisher}.${name}`,
  );
}

function freePort() {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}

/** Starts the workbench for the browser and resolves when it has ended. */
async function serve(folder, vsix, example) {
  if (missingTools('editor').some((name) => name.startsWith('code-server'))) {
    say(
      `There is no "code" on the PATH. Installing VS Code for the browser in ${cacheRoot()}: once, some minutes …`,
    );
    installCodeServer();
  }
  const userData = join(folder, 'user-data');
  const settings = join(userData, 'User', 'settings.json');
  if (!existsSync(settings)) {
    mkdirSync(dirname(settings), { recursive: true });
    writeFileSync(settings, JSON.stringify(SETTINGS, null, 2));
  }
  const config = join(folder, 'code-server.yaml');
  writeFileSync(config, 'auth: none\ncert: false\n');
  const { node, entry } = editorPaths();
  const common = [entry, '--config', config, '--user-data-dir', userData];
  common.push('--extensions-dir', join(folder, 'extensions'));
  const env = {
    ...process.env,
    // Rehearsals and check tasks run the command line program.
    PATH: `${commandLine(folder)}${delimiter}${process.env.PATH ?? ''}`,
    // Its extensions have the PATH of this process, not the one of a login shell.
    VSCODE_CLI: '1',
    // No gallery is asked for anything.
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
  };
  const installed = spawnSync(node, [...common, '--install-extension', vsix, '--force'], {
    env,
    encoding: 'utf8',
  });
  if (installed.status !== 0)
    throw new ToolError(`the workbench refused ${vsix}: ${(installed.stderr || installed.stdout).trim()}`);

  const address = `127.0.0.1:${await freePort()}`;
  const args = ['--bind-addr', address, '--auth', 'none', '--ignore-last-opened', '--disable-telemetry'];
  args.push('--disable-update-check', '--disable-workspace-trust', '--disable-getting-started-override');
  // A group of its own: it starts processes, and all of them have to end.
  const server = spawn(node, [...common, ...args], {
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  server.stderr.setEncoding('utf8').on('data', (text) => {
    errors = `${errors}${text}`.slice(-4_000);
  });
  const ended = new Promise((done) => server.once('exit', done));
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    endGroup(server.pid, 'SIGTERM');
    setTimeout(() => endGroup(server.pid, 'SIGKILL'), 3_000).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  process.once('exit', () => endGroup(server.pid, 'SIGKILL'));
  if (await answers(`http://${address}/healthz`, server, () => stopping))
    say(
      `\nThe example is open at  http://${address}/?folder=${encodeURIComponent(example)}\nCtrl-C ends it.`,
    );
  const code = await ended;
  if (!stopping) throw new ToolError(`the workbench ended with ${code}: ${errors.trim()}`);
}

/** A folder for the PATH, with klp-lineage in it as `npm link` would put it there. */
function commandLine(folder) {
  const bin = join(folder, 'bin');
  const program = join(bin, 'klp-lineage');
  mkdirSync(bin, { recursive: true });
  rmSync(program, { force: true });
  symlinkSync(join(root, 'dist', 'cli.js'), program);
  return bin;
}

/** Ends what is left of a group of processes. */
function endGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

/** Whether the server answers, which it may take a moment to do; not where it ends before. */
async function answers(url, server, given) {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (server.exitCode !== null || given()) return false;
    try {
      if ((await fetch(url)).ok) return true;
    } catch {
      // Not listening yet.
    }
    await pause(100);
  }
  endGroup(server.pid, 'SIGKILL');
  return false;
}

async function main() {
  const { values } = parseArgs({
    options: { folder: { type: 'string' }, 'no-build': { type: 'boolean' }, fresh: { type: 'boolean' } },
  });
  const folder = resolve(values.folder ?? join(root, 'out', 'start'));
  mkdirSync(folder, { recursive: true });
  if (!values['no-build']) script('build.mjs');
  const vsix = join(folder, 'livepatch-lineage.vsix');
  script('package.mjs', '--out', vsix);
  const example = exampleIn(folder, values.fresh === true);
  const code = onPath('code');
  if (code === null) await serve(folder, vsix, example);
  else openInDesktop(code, vsix, example);
}

try {
  await main();
} catch (error) {
  const told = error instanceof ToolError || error?.code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`start: ${told ? error.message : error?.stack}\n`);
  process.exitCode = 2;
}
