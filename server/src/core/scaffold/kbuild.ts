import { commentText } from './c-text';

/** Paths that make takes as they are. */
const MAKE_SAFE = /^[A-Za-z0-9_+-]+(?:[./][A-Za-z0-9_+-]+)*$/;

/** Whether an object's path can stand in a Kbuild file. */
export function isMakeSafe(path: string): boolean {
  return MAKE_SAFE.test(path);
}

/** The Kbuild file of one module; `objects` are paths of .o files relative to it. */
export function kbuildText(module: string, objects: readonly string[], about: string): string {
  const lines = ['# SPDX-License-Identifier: GPL-2.0', `# ${commentText(about)}`, `obj-m := ${module}.o`];
  if (objects.length !== 1 || objects[0] !== `${module}.o`) {
    lines.push(...wrapped(`${module}-y :=`, objects));
  }
  return `${lines.join('\n')}\n`;
}

function wrapped(head: string, objects: readonly string[]): string[] {
  const lines: string[] = [];
  let line = head;
  for (const object of objects) {
    if (line.length + object.length > 90 && line.trim() !== '') {
      lines.push(`${line} \\`);
      line = `\t${object}`;
    } else line = `${line} ${object}`;
  }
  lines.push(line);
  return lines;
}
