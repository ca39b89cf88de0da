import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { interrupted } from './failure';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the command and its children are ended. */
  readonly timeout: number;
}

export interface CommandResult {
  /** null where it was ended by a signal or could not be started. */
  readonly status: number | null;
  /** stdout and stderr as they came; of long output the first and the last part. */
  readonly output: string;
  readonly timedOut: boolean;
}

const MAX_OUTPUT = 1 << 20;

/** The folders of the PATH: an empty or relative entry would mean wherever somebody happens to work. */
function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
}

/** The absolute path of the first executable of these names on the PATH, or null. */
export function onPath(...names: readonly string[]): string | null {
  for (const name of names) {
    for (const folder of pathFolders()) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not there: the next one
      }
    }
  }
  return null;
}

/** Environment for tools: nothing of the user's that changes what a build or apt does. */
export function plainEnvironment(): Record<string, string> {
  const env: Record<string, string> = {
    LC_ALL: 'C',
    DEBIAN_FRONTEND: 'noninteractive',
    PATH: pathFolders().join(delimiter),
  };
  for (const name of ['HOME', 'TMPDIR', 'http_proxy', 'https_proxy', 'no_proxy', 'APT_CONFIG']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** Ends a process that was started with `detached: true`, and all that it started. */
export function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

/**
 * Runs a command without stdin in a process group of its own, which is ended on abort and on timeout.
 * A command that cannot be started has status null and says why in its output. Throws only when interrupted.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  if (options.signal?.aborted) throw interrupted();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: options.env ?? plainEnvironment(),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const head: string[] = [];
  const tail: string[] = [];
  let headLength = 0;
  let tailLength = 0;
  const collect = (chunk: string): void => {
    if (headLength < MAX_OUTPUT) {
      head.push(chunk);
      headLength += chunk.length;
      return;
    }
    tail.push(chunk);
    tailLength += chunk.length;
    while (tailLength > MAX_OUTPUT && tail.length > 1) tailLength -= (tail.shift() ?? '').length;
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', collect);
  let timedOut = false;
  const end = (): void => endGroup(child);
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, options.timeout);
  options.signal?.addEventListener('abort', end, { once: true });
  process.once('exit', end);
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      collect(`${error.message}\n`);
      resolve(null);
    });
    child.once('close', (code) => resolve(code));
  });
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', end);
  process.removeListener('exit', end);
  if (options.signal?.aborted) throw interrupted();
  return { status, output: head.join('') + tail.join(''), timedOut };
}
