/**
 * Prototypes of kernel functions whose result type decides what "success" means (a pointer, a truth value, an
 * errno). Parameters are left out; names with models of their own are here as well.
 */
const POINTERS = `
kmalloc kzalloc kcalloc kmalloc_array krealloc kvmalloc kvzalloc kvcalloc kvmalloc_array vmalloc vzalloc kmemdup
kmalloc_node kzalloc_node memdup_user kmem_cache_alloc kmem_cache_zalloc mempool_alloc dma_alloc_coherent ioremap
klp_shadow_get klp_shadow_alloc klp_shadow_get_or_alloc idr_find idr_remove idr_replace xa_load xa_store xa_erase
radix_tree_lookup radix_tree_delete ERR_PTR ERR_CAST memcpy memset memmove memchr memscan dev_get_drvdata
platform_get_drvdata kthread_data per_cpu_ptr this_cpu_ptr page_address symbol_get __symbol_get
vmap module_alloc text_poke klp_get_state_data phys_to_virt bsearch
`;
const STRINGS = `
kstrdup kstrndup kasprintf kvasprintf strcpy strncpy strcat strncat strchr strrchr strstr strim skip_spaces strsep
strpbrk strnchr kstrdup_const dev_name
`;
const BOOLEANS = `
IS_ERR IS_ERR_OR_NULL schedule_work queue_work schedule_delayed_work queue_delayed_work mod_delayed_work
cancel_work_sync cancel_work cancel_delayed_work cancel_delayed_work_sync flush_work flush_delayed_work queue_work_on
schedule_work_on try_module_get list_empty list_empty_careful list_is_singular list_is_last hlist_empty llist_empty
refcount_dec_and_test refcount_inc_not_zero refcount_dec_and_lock atomic_dec_and_test atomic_inc_and_test
atomic_sub_and_test atomic_inc_not_zero atomic_add_unless atomic_try_cmpxchg capable ns_capable mutex_is_locked
completion_done try_wait_for_completion kthread_should_stop irq_work_queue static_key_enabled test_bit
test_and_set_bit test_and_clear_bit test_and_change_bit cpu_online cpumask_test_cpu in_task kref_get_unless_zero
netif_running netif_carrier_ok time_after pm_runtime_active del_timer_pending module_is_live
klp_patch_pending kthread_freezable_should_stop napi_schedule_prep task_is_running rtnl_is_locked
`;
const INTEGERS = `
klp_enable_patch klp_register_patch klp_unregister_patch klp_disable_patch printk snprintf scnprintf sprintf sscanf
vsnprintf strcmp strncmp strcasecmp strncasecmp memcmp mutex_trylock mutex_lock_interruptible mutex_lock_killable
spin_trylock down_trylock down_interruptible down_read_trylock down_write_trylock wake_up_process del_timer
del_timer_sync timer_delete timer_delete_sync mod_timer timer_pending kobject_init_and_add kobject_add
kobject_set_name sysfs_create_file sysfs_create_files sysfs_create_group sysfs_create_groups sysfs_create_link
sysfs_create_bin_file register_kprobe register_kprobes register_kretprobe register_ftrace_function
unregister_ftrace_function register_reboot_notifier unregister_reboot_notifier register_module_notifier
unregister_module_notifier register_netdevice_notifier unregister_netdevice_notifier register_inetaddr_notifier
unregister_inetaddr_notifier register_inet6addr_notifier unregister_inet6addr_notifier register_netevent_notifier
unregister_netevent_notifier register_fib_notifier unregister_fib_notifier register_pm_notifier
unregister_pm_notifier register_die_notifier unregister_die_notifier register_restart_handler
unregister_restart_handler register_cpu_notifier register_oom_notifier unregister_oom_notifier
atomic_notifier_chain_register atomic_notifier_chain_unregister blocking_notifier_chain_register
blocking_notifier_chain_unregister raw_notifier_chain_register raw_notifier_chain_unregister
srcu_notifier_chain_register srcu_notifier_chain_unregister cpuhp_setup_state cpuhp_setup_state_nocalls
misc_register register_chrdev alloc_chrdev_region register_chrdev_region cdev_add register_blkdev device_register
device_add device_create_file class_register bus_register driver_register platform_driver_register
platform_device_register platform_device_add request_irq request_threaded_irq nf_register_net_hook
nf_register_net_hooks nf_register_sockopt xt_register_target xt_register_match register_pernet_subsys
register_pernet_device genl_register_family proto_register sock_register tcp_register_congestion_control
register_qdisc register_filesystem register_shrinker register_key_type crypto_register_alg crypto_register_shash
rhashtable_init init_srcu_struct idr_alloc idr_alloc_cyclic ida_alloc ida_alloc_range ida_simple_get kthread_stop
task_work_add request_module kstrtoint kstrtouint kstrtobool kstrtou8 kstrtol kstrtoul param_set_int param_get_int
tracepoint_probe_register tracepoint_probe_unregister perf_event_enable stop_machine on_each_cpu set_memory_ro
set_memory_rw set_memory_x static_key_count atomic_read atomic_inc_return atomic_dec_return atomic_add_return
atomic_sub_return atomic_xchg atomic_cmpxchg kref_put kref_read smp_processor_id
raw_smp_processor_id num_online_cpus get_cpu in_interrupt in_atomic signal_pending PTR_ERR_OR_ZERO
wait_for_completion_interruptible wait_for_completion_killable dev_set_name register_console unregister_console
register_sysrq_key security_add_hooks netif_rx dev_queue_xmit register_netdev register_netdevice
`;
const LONGS = `
PTR_ERR schedule_timeout atomic_long_read atomic64_read simple_strtol strnlen_user

`;
const UNSIGNED_LONGS = `
strlen strnlen strlcpy strlcat msecs_to_jiffies usecs_to_jiffies wait_for_completion_timeout copy_to_user
copy_from_user clear_user simple_strtoul kallsyms_lookup_name virt_to_phys ksize get_zeroed_page __get_free_pages
__get_free_page round_jiffies nsecs_to_jiffies
`;
const UNSIGNED =
  'refcount_read jiffies_to_msecs jiffies_to_usecs msleep_interruptible hash_32 crc32 num_possible_cpus';
const NOTHING = `
kfree kvfree vfree kfree_sensitive kfree_const klp_shadow_free klp_shadow_free_all complete complete_all
wait_for_completion msleep mdelay udelay ndelay usleep_range ssleep fsleep schedule mutex_lock mutex_unlock
mutex_init spin_lock spin_unlock spin_lock_irqsave spin_unlock_irqrestore spin_lock_irq spin_unlock_irq
spin_lock_init raw_spin_lock raw_spin_unlock read_lock read_unlock write_lock write_unlock down up down_read up_read
down_write up_write init_rwsem rcu_read_lock rcu_read_unlock synchronize_rcu rcu_barrier call_rcu kfree_rcu list_add
list_add_tail list_add_rcu list_add_tail_rcu list_del list_del_rcu list_del_init list_move list_move_tail
list_replace list_splice list_splice_init INIT_LIST_HEAD INIT_HLIST_HEAD hlist_add_head hlist_add_head_rcu hlist_del
hlist_del_rcu hlist_del_init INIT_WORK INIT_DELAYED_WORK timer_setup init_timer add_timer init_completion
reinit_completion module_put __module_get kobject_put kobject_del kobject_init sysfs_remove_file sysfs_remove_files
sysfs_remove_group sysfs_remove_groups sysfs_remove_link proc_remove remove_proc_entry debugfs_remove
debugfs_remove_recursive destroy_workqueue flush_workqueue drain_workqueue flush_scheduled_work unregister_kprobe
unregister_kprobes unregister_kretprobe atomic_set atomic_inc atomic_dec atomic_add atomic_sub atomic_long_set
atomic64_set refcount_set refcount_inc refcount_dec kref_init kref_get set_bit clear_bit change_bit wake_up
wake_up_all wake_up_interruptible init_waitqueue_head static_branch_enable static_branch_disable static_branch_inc
static_branch_dec static_key_slow_inc static_key_slow_dec static_key_enable static_key_disable free_irq misc_deregister
unregister_chrdev unregister_chrdev_region cdev_del cdev_init device_destroy class_destroy device_unregister
class_unregister idr_destroy idr_init ida_free ida_destroy ida_simple_remove xa_destroy kmem_cache_destroy
kmem_cache_free mempool_destroy free_percpu iounmap rhashtable_destroy cleanup_srcu_struct nf_unregister_net_hook
nf_unregister_net_hooks unregister_pernet_subsys unregister_pernet_device dump_stack panic BUG cond_resched
cpus_read_lock cpus_read_unlock get_online_cpus put_online_cpus preempt_disable preempt_enable local_irq_disable
local_irq_enable local_bh_disable local_bh_enable rtnl_lock rtnl_unlock barrier smp_mb smp_rmb smp_wmb put_cpu
cpu_relax might_sleep do_exit add_taint pr_cont
`;

/** Pointers to a struct. */
const TYPED = `
struct klp_state klp_get_state klp_get_prev_state
struct workqueue_struct alloc_workqueue alloc_ordered_workqueue create_workqueue create_singlethread_workqueue
struct kobject kobject_create_and_add kobject_get
struct kset kset_create_and_add
struct proc_dir_entry proc_create proc_create_data proc_mkdir proc_create_single_data proc_symlink proc_create_seq
struct dentry debugfs_create_dir debugfs_create_file debugfs_create_symlink
struct task_struct kthread_run kthread_create kthread_create_on_node get_current find_task_by_vpid kthread_create_worker
struct device device_create get_device
struct class class_create
struct kmem_cache kmem_cache_create kmem_cache_create_usercopy
struct module find_module __module_address
struct file filp_open fget
struct page alloc_pages alloc_page virt_to_page
struct ctl_table_header register_sysctl register_sysctl_table register_net_sysctl
struct platform_device platform_device_register_simple
struct crypto_shash crypto_alloc_shash
struct net_device dev_get_by_name dev_get_by_index __dev_get_by_name

struct inode igrab iget_locked
struct delayed_work to_delayed_work
`;

/** A declaration specifier with the names of what it declares; their types are equal. */
type Alike = readonly [type: string, names: readonly string[]];

const listed = (type: string, list: string): Alike => [type, list.trim().split(/\s+/)];

const ALIKE: readonly Alike[] = [
  listed('void *', POINTERS),
  listed('char *', STRINGS),
  listed('bool', BOOLEANS),
  listed('int', INTEGERS),
  listed('long', LONGS),
  listed('unsigned long', UNSIGNED_LONGS),
  listed('unsigned int', UNSIGNED),
  listed('void', NOTHING),
  ...TYPED.trim()
    .split(/\n+/)
    .map((line): Alike => {
      const [, tag, ...list] = line.split(' ');
      return [`struct ${tag} *`, list];
    }),
];

/** Of functions that are typed alike, the prototype of the first. */
export const HEADER_FUNCTIONS = [
  ...ALIKE.map(([type, [first]]) => `${type} ${first}();\n`),
  'extern unsigned long jiffies; extern int console_loglevel; extern struct task_struct *current;\n',
  'extern struct workqueue_struct *system_wq, *system_long_wq, *system_unbound_wq, *system_highpri_wq;\n',
].join('');

/** The others, each with the name of the first one that is typed alike. */
export const TYPED_LIKE: ReadonlyMap<string, string> = new Map(
  ALIKE.flatMap(([, [first = '', ...others]]) => others.map((name): [string, string] => [name, first])),
);
