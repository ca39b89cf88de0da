import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly state: string;
}

/** All processes of this machine. */
function processes(): Process[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const match = /\((.*)\) (\S) (\d+)/s.exec(readFileSync(join('/proc', entry, 'stat'), 'utf8'));
      const [, name = '', state = '', parent] = match ?? [];
      return [{ pid: Number(entry), parent: Number(parent), name, state }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** Whether it is there and not just waiting for its parent to notice its end. */
export function isRunning(pid: number): boolean {
  return processes().some((it) => it.pid === pid && it.state !== 'Z');
}

/** All processes below this one. */
export function descendants(pid: number): Process[] {
  const all = new Map(processes().map((it) => [it.pid, it]));
  const below = (it: Process): boolean => {
    for (let at: Process | undefined = it; at; at = all.get(at.parent)) if (at.parent === pid) return true;
    return false;
  };
  return [...all.values()].filter(below);
}
