import type { Span } from '../place';
import type { Located } from './manifest';
import { ABSOLUTE_PATH, MODULE_NAME, RESERVED_NAME, VERSION_NAME } from './names';
import type { ProblemList } from './problem';
import { replaceFix, shorten } from './values';

/** Whether a version may be called so; what is wrong is reported. */
export function checkVersionName(problems: ProblemList, name: Located<string>): void {
  if (name.value === RESERVED_NAME) {
    problems.error(
      'No version may be called "none": that stands for the kernel without a livepatch.',
      name.place,
    );
  } else if (!VERSION_NAME.test(name.value)) {
    if (/^.{101}/su.test(name.value)) {
      problems.error("A version's name has at most 100 characters.", name.place);
      return;
    }
    const usable = name.value.replace(/[\s\p{C};="',]+/gu, '-').replace(/^-+|-+$/g, '');
    const fix =
      VERSION_NAME.test(usable) && usable !== RESERVED_NAME ? replaceFix(name.place, asYaml(usable)) : {};
    problems.error(
      'A version is named in steps and on the command line: no blanks, control characters, `; = , " \'`, and no dash in front.',
      name.place,
      fix,
    );
  }
}

/** Whether a module can have this name; `what` is words for it, as "`module`". */
export function checkModuleName(problems: ProblemList, name: Located<string>, what: string): void {
  const { value, place } = name;
  if (value === 'vmlinux') {
    problems.error(`${what}: vmlinux is the kernel itself, not a module.`, place);
    return;
  }
  if (MODULE_NAME.test(value)) return;
  const usable = value.replace(/\.ko$/, '').replace(/^.*\//s, '').replaceAll('-', '_');
  const fix = MODULE_NAME.test(usable) && usable !== 'vmlinux' ? replaceFix(place, asYaml(usable)) : {};
  const so = 'fix' in fix ? ` Here: ${usable}.` : '';
  if (value.length > 55 && /^[A-Za-z0-9_]+$/.test(value)) {
    problems.error(`${what} has ${value.length} characters; the kernel takes at most 55.`, place);
  } else if (value.endsWith('.ko')) {
    problems.error(`${what} is the name that lsmod shows, not the file's.${so}`, place, fix);
  } else if (value.includes('-')) {
    problems.error(`${what} is the name that lsmod shows: the build turns "-" into "_".${so}`, place, fix);
  } else {
    problems.error(
      `${what} "${shorten(value)}" is no module's name: letters, digits and "_" only.`,
      place,
      fix,
    );
  }
}

/** Reports paths that are absolute or hold a NUL; whether a path leaves the workspace by `..` is for the host to say. */
export function checkRelativePaths(
  problems: ProblemList,
  paths: readonly Located<string>[],
  what: string,
): Located<string>[] {
  return paths.filter(({ value, place }) => {
    if (ABSOLUTE_PATH.test(value)) {
      problems.error(`${what} must be relative to the manifest; "${shorten(value)}" is absolute.`, place);
      return false;
    }
    return checkNoNul(problems, value, place, what);
  });
}

export function checkNoNul(problems: ProblemList, value: string, place: Span, what: string): boolean {
  if (!value.includes('\0')) return true;
  problems.error(`${what} holds a NUL character, which no file name can.`, place);
  return false;
}

/** Names that YAML would read as something else than text need quotes. */
function asYaml(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(name)
    ? name
    : JSON.stringify(name);
}
