import type { Capabilities } from './capabilities';
import { imageFingerprint } from './image-fingerprint';
import type {
  CoreCall,
  FunctionImage,
  InstanceId,
  KernelEnvironment,
  ModuleFacts,
  ModuleState,
  PatchImage,
  PatchTarget,
} from './types';

/** The model's own memory. Mutable; what leaves it are copies (PatchStatus, ModuleStatus). */

export interface ModuleRecord {
  readonly instance: InstanceId;
  readonly facts: ModuleFacts;
  state: ModuleState;
  /** mod->klp_alive: klp_module_coming() has been called, klp_module_going() not yet. */
  alive: boolean;
  references: number;
  /** Targets whose relocations have been written into this livepatch. */
  relocated: readonly string[];
}

export interface ObjectRecord {
  /** null: a dynamic object. */
  readonly index: number | null;
  readonly name: string | null;
  /** obj->mod. */
  target: InstanceId | null;
  patched: boolean;
  postUnpatchEnabled: boolean;
  nops: readonly FunctionImage[];
  /** Whether these ran since the last pre_patch; only to tell why one was left out. */
  postPatched: boolean;
  preUnpatched: boolean;
}

export interface PatchRecord {
  readonly instance: InstanceId;
  readonly name: string;
  readonly image: PatchImage;
  objects: ObjectRecord[];
  enabled: boolean;
  forced: boolean;
}

export interface TransitionRecord {
  readonly patch: PatchRecord;
  /** The direction it began with. */
  readonly began: PatchTarget;
  /** klp_target_state. */
  to: PatchTarget;
  /** patch_state of the task that `stall` stands for, and of the tasks that the environment calls busy. */
  sleeper: PatchTarget;
  suspended: PatchTarget;
  /** Forced: every task has the target state. */
  switched: boolean;
}

export type StallMode = 'none' | 'stall' | 'hold';

export interface KernelState {
  /** By name, which is unique in memory; in order of loading. */
  readonly modules: Map<string, ModuleRecord>;
  /** klp_patches, oldest first. */
  patches: PatchRecord[];
  transition: TransitionRecord | null;
  stall: StallMode;
  nextInstance: InstanceId;
  /** klp_mutex. */
  locked: boolean;
}

/** What every part of the model works on. */
export interface Core {
  readonly state: KernelState;
  readonly env: KernelEnvironment;
  readonly capabilities: Capabilities;
}

export function newState(): KernelState {
  return { modules: new Map(), patches: [], transition: null, stall: 'none', nextInstance: 1, locked: false };
}

/** An independent copy; images are shared, for they never change. */
export function copyState(state: KernelState): KernelState {
  const modules = new Map<string, ModuleRecord>();
  for (const [name, record] of state.modules) modules.set(name, { ...record });
  const patches = state.patches.map((patch) => ({
    ...patch,
    objects: patch.objects.map((object) => ({ ...object })),
  }));
  const old = state.transition;
  const patch = old ? patches[state.patches.indexOf(old.patch)] : undefined;
  return {
    modules,
    patches,
    transition: old && patch ? { ...old, patch } : null,
    stall: state.stall,
    nextInstance: state.nextInstance,
    locked: state.locked,
  };
}

/** klp_is_object_loaded(). */
export function isLoaded(object: ObjectRecord): boolean {
  return object.name === null || object.target !== null;
}

export function moduleByInstance(state: KernelState, instance: InstanceId): ModuleRecord | null {
  for (const record of state.modules.values()) if (record.instance === instance) return record;
  return null;
}

/** Runs `body` under klp_mutex. */
export function withLock<T>(core: Core, body: () => T): T {
  core.state.locked = true;
  try {
    return body();
  } finally {
    core.state.locked = false;
  }
}

/** A call that the core makes for a livepatch: 0, or the errno with which the environment lets it fail. */
export function callFails(core: Core, patch: InstanceId, call: CoreCall): number {
  return core.env.failing?.(patch, call) ?? 0;
}

/** try_module_get(). */
export function takeReference(module: ModuleRecord): boolean {
  // Below zero the base count is gone too, and atomic_inc_not_zero() refuses.
  if (module.state === 'going' || module.references < 0) return false;
  module.references++;
  return true;
}

/** module_put(). */
export function dropReference(core: Core, module: ModuleRecord): void {
  if (module.references < 0) {
    core.env.event({
      k: 'warning',
      text: `WARN_ON in module_put(): no reference to ${module.facts.name} is left`,
    });
    return;
  }
  module.references--;
}

/** Equal for states that no further step can tell apart. Instance numbers are left out: names are unique in memory. */
export function stateKey(state: KernelState, nameIn: (module: string) => string): string {
  const moving = state.transition;
  const modules = [...state.modules.values()]
    .map((module) => {
      const { name, livepatch, hasInit, hasExit } = module.facts;
      const facts = `${livepatch ? 'l' : ''}${hasInit ? 'i' : ''}${hasExit ? 'e' : ''}${module.alive ? 'a' : ''}`;
      return `${nameIn(name)}:${module.state}:${module.references}:${facts}:${[...module.relocated].sort().join('+')}`;
    })
    .sort();
  const patches = state.patches.map((patch) => {
    const objects = patch.objects.map((object) => {
      const flags = `${object.target === null ? '' : 'm'}${object.patched ? 'p' : ''}${object.postUnpatchEnabled ? 'u' : ''}`;
      const ran =
        moving?.patch === patch ? `${object.postPatched ? 'P' : ''}${object.preUnpatched ? 'U' : ''}` : '';
      const nops = object.nops.map((fn) => `${fn.oldName},${fn.sympos}`).join('+');
      return `${nameIn(object.name ?? '')}${object.index === null ? '~' : ''}[${flags}${ran}]${nops}`;
    });
    const flags = `${patch.enabled ? 'e' : ''}${patch.forced ? 'f' : ''}`;
    return `${nameIn(patch.name)}#${imageFingerprint(patch.image)}:${flags}:${objects.join(',')}`;
  });
  const transition = moving
    ? `${nameIn(moving.patch.name)}:${moving.began}:${moving.to}:${moving.sleeper}:${moving.suspended}`
    : '';
  return `${modules.join(';')}|${patches.join(';')}|${transition}|${state.stall}`;
}
