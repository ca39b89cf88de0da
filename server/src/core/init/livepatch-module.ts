import type { Shelf } from './scene';

/** A hand-written livepatch: the sources of one module in one folder. */
export interface LivepatchModule {
  /** Relative to the shelf; empty for its top. */
  readonly folder: string;
  readonly module: string;
  /** The .c files, relative to the shelf. */
  readonly units: readonly string[];
  /** Whether these are all .c files of the folder, so that `*.c` names them. */
  readonly all: boolean;
  /** The module's name comes from the file's, not from a Kbuild file. */
  readonly guessed: boolean;
}

/** Characters of a source in which the livepatch is looked for. */
const LOOK_AT = 1_000_000;

/** The folders of a shelf that hold a livepatch module, sorted by path. */
export function livepatchModules(shelf: Shelf): LivepatchModule[] {
  const folders = new Map<string, string[]>();
  for (const file of shelf.files) {
    if (!file.endsWith('.c')) continue;
    const folder = folderOf(file);
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders].flatMap(([folder, units]) => moduleIn(shelf, folder, units) ?? []);
}

function moduleIn(shelf: Shelf, folder: string, units: readonly string[]): LivepatchModule | null {
  const main = units.find((unit) => /\bklp_enable_patch\s*\(/.test(shelf.text(unit).slice(0, LOOK_AT)));
  if (main === undefined) return null;
  const built = kbuildModules(shelf, folder).find(({ objects }) => objects.includes(main));
  const module = built?.module ?? nameOf(main).replace(/\.c$/, '');
  const compiled = built ? units.filter((unit) => built.objects.includes(unit)) : units;
  return {
    folder,
    module: asModule(module),
    units: compiled,
    all: compiled.length === units.length,
    guessed: built === undefined,
  };
}

/** The modules of a Kbuild file or Makefile: `obj-m += net.o`, `net-y := a.o b.o`. Nothing is executed. */
function kbuildModules(
  shelf: Shelf,
  folder: string,
): { readonly module: string; readonly objects: readonly string[] }[] {
  const prefix = folder === '' ? '' : `${folder}/`;
  const file = ['Kbuild', 'Makefile'].map((name) => prefix + name).find((name) => shelf.files.includes(name));
  if (file === undefined) return [];
  const lists = new Map<string, string[]>();
  const text = shelf
    .text(file)
    .slice(0, LOOK_AT)
    .replace(/\\\r?\n/g, ' ');
  for (const [, target = '', words = ''] of text.matchAll(
    /^[ \t]*([\w.$()-]+)[ \t]*[:+]?=[ \t]*([^#\r\n]*)/gm,
  ))
    lists.set(target, [
      ...(lists.get(target) ?? []),
      ...words.split(/\s+/).filter((word) => word.endsWith('.o')),
    ]);
  const modules = [...lists].flatMap(([target, words]) =>
    /^obj-(?:m|\$\(CONFIG_\w+\))$/.test(target) ? words : [],
  );
  return modules.map((object) => {
    const module = object.replace(/\.o$/, '');
    const parts = ['-y', '-objs', '-m'].flatMap((end) => lists.get(module + end) ?? []);
    return {
      module,
      objects: (parts.length > 0 ? parts : [object]).map((it) => prefix + it.replace(/\.o$/, '.c')),
    };
  });
}

/** `sources` of a manifest for a module; `base` is what its paths are relative to. */
export function sourcesOf(module: LivepatchModule, base = ''): string | readonly string[] {
  const inner = (path: string): string => (base === '' ? path : path.slice(base.length + 1));
  const folder = inner(module.folder === base ? `${base}${base === '' ? '' : '/'}` : module.folder);
  if (module.all && !/[*?[\]{}!]/.test(module.folder)) return folder === '' ? '*.c' : `${folder}/*.c`;
  const [first = '', ...more] = module.units.map(inner);
  return more.length === 0 ? first : [first, ...more];
}

/** As lsmod would show it. */
export function asModule(name: string): string {
  return (
    nameOf(name)
      .replaceAll(/[^A-Za-z0-9_]/g, '_')
      .slice(0, 55) || 'livepatch'
  );
}

/** As a version may be called. */
export function asVersion(name: string): string {
  const usable = name
    .replaceAll(/[^\w.+-]+/g, '-')
    .replace(/^[^\w]+/, '')
    .slice(0, 60);
  return usable === '' || usable === 'none' ? 'v1' : usable;
}

/** By the numbers in them: v2 before v10. */
export function byNumbers(a: string, b: string): number {
  const parts = (text: string): string[] => text.split(/(\d+)/);
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x = '', y = ''] = [left[i], right[i]];
    const order = i % 2 === 1 ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
