import type { InstanceId, PatchImage, StateId, StateImage } from './types';

/** A listed livepatch, as far as the check needs it. */
export interface InstalledStates {
  readonly instance: InstanceId;
  readonly image: PatchImage;
}

/** A pair of states whose order hangs on a version that is not known. */
export interface UnsureState {
  readonly installed: InstanceId;
  readonly id: StateId;
}

export interface Compatibility {
  readonly compatible: boolean;
  readonly unsure: readonly UnsureState[];
}

/** klp_get_state(): the first entry with this id, for a table may list an id twice. */
export function findState(image: PatchImage, id: StateId): StateImage | null {
  return image.states.find((state) => state.id === id) ?? null;
}

/**
 * klp_is_patch_compatible() of state.c: every state of every listed livepatch must be carried on by a replacing
 * livepatch, and may only go up in version. A version that is not known counts as compatible and is reported.
 */
export function stateCompatibility(image: PatchImage, listed: readonly InstalledStates[]): Compatibility {
  const unsure: UnsureState[] = [];
  for (const installed of listed) {
    for (const old of installed.image.states) {
      const state = findState(image, old.id);
      if (state === null) {
        if (image.replace !== 'nothing') return { compatible: false, unsure };
      } else if (state.version === null || old.version === null) {
        unsure.push({ installed: installed.instance, id: old.id });
      } else if (state.version < old.version) {
        return { compatible: false, unsure };
      }
    }
  }
  return { compatible: true, unsure };
}
