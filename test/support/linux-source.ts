import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PACKAGE = 'linux-source-6.1';
/** What the tests read of the kernel; the whole tree would be 1.4 GB. */
const PARTS = [
  'samples/livepatch',
  'lib/livepatch',
  'tools/testing/selftests/livepatch',
  'kernel/livepatch',
  'kernel/module',
  'kernel/sched',
  'net/core',
  'include/linux/livepatch.h',
  'Documentation/livepatch',
];
/** A lock older than this belongs to a process that died. */
const STALE_LOCK_MS = 10 * 60_000;

/** The folder that downloads and unpacked sources are kept in: LIVEPATCH_LINEAGE_CACHE or ~/.cache/livepatch-lineage. */
export function cacheRoot(): string {
  return process.env.LIVEPATCH_LINEAGE_CACHE || join(homedir(), '.cache', 'livepatch-lineage');
}

/**
 * The folder with the livepatch parts of the Linux 6.1 sources, fetched from Debian on first use. null where that is
 * impossible: a test then skips, and says so; with CI=true it is an error instead.
 */
export function linuxSource(): Promise<string | null> {
  return partsIn('ksrc', PARTS);
}

/** The kernel's checkpatch.pl and what it reads; null as above. */
export async function checkpatch(): Promise<string | null> {
  const tree = await partsIn('ksrc-checkpatch', [
    'scripts/checkpatch.pl',
    'scripts/spelling.txt',
    'scripts/const_structs.checkpatch',
  ]);
  return tree && join(tree, 'scripts/checkpatch.pl');
}

/** A tree with the Kconfig files of the architectures that have livepatches; null as above. */
export function architectures(): Promise<string | null> {
  const names = ['x86', 'powerpc', 's390', 'arm64'];
  return partsIn(
    'ksrc-arch',
    names.map((name) => `arch/${name}/Kconfig`),
  );
}

async function partsIn(name: string, parts: readonly string[]): Promise<string | null> {
  const tree = join(cacheRoot(), name);
  if (existsSync(tree)) return tree;
  try {
    await mkdir(cacheRoot(), { recursive: true });
    return await locked(join(cacheRoot(), 'ksrc.lock'), async () => {
      if (!existsSync(tree)) await unpack(await download(), tree, parts);
      return tree;
    });
  } catch (error) {
    if (process.env.CI === 'true') throw new Error(`the Linux sources could not be had: ${String(error)}`);
    console.warn(`SKIPPED, for the Linux sources could not be had: ${String(error)}`);
    return null;
  }
}

/** Runs `body` while holding a lock that other test processes see. */
async function locked<T>(lock: string, body: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const held = await stat(lock).catch(() => null);
    if (held && Date.now() - held.mtimeMs > STALE_LOCK_MS) await rmdir(lock).catch(() => undefined);
    await sleep(200);
  }
  try {
    return await body();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
}

/** The package's file in the cache. */
async function download(): Promise<string> {
  const folder = join(cacheRoot(), 'apt');
  await mkdir(folder, { recursive: true });
  const find = async (): Promise<string | null> => {
    const name = (await readdir(folder)).find(
      (file) => file.startsWith(`${PACKAGE}_`) && file.endsWith('.deb'),
    );
    return name === undefined ? null : join(folder, name);
  };
  const cached = await find();
  if (cached !== null) return cached;
  await run('apt-get', ['download', PACKAGE], { cwd: folder, timeout: 110_000 });
  const fetched = await find();
  if (fetched === null) throw new Error(`apt-get download ${PACKAGE} left no package`);
  return fetched;
}

/** Unpacks parts into `tree`, which appears complete or not at all. */
async function unpack(deb: string, tree: string, parts: readonly string[]): Promise<void> {
  const temporary = await mkdtemp(`${tree}.`);
  try {
    const members = parts.map((part) => `${PACKAGE}/${part}`);
    const script =
      'deb=$1; to=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$1.tar.xz" | ' +
      '{ shift; tar -xJ -C "$to" --strip-components=1 "$@"; }';
    await run('sh', ['-c', script, 'sh', deb, temporary, PACKAGE, ...members], { maxBuffer: 1 << 20 });
    const missing = parts.filter((part) => !existsSync(join(temporary, part)));
    if (missing.length > 0) throw new Error(`${deb} holds no ${missing.join(', ')}`);
    await rename(temporary, tree);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}
