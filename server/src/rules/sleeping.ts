import type { Expr } from '../core/csource/ir';
import type { Catalogue } from '../core/execution/catalogue';
import type { KernelCall } from '../core/execution/reach';

/** Kernel functions that may sleep whatever they are called with; undos of the catalogue say so themselves. */
const SLEEPS = new Set(
  `mutex_lock mutex_lock_interruptible mutex_lock_killable down down_interruptible down_killable down_read
down_write rt_mutex_lock percpu_down_read percpu_down_write rtnl_lock console_lock cpus_read_lock
cpus_write_lock msleep msleep_interruptible ssleep fsleep usleep_range schedule schedule_timeout
schedule_timeout_interruptible schedule_timeout_uninterruptible might_sleep might_fault cond_resched
synchronize_rcu synchronize_rcu_expedited synchronize_srcu synchronize_net synchronize_irq wait_event
wait_event_interruptible wait_event_timeout wait_for_completion wait_for_completion_timeout
wait_for_completion_interruptible flush_workqueue drain_workqueue flush_scheduled_work kthread_run
kthread_create copy_from_user copy_to_user get_user put_user vmalloc vzalloc alloc_percpu ioremap request_module
request_firmware filp_open kernel_read kernel_write debugfs_create_file debugfs_create_dir proc_create
sysfs_create_file sysfs_create_group kobject_create_and_add register_kprobe register_module_notifier
kmem_cache_create alloc_workqueue on_each_cpu smp_call_function stop_machine`.split(/\s+/),
);
/** Allocators, with the argument that holds the GFP flags. */
const FLAGS_AT: Readonly<Record<string, number>> = {
  kmalloc: 1,
  kzalloc: 1,
  kmalloc_node: 1,
  kzalloc_node: 1,
  kvmalloc: 1,
  kvzalloc: 1,
  kcalloc: 2,
  kmalloc_array: 2,
  kstrdup: 1,
  kstrndup: 2,
  kmemdup: 2,
  kasprintf: 0,
  krealloc: 2,
  kmem_cache_alloc: 1,
  kmem_cache_zalloc: 1,
  alloc_pages: 0,
  __get_free_pages: 0,
  get_zeroed_page: 0,
  mempool_alloc: 1,
};
const SLEEPING_FLAGS = new Set([
  'GFP_KERNEL',
  'GFP_USER',
  'GFP_KERNEL_ACCOUNT',
  'GFP_HIGHUSER',
  'GFP_NOFS',
  'GFP_NOIO',
]);

/** Why this call may sleep, as words behind its name; null where it does not or nothing says so. */
export function whySleeping(call: KernelCall, catalogue: Catalogue): string | null {
  const at = Object.hasOwn(FLAGS_AT, call.callee) ? FLAGS_AT[call.callee] : undefined;
  if (at !== undefined) {
    const flags = sleepingFlag(call.args[at]);
    return flags ? `with ${flags}` : null;
  }
  if (SLEEPS.has(call.callee)) return '';
  return catalogue.rowsByUndo(call.callee).some(({ undo }) => undo.maySleep) ? '' : null;
}

function sleepingFlag(expr: Expr | undefined): string | null {
  switch (expr?.k) {
    case 'name':
      return SLEEPING_FLAGS.has(expr.name) ? expr.name : null;
    case 'cast':
      return sleepingFlag(expr.of);
    case 'binary':
      return sleepingFlag(expr.left) ?? sleepingFlag(expr.right);
    default:
      return null;
  }
}
