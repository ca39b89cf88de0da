import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { editorPaths } from '../../scripts/install-test-tools.mjs';

/** Settings that make a run repeatable; a test may add its own. */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'window.confirmBeforeClose': 'never',
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'git.enabled': false,
  'editor.hover.delay': 50,
  'editor.minimap.enabled': false,
};

export interface CodeServer {
  readonly url: string;
  /** Holds the home, the user data and the extensions of this server; removed by `stop`. */
  readonly folder: string;
  stop(): Promise<void>;
}

export interface CodeServerOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A folder that comes first on the PATH of the extensions. */
  readonly onPath?: string;
  /** Whether nobody has said that the workspace is to be trusted. */
  readonly untrusted?: boolean;
  /** The display language; English where it is not given. VS Code's own words stay English in any. */
  readonly locale?: string;
}

/**
 * Starts a VS Code server of its own: own process group, home, user data and extensions, with one
 * extension installed from a VSIX. `log` receives everything the server prints.
 * Throws when the installation fails or the server is not up after 30 seconds.
 */
export async function startCodeServer(
  vsix: string,
  log: string,
  { settings, onPath, locale, untrusted = false }: CodeServerOptions = {},
): Promise<CodeServer> {
  const folder = mkdtempSync(join(tmpdir(), 'livepatch-editor-'));
  const userData = join(folder, 'user-data');
  const home = join(folder, 'home');
  mkdirSync(join(userData, 'User'), { recursive: true });
  mkdirSync(home);
  // The extension host has the PATH of a login shell.
  if (onPath !== undefined) writeFileSync(join(home, '.profile'), `export PATH="${onPath}:$PATH"\n`);
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(
    join(userData, 'User', 'settings.json'),
    JSON.stringify({ ...SETTINGS, 'security.workspace.trust.enabled': untrusted, ...settings }),
  );
  const config = join(folder, 'config.yaml');
  writeFileSync(config, 'auth: none\ncert: false\n');

  const { node, entry } = editorPaths();
  const common = [entry, '--config', config, '--user-data-dir', userData];
  common.push('--extensions-dir', join(folder, 'extensions'));
  const output = createWriteStream(log);
  const start = (args: readonly string[]): ChildProcess => {
    const child = spawn(node, [...common, ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: folder,
      env: environment(home),
    });
    child.stdout?.pipe(output, { end: false });
    child.stderr?.pipe(output, { end: false });
    return child;
  };

  const cleanUp = (): void =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  const installed = await exitOf(start(['--install-extension', vsix, '--force']));
  if (installed !== 0) {
    cleanUp();
    throw new Error(`the editor refused ${vsix} (exit ${installed}); see ${log}`);
  }
  if (locale !== undefined) addLanguage(userData, locale);

  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const quiet = ['telemetry', 'update-check', 'getting-started-override'];
  if (!untrusted) quiet.push('workspace-trust');
  const server = start([
    '--bind-addr',
    address,
    '--auth',
    'none',
    '--ignore-last-opened',
    ...quiet.map((name) => `--disable-${name}`),
    ...(locale === undefined ? [] : ['--locale', locale]),
  ]);
  const endNow = (): void => signalGroup(server, 'SIGKILL');
  // A cancelled test run must not leave a server behind; without a handler no `exit` is emitted.
  const onSignal = (): void => process.exit(1);
  process.once('exit', endNow);
  process.once('SIGTERM', onSignal);
  const stop = async (): Promise<void> => {
    process.off('exit', endNow);
    process.off('SIGTERM', onSignal);
    await endGroup(server);
    output.end();
    cleanUp();
  };
  try {
    await untilHealthy(`http://${address}/healthz`, server, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://${address}`, folder, stop };
}

/** Makes a display language known as an installed language pack does, with no translation of the editor itself. */
function addLanguage(userData: string, locale: string): void {
  const vscode = join(userData, 'no-translations.json');
  writeFileSync(vscode, JSON.stringify({ contents: {} }));
  const extensions = [{ extensionIdentifier: { id: `test.language-pack-${locale}` }, version: '1.0.0' }];
  const pack = { hash: `test-${locale}`, label: locale, extensions, translations: { vscode } };
  writeFileSync(join(userData, 'languagepacks.json'), JSON.stringify({ [locale]: pack }));
}

/** An environment that leads back to nobody's own editor, home or extension gallery. */
function environment(home: string): NodeJS.ProcessEnv {
  const kept = ['PATH', 'LANG', 'TMPDIR', 'TZ'].map((name) => [name, process.env[name]] as const);
  return {
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
    HOME: home,
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
  };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

async function untilHealthy(url: string, server: ChildProcess, log: string): Promise<void> {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    if (server.exitCode !== null) throw new Error(`the editor ended with ${server.exitCode}; see ${log}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // not listening yet
    }
    await pause(100);
  }
  throw new Error(`the editor did not answer within 30 s; see ${log}`);
}

/** Ends the server with everything it started: the group has the id of its first process. */
async function endGroup(server: ChildProcess): Promise<void> {
  signalGroup(server, 'SIGTERM');
  const end = Date.now() + 5_000;
  while (groupIsAlive(server) && Date.now() < end) await pause(50);
  signalGroup(server, 'SIGKILL');
}

function signalGroup(server: ChildProcess, signal: NodeJS.Signals): void {
  if (server.pid === undefined) return;
  try {
    process.kill(-server.pid, signal);
  } catch {
    // already gone
  }
}

function groupIsAlive(server: ChildProcess): boolean {
  if (server.pid === undefined) return false;
  try {
    process.kill(-server.pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
