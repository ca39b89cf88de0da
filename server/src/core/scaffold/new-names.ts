import type { Lineage } from '../lineage/lineage';
import { RESERVED_NAME, VERSION_NAME } from '../manifest/names';

/** What the new version and its module are called. */
export interface NewNames {
  readonly version: string;
  readonly module: string;
  /** Folder for its sources: the version's name where that is a plain word, else the module's. */
  readonly folder: string;
}

/** As kbuild and generated C accept it; interfaces allow capitals in a module's name, generated ones have none. */
const MODULE = /^[a-z0-9_]{1,55}$/;
const FOLDER = /^[A-Za-z0-9][A-Za-z0-9_+-]{0,63}(?:\.[A-Za-z0-9_+-]{1,63}){0,8}$/;

/** Names for the version `as` made from `restore`, or why there can be none. */
export function newNames(
  lineage: Lineage,
  restore: { readonly name: string; readonly module: string },
  as: string,
): NewNames | { readonly reason: string } {
  if (!VERSION_NAME.test(as) || as === RESERVED_NAME) {
    return {
      reason: `"${shown(as)}" cannot be a version's name: it is one word without blanks, quotes, commas, ";" or "=".`,
    };
  }
  const module = moduleName(restore, as);
  if (!MODULE.test(module)) {
    return {
      reason: `The module for "${as}" would be called "${shown(module)}": choose a name that gives at most 55 of a-z, 0-9 and _.`,
    };
  }
  const taken = new Set<string>(lineage.targets.map((target) => target.module));
  for (const version of lineage.versions) taken.add(version.name).add(version.module);
  for (const name of [as, module]) {
    if (taken.has(name))
      return { reason: `The lineage has "${name}" already: choose another name than "${as}".` };
  }
  if (as === module) return { reason: `The version and its module would both be called "${as}".` };
  return { version: as, module, folder: FOLDER.test(as) ? as : module };
}

/** `livepatch_net_v1` of `v1` becomes `livepatch_net_v3` for `v3`; without such an ending the new name is appended. */
function moduleName(restore: { readonly name: string; readonly module: string }, as: string): string {
  const good = restore.module.toLowerCase();
  const wanted = word(as);
  const old = word(restore.name);
  // A version and its module have names of their own.
  if (old !== '' && good === old && wanted !== as) return wanted;
  if (old !== '' && good.endsWith(`_${old}`)) return good.slice(0, good.length - old.length) + wanted;
  const number = /\d{1,9}$/.exec(good)?.[0];
  const newNumber = /\d{1,9}$/.exec(wanted)?.[0];
  if (number !== undefined && newNumber !== undefined && old.endsWith(number) && /^v?\d+$/.test(wanted)) {
    return good.slice(0, good.length - number.length) + newNumber;
  }
  return `${good}_${wanted}`;
}

function word(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
