import type { Capabilities } from './capabilities';
import { disablePatch, enablePatch } from './enable';
import { type LoadOutcome, loadModule, unloadModule } from './modules';
import {
  type Core,
  copyState,
  dropReference,
  isLoaded,
  moduleByInstance,
  newState,
  type PatchRecord,
  stateKey,
  takeReference,
  withLock,
} from './records';
import { findState } from './state-compatibility';
import { forceTransition, reverseTransition, tryComplete } from './transition';
import {
  ERRNO,
  type InstanceId,
  type KernelEnvironment,
  type ModuleFacts,
  type ModuleState,
  type ModuleStatus,
  type PatchImage,
  type PatchStatus,
  type PatchTarget,
  type StateId,
} from './types';

/** An entry of a listed livepatch's state table. */
export interface PreviousState {
  readonly patch: InstanceId;
  /** Index into PatchImage.states. */
  readonly state: number;
}

/**
 * The livepatch core as a state machine. Steps go in; callback calls, log lines and events come out through the
 * environment, in the kernel's order. Mirrors kernel/livepatch and the loader in kernel/module/main.c.
 *
 * Whatever the kernel does a moment later in a work item (completing a reversed or forced transition, dropping module
 * references) happens within the step.
 */
export class Kernel {
  readonly #core: Core;

  constructor(environment: KernelEnvironment, capabilities: Capabilities, state = newState()) {
    this.#core = { state, env: environment, capabilities };
  }

  /** An independent copy with another environment. */
  clone(environment: KernelEnvironment): Kernel {
    return new Kernel(environment, this.#core.capabilities, copyState(this.#core.state));
  }

  // Steps. Each answers 0 or the kernel's negative errno.

  /** insmod. The result is also what init or a failing pre_patch returned; a positive one comes from such a pre_patch. */
  load(module: ModuleFacts): LoadOutcome {
    if (this.#deadlock('loading a module')) return { result: -ERRNO.EBUSY, instance: null };
    const outcome = loadModule(this.#core, module);
    this.settle();
    return outcome;
  }

  /** rmmod: -ENOENT unknown, -EBUSY with init and no exit, -EAGAIN held. */
  unload(name: string): number {
    if (this.#deadlock('unloading a module')) return -ERRNO.EBUSY;
    const result = unloadModule(this.#core, name);
    this.settle();
    return result;
  }

  /** Writes 0 to `enabled`: -ENOENT without sysfs folder, -EINVAL if it is 0, -EBUSY while another is in transition. */
  disable(name: string): number {
    return this.#writeEnabled(name, false);
  }

  /** Writes 1 to `enabled`, which only turns a running disable round: -ENOENT, or else -EINVAL. */
  enable(name: string): number {
    return this.#writeEnabled(name, true);
  }

  /** Writes 1 to `force`: -ENOENT without sysfs folder, -EINVAL unless its own transition is pending. */
  force(name: string): number {
    if (this.#deadlock('writing to force')) return -ERRNO.EBUSY;
    const patch = this.#listed(name);
    if (!patch) return -ERRNO.ENOENT;
    const transition = this.#core.state.transition;
    if (transition?.patch !== patch) return -ERRNO.EINVAL;
    withLock(this.#core, () => forceTransition(this.#core, transition));
    this.settle();
    return 0;
  }

  /** From now on one sleeping task's stack is never accepted: what starts stays pending, what is reversed completes. */
  stall(): void {
    this.#core.state.stall = 'stall';
    this.settle();
  }

  /** As stall, but a reversal stays pending too. */
  hold(): void {
    this.#core.state.stall = 'hold';
  }

  /** Ends stall and hold; what is pending completes, unless the environment is busy. */
  resume(): void {
    this.#core.state.stall = 'none';
    this.settle();
  }

  /**
   * Lets what is pending complete if nothing stands in the way, as the kernel's work item does every second. Steps
   * call it themselves at their end; call it when a task has moved. It does nothing under klp_mutex (in a callback).
   */
  settle(): void {
    if (this.#core.state.locked || !this.#core.state.transition) return;
    withLock(this.#core, () => tryComplete(this.#core));
  }

  // Called from module code.

  /** klp_enable_patch(): 0, a negative errno, or what a failing pre_patch returned. */
  enablePatch(caller: InstanceId, image: PatchImage): number {
    if (this.#deadlock('klp_enable_patch()')) return -ERRNO.EBUSY;
    return enablePatch(this.#core, caller, image);
  }

  /** try_module_get(): false where the module is going or gone. */
  moduleGet(instance: InstanceId): boolean {
    const module = moduleByInstance(this.#core.state, instance);
    return module !== null && takeReference(module);
  }

  /** module_put(). One too many is a warning. */
  modulePut(instance: InstanceId): void {
    const module = moduleByInstance(this.#core.state, instance);
    if (module) dropReference(this.#core, module);
  }

  /** module_refcount(); 0 for a module that is not in memory. */
  moduleReferences(instance: InstanceId): number {
    return moduleByInstance(this.#core.state, instance)?.references ?? 0;
  }

  // Questions.

  /** klp_patches, oldest first. */
  patches(): readonly PatchStatus[] {
    const transition = this.#core.state.transition;
    return this.#core.state.patches.map((patch) => ({
      instance: patch.instance,
      name: patch.name,
      image: patch.image,
      enabled: patch.enabled,
      forced: patch.forced,
      transition: transition?.patch === patch ? transition.to : null,
      objects: patch.objects.map((object) => ({
        index: object.index,
        name: object.name,
        loaded: isLoaded(object),
        target: object.target,
        patched: object.patched,
        nops: object.nops,
      })),
    }));
  }

  /** klp_transition_patch and where its transition leads; set from before the first pre_patch until after the last callback. */
  transition(): { readonly patch: InstanceId; readonly to: PatchTarget } | null {
    const transition = this.#core.state.transition;
    return transition ? { patch: transition.patch.instance, to: transition.to } : null;
  }

  /** Whether `stall` or `hold` keeps transitions pending. */
  isStalled(): boolean {
    return this.#core.state.stall !== 'none';
  }

  /** All modules in memory, in order of loading. */
  modules(): readonly ModuleStatus[] {
    return [...this.#core.state.modules.values()].map((module) => ({
      ...module.facts,
      instance: module.instance,
      state: module.state,
      references: module.references,
    }));
  }

  /** The module of that name in memory, or null. */
  instanceOf(name: string): InstanceId | null {
    return this.#core.state.modules.get(name)?.instance ?? null;
  }

  /** Null for a module that is not in memory. */
  stateOf(instance: InstanceId): ModuleState | null {
    return moduleByInstance(this.#core.state, instance)?.state ?? null;
  }

  /**
   * The entries that klp_get_prev_state() passes, oldest first: of each livepatch listed before the one in transition
   * the first entry with this id. The kernel answers the last of them. Empty outside a transition, where the kernel warns.
   */
  previousStates(id: StateId): readonly PreviousState[] {
    const found: PreviousState[] = [];
    const { transition, patches } = this.#core.state;
    if (!transition) return found;
    for (const patch of patches) {
      if (patch === transition.patch) break;
      const state = findState(patch.image, id);
      if (state) found.push({ patch: patch.instance, state: patch.image.states.indexOf(state) });
    }
    return found;
  }

  /** Equal for states that no further step can tell apart, whatever numbers their instances have. */
  key(nameIn: (module: string) => string = (module) => module): string {
    return stateKey(this.#core.state, nameIn);
  }

  /** enabled_store(). */
  #writeEnabled(name: string, enabled: boolean): number {
    if (this.#deadlock('writing to enabled')) return -ERRNO.EBUSY;
    const patch = this.#listed(name);
    if (!patch) return -ERRNO.ENOENT;
    if (patch.enabled === enabled) return -ERRNO.EINVAL;
    const transition = this.#core.state.transition;
    let result = 0;
    withLock(this.#core, () => {
      if (transition?.patch === patch) reverseTransition(this.#core, transition);
      else result = enabled ? -ERRNO.EINVAL : disablePatch(this.#core, patch);
    });
    this.settle();
    return result;
  }

  #listed(name: string): PatchRecord | null {
    return this.#core.state.patches.find((patch) => patch.name === name) ?? null;
  }

  /** Callbacks run under klp_mutex: whatever takes it from there never returns. */
  #deadlock(what: string): boolean {
    if (!this.#core.state.locked) return false;
    this.#core.env.event({
      k: 'warning',
      text: `deadlock: ${what} in a callback waits for klp_mutex, which is held`,
    });
    return true;
  }
}
