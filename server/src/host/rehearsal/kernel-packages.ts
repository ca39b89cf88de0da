import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { appear, rehearsalCache } from './cache-folder';
import { onPath, runCommand } from './command';
import { failureOf, RehearsalFailure } from './failure';

/** A kernel to rehearse with: the image that boots, and the headers that modules are built against. */
export interface RehearsalKernel {
  /** As `uname -r` prints it. */
  readonly release: string;
  readonly headers: string;
  readonly image: string;
  /** The compiler that kbuild will call. */
  readonly compiler: string;
}

export interface FindKernelOptions {
  /** "6.1" or "6.12". */
  readonly series: string;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

const STAMP = 'stamp.json';
const DOWNLOAD_MS = 10 * 60_000;

/** What has to be on the PATH, and the package that brings it on Debian. */
const TOOLS: readonly (readonly [tool: string, part: string])[] = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['make', 'make'],
  ['strip', 'binutils'],
];

/** One line that says what to install; null where nothing is missing. `compiler` null: any gcc will do. */
export function missingRehearsalTools(compiler: string | null): string | null {
  const missing = TOOLS.filter(([tool]) => onPath(tool) === null).map(([, part]) => part);
  if (compiler !== null && onPath(compiler) === null) missing.push(compiler);
  if (compiler === null && onPath('gcc', 'gcc-12') === null) missing.push('gcc');
  if (missing.length === 0) return null;
  return `rehearsing needs ${missing.join(', ')}: install with "apt-get install --no-install-recommends ${missing.join(' ')}"`;
}

/** The kernel behind a headers folder and an image that the user names. Throws RehearsalFailure where they do not fit. */
export async function kernelFromFiles(headers: string, image: string): Promise<RehearsalKernel> {
  const folder = resolve(headers);
  if (!existsSync(join(folder, 'Makefile')))
    throw new RehearsalFailure(
      'missing',
      `${headers} is no folder of kernel headers (it has no Makefile): name one like /usr/src/linux-headers-6.1.0-1-amd64`,
    );
  if (!existsSync(image))
    throw new RehearsalFailure(
      'missing',
      `${image} is not there: name a kernel image like /boot/vmlinuz-6.1.0-1-amd64`,
    );
  const generated = join('include', 'generated', 'utsrelease.h');
  const release = /UTS_RELEASE "([^"]+)"/.exec(
    await readFile(join(folder, generated), 'utf8').catch(() => ''),
  )?.[1];
  if (release === undefined)
    throw new RehearsalFailure(
      'missing',
      `${headers} does not say which kernel it is for (${generated}): prepare it with "make modules_prepare"`,
    );
  const variables = await readFile(join(folder, '.kernelvariables'), 'utf8').catch(() => '');
  const compiler = /\bgcc-\d+\b/.exec(variables)?.[0] ?? 'gcc';
  return { release, headers: folder, image: resolve(image), compiler };
}

/**
 * Debian's cloud kernel of a series: from the cache, or else fetched through apt into it. The packages are unpacked,
 * never installed. Throws RehearsalFailure.
 */
export async function debianKernel(options: FindKernelOptions): Promise<RehearsalKernel> {
  const root = join(rehearsalCache(), 'kernels');
  const folder = join(root, `debian-${options.series}`);
  try {
    if (!existsSync(join(folder, STAMP))) {
      await mkdir(root, { recursive: true });
      await appear(folder, (temporary) => fetchKernel(temporary, options));
    }
    const stamp: unknown = JSON.parse(await readFile(join(folder, STAMP), 'utf8'));
    const release = releaseOf(stamp);
    const now = new Date();
    await utimes(join(folder, STAMP), now, now).catch(() => undefined);
    return await kernelFromFiles(
      join(folder, 'usr/src', `linux-headers-${release}`),
      join(folder, 'boot', `vmlinuz-${release}`),
    );
  } catch (error) {
    throw failureOf(error, root);
  }
}

function releaseOf(stamp: unknown): string {
  if (typeof stamp === 'object' && stamp !== null && 'release' in stamp && typeof stamp.release === 'string')
    return stamp.release;
  return '';
}

async function fetchKernel(folder: string, options: FindKernelOptions): Promise<void> {
  if (onPath('apt-get') === null || onPath('dpkg') === null || process.arch !== 'x64')
    throw new RehearsalFailure(
      'missing',
      'Debian packages of a kernel cannot be had here: name a kernel with --headers DIR --image FILE',
    );
  const names = await packagesOf(options.series, options.signal);
  options.progress?.(`fetching ${names.packages.join(', ')}`);
  const downloads = join(folder, 'packages');
  await mkdir(downloads);
  const got = await runCommand('apt-get', ['-q', 'download', ...names.packages], {
    cwd: downloads,
    timeout: DOWNLOAD_MS,
    signal: options.signal,
  });
  if (got.status !== 0)
    throw new RehearsalFailure(
      /No space left/.test(got.output) ? 'disk' : 'missing',
      `apt-get download ${names.packages[0] ?? ''} failed: run "apt-get update" and try again, or name a kernel with --headers DIR --image FILE`,
      lastLines(got.output),
    );
  for (const file of await readdir(downloads)) {
    if (!file.endsWith('.deb')) continue;
    const unpacked = await runCommand('dpkg', ['-x', join(downloads, file), folder], {
      timeout: DOWNLOAD_MS,
      signal: options.signal,
    });
    if (unpacked.status !== 0)
      throw new RehearsalFailure(
        /No space left/.test(unpacked.output) ? 'disk' : 'missing',
        `${file} cannot be unpacked into ${folder}: is the disk full?`,
        lastLines(unpacked.output),
      );
  }
  await rm(downloads, { recursive: true });
  // Only what a boot and a build need: the image's own modules are 20 to 100 MB.
  for (const part of ['lib', 'usr/share', 'etc'])
    await rm(join(folder, part), { recursive: true, force: true });
  await relocate(join(folder, 'usr/src', `linux-headers-${names.release}`, 'Makefile'));
  await writeFile(
    join(folder, STAMP),
    `${JSON.stringify({ release: names.release, packages: names.packages })}\n`,
  );
}

/** Debian's headers name their common part by an absolute path; from now on by one relative to the file. */
async function relocate(makefile: string): Promise<void> {
  const text = await readFile(makefile, 'utf8');
  const moved = text.replace(/^include \/usr\/src\//m, 'include $(dir $(lastword $(MAKEFILE_LIST)))../');
  if (moved === text)
    throw new RehearsalFailure(
      'missing',
      `${makefile} does not look like that of Debian's kernel headers: name a kernel with --headers DIR --image FILE`,
    );
  await writeFile(makefile, moved);
}

interface PackageNames {
  readonly release: string;
  readonly packages: readonly string[];
}

/** The current package names of a series. ABI numbers vanish from the archive, so they are asked for every time. */
async function packagesOf(series: string, signal: AbortSignal | undefined): Promise<PackageNames> {
  for (const meta of [`linux-image-${series}-cloud-amd64`, 'linux-image-cloud-amd64']) {
    const image = (await dependsOf(meta, signal)).find((name) => name.startsWith(`linux-image-${series}.`));
    if (image === undefined) continue;
    const release = image.slice('linux-image-'.length);
    const headers = `linux-headers-${release}`;
    const needed = (await dependsOf(headers, signal)).filter((name) =>
      /^linux-headers-.*-common$|^linux-kbuild-/.test(name),
    );
    if (needed.length < 2) continue;
    return { release, packages: [image, headers, ...needed] };
  }
  throw new RehearsalFailure(
    'missing',
    `apt knows no linux-image-cloud-amd64 of series ${series}: run "apt-get update", take a series that it has (--kernel 6.1 on Debian 12), or name a kernel with --headers DIR --image FILE`,
  );
}

async function dependsOf(name: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const answer = await runCommand('apt-cache', ['depends', name], { timeout: 60_000, signal });
  if (answer.status !== 0) return [];
  return [...answer.output.matchAll(/^[ \t]*\|?Depends: (\S+)$/gm)].map((match) => match[1] ?? '');
}

function lastLines(text: string): string[] {
  return text.trimEnd().split('\n').slice(-20);
}
