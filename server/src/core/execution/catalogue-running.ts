import { arg, pairs, RESULT, type RowKind, rowsOf, text, undo, undoHandle } from './catalogue-builders';
import type { EffectRow, UndoCall } from './catalogue-row';

/** Code that runs later or on an event: threads, work, timers, interrupts, probes, CPU hotplug states. */

const thread = rowsOf({
  noun: 'kernel thread',
  header: 'linux/kthread.h',
  key: 'handle',
  hazards: 'U',
  fails: 'errptr',
});
const STOP: readonly UndoCall[] = [
  undoHandle('kthread_stop'),
  // Of 6.7.
  undoHandle('kthread_stop_put', { since: '6.6' }),
];
const DESTROY: readonly UndoCall[] = [undoHandle('kthread_destroy_worker')];

const THREADS: readonly EffectRow[] = [
  thread('kthread_run', STOP, { identity: [RESULT], label: text(2), holds: [0, 1] }),
  thread('kthread_create', STOP, { identity: [RESULT], label: text(2), holds: [0, 1] }),
  thread('kthread_run_on_cpu', STOP, { identity: [RESULT], label: text(3), holds: [0, 1] }),
  thread('kthread_create_on_node', STOP, { identity: [RESULT], label: text(3), holds: [0, 1] }),
  thread('kthread_create_on_cpu', STOP, { identity: [RESULT], label: text(3), holds: [0, 1] }),
  {
    ...thread('kthread_create_worker', DESTROY, { identity: [RESULT], label: text(1), holds: [] }),
    family: 'kthread worker',
  },
  {
    ...thread('kthread_run_worker', DESTROY, {
      identity: [RESULT],
      label: text(1),
      holds: [],
      since: '6.14',
    }),
    family: 'kthread worker',
  },
];

const queue = rowsOf({
  noun: 'workqueue',
  header: 'linux/workqueue.h',
  key: 'handle',
  hazards: 'L',
  fails: 'null',
});
const destroyQueue: readonly UndoCall[] = [undoHandle('destroy_workqueue')];

const work = rowsOf({
  noun: 'work item',
  header: 'linux/workqueue.h',
  key: 'pointer',
  hazards: 'U',
  fails: 'false',
  repeated: 'harmless',
});
const WORK_UNDO: readonly UndoCall[] = ['cancel_work_sync', 'cancel_work', 'flush_work'].map((name) =>
  undo(name, [arg(0)], { absent: 'harmless' }),
);
const delayed = rowsOf({
  noun: 'delayed work item',
  header: 'linux/workqueue.h',
  key: 'pointer',
  hazards: 'U',
  fails: 'false',
  repeated: 'harmless',
});
const DELAYED_UNDO: readonly UndoCall[] = [
  'cancel_delayed_work_sync',
  'cancel_delayed_work',
  'flush_delayed_work',
].map((name) => undo(name, [arg(0)], { absent: 'harmless' }));

const QUEUES: readonly EffectRow[] = [
  ...[
    'alloc_workqueue',
    'alloc_ordered_workqueue',
    'create_workqueue',
    'create_singlethread_workqueue',
    'create_freezable_workqueue',
  ].map((name) => queue(name, destroyQueue, { identity: [RESULT], label: text(0), holds: [] })),
  work('queue_work', WORK_UNDO, { identity: [arg(1)], holds: [1] }),
  work('queue_work_on', WORK_UNDO, { identity: [arg(2)], holds: [2] }),
  work('schedule_work', WORK_UNDO),
  work('schedule_work_on', WORK_UNDO, { identity: [arg(1)], holds: [1] }),
  delayed('queue_delayed_work', DELAYED_UNDO, { identity: [arg(1)], holds: [1] }),
  delayed('queue_delayed_work_on', DELAYED_UNDO, { identity: [arg(2)], holds: [2] }),
  delayed('schedule_delayed_work', DELAYED_UNDO),
  delayed('schedule_delayed_work_on', DELAYED_UNDO, { identity: [arg(1)], holds: [1] }),
  delayed('mod_delayed_work', DELAYED_UNDO, { identity: [arg(1)], holds: [1] }),
];

const timer = rowsOf({
  noun: 'timer',
  header: 'linux/timer.h',
  key: 'pointer',
  hazards: 'U',
  fails: 'never',
  repeated: 'harmless',
});
const TIMER_UNDO: readonly UndoCall[] = [
  // The new names came with 6.2 and were taken back into the stable 6.1: the old one is safe wherever it exists.
  undo('del_timer_sync', [arg(0)], { absent: 'harmless', until: '6.15' }),
  undo('timer_delete_sync', [arg(0)], { absent: 'harmless', since: '6.1' }),
  undo('timer_shutdown_sync', [arg(0)], { absent: 'harmless', since: '6.1' }),
  undo('timer_shutdown', [arg(0)], { absent: 'harmless', since: '6.1' }),
  undo('timer_delete', [arg(0)], { absent: 'harmless', since: '6.1' }),
  undo('del_timer', [arg(0)], { absent: 'harmless', until: '6.15' }),
];

const POINTER: RowKind = {
  noun: '',
  header: '',
  key: 'pointer',
  hazards: 'U',
  fails: 'never',
  repeated: 'harmless',
};

const LATER: readonly EffectRow[] = [
  timer('add_timer', TIMER_UNDO, { repeated: 'corrupts' }),
  timer('add_timer_on', TIMER_UNDO, { repeated: 'corrupts' }),
  timer('mod_timer', TIMER_UNDO),
  timer('timer_reduce', TIMER_UNDO),
  ...['hrtimer_start', 'hrtimer_start_range_ns'].map((name) =>
    rowsOf({ ...POINTER, noun: 'high resolution timer', header: 'linux/hrtimer.h' })(name, [
      undo('hrtimer_cancel', [arg(0)], { absent: 'harmless' }),
      undo('hrtimer_try_to_cancel', [arg(0)], { absent: 'harmless' }),
    ]),
  ),
  ...['tasklet_schedule', 'tasklet_hi_schedule'].map((name) =>
    rowsOf({ ...POINTER, noun: 'tasklet', header: 'linux/interrupt.h' })(name, [
      undo('tasklet_kill', [arg(0)], { absent: 'harmless' }),
    ]),
  ),
  rowsOf({ ...POINTER, noun: 'irq work', header: 'linux/irq_work.h', fails: 'false' })('irq_work_queue', [
    undo('irq_work_sync', [arg(0)], { absent: 'harmless' }),
  ]),
  ...['call_rcu', 'call_rcu_hurry'].map((name) =>
    rowsOf({ ...POINTER, noun: 'RCU callback', header: 'linux/rcupdate.h', key: 'none' })(
      name,
      [undo('rcu_barrier', [], { absent: 'harmless' })],
      { holds: [0, 1], label: arg(1), ...(name === 'call_rcu' ? {} : { since: '6.2' }) },
    ),
  ),
  rowsOf({
    ...POINTER,
    noun: 'task work',
    header: 'linux/task_work.h',
    fails: 'errno',
    repeated: 'corrupts',
  })('task_work_add', [undo('task_work_cancel', [arg(0)], { absent: 'harmless' })], {
    identity: [arg(0), arg(1)],
    label: arg(1),
    holds: [1],
  }),
];

const irq = rowsOf({
  noun: 'interrupt handler',
  header: 'linux/interrupt.h',
  key: 'pointer',
  hazards: 'U',
  fails: 'errno',
  repeated: 'errno',
  repeatedErrno: 16,
});
const probe = (noun: string, header = 'linux/kprobes.h'): RowKind => ({
  noun,
  header,
  key: 'pointer',
  hazards: 'U',
  fails: 'errno',
  repeated: 'errno',
  repeatedErrno: 22,
});
const cpuhp = rowsOf({
  noun: 'CPU hotplug state',
  header: 'linux/cpuhotplug.h',
  key: 'handle',
  hazards: 'UE',
  fails: 'errno',
  repeated: 'errno',
  repeatedErrno: 16,
});
const CPUHP_UNDO: readonly UndoCall[] = [
  undoHandle('cpuhp_remove_state'),
  undoHandle('cpuhp_remove_state_nocalls'),
  undoHandle('cpuhp_remove_multi_state'),
];
const tracepoint = rowsOf(probe('tracepoint probe', 'linux/tracepoint.h'));
const perf = rowsOf({
  noun: 'perf event',
  header: 'linux/perf_event.h',
  key: 'handle',
  hazards: 'U',
  fails: 'errptr',
});

const HOOKS: readonly EffectRow[] = [
  irq('request_irq', [undo('free_irq', [arg(0), arg(1)])], {
    identity: [arg(0), arg(4)],
    label: text(3),
    holds: [1, 4],
  }),
  irq('request_threaded_irq', [undo('free_irq', [arg(0), arg(1)])], {
    identity: [arg(0), arg(5)],
    label: text(4),
    holds: [1, 2, 5],
  }),
  ...['kprobe', 'kretprobe'].flatMap((name) =>
    pairs(
      probe(name),
      ['', 's'].map((many) => [`register_${name}${many}`, `unregister_${name}${many}`] as const),
      { absent: 'harmless' },
    ),
  ),
  ...pairs(probe('ftrace function', 'linux/ftrace.h'), [
    ['register_ftrace_function', 'unregister_ftrace_function'],
  ]),
  ...pairs(probe('fprobe', 'linux/fprobe.h'), [['register_fprobe', 'unregister_fprobe']], {
    absent: 'errno',
  }),
  tracepoint(
    'tracepoint_probe_register',
    [undo('tracepoint_probe_unregister', [arg(0), arg(1), arg(2)], { absent: 'errno' })],
    {
      identity: [arg(0), arg(1), arg(2)],
      label: arg(1),
      holds: [1, 2],
    },
  ),
  // register_trace_NAME and its undo exist for every tracepoint: the star stands for the tracepoint's name.
  tracepoint('register_trace_*', [undo('unregister_trace_*', [arg(0), arg(1)], { absent: 'errno' })], {
    identity: [arg(0), arg(1)],
    holds: [0, 1],
    header: 'linux/tracepoint.h',
  }),
  {
    ...rowsOf(probe('trace event', 'linux/trace_events.h'))('register_trace_event', [
      undo('unregister_trace_event'),
    ]),
    fails: 'false',
  },
  perf('perf_event_create_kernel_counter', [undoHandle('perf_event_release_kernel')], {
    identity: [RESULT],
    holds: [3, 4],
  }),
  {
    ...perf('register_wide_hw_breakpoint', [undoHandle('unregister_wide_hw_breakpoint')], {
      identity: [RESULT],
      holds: [1, 2],
    }),
    header: 'linux/hw_breakpoint.h',
    noun: 'hardware breakpoint',
    family: 'wide hardware breakpoint',
  },
  {
    ...perf('register_user_hw_breakpoint', [undoHandle('unregister_hw_breakpoint')], {
      identity: [RESULT],
      holds: [1, 2],
    }),
    header: 'linux/hw_breakpoint.h',
    noun: 'hardware breakpoint',
    family: 'hardware breakpoint',
  },
  cpuhp('cpuhp_setup_state', CPUHP_UNDO, { identity: [RESULT], label: text(1), holds: [2, 3] }),
  cpuhp('cpuhp_setup_state_nocalls', CPUHP_UNDO, { identity: [RESULT], label: text(1), holds: [2, 3] }),
  cpuhp('cpuhp_setup_state_multi', CPUHP_UNDO, { identity: [RESULT], label: text(1), holds: [2, 3] }),
  rowsOf({ ...POINTER, noun: 'static call', header: 'linux/static_call.h', key: 'value' })(
    'static_call_update',
    [undo('static_call_update', [arg(0)])],
    { holds: [1] },
  ),
];

export const RUNNING_ROWS: readonly EffectRow[] = [...THREADS, ...QUEUES, ...LATER, ...HOOKS];
