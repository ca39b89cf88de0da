import { freePatch, postPatch, postUnpatch, skip } from './callbacks';
import { lines } from './log-lines';
import { discardNops } from './nops';
import { type Core, isLoaded, type ObjectRecord, type PatchRecord, type TransitionRecord } from './records';
import type { PatchTarget } from './types';

/** kernel/livepatch/transition.c: everything here runs under klp_mutex. */

function opposite(target: PatchTarget): PatchTarget {
  return target === 'patched' ? 'unpatched' : 'patched';
}

/** klp_init_transition(). */
export function initTransition(core: Core, patch: PatchRecord, to: PatchTarget): TransitionRecord {
  const from = opposite(to);
  const transition: TransitionRecord = {
    patch,
    began: to,
    to,
    sleeper: from,
    suspended: from,
    switched: false,
  };
  core.state.transition = transition;
  core.env.log(lines.initializing(patch.name, to));
  return transition;
}

/** klp_start_transition() for a transition that has just been initialised. */
export function startTransition(core: Core, transition: TransitionRecord): void {
  const { patch, to } = transition;
  core.env.log(lines.starting(patch.name, to));
  core.env.event({ k: 'transition', patch: patch.instance, to, phase: 'start' });
}

/** klp_reverse_transition(): like the kernel it does not try to complete, that is left to the work item. */
export function reverseTransition(core: Core, transition: TransitionRecord): void {
  const { patch } = transition;
  core.env.log(lines.reversing(patch.name, transition.to));
  patch.enabled = !patch.enabled;
  transition.to = opposite(transition.to);
  transition.switched = false;
  core.env.log(lines.starting(patch.name, transition.to));
  core.env.event({ k: 'transition', patch: patch.instance, to: transition.to, phase: 'reverse' });
}

/** klp_force_transition(): every task counts as switched; the work item completes. */
export function forceTransition(core: Core, transition: TransitionRecord): void {
  const { patch, to } = transition;
  core.env.log(lines.forcing());
  transition.switched = true;
  transition.sleeper = to;
  transition.suspended = to;
  core.env.event({ k: 'transition', patch: patch.instance, to, phase: 'force' });
  if (core.capabilities.has('force-marks-only-removed') === 'no') {
    for (const listed of core.state.patches) listed.forced = true;
  } else if (to === 'unpatched') {
    patch.forced = true;
  } else if (patch.image.replace !== 'nothing') {
    for (const listed of core.state.patches) if (listed !== patch) listed.forced = true;
  }
}

/** klp_cancel_transition(): a transition that was initialised but never started goes back. */
export function cancelTransition(core: Core, transition: TransitionRecord): void {
  core.env.log(lines.canceling(transition.patch.name));
  transition.to = 'unpatched';
  complete(core, transition, true);
}

/** klp_try_complete_transition(): completes what is pending, unless some task cannot be switched. */
export function tryComplete(core: Core): void {
  const transition = core.state.transition;
  if (!transition || !allTasksSwitched(core, transition)) return;
  const { patch } = transition;
  complete(core, transition, false);
  if (!patch.enabled) {
    freePatch(core, patch);
  } else if (patch.image.replace !== 'nothing') {
    for (const old of olderThan(core, patch)) freePatch(core, old);
  }
}

function allTasksSwitched(core: Core, transition: TransitionRecord): boolean {
  if (transition.switched) return true;
  const { patch, to } = transition;
  if (core.state.stall === 'none') transition.sleeper = to;
  // A task that has the target state already (after a reversal) is not looked at again.
  if (transition.suspended !== to && !core.env.busy(patch.instance, to)) transition.suspended = to;
  return core.state.stall !== 'hold' && transition.sleeper === to && transition.suspended === to;
}

function olderThan(core: Core, patch: PatchRecord): readonly PatchRecord[] {
  return core.state.patches.slice(0, core.state.patches.indexOf(patch));
}

/** klp_complete_transition(). `cancelled`: it never started. */
function complete(core: Core, transition: TransitionRecord, cancelled: boolean): void {
  const { patch, to } = transition;
  core.env.log(lines.completing(patch.name, to));
  if (to === 'patched' && patch.image.replace !== 'nothing') {
    for (const old of olderThan(core, patch)) unpatchReplaced(core, old, patch);
    discardNops(patch);
  }
  if (to === 'unpatched') for (const object of patch.objects) object.patched = false;
  for (const object of patch.objects) {
    if (!cancelled) skipOnCompletion(core, transition, object);
    if (!isLoaded(object)) continue;
    if (to === 'patched') postPatch(core, patch, object);
    else postUnpatch(core, patch, object);
  }
  core.env.log(lines.complete(patch.name, to));
  core.state.transition = null;
  if (!cancelled) core.env.event({ k: 'transition', patch: patch.instance, to, phase: 'complete' });
}

/** One livepatch's share of klp_unpatch_replaced_patches(): its code goes, nothing of it is called. */
function unpatchReplaced(core: Core, old: PatchRecord, by: PatchRecord): void {
  old.enabled = false;
  core.env.event({ k: 'replaced', patch: old.instance, by: by.instance });
  for (const object of old.objects) {
    object.patched = false;
    const because = isLoaded(object) ? 'replaced' : 'not-loaded';
    skip(core, old, object, ['pre_unpatch', 'post_unpatch'], because, by.instance);
  }
}

/** Tells which halves of a pair will not run any more now that the transition ends. */
function skipOnCompletion(core: Core, transition: TransitionRecord, object: ObjectRecord): void {
  const { patch, to, began } = transition;
  if (!isLoaded(object)) {
    skip(core, patch, object, [to === 'patched' ? 'post_patch' : 'post_unpatch'], 'not-loaded');
    return;
  }
  const reversed = began !== to;
  if (to === 'unpatched') {
    const because = reversed ? 'reversed' : 'in-transition';
    if (!object.postPatched) skip(core, patch, object, ['post_patch'], because);
    if (!object.preUnpatched) skip(core, patch, object, ['pre_unpatch'], because);
  } else if (reversed && object.preUnpatched) {
    skip(core, patch, object, ['pre_patch', 'post_unpatch'], 'reversed');
  }
}
