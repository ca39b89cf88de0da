import { type Core, callFails, type ObjectRecord, type PatchRecord } from './records';
import { ERRNO, type FunctionImage } from './types';

/** The functions of an object, its nops last. */
export function functionsOf(patch: PatchRecord, object: ObjectRecord): readonly FunctionImage[] {
  const own = object.index === null ? [] : (patch.image.objects?.[object.index]?.functions ?? []);
  return object.nops.length === 0 ? own : [...own, ...object.nops];
}

export function newObject(index: number | null, name: string | null): ObjectRecord {
  return {
    index,
    name,
    target: null,
    patched: false,
    postUnpatchEnabled: false,
    nops: [],
    postPatched: false,
    preUnpatched: false,
  };
}

/** Tables never change: the names of their functions are put together once. */
class FunctionKeys {
  readonly #known = new WeakMap<readonly FunctionImage[], readonly string[]>();

  constructor(private readonly sameFirst: boolean) {}

  of(functions: readonly FunctionImage[]): readonly string[] {
    let keys = this.#known.get(functions);
    if (!keys) {
      keys = functions.map((fn) => `${fn.oldName},${this.sameFirst && fn.sympos === 1 ? 0 : fn.sympos}`);
      this.#known.set(functions, keys);
    }
    return keys;
  }
}

const MERGED = new FunctionKeys(true);
const DISTINCT = new FunctionKeys(false);

/**
 * klp_add_nops(): for every function of every listed livepatch that the new one does not patch itself, a nop that
 * leads back to the original. An object that only old livepatches have becomes a dynamic one, without callbacks, at
 * the tail. 0 or a negative errno.
 */
export function addNops(core: Core, patch: PatchRecord): number {
  // Before the fix in klp_find_func() sympos 0 and 1 were different functions, and the nop then collides in sysfs.
  const same01 = core.capabilities.has('sympos-0-is-1') !== 'no';
  const keysOf = same01 ? MERGED : DISTINCT;
  const seen = new Map<ObjectRecord, Set<string>>();
  for (const listed of core.state.patches) {
    for (const old of listed.objects) {
      let object = patch.objects.find((candidate) => candidate.name === old.name);
      if (!object) {
        if (callFails(core, patch.instance, 'klp_alloc_object_dynamic') !== 0) return -ERRNO.ENOMEM;
        object = newObject(null, old.name);
        patch.objects.push(object);
      }
      let keys = seen.get(object);
      if (!keys) {
        keys = new Set(keysOf.of(functionsOf(patch, object)));
        seen.set(object, keys);
      }
      const added: FunctionImage[] = [];
      const functions = functionsOf(listed, old);
      for (const [index, key] of keysOf.of(functions).entries()) {
        const fn = functions[index];
        if (!fn || keys.has(key)) continue;
        if (callFails(core, patch.instance, 'klp_alloc_func_nop') !== 0) return -ERRNO.ENOMEM;
        keys.add(key);
        added.push({ oldName: fn.oldName, newName: fn.oldName, sympos: fn.sympos });
      }
      if (added.length > 0) object.nops = [...object.nops, ...added];
    }
  }
  return 0;
}

/** klp_discard_nops(): nops and dynamic objects go before post_patch runs. */
export function discardNops(patch: PatchRecord): void {
  patch.objects = patch.objects.filter((object) => object.index !== null);
  for (const object of patch.objects) object.nops = [];
}
