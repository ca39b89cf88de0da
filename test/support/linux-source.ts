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

/** A tree with the C that defines what the side-effect catalogue names; null as above. */
export function catalogueSources(): Promise<string | null> {
  return partsIn('ksrc-catalogue', CATALOGUE_PARTS);
}

const CATALOGUE_PARTS =
  `kernel mm lib fs/kernfs fs/sysfs fs/proc fs/debugfs fs/notify drivers/base net/core net/socket.c net/sysctl_net.c
arch/x86/kernel/nmi.c arch/x86/mm/ioremap.c arch/x86/mm/pat/set_memory.c
block/genhd.c crypto/api.c crypto/aead.c crypto/ahash.c crypto/algapi.c crypto/shash.c crypto/skcipher.c
drivers/acpi/acpica drivers/acpi/event.c drivers/acpi/osl.c drivers/char/misc.c drivers/cpufreq/cpufreq.c
drivers/input/input.c drivers/leds/led-class.c drivers/pci/pci-driver.c drivers/tty/sysrq.c drivers/tty/vt/keyboard.c
drivers/usb/core/driver.c fs/char_dev.c fs/dcache.c fs/exec.c fs/file.c fs/file_table.c fs/filesystems.c fs/inode.c
fs/fs-writeback.c fs/libfs.c
fs/namespace.c fs/open.c net/ipv4/devinet.c net/ipv4/protocol.c net/ipv4/tcp_cong.c net/ipv6/addrconf_core.c
net/netfilter/core.c net/netfilter/nf_sockopt.c net/netfilter/x_tables.c net/netlink/af_netlink.c
net/netlink/genetlink.c net/sched/cls_api.c net/sched/sch_api.c net/switchdev/switchdev.c security/keys/key.c`.split(
    /\s+/,
  );

/** The headers of a Debian kernel of this series (`include` and x86's), fetched on first use; null as above. */
export async function kernelHeaders(series: '6.1' | '6.12'): Promise<string | null> {
  const tree = join(cacheRoot(), `kernel-headers-${series}`);
  try {
    await mkdir(cacheRoot(), { recursive: true });
    return await locked(join(cacheRoot(), 'headers.lock'), async () => {
      if (!existsSync(tree)) await fetchHeaders(series, tree);
      return tree;
    });
  } catch (error) {
    if (process.env.CI === 'true') throw new Error(`the kernel headers could not be had: ${String(error)}`);
    console.warn(`SKIPPED, for the kernel headers could not be had: ${String(error)}`);
    return null;
  }
}

async function fetchHeaders(series: string, tree: string): Promise<void> {
  const listed = await run('apt-cache', ['pkgnames', `linux-headers-${series}.`]);
  const numbers = (name: string): number[] => (name.match(/\d+/g) ?? []).map(Number);
  const newest = listed.stdout
    .split('\n')
    .filter((name) => /^linux-headers-[\d.]+(?:-\d+|\+deb\d+)-common$/.test(name))
    .sort((a, b) => compareNumbers(numbers(a), numbers(b)))
    .at(-1);
  if (newest === undefined) throw new Error(`apt knows no headers of ${series}: run "apt-get update"`);
  const temporary = await mkdtemp(`${tree}.`);
  try {
    await aptDownload(newest, temporary);
    const [deb] = (await readdir(temporary)).filter((name) => name.endsWith('.deb'));
    if (deb === undefined) throw new Error(`apt-get download ${newest} left no package`);
    await run('dpkg-deb', ['-x', join(temporary, deb), join(temporary, 'unpacked')]);
    await rename(join(temporary, 'unpacked/usr/src', newest), tree);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? -1) - (b[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
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

/** A mirror that is busy refuses now and then ("Handler silently failed"): asked again, it answers. */
async function aptDownload(name: string, folder: string, attempts = 3): Promise<void> {
  try {
    await run('apt-get', ['download', name], { cwd: folder, timeout: 110_000 });
  } catch (error) {
    if (attempts <= 1) throw error;
    await sleep(5_000);
    await aptDownload(name, folder, attempts - 1);
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
  await aptDownload(PACKAGE, folder);
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
