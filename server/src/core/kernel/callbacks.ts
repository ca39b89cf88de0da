import {
  type Core,
  dropReference,
  isLoaded,
  moduleByInstance,
  type ObjectRecord,
  type PatchRecord,
} from './records';
import {
  CALLBACK_KINDS,
  type CallbackCall,
  type CallbackKind,
  type InstanceId,
  type SkipReason,
} from './types';

/** Calls of callbacks as core.h has them, and the record of those that are left out. */

function callOf(patch: PatchRecord, object: ObjectRecord, callback: CallbackKind): CallbackCall | null {
  if (object.index === null || !patch.image.objects?.[object.index]?.callbacks.has(callback)) return null;
  return { patch: patch.instance, object: object.index, callback, target: object.target };
}

function run(core: Core, patch: PatchRecord, object: ObjectRecord, callback: CallbackKind): number {
  const call = callOf(patch, object, callback);
  if (!call) return 0;
  const result = core.env.callback(call);
  const counted = callback === 'pre_patch' ? result : 0;
  core.env.event({ k: 'called', call, result: counted });
  return counted;
}

/** klp_pre_patch_callback(): any value but 0 is a failure. */
export function prePatch(core: Core, patch: PatchRecord, object: ObjectRecord): number {
  const result = run(core, patch, object, 'pre_patch');
  object.postUnpatchEnabled = result === 0;
  object.postPatched = false;
  object.preUnpatched = false;
  return result;
}

export function postPatch(core: Core, patch: PatchRecord, object: ObjectRecord): void {
  run(core, patch, object, 'post_patch');
  object.postPatched = true;
  object.preUnpatched = false;
}

export function preUnpatch(core: Core, patch: PatchRecord, object: ObjectRecord): void {
  run(core, patch, object, 'pre_unpatch');
  object.preUnpatched = true;
}

/** klp_post_unpatch_callback(): at most once for each successful pre_patch. */
export function postUnpatch(core: Core, patch: PatchRecord, object: ObjectRecord): void {
  if (object.postUnpatchEnabled) run(core, patch, object, 'post_unpatch');
  object.postUnpatchEnabled = false;
}

/** Records that these callbacks did not run, as far as the object has them. `by`: the livepatch that is the cause. */
export function skip(
  core: Core,
  patch: PatchRecord,
  object: ObjectRecord,
  kinds: readonly CallbackKind[],
  because: SkipReason,
  by: InstanceId | null = null,
): void {
  for (const kind of kinds) {
    const call = callOf(patch, object, kind);
    if (call) core.env.event({ k: 'skipped', call, because, by });
  }
}

/** Records what a failed attempt to enable leaves out. `failed` is the object that could not be patched. */
export function skipAfterFailedEnable(
  core: Core,
  patch: PatchRecord,
  failed: ObjectRecord,
  byCallback: boolean,
): void {
  let reached = true;
  for (const object of patch.objects) {
    if (object === failed) {
      reached = false;
      if (byCallback)
        skip(core, patch, object, ['post_patch', 'pre_unpatch', 'post_unpatch'], 'pre-patch-failed');
      else skip(core, patch, object, ['post_patch', 'pre_unpatch'], 'reversed');
    } else if (isLoaded(object)) {
      if (reached) skip(core, patch, object, ['post_patch', 'pre_unpatch'], 'reversed');
      else skip(core, patch, object, CALLBACK_KINDS, 'never-reached');
    }
  }
}

/** klp_free_patch_start() and _finish(): off the list, and the module reference dropped unless forced. */
export function freePatch(core: Core, patch: PatchRecord): void {
  core.state.patches = core.state.patches.filter((listed) => listed !== patch);
  if (patch.forced) return;
  const module = moduleByInstance(core.state, patch.instance);
  if (module) dropReference(core, module);
  core.env.event({ k: 'released', patch: patch.instance });
}
