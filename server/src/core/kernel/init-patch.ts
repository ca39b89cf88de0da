import { lines, objectName } from './log-lines';
import { functionsOf } from './nops';
import {
  type Core,
  callFails,
  isLoaded,
  moduleByInstance,
  type ObjectRecord,
  type PatchRecord,
} from './records';
import { type CoreCall, ERRNO, type FunctionImage, type MissingKind } from './types';

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
    const name = addressKey(fn);
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
  for (const [index, fn] of functionsOf(patch, object).entries()) {
    const result = findFunction(core, patch, object, fn, missing(core, patch, object, index));
    if (result !== 0) return result;
  }
  return 0;
}

/** klp_find_object_symbol(), then the sizes. 0 or a negative errno. */
function findFunction(
  core: Core,
  patch: PatchRecord,
  object: ObjectRecord,
  { oldName, sympos }: FunctionImage,
  kind: MissingKind | null,
): number {
  const { env } = core;
  if (kind === 'ambiguous') env.log(lines.symbolAmbiguous(oldName, object.name));
  else if (kind === 'position') env.log(lines.positionMissing(sympos, oldName, object.name));
  else if (kind === 'init' || callFails(core, patch.instance, 'klp_find_object_symbol') !== 0)
    env.log(lines.symbolMissing(oldName));
  else return findSizes(core, patch, oldName);
  return -ERRNO.EINVAL;
}

/** The size of the old function, then that of the new one. 0 or a negative errno. */
function findSizes(core: Core, patch: PatchRecord, fn: string): number {
  for (const line of [lines.sizeMissing, lines.newSizeMissing]) {
    if (callFails(core, patch.instance, 'kallsyms_lookup_size_offset') === 0) continue;
    core.env.log(line(fn));
    return -ERRNO.ENOENT;
  }
  return 0;
}

/** klp_patch_object(): registers the functions with ftrace. 0 or a negative errno. */
export function patchObject(core: Core, patch: PatchRecord, object: ObjectRecord): number {
  // What another livepatch redirects already is with ftrace, and stays so.
  const known = redirected(core, object.name);
  for (const [index, fn] of functionsOf(patch, object).entries()) {
    if (known.has(addressKey(fn))) continue;
    const result = register(core, patch, fn.oldName, missing(core, patch, object, index));
    if (result !== 0) return result;
  }
  object.patched = true;
  return 0;
}

/** The part of klp_patch_func() for a function that no livepatch redirects yet. 0 or a negative errno. */
function register(core: Core, patch: PatchRecord, fn: string, kind: MissingKind | null): number {
  const fails = (call: CoreCall): number => callFails(core, patch.instance, call);
  if (kind === 'ftrace' || fails('ftrace_location') !== 0) {
    core.env.log(lines.locationMissing(fn));
    return -ERRNO.EINVAL;
  }
  const memory = fails('klp_patch_func');
  if (memory !== 0) return memory;
  const filter = fails('ftrace_set_filter_ip');
  if (filter !== 0) {
    core.env.log(lines.filterRefused(fn, filter));
    return filter;
  }
  const refused = kind === 'ftrace-busy' ? -ERRNO.EBUSY : fails('register_ftrace_function');
  if (refused !== 0) core.env.log(lines.ftraceRefused(fn, refused));
  return refused;
}

/** The functions of an object that livepatches redirect: klp_find_ops() goes by address, and sympos 0 and 1 are one. */
function redirected(core: Core, name: string | null): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const patch of core.state.patches) {
    for (const object of patch.objects) {
      if (!object.patched || object.name !== name) continue;
      for (const fn of functionsOf(patch, object)) keys.add(addressKey(fn));
    }
  }
  return keys;
}

function addressKey({ oldName, sympos }: FunctionImage): string {
  return `${oldName},${sympos === 0 ? 1 : sympos}`;
}

/** Why the function at this index cannot be patched; nops, which come last, lead to functions that can. */
function missing(core: Core, patch: PatchRecord, object: ObjectRecord, index: number): MissingKind | null {
  if (!core.env.missing || object.index === null) return null;
  const own = patch.image.objects?.[object.index]?.functions?.length ?? 0;
  return index < own ? core.env.missing(patch.instance, object.index, index) : null;
}
