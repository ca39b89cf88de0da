import type { Unit } from '../csource/unit';
import type { CallbackKind, InstanceId, ModuleState, PatchImage } from '../kernel/types';
import type { Place } from '../place';
import type { EffectEvent } from './effects';

/** A module's code: what is loaded under one name. */
export interface Program {
  /** KBUILD_MODNAME, the name in lsmod. */
  readonly name: string;
  readonly units: readonly Unit[];
}

/** What execution needs from the world around it, above all from the kernel model. */
export interface MachineHost {
  /** klp_enable_patch(): the image was read from the caller's memory just now. 0 or a negative errno. */
  enablePatch(caller: InstanceId, image: PatchImage): number;
  /** klp_transition_patch. */
  transitionPatch(): InstanceId | null;
  /** klp_patches, oldest first. */
  listedPatches(): readonly InstanceId[];
  /** The instance loaded under this module name, or null. */
  moduleByName(name: string): InstanceId | null;
  moduleName(instance: InstanceId): string;
  moduleState(instance: InstanceId): ModuleState;
  /** try_module_get (false when the module is going) and module_put. */
  moduleGet(instance: InstanceId): boolean;
  modulePut(instance: InstanceId): void;
  /** A task that was suspended runs again or has ended: a pending transition may move. */
  tasksMoved(): void;
  log(text: string): void;
  effect(event: EffectEvent): void;
  /** Something that could not be known: an opaque call, an unread source, a spent budget. */
  unknown(reason: UnknownReason): void;
}

export interface UnknownReason {
  readonly kind: 'opaque-call' | 'unread' | 'budget' | 'missing-source' | 'unknown-branch' | 'may-stall';
  readonly text: string;
  readonly place: Place | null;
}

/** One call of a callback as the machine gets it from the kernel model. */
export interface CallbackRequest {
  readonly patch: InstanceId;
  /** Index into the objects of the image that this instance handed to enablePatch. */
  readonly object: number;
  readonly callback: CallbackKind;
  readonly target: InstanceId | null;
}

/**
 * One branch on an unknown value. A run takes the way of success; replaying with `flip` set to a decision's index
 * takes the other way there, once.
 */
export interface Decision {
  readonly id: string;
  readonly success: boolean;
  readonly taken: boolean;
  readonly place: Place | null;
}
