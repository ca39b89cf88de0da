import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Installed, InstalledLivepatch } from '../features/installed';
import { reasonOf } from './files';

/**
 * What is installed on this machine, from /sys/kernel/livepatch and /proc/modules. `root` is the folder that holds
 * sys and proc: `/`, or a copy of another machine's. Answers why nothing can be said where there is no livepatching.
 */
export function readInstalled(root: string): Installed | { readonly problem: string } {
  const folder = join(root, 'sys/kernel/livepatch');
  let names: string[];
  try {
    names = folders(folder);
  } catch (error) {
    return {
      problem: `${folder}: ${reasonOf(error)}; this kernel has no livepatching (CONFIG_LIVEPATCH), or sysfs is not mounted`,
    };
  }
  return {
    release: read(join(root, 'proc/sys/kernel/osrelease')) ?? '',
    livepatches: names.map((name) => livepatch(join(folder, name), name)),
    modules: (read(join(root, 'proc/modules')) ?? '').split('\n').flatMap((line) => {
      const [name = '', , references] = line.split(' ');
      return name === '' ? [] : [{ name, references: Number(references) || 0 }];
    }),
  };
}

function livepatch(folder: string, name: string): InstalledLivepatch {
  const order = read(join(folder, 'stack_order'));
  return {
    name,
    enabled: flag(folder, 'enabled') === true,
    transition: flag(folder, 'transition') === true,
    replace: flag(folder, 'replace'),
    stackOrder: order === null ? null : Number(order),
    objects: folders(folder).map((object) => ({
      name: object,
      patched: flag(join(folder, object), 'patched'),
    })),
  };
}

function folders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function flag(folder: string, attribute: string): boolean | null {
  const text = read(join(folder, attribute));
  return text === null ? null : text === '1';
}

/** The text without its line end; null where there is none: attributes come with newer kernels, and patches go. */
function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return null;
  }
}
