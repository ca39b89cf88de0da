import { ERRNO } from '../../kernel/types';
import type { ApiContext, ApiModel } from '../api';
import { token } from '../ledger';
import { isPointer, isUnknown, type Pointer, type Value } from '../values';
import { argument, inCallback, isNull } from './arguments';

/** No state table is longer; one without end is read no further. */
const MAX_STATES = 10_000;

/** The entry with this id in the patch's table, or null. Mirrors klp_get_state() of kernel/livepatch/state.c. */
function stateOf(context: ApiContext, patch: Pointer, id: Value): Pointer | null {
  const table = context.peek(context.at(patch, '.states'));
  if (!isPointer(table)) return null;
  const wanted = token(id);
  for (let index = 0; index < MAX_STATES; index++) {
    const state = context.element(table, index);
    const found = context.peek(context.at(state, '.id'));
    if (isNull(found)) return null;
    if (token(found) === wanted) return state;
    // Past the array's end, or in memory that nobody knows.
    if (isUnknown(found) && !found.symbolic) return null;
  }
  return null;
}

const getState: ApiModel = (context) => {
  const patch = argument(context, 0);
  if (!isPointer(patch)) {
    context.load(patch);
    return 0;
  }
  return stateOf(context, patch, argument(context, 1)) ?? 0;
};

/** Mirrors klp_get_prev_state(): the last match before the patch in transition; WARN and NULL outside a transition. */
const getPreviousState: ApiModel = (context) => {
  const transition = context.host.transitionPatch();
  if (transition === null) {
    context.fault('warn', 'klp_get_prev_state() outside a transition');
    return 0;
  }
  let last: Pointer | null = null;
  for (const instance of context.host.listedPatches()) {
    if (instance === transition) break;
    const patch = context.machine.patchPointer(instance);
    if (patch) last = stateOf(context, patch, argument(context, 0)) ?? last;
  }
  return last ?? 0;
};

const enablePatch: ApiModel = (context) => {
  if (inCallback(context)) {
    context.fault(
      'deadlock',
      'klp_enable_patch() in a callback waits for klp_mutex, which the callback runs under',
    );
    return -ERRNO.EBUSY;
  }
  const errno = context.failure();
  if (errno !== null) return -errno;
  return context.machine.enablePatch(context.call.actor.instance, argument(context, 0));
};

/** Before 5.1 a patch was registered first; enabling did the rest. */
const registerPatch: ApiModel = (context) => {
  const errno = context.failure();
  return errno === null ? 0 : -errno;
};

export const LIVEPATCH_MODELS: Readonly<Record<string, ApiModel>> = {
  klp_get_state: getState,
  klp_get_prev_state: getPreviousState,
  klp_enable_patch: enablePatch,
  klp_register_patch: registerPatch,
  klp_unregister_patch: () => 0,
  klp_disable_patch: () => 0,
};
