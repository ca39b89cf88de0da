import type { ApiContext, ApiModel, QueuedTask } from '../api';
import type { ApiState } from '../api-state';
import type { Catalogue } from '../catalogue';
import type { MachineHost } from '../machine-host';
import { isPointer, isUnknown, type Value } from '../values';
import { argument, errnoOf, isNull } from './arguments';
import { perform, undo } from './effects-model';

/** Work items, timers, threads, RCU callbacks: a ledger entry, and a task that the machine runs later. */

type TaskKind = QueuedTask['kind'];

/** Where the function stands in what is queued, most likely first. */
const FUNCTION_CELLS: Readonly<Record<TaskKind, readonly string[]>> = {
  work: ['.func', '.callback'],
  delayed: ['.work.func', '.func'],
  timer: ['.function'],
  thread: [],
  rcu: ['.func'],
};

function functionOf(context: ApiContext, handle: Value, kind: TaskKind): Value {
  if (!isPointer(handle)) return 0;
  for (const cell of FUNCTION_CELLS[kind]) {
    const callee = context.peek(context.at(handle, cell));
    if (!isNull(callee)) return callee;
  }
  return 0;
}

/** Queues what an argument holds. The work function of delayed work gets the work_struct inside it. */
function queue(catalogue: Catalogue, kind: TaskKind, at: number, restarts = false): ApiModel {
  return (context) => {
    const handle = argument(context, at);
    if (!isPointer(handle)) {
      if (!isUnknown(handle)) context.load(handle);
      return context.unknown(context.call.name);
    }
    const callee = functionOf(context, handle, kind);
    const self = kind === 'delayed' ? context.at(handle, '.work') : handle;
    const known = typeof callee === 'object' && callee.k === 'function';
    const { actor } = context.call;
    // The delay stands behind what is queued; a delayed work item without one is as good as a plain one.
    const waits = kind === 'timer' || (kind === 'delayed' && !isNull(argument(context, at + 1)));
    const more = { ...(waits ? { waits } : {}), ...(restarts ? { restarts } : {}) };
    const fresh = !known || context.machine.queueTask({ kind, handle, callee, args: [self], actor, ...more });
    const row = catalogue.rowsByDo(context.call.name)[0];
    if (!row || !fresh) return 0;
    // Its own function queues it anew: the kernel took it off the queue before it called that.
    if (known && context.state.ledger.find(row.family, [handle])) return row.fails === 'false' ? 1 : 0;
    return perform(context, row);
  };
}

/** Cancelling waits for a running function, except in the forms without `_sync`. */
function cancel(catalogue: Catalogue, waits: boolean): ApiModel {
  return (context) => {
    const handle = argument(context, 0);
    const pending = context.machine.cancelTask(handle);
    // First: what comes to its end while it is waited for is undone by who waits.
    undo(context, catalogue.rowsByUndo(context.call.name));
    if (waits) context.machine.flushTask(handle, true);
    return pending ? 1 : 0;
  };
}

function flush(catalogue: Catalogue): ApiModel {
  return (context) => {
    undo(context, catalogue.rowsByUndo(context.call.name));
    context.machine.flushTask(argument(context, 0));
    return 1;
  };
}

function setFunction(cell: string): ApiModel {
  return (context) => {
    const target = argument(context, 0);
    if (isPointer(target)) context.store(context.at(target, cell), argument(context, 1));
    else context.load(target);
    return 0;
  };
}

/** kthread_run() and kthread_create(): the latter's thread waits for wake_up_process(). */
function thread(catalogue: Catalogue, starts: boolean): ApiModel {
  return (context) => {
    const row = catalogue.rowsByDo(context.call.name)[0];
    if (!row) return undefined;
    const handle = perform(context, row);
    if (errnoOf(handle) !== null || !isPointer(handle)) return handle;
    const [callee, data] = [argument(context, 0), argument(context, 1)];
    context.poke(context.at(handle, '.threadfn'), callee);
    context.poke(context.at(handle, '.thread_data'), data);
    context.poke(context.at(handle, '.should_stop'), 0);
    if (starts)
      context.machine.queueTask({ kind: 'thread', handle, callee, args: [data], actor: context.call.actor });
    return handle;
  };
}

const wake: ApiModel = (context) => {
  const handle = argument(context, 0);
  if (!isPointer(handle)) return 1;
  const callee = context.peek(context.at(handle, '.threadfn'));
  if (typeof callee !== 'object' || callee.k !== 'function') return 1;
  const data = context.peek(context.at(handle, '.thread_data'));
  return context.machine.queueTask({
    kind: 'thread',
    handle,
    callee,
    args: [data],
    actor: context.call.actor,
  })
    ? 1
    : 0;
};

function stop(catalogue: Catalogue): ApiModel {
  return (context) => {
    const handle = argument(context, 0);
    // First: a thread that comes to its end by itself is nobody's undo.
    undo(context, catalogue.rowsByUndo(context.call.name));
    if (isPointer(handle)) {
      context.poke(context.at(handle, '.should_stop'), 1);
      context.machine.flushTask(handle);
    }
    return 0;
  };
}

/** complete() and wait_for_completion(): `.done` counts, as in kernel/sched/completion.c. */
const DONE = '.done';
const ALL = 0x7fffffff;

function doneCount(context: ApiContext, completion: Value): number {
  const count = isPointer(completion) ? context.peek(context.at(completion, DONE)) : 0;
  return typeof count === 'number' ? count : 0;
}

function complete(all: boolean): ApiModel {
  return (context) => {
    const completion = argument(context, 0);
    if (!isPointer(completion)) return context.load(completion);
    context.poke(context.at(completion, DONE), all ? ALL : Math.min(ALL, doneCount(context, completion) + 1));
    return 0;
  };
}

function waitForCompletion(result: (ready: boolean) => Value): ApiModel {
  return (context) => {
    const completion = argument(context, 0);
    if (!isPointer(completion)) return context.load(completion);
    const ready = context.machine.wait(() => doneCount(context, completion) > 0);
    const count = doneCount(context, completion);
    if (ready && count < ALL) context.poke(context.at(completion, DONE), Math.max(0, count - 1));
    return result(ready);
  };
}

const resetCompletion: ApiModel = (context) => {
  const completion = argument(context, 0);
  if (isPointer(completion)) context.poke(context.at(completion, DONE), 0);
  return 0;
};

const sleeping: ApiModel = (context) => {
  context.machine.sleep();
  return 0;
};

export function deferredModels(catalogue: Catalogue): Readonly<Record<string, ApiModel>> {
  const models: Record<string, ApiModel> = {
    queue_work: queue(catalogue, 'work', 1),
    queue_work_on: queue(catalogue, 'work', 2),
    schedule_work: queue(catalogue, 'work', 0),
    schedule_work_on: queue(catalogue, 'work', 1),
    queue_delayed_work: queue(catalogue, 'delayed', 1),
    queue_delayed_work_on: queue(catalogue, 'delayed', 2),
    schedule_delayed_work: queue(catalogue, 'delayed', 0),
    schedule_delayed_work_on: queue(catalogue, 'delayed', 1),
    mod_delayed_work: queue(catalogue, 'delayed', 1),
    add_timer: queue(catalogue, 'timer', 0),
    add_timer_on: queue(catalogue, 'timer', 0),
    mod_timer: queue(catalogue, 'timer', 0),
    timer_reduce: queue(catalogue, 'timer', 0),
    hrtimer_start: queue(catalogue, 'timer', 0, true),
    hrtimer_start_range_ns: queue(catalogue, 'timer', 0, true),
    irq_work_queue: queue(catalogue, 'work', 0),
    tasklet_schedule: queue(catalogue, 'work', 0),
    tasklet_hi_schedule: queue(catalogue, 'work', 0),
    tasklet_kill: cancel(catalogue, true),
    cancel_work: cancel(catalogue, false),
    cancel_work_sync: cancel(catalogue, true),
    cancel_delayed_work: cancel(catalogue, false),
    cancel_delayed_work_sync: cancel(catalogue, true),
    flush_work: flush(catalogue),
    flush_delayed_work: flush(catalogue),
    irq_work_sync: flush(catalogue),
    hrtimer_cancel: cancel(catalogue, true),
    hrtimer_try_to_cancel: cancel(catalogue, false),
    INIT_WORK: setFunction('.func'),
    INIT_WORK_ONSTACK: setFunction('.func'),
    INIT_DELAYED_WORK: setFunction('.work.func'),
    INIT_DEFERRABLE_WORK: setFunction('.work.func'),
    timer_setup: setFunction('.function'),
    hrtimer_setup: setFunction('.function'),
    tasklet_setup: setFunction('.callback'),
    init_irq_work: setFunction('.func'),
    init_rcu_head: () => 0,
    kthread_run: thread(catalogue, true),
    kthread_run_on_cpu: thread(catalogue, true),
    kthread_create: thread(catalogue, false),
    kthread_create_on_node: thread(catalogue, false),
    kthread_create_on_cpu: thread(catalogue, false),
    kthread_bind: () => 0,
    wake_up_process: wake,
    kthread_stop: stop(catalogue),
    kthread_stop_put: stop(catalogue),
    kthread_should_stop: (context) => {
      const task = context.machine.currentTask?.() ?? null;
      const flag = task !== null && isPointer(task) ? context.peek(context.at(task, '.should_stop')) : null;
      return flag === null || isUnknown(flag) ? context.unknown('kthread_should_stop') : flag;
    },
    init_completion: resetCompletion,
    reinit_completion: resetCompletion,
    complete: complete(false),
    complete_all: complete(true),
    completion_done: (context) => (doneCount(context, argument(context, 0)) > 0 ? 1 : 0),
    try_wait_for_completion: (context) => {
      const completion = argument(context, 0);
      const count = doneCount(context, completion);
      if (count === 0 || !isPointer(completion)) return 0;
      if (count < ALL) context.poke(context.at(completion, DONE), count - 1);
      return 1;
    },
    wait_for_completion: waitForCompletion(() => 0),
    wait_for_completion_interruptible: waitForCompletion(() => 0),
    wait_for_completion_killable: waitForCompletion(() => 0),
    wait_for_completion_timeout: waitForCompletion((ready) => (ready ? 1 : 0)),
    wait_for_completion_interruptible_timeout: waitForCompletion((ready) => (ready ? 1 : 0)),
  };
  for (const name of ['timer_delete_sync', 'del_timer_sync', 'timer_shutdown_sync'])
    models[name] = cancel(catalogue, true);
  for (const name of ['timer_delete', 'del_timer', 'timer_shutdown']) models[name] = cancel(catalogue, false);
  for (const name of [
    'msleep',
    'msleep_interruptible',
    'ssleep',
    'fsleep',
    'usleep_range',
    'schedule',
    'schedule_timeout',
    'schedule_timeout_interruptible',
    'schedule_timeout_uninterruptible',
  ]) {
    models[name] = sleeping;
  }
  for (const name of ['call_rcu', 'call_rcu_hurry']) {
    models[name] = (context) => {
      const row = catalogue.rowsByDo(name)[0];
      const [handle, callee] = [argument(context, 0), argument(context, 1)];
      if (isPointer(handle) && !isNull(callee)) {
        context.machine.queueTask({ kind: 'rcu', handle, callee, args: [handle], actor: context.call.actor });
      }
      return row ? perform(context, row) : undefined;
    };
  }
  return models;
}

/** Families whose effect ends when the task has run. */
const FAMILIES: Readonly<Record<TaskKind, readonly string[]>> = {
  work: ['work item', 'irq work', 'tasklet'],
  delayed: ['delayed work item'],
  timer: ['timer', 'high resolution timer'],
  thread: ['kernel thread'],
  rcu: ['RCU callback'],
};

/** A task has run to its end and waits for no further turn: what queued it holds no code any more. */
export function taskEnded(state: ApiState, host: MachineHost, task: QueuedTask): void {
  for (const family of FAMILIES[task.kind]) {
    const effect = state.ledger.find(family, [task.handle]);
    if (effect) state.ledger.end(host, effect);
  }
}
