import type { ApiModel } from '../api';

/**
 * Kernel functions without an effect that outlives the call. Lists of names: those that do nothing here, and those
 * whose result nothing here can know.
 */

const NOTHING = `
mutex_init __mutex_init mutex_lock mutex_unlock mutex_lock_nested mutex_destroy mutex_lock_io rt_mutex_lock rt_mutex_unlock
spin_lock_init raw_spin_lock_init rwlock_init spin_lock spin_unlock spin_lock_bh spin_unlock_bh spin_lock_irq
spin_unlock_irq spin_lock_irqsave spin_unlock_irqrestore raw_spin_lock raw_spin_unlock raw_spin_lock_irq
raw_spin_unlock_irq raw_spin_lock_irqsave raw_spin_unlock_irqrestore spin_lock_nested
read_lock read_unlock write_lock write_unlock read_lock_bh read_unlock_bh write_lock_bh write_unlock_bh
read_lock_irqsave read_unlock_irqrestore write_lock_irqsave write_unlock_irqrestore
init_rwsem down_read up_read down_write up_write downgrade_write sema_init down up percpu_down_read percpu_up_read
percpu_down_write percpu_up_write seqlock_init write_seqlock write_sequnlock write_seqcount_begin write_seqcount_end
rcu_read_lock rcu_read_unlock rcu_read_lock_bh rcu_read_unlock_bh rcu_read_lock_sched rcu_read_unlock_sched
synchronize_rcu synchronize_rcu_expedited synchronize_net synchronize_srcu synchronize_irq synchronize_rcu_tasks
srcu_read_unlock tracepoint_synchronize_unregister rcu_barrier_tasks cond_synchronize_rcu init_rcu_head destroy_rcu_head
might_sleep might_fault cond_resched cond_resched_lock barrier mb rmb wmb smp_mb smp_rmb smp_wmb smp_mb__before_atomic
smp_mb__after_atomic cpu_relax cpu_relax_yield yield touch_nmi_watchdog touch_softlockup_watchdog
preempt_disable preempt_enable preempt_enable_no_resched local_irq_disable local_irq_enable local_irq_save
local_irq_restore local_bh_disable local_bh_enable migrate_disable migrate_enable get_cpu put_cpu
cpus_read_lock cpus_read_unlock get_online_cpus put_online_cpus rtnl_lock rtnl_unlock console_lock console_unlock
module_mutex_lock lockdep_assert_held lockdep_assert_held_write lockdep_assert_held_read lockdep_set_class
lockdep_register_key lockdep_unregister_key text_mutex_lock
wake_up wake_up_all wake_up_interruptible wake_up_interruptible_all wake_up_nr wake_up_var wake_up_state
init_waitqueue_head init_waitqueue_entry prepare_to_wait finish_wait add_wait_queue remove_wait_queue
udelay mdelay ndelay INIT_HLIST_NODE INIT_RADIX_TREE idr_init ida_init xa_init xa_init_flags idr_preload idr_preload_end
kobject_init kobject_uevent sysfs_notify cdev_init device_initialize dev_set_drvdata sysfs_attr_init sysfs_bin_attr_init
dump_stack print_hex_dump trace_printk WARN_ON WARN_ON_ONCE WARN WARN_ONCE BUG_ON BUILD_BUG_ON static_assert
get_random_bytes kmemleak_not_leak kmemleak_ignore prefetch prefetchw clear_page copy_page
hrtimer_init tasklet_init tasklet_disable tasklet_enable disable_irq enable_irq
disable_irq_nosync allow_signal flush_signals set_current_state __set_current_state set_user_nice sched_set_fifo
sched_set_normal set_freezable ftrace_set_filter ftrace_set_filter_ip ftrace_set_notrace ftrace_free_filter
MODULE_AUTHOR MODULE_DESCRIPTION MODULE_LICENSE MODULE_INFO MODULE_ALIAS MODULE_VERSION MODULE_PARM_DESC
on_each_cpu on_each_cpu_mask smp_call_function smp_call_function_single stop_machine kick_all_cpus_sync
invalidate_icache flush_icache_range flush_tlb_all printk_deferred_enter printk_deferred_exit
jump_label_lock jump_label_unlock cpu_hotplug_disable cpu_hotplug_enable static_branch_deferred_inc
`;

const UNKNOWN = `
get_current smp_processor_id raw_smp_processor_id num_online_cpus num_possible_cpus num_present_cpus cpu_online
cpumask_test_cpu cpumask_weight cpumask_first cpumask_next nr_cpu_ids numa_node_id cpu_to_node
ktime_get ktime_get_ns ktime_get_real ktime_get_real_ns ktime_get_boottime ktime_get_boottime_ns ktime_get_seconds
ktime_get_real_seconds ktime_to_ns ktime_to_us ktime_to_ms ktime_sub ktime_add ktime_set ktime_us_delta ktime_ms_delta
local_clock sched_clock get_cycles rdtsc get_jiffies_64
jiffies_to_msecs jiffies_to_usecs msecs_to_jiffies usecs_to_jiffies nsecs_to_jiffies round_jiffies round_jiffies_relative
time_after time_before time_after_eq time_before_eq
get_random_u8 get_random_u16 get_random_u32 get_random_u64 get_random_u32_below get_random_u32_inclusive prandom_u32
prandom_u32_max
capable ns_capable in_task in_interrupt in_atomic in_irq in_softirq in_nmi irqs_disabled preempt_count signal_pending
fatal_signal_pending is_global_init mutex_is_locked spin_is_locked rtnl_is_locked rcu_read_lock_held lockdep_is_held
srcu_read_lock read_seqbegin read_seqretry read_seqcount_begin read_seqcount_retry
task_pid_nr task_tgid_nr task_pid_vnr task_nice task_is_running cred_guard get_task_comm current_uid current_euid
current_cred from_kuid from_kgid uid_eq gid_eq make_kuid make_kgid
ntohs ntohl htons htonl cpu_to_le16 cpu_to_le32 cpu_to_le64 le16_to_cpu le32_to_cpu le64_to_cpu cpu_to_be16
cpu_to_be32 cpu_to_be64 be16_to_cpu be32_to_cpu be64_to_cpu swab16 swab32 get_unaligned put_unaligned
virt_to_phys phys_to_virt virt_to_page page_address page_to_pfn pfn_to_page __pa __va is_vmalloc_addr
virt_addr_valid ksize page_count page_mapped kernel_text_address __kernel_text_address is_module_address
boot_cpu_has cpu_has cpu_feature_enabled static_cpu_has cpu_data rdmsr rdmsrl rdmsrq rdmsr_safe rdmsrl_safe
fls ffs __ffs __fls hweight32 hweight64 ilog2 roundup_pow_of_two order_base_2 div_u64 div64_u64 div_s64 do_div
hash_32 hash_64 hash_ptr jhash jhash_2words full_name_hash crc32 siphash_1u64
per_cpu_ptr this_cpu_ptr raw_cpu_ptr this_cpu_read per_cpu
netdev_priv dev_net sock_net skb_network_header skb_transport_header ip_hdr ipv6_hdr tcp_hdr udp_hdr
dev_get_drvdata platform_get_drvdata dev_name to_platform_device kthread_data
idr_find xa_load radix_tree_lookup rb_first rb_next
__dev_get_by_name __dev_get_by_index find_task_by_vpid pid_task task_active_pid_ns task_css
rhashtable_lookup_fast bitmap_weight find_first_bit find_next_bit find_first_zero_bit find_next_zero_bit
mutex_trylock mutex_lock_interruptible mutex_lock_killable spin_trylock down_trylock down_interruptible down_killable
down_read_trylock down_write_trylock down_read_killable down_write_killable rtnl_trylock rcu_is_watching
kernel_param_lock system_state stack_trace_save
`;

/** Of those that answer at once whether they got it, getting it is the usual thing. */
const TRYING = new Set(
  'mutex_trylock spin_trylock down_read_trylock down_write_trylock rtnl_trylock in_task rcu_read_lock_held lockdep_is_held'.split(
    ' ',
  ),
);
/** Of these it is 0. */
const ZERO = new Set(
  'mutex_lock_interruptible mutex_lock_killable down_interruptible down_killable down_trylock down_read_killable down_write_killable'.split(
    ' ',
  ),
);

const nothing = new Set(NOTHING.trim().split(/\s+/));
const unknown = new Set(UNKNOWN.trim().split(/\s+/));

/** The model of a function that changes nothing. */
export function quietModel(name: string): ApiModel | undefined {
  if (nothing.has(name)) return () => 0;
  if (TRYING.has(name)) return (context) => (context.failure() === null ? 1 : 0);
  if (ZERO.has(name)) {
    return (context) => {
      const errno = context.failure();
      return errno === null ? 0 : -errno;
    };
  }
  return unknown.has(name) ? (context) => context.unknown(name) : undefined;
}
