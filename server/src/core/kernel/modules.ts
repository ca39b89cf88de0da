import { postPatch, postUnpatch, prePatch, preUnpatch, skip } from './callbacks';
import { initLoaded, patchObject } from './init-patch';
import { lines } from './log-lines';
import {
  type Core,
  dropReference,
  type ModuleRecord,
  type ObjectRecord,
  type PatchRecord,
  withLock,
} from './records';
import { CALLBACK_KINDS, ERRNO, type InstanceId, type ModuleFacts } from './types';

/** Modules coming and going: kernel/module/main.c and the livepatch core's part in it. */

export interface LoadOutcome {
  /** 0, a negative errno, or the positive value of a pre_patch that failed with one. */
  readonly result: number;
  /** null where the module is not in memory after the step. */
  readonly instance: InstanceId | null;
}

/** load_module(). */
export function loadModule(core: Core, facts: ModuleFacts): LoadOutcome {
  const existing = core.state.modules.get(facts.name);
  if (existing) return { result: existing.state === 'live' ? -ERRNO.EEXIST : -ERRNO.EBUSY, instance: null };
  const instance = core.state.nextInstance++;
  // The initial reference holds the module while its init runs.
  const module: ModuleRecord = {
    instance,
    facts,
    state: 'coming',
    alive: false,
    references: 1,
    relocated: [],
  };
  core.state.modules.set(facts.name, module);
  const parameters = core.env.created?.(instance) ?? 0;
  const refused = moduleComing(core, module);
  if (refused !== 0) {
    module.state = 'going';
    free(core, module);
    return { result: refused, instance: null };
  }
  const result = parameters !== 0 ? parameters : facts.hasInit ? core.env.init(instance) : 0;
  if (result < 0) {
    module.state = 'going';
    dropReference(core, module);
    moduleGoing(core, module);
    free(core, module);
    return { result, instance: null };
  }
  if (result > 0) for (const line of lines.suspiciousInit(facts.name, result)) core.env.log(line);
  module.state = 'live';
  dropReference(core, module);
  return { result: 0, instance };
}

/** delete_module(). */
export function unloadModule(core: Core, name: string): number {
  const module = core.state.modules.get(name);
  if (!module) return -ERRNO.ENOENT;
  if (module.state !== 'live') return -ERRNO.EBUSY;
  if (module.facts.hasInit && !module.facts.hasExit) return -ERRNO.EBUSY;
  if (module.references < 0) {
    core.env.event({ k: 'warning', text: `BUG_ON in delete_module(): too many module_put() of ${name}` });
  } else if (module.references > 0) return -ERRNO.EAGAIN;
  module.state = 'going';
  if (module.facts.hasExit) core.env.exit(module.instance);
  moduleGoing(core, module);
  free(core, module);
  return 0;
}

/** free_module(): without a look at the references, as in the kernel. */
function free(core: Core, module: ModuleRecord): void {
  core.env.freed(module.instance);
  core.state.modules.delete(module.facts.name);
  const orphan = core.state.patches.find((patch) => patch.instance === module.instance);
  if (!orphan) return;
  const text = `the memory of ${orphan.name} is gone while its livepatch is still installed`;
  core.env.event({ k: 'warning', text });
  core.state.patches = core.state.patches.filter((patch) => patch !== orphan);
  if (core.state.transition?.patch === orphan) core.state.transition = null;
}

function objectFor(patch: PatchRecord, name: string): ObjectRecord | null {
  return patch.objects.find((object) => object.name === name) ?? null;
}

/** klp_module_coming(): 0, or why the module is refused. */
function moduleComing(core: Core, module: ModuleRecord): number {
  const { name } = module.facts;
  if (name === 'vmlinux') {
    core.env.log(lines.vmlinuxModule());
    return -ERRNO.EINVAL;
  }
  return withLock(core, () => {
    module.alive = true;
    for (const [index, patch] of core.state.patches.entries()) {
      const object = objectFor(patch, name);
      if (!object) continue;
      object.target = module.instance;
      const result = apply(core, patch, object, name);
      if (result === 0) continue;
      core.env.log(lines.refusing(patch.name, name));
      for (const later of core.state.patches.slice(index + 1)) {
        const unreached = objectFor(later, name);
        if (unreached)
          skip(core, later, unreached, ['pre_patch', 'post_patch'], 'never-reached', patch.instance);
      }
      module.alive = false;
      object.target = null;
      cleanUp(core, name, patch);
      return result;
    }
    return 0;
  });
}

/** One livepatch's turn on a module that comes. 0 or a negative errno. */
function apply(core: Core, patch: PatchRecord, object: ObjectRecord, name: string): number {
  const init = initLoaded(core, patch, object);
  if (init !== 0) {
    core.env.log(lines.initFailed(patch.name, name, init));
    skip(core, patch, object, CALLBACK_KINDS, 'never-reached');
    return init;
  }
  core.env.log(lines.applying(patch.name, name));
  const vetoed = prePatch(core, patch, object);
  if (vetoed !== 0) {
    core.env.log(lines.prePatchFailed(name));
    skip(core, patch, object, ['post_patch', 'pre_unpatch', 'post_unpatch'], 'pre-patch-failed');
    return vetoed;
  }
  const failed = patchObject(core, patch, object);
  if (failed !== 0) {
    core.env.log(lines.applyFailed(patch.name, name, failed));
    skip(core, patch, object, ['post_patch', 'pre_unpatch'], 'reversed');
    postUnpatch(core, patch, object);
    return failed;
  }
  if (core.state.transition?.patch === patch)
    skip(core, patch, object, ['post_patch'], 'in-transition', patch.instance);
  else postPatch(core, patch, object);
  return 0;
}

/** klp_module_going(). */
function moduleGoing(core: Core, module: ModuleRecord): void {
  withLock(core, () => {
    module.alive = false;
    cleanUp(core, module.facts.name, null);
  });
}

/** klp_cleanup_module_patches_limited(): every livepatch before `limit` lets go of the module. */
function cleanUp(core: Core, name: string, limit: PatchRecord | null): void {
  for (const patch of core.state.patches) {
    if (patch === limit) break;
    const object = objectFor(patch, name);
    if (!object) continue;
    if (core.state.transition?.patch !== patch) preUnpatch(core, patch, object);
    else if (!object.preUnpatched)
      skip(core, patch, object, ['pre_unpatch'], 'in-transition', patch.instance);
    core.env.log(lines.reverting(patch.name, name));
    object.patched = false;
    postUnpatch(core, patch, object);
    object.target = null;
  }
}
