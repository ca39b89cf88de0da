import type { Certainty } from '../../place';
import type { ApiContext, ApiModel } from '../api';
import { argument, inCallback, nameOf } from './arguments';

/**
 * Calls that wait for klp_mutex, which callbacks run under: loading a module takes it, and so does whatever waits
 * for the transition itself. Value: how certain the deadlock is.
 */
export const LOADS_MODULES: Readonly<Record<string, Certainty>> = {
  request_module: 'must',
  __request_module: 'must',
  try_then_request_module: 'may',
  call_usermodehelper: 'may',
  get_fs_type: 'may',
  dev_load: 'may',
  crypto_alloc_shash: 'may',
  crypto_alloc_ahash: 'may',
  crypto_alloc_skcipher: 'may',
  crypto_alloc_aead: 'may',
  crypto_alloc_cipher: 'may',
  crypto_alloc_base: 'may',
  crypto_has_alg: 'may',
  kernel_read_file_from_path: 'may',
};
/** The queue of schedule_delayed_work(), on which klp_transition_work is, by its old and its new name. */
export const SYSTEM_QUEUES = new Set(['system_wq', 'system_percpu_wq']);

/** The model of a call that deadlocks in a callback; `next` is what it does everywhere else. */
export function deadlockModel(name: string, next: ApiModel | undefined): ApiModel | undefined {
  const certainty = Object.hasOwn(LOADS_MODULES, name) ? LOADS_MODULES[name] : undefined;
  if (certainty) {
    return (context) => {
      if (inCallback(context)) {
        context.fault(
          'deadlock',
          `${name}() in a callback may load a module, which waits for klp_mutex`,
          certainty,
        );
      }
      return next ? next(context) : whetherLoaded(context);
    };
  }
  if (name === 'flush_scheduled_work') {
    return (context) => {
      waitsForSystemQueue(context);
      context.machine.flushTask(null);
      return 0;
    };
  }
  if (name === 'flush_workqueue' || name === 'drain_workqueue') {
    return (context) => {
      if (SYSTEM_QUEUES.has(nameOf(context, argument(context, 0)))) waitsForSystemQueue(context);
      context.machine.flushTask(null);
      return 0;
    };
  }
  return undefined;
}

function whetherLoaded(context: ApiContext): ReturnType<ApiModel> {
  const errno = context.failure();
  return errno === null ? 0 : -errno;
}

function waitsForSystemQueue(context: ApiContext): void {
  if (!inCallback(context)) return;
  context.fault('deadlock', `${context.call.name}() in a callback waits for the transition's own work item`);
}
