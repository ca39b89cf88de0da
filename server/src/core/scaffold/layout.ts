import { workTreePath } from '../blob-names';
import { isMakeSafe } from './kbuild';
import type { NewNames } from './new-names';

/** Paths are absolute, with `/` between their parts. */

export interface CopiedFile {
  readonly from: string;
  readonly to: string;
  /** Compiled by itself; other files are included. */
  readonly unit: boolean;
}

export interface Layout {
  readonly folder: string;
  readonly copies: readonly CopiedFile[];
  /** Files of the good version outside its folder: the copies include them where they are. */
  readonly outside: readonly string[];
  /** Objects of the module, relative to the folder. */
  readonly objects: readonly string[];
  readonly cleanupSource: string;
  readonly cleanupHeader: string;
  readonly kbuild: string;
}

/**
 * Where the new version's files go: a folder beside that of the good version (inside it, where its sources stand next
 * to the manifest), or `out`. The good module's name in file names becomes the new one's. A module of several objects
 * may have none of its own name, so such a file gets `_main`.
 */
export function planLayout(
  good: { readonly module: string; readonly units: readonly string[]; readonly files: readonly string[] },
  names: NewNames,
  manifestFile: string,
  out: string | null,
  added: boolean,
): Layout | { readonly reason: string } {
  const home = dirname(manifestFile);
  // Files of a revision are copied from where they would stand.
  const base = commonFolder(good.units.map(workTreePath));
  if (base === null) return { reason: 'the good version has no source files' };
  const folder =
    out ?? join(base === home || !base.startsWith(`${home}/`) ? home : dirname(base), names.folder);
  const single = good.units.length === 1 && !added;
  const taken = new Set<string>();
  const copies: CopiedFile[] = [];
  const objects: string[] = [];
  const outside: string[] = [];
  const units = new Set(good.units);
  for (const from of new Set([...good.units, ...good.files])) {
    const path = workTreePath(from);
    if (!path.startsWith(base === '/' ? '/' : `${base}/`)) {
      outside.push(from);
      continue;
    }
    const inner = path.slice(base === '/' ? 1 : base.length + 1);
    const unit = units.has(from);
    let name = unit ? renamed(inner, good.module, names.module) : inner;
    if (unit && !single && moduleWord(name) === names.module) name = name.replace(/\.c$/, '_main.c');
    if (taken.has(name)) name = inner;
    if (taken.has(name)) return { reason: `two files of the good version would both become ${name}` };
    taken.add(name);
    copies.push({ from, to: join(folder, name), unit });
    if (unit) {
      const object = name.replace(/\.[^./]*$/, '.o');
      if (!isMakeSafe(object)) return { reason: `${inner} has a name that kbuild cannot take` };
      objects.push(object);
    }
  }
  const cleanupSource = join(folder, `${names.module}_cleanup.c`);
  const cleanupHeader = join(folder, `${names.module}_cleanup.h`);
  for (const path of added ? [cleanupSource, cleanupHeader] : []) {
    if (copies.some((copy) => copy.to === path))
      return { reason: `the good version has a file ${basename(path)} already` };
  }
  if (added) objects.push(`${names.module}_cleanup.o`);
  return { folder, copies, outside, objects, cleanupSource, cleanupHeader, kbuild: join(folder, 'Kbuild') };
}

/** The path of `path` from `folder`, both absolute. */
export function relativePath(folder: string, path: string): string {
  const from = folder.split('/').filter((part) => part !== '');
  const to = path.split('/').filter((part) => part !== '');
  let same = 0;
  while (same < from.length && same < to.length && from[same] === to[same]) same++;
  return [...from.slice(same).map(() => '..'), ...to.slice(same)].join('/');
}

export function join(folder: string, name: string): string {
  const parts: string[] = [];
  for (const part of `${folder}/${name}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export function dirname(path: string): string {
  const at = path.lastIndexOf('/');
  return at <= 0 ? '/' : path.slice(0, at);
}

export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function commonFolder(files: readonly string[]): string | null {
  const [first] = files;
  if (first === undefined) return null;
  let folder = dirname(first);
  for (const file of files) {
    while (folder !== '/' && !file.startsWith(`${folder}/`)) folder = dirname(folder);
  }
  return folder;
}

/** `livepatch-net-v1.c` of the module livepatch_net_v1 becomes `livepatch-net-v3.c`: kbuild turns `-` into `_`. */
function renamed(path: string, module: string, next: string): string {
  const folder = path.slice(0, path.length - basename(path).length);
  const name = basename(path);
  const at = name.replaceAll('-', '_').indexOf(module);
  if (at < 0) return path;
  const dashes = name.slice(at, at + module.length).includes('-');
  return `${folder}${name.slice(0, at)}${dashes ? next.replaceAll('_', '-') : next}${name.slice(at + module.length)}`;
}

/** What kbuild would call a module made of this file alone. */
function moduleWord(path: string): string {
  return path.replace(/\.[^./]*$/, '').replaceAll('-', '_');
}
