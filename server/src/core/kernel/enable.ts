import { freePatch, prePatch, preUnpatch, skip, skipAfterFailedEnable } from './callbacks';
import { initObjects, patchObject } from './init-patch';
import { lines } from './log-lines';
import { addNops, newObject } from './nops';
import {
  type Core,
  callFails,
  isLoaded,
  moduleByInstance,
  type PatchRecord,
  takeReference,
  withLock,
} from './records';
import { stateCompatibility } from './state-compatibility';
import { cancelTransition, initTransition, startTransition, tryComplete } from './transition';
import { ERRNO, type InstanceId, type PatchImage } from './types';

/** klp_enable_patch() of core.c: 0 or a negative errno, or what a failing pre_patch returned. */
export function enablePatch(core: Core, caller: InstanceId, image: PatchImage): number {
  if (!image.hasModule || !image.objects) return -ERRNO.EINVAL;
  if (image.objects.some((object) => object.functions === null)) return -ERRNO.EINVAL;
  const upFront = core.capabilities.has('check-patch-up-front') !== 'no';
  if (upFront && image.objects.some((object) => object.functions?.some((fn) => fn.oldName === '')))
    return -ERRNO.EINVAL;
  const module = moduleByInstance(core.state, caller);
  if (!module) return -ERRNO.ENODEV;
  const name = module.facts.name;
  if (!module.facts.livepatch) {
    core.env.log(lines.notMarked(name));
    return -ERRNO.EINVAL;
  }
  if (callFails(core, caller, 'klp_initialized') !== 0) return -ERRNO.ENODEV;
  const unreliable = unreliableStack(core);
  if (unreliable !== 0) return unreliable;
  return withLock(core, () => {
    if (!isCompatible(core, caller, image)) {
      core.env.log(lines.notCompatible(name));
      return -ERRNO.EINVAL;
    }
    if (!takeReference(module)) return -ERRNO.ENODEV;
    const objects = (image.objects ?? []).map((object, index) => newObject(index, object.name));
    const patch: PatchRecord = { instance: caller, name, image, objects, enabled: false, forced: false };
    let result = initPatch(core, patch);
    if (result === 0) {
      core.state.patches.push(patch);
      result = enable(core, patch);
    }
    if (result !== 0) freePatch(core, patch);
    return result;
  });
}

/** klp_have_reliable_stack(): only a warning since 5.2; 0 or a negative errno. */
function unreliableStack(core: Core): number {
  if (core.capabilities.has('reliable-stack') !== 'no') return 0;
  const [unsupported, mayNeverComplete] = lines.noReliableStack();
  if (unsupported) core.env.log(unsupported);
  if (core.capabilities.has('stack-warning-only') === 'no') return -ERRNO.EOPNOTSUPP;
  if (mayNeverComplete) core.env.log(mayNeverComplete);
  return 0;
}

function isCompatible(core: Core, caller: InstanceId, image: PatchImage): boolean {
  if (core.capabilities.has('states') === 'no') return true;
  const { compatible, unsure } = stateCompatibility(image, core.state.patches);
  for (const { installed, id } of unsure) core.env.event({ k: 'state-unsure', patch: caller, installed, id });
  return compatible;
}

/** klp_init_patch(). A module has one folder in sysfs, so a second klp_patch of it collides. */
function initPatch(core: Core, patch: PatchRecord): number {
  if (core.state.patches.some((listed) => listed.name === patch.name)) {
    core.env.log(lines.duplicateName(patch.name));
    return -ERRNO.EEXIST;
  }
  const nops = patch.image.replace === 'nothing' ? 0 : addNops(core, patch);
  return nops !== 0 ? nops : initObjects(core, patch);
}

/** __klp_enable_patch(): only here another transition gets in the way. */
function enable(core: Core, patch: PatchRecord): number {
  if (core.state.transition) return -ERRNO.EBUSY;
  core.env.log(lines.enabling(patch.name));
  const transition = initTransition(core, patch, 'patched');
  for (const object of patch.objects) {
    if (!isLoaded(object)) {
      skip(core, patch, object, ['pre_patch'], 'not-loaded');
      continue;
    }
    let result = prePatch(core, patch, object);
    const byCallback = result !== 0;
    if (byCallback) core.env.log(lines.prePatchFailed(object.name));
    else {
      result = patchObject(core, patch, object);
      if (result !== 0) core.env.log(lines.patchFailed(object.name));
    }
    if (result !== 0) {
      core.env.log(lines.enableFailed(patch.name));
      skipAfterFailedEnable(core, patch, object, byCallback);
      cancelTransition(core, transition);
      return result;
    }
  }
  startTransition(core, transition);
  patch.enabled = true;
  tryComplete(core);
  return 0;
}

/** __klp_disable_patch(). 0 or a negative errno. */
export function disablePatch(core: Core, patch: PatchRecord): number {
  if (core.state.transition) return -ERRNO.EBUSY;
  if (core.capabilities.has('unpatch-any-order') === 'no') {
    const next = core.state.patches[core.state.patches.indexOf(patch) + 1];
    if (next?.enabled) return -ERRNO.EBUSY;
  }
  const transition = initTransition(core, patch, 'unpatched');
  for (const object of patch.objects) {
    if (object.patched) preUnpatch(core, patch, object);
    else skip(core, patch, object, ['pre_unpatch'], 'not-loaded');
  }
  startTransition(core, transition);
  patch.enabled = false;
  tryComplete(core);
  return 0;
}
