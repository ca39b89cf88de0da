import { readdirSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';

/** What of a process stands in /proc: its parent and its command line; null where it is gone. */
function processOf(pid: number): { readonly parent: number; readonly command: string } | null {
  try {
    const parent = / (?:\S) (\d+) /.exec(
      readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ' '),
    )?.[1];
    return { parent: Number(parent), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    return null;
  }
}

/** The processes with this home whose command line holds a text, wherever they hang by now. */
export function processesAtHome(home: string, part: string): number[] {
  return pids().filter(
    (pid) => (processOf(pid)?.command ?? '').includes(part) && environmentOf(pid).includes(`HOME=${home}`),
  );
}

/** The PATHs of extension hosts that have a folder in them. */
export function extensionPathsWith(folder: string): string[] {
  return pids().flatMap((pid) => {
    const environment = environmentOf(pid);
    if (!environment.some((one) => /^VSCODE_ESM_ENTRYPOINT=.*extensionHost/.test(one))) return [];
    const path = environment.find((one) => one.startsWith('PATH='))?.slice('PATH='.length) ?? '';
    return path.split(delimiter).includes(folder) ? [path] : [];
  });
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The language servers that an editor of this test's process has started. */
export function servers(): number[] {
  const ours = (pid: number): boolean => {
    for (let at = pid; at > 1; at = processOf(at)?.parent ?? 0) if (at === process.pid) return true;
    return false;
  };
  return pids().filter((pid) => {
    const command = processOf(pid)?.command ?? '';
    return command.includes('livepatch-lineage') && command.includes('server.js') && ours(pid);
  });
}
