import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appear, rehearsalCache } from './cache-folder';
import { endGroup, onPath, plainEnvironment, runCommand } from './command';
import { type ArchiveFile, archive, MODE } from './cpio';
import { failureOf, interrupted, RehearsalFailure } from './failure';
import { GUEST_INIT_SOURCE } from './guest-init';
import { missingRehearsalTools, type RehearsalKernel } from './kernel-packages';

/** One line of the guest's script. Words may hold no TAB and no line end. */
export interface GuestLine {
  readonly verb: string;
  readonly wait: number;
  readonly words: readonly string[];
}

export interface GuestOptions {
  readonly kernel: RehearsalKernel;
  /** .ko files by module name. */
  readonly modules: ReadonlyMap<string, string>;
  readonly script: readonly GuestLine[];
  /** Seconds without a word from the guest after which it counts as hung; counted from its first word on. */
  readonly silence: number;
  /** Seconds that the whole boot may take. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Every complete line that the guest reports, as it comes. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface GuestRun {
  /** What the guest reported; see transcript.ts. */
  readonly report: string;
  /** The kernel's console. */
  readonly console: string;
  /** It was ended from outside, for it was silent or took too long. */
  readonly hung: boolean;
  /** Its exit status and what qemu itself said. */
  readonly status: number | null;
  readonly errors: string;
}

const MEMORY_MB = 512;
/** Seconds until the guest's first word: two on an idle machine. */
const BOOT_S = 120;
/** A guest that prints without end is ended before it fills the disk. */
const MAX_TEXT = 32 << 20;

/** Boots the kernel with an initramfs that holds the modules and the script, and waits until it powers off. */
export async function runGuest(options: GuestOptions): Promise<GuestRun> {
  const missing = missingRehearsalTools(null);
  if (missing !== null) throw new RehearsalFailure('missing', missing);
  const init = await guestInit(options.signal);
  const folder = await mkdtemp(join(tmpdir(), 'klp-guest-'));
  try {
    const initramfs = join(folder, 'initramfs');
    await writeFile(initramfs, archive(await contents(init, options)));
    return await boot(options, initramfs, join(folder, 'console'));
  } catch (error) {
    throw failureOf(error, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function contents(init: string, options: GuestOptions): Promise<ArchiveFile[]> {
  const none = new Uint8Array();
  const files: ArchiveFile[] = ['dev', 'proc', 'sys', 'modules'].map((path) => ({
    path,
    mode: MODE.folder,
    content: none,
  }));
  files.push({
    path: 'dev/console',
    mode: MODE.characterDevice,
    content: none,
    device: { major: 5, minor: 1 },
  });
  files.push({ path: 'init', mode: MODE.program, content: await readFile(init) });
  for (const [name, file] of options.modules)
    files.push({ path: `modules/${name}.ko`, mode: MODE.file, content: await readFile(file) });
  const script = options.script.map((line) => [line.verb, line.wait, ...line.words].join('\t'));
  files.push({ path: 'script', mode: MODE.file, content: Buffer.from(`${script.join('\n')}\n`) });
  files.push({
    path: 'seconds',
    mode: MODE.file,
    content: Buffer.from(String(Math.ceil(options.limit) + 5)),
  });
  return files;
}

/** The compiled init program, built once. */
async function guestInit(signal: AbortSignal | undefined): Promise<string> {
  const key = createHash('sha256').update(GUEST_INIT_SOURCE).digest('hex').slice(0, 16);
  const root = join(rehearsalCache(), 'init');
  const folder = join(root, key);
  const program = join(folder, 'init');
  if (existsSync(program)) return program;
  const compiler = onPath('gcc', 'gcc-12', 'cc');
  if (compiler === null)
    throw new RehearsalFailure('missing', missingRehearsalTools(null) ?? 'gcc is missing');
  try {
    await mkdir(root, { recursive: true });
    await appear(folder, async (temporary) => {
      const source = join(temporary, 'init.c');
      await writeFile(source, GUEST_INIT_SOURCE);
      const args = ['-static', '-O1', '-s', '-o', join(temporary, 'init'), source];
      const env = { ...plainEnvironment(), TMPDIR: temporary };
      const made = await runCommand(compiler, args, { env, timeout: 120_000, signal });
      if (made.status !== 0)
        throw new RehearsalFailure(
          'missing',
          "the guest's init does not compile: install libc6-dev (static C library and headers)",
          made.output.split('\n'),
        );
    });
  } catch (error) {
    throw failureOf(error, root);
  }
  return program;
}

function qemuArguments(kernel: RehearsalKernel, initramfs: string, console: string): string[] {
  // Not KVM: where it is offered inside a virtual machine it is often broken, and a boot takes seconds without it.
  return [
    ['-accel', 'tcg', '-M', 'pc', '-cpu', 'Nehalem', '-m', String(MEMORY_MB), '-smp', '1'],
    ['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-no-reboot'],
    ['-kernel', kernel.image, '-initrd', initramfs],
    ['-append', 'console=ttyS0 quiet loglevel=4 panic=-1 oops=panic'],
    ['-serial', `file:${console}`, '-chardev', 'stdio,id=report,signal=off', '-serial', 'chardev:report'],
  ].flat();
}

async function boot(options: GuestOptions, initramfs: string, consoleFile: string): Promise<GuestRun> {
  if (options.signal?.aborted) throw interrupted();
  const qemu = onPath('qemu-system-x86_64') ?? 'qemu-system-x86_64';
  const args = qemuArguments(options.kernel, initramfs, consoleFile);
  // Ends with its parent even where that is killed; the process group handles every other end.
  const setpriv = onPath('setpriv');
  const [command, all] = setpriv === null ? [qemu, args] : [setpriv, ['--pdeathsig', 'KILL', qemu, ...args]];
  const child = spawn(command, all, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: plainEnvironment(),
  });
  const report: string[] = [];
  let errors = '';
  let length = 0;
  let open = '';
  let hung = false;
  let heard = Date.now();
  const began = heard;
  const end = (): void => endGroup(child);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    heard = Date.now();
    length += chunk.length;
    if (length > MAX_TEXT) {
      hung = true;
      return end();
    }
    report.push(chunk);
    if (!options.onLine) return;
    const lines = (open + chunk).split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) options.onLine(line.replace(/\r$/, ''));
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    if (errors.length < 10_000) errors += chunk;
  });
  const watch = setInterval(() => {
    const now = Date.now();
    const patience = length === 0 ? BOOT_S : options.silence;
    if (now - heard > patience * 1000 || now - began > options.limit * 1000) {
      hung = true;
      end();
    }
    void stat(consoleFile).then(
      (it) => {
        if (it.size > MAX_TEXT) {
          hung = true;
          end();
        }
      },
      () => undefined,
    );
  }, 500);
  options.signal?.addEventListener('abort', end, { once: true });
  process.once('exit', end);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code));
    });
    if (options.signal?.aborted) throw interrupted();
    const console = await readFile(consoleFile, 'utf8').catch(() => '');
    return { report: report.join(''), console, hung, status, errors: errors.trim() };
  } finally {
    clearInterval(watch);
    options.signal?.removeEventListener('abort', end);
    process.removeListener('exit', end);
  }
}
