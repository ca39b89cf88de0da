import { lines, objectName } from './log-lines';
import { functionsOf } from './nops';
import { type Core, isLoaded, moduleByInstance, type ObjectRecord, type PatchRecord } from './records';
import { ERRNO, type FunctionImage } from './types';

/** MODULE_NAME_LEN of a 64-bit kernel, KSYM_NAME_LEN since 6.1; a name must be shorter. */
const MODULE_NAME_LEN = 56;
const KSYM_NAME_LEN = 512;

/** The part of klp_init_patch() that looks at the objects, in the kernel's order. 0 or a negative errno. */
export function initObjects(core: Core, patch: PatchRecord): number {
  const folders = new Set<string>();
  for (const object of patch.objects) {
    const result = initObject(core, patch, object, folders);
    if (result !== 0) return result;
  }
  return 0;
}

function initObject(core: Core, patch: PatchRecord, object: ObjectRecord, folders: Set<string>): number {
  if (object.name !== null && object.name.length >= MODULE_NAME_LEN) return -ERRNO.EINVAL;
  if (object.name !== null) {
    const module = core.state.modules.get(object.name);
    object.target = module?.alive ? module.instance : null;
  }
  const folder = objectName(object.name);
  if (folder === '') {
    core.env.event({
      k: 'warning',
      text: 'WARN in kobject_add_internal(): an object was registered with an empty name',
    });
    return -ERRNO.EINVAL;
  }
  if (folders.has(folder)) return duplicate(core, `${patch.name}/${folder}`);
  folders.add(folder);
  const wrong = firstWrong(functionsOf(patch, object));
  if (wrong === 'invalid') return -ERRNO.EINVAL;
  if (wrong) return duplicate(core, `${patch.name}/${folder}/${wrong.twice}`);
  return isLoaded(object) ? initLoaded(core, patch, object) : 0;
}

type Wrong = 'invalid' | { readonly twice: string } | null;

/** Tables never change: each is looked through once. */
const WRONG = new WeakMap<readonly FunctionImage[], Wrong>();

/** What klp_init_func() and the folder of a function in sysfs meet first. */
function firstWrong(functions: readonly FunctionImage[]): Wrong {
  let wrong = WRONG.get(functions);
  if (wrong === undefined) WRONG.set(functions, (wrong = lookThrough(functions)));
  return wrong;
}

function lookThrough(functions: readonly FunctionImage[]): Wrong {
  const names = new Set<string>();
  for (const fn of functions) {
    if (fn.oldName === '' || fn.newName === '' || fn.oldName.length >= KSYM_NAME_LEN) return 'invalid';
    const name = `${fn.oldName},${fn.sympos === 0 ? 1 : fn.sympos}`;
    if (names.has(name)) return { twice: name };
    names.add(name);
  }
  return null;
}

function duplicate(core: Core, path: string): number {
  core.env.log(lines.duplicateName(path));
  return -ERRNO.EEXIST;
}

/** klp_init_object_loaded(): relocations, then symbols. 0 or a negative errno. */
export function initLoaded(core: Core, patch: PatchRecord, object: ObjectRecord): number {
  if (object.name !== null && patch.image.relocations?.includes(object.name)) {
    const module = moduleByInstance(core.state, patch.instance);
    const written = module?.relocated.includes(object.name) ?? false;
    if (written && core.capabilities.has('relocations-cleared-on-removal') === 'no') return -ERRNO.ENOEXEC;
    if (module && !written) module.relocated = [...module.relocated, object.name];
  }
  return eachFunction(core, patch, object, (kind, fn) => {
    if (kind !== 'init') return 0;
    core.env.log(lines.symbolMissing(fn));
    return -ERRNO.EINVAL;
  });
}

/** klp_patch_object(): registers the functions with ftrace. 0 or a negative errno. */
export function patchObject(core: Core, patch: PatchRecord, object: ObjectRecord): number {
  const result = eachFunction(core, patch, object, (kind, fn) => {
    if (kind === 'ftrace') {
      core.env.log(lines.locationMissing(fn));
      return -ERRNO.EINVAL;
    }
    if (kind !== 'ftrace-busy') return 0;
    core.env.log(lines.ftraceRefused(fn, -ERRNO.EBUSY));
    return -ERRNO.EBUSY;
  });
  if (result === 0) object.patched = true;
  return result;
}

function eachFunction(
  core: Core,
  patch: PatchRecord,
  object: ObjectRecord,
  check: (kind: string | null, fn: string) => number,
): number {
  if (!core.env.missing || object.index === null) return 0;
  const functions = patch.image.objects?.[object.index]?.functions ?? [];
  for (const [index, fn] of functions.entries()) {
    const result = check(core.env.missing(patch.instance, object.index, index), fn.oldName);
    if (result !== 0) return result;
  }
  return 0;
}
