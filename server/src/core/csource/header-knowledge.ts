import { HEADER_CONSTANTS } from './header-constants';
import { HEADER_FUNCTIONS } from './header-functions';
import { HEADER_TYPES } from './header-types';

/**
 * What the front end knows of the kernel's headers, which it never reads: declarations in C, written for this
 * purpose. Only names, orders and types that execution needs; a struct holds the members that callbacks use, so
 * that only those that are complete in the kernel as well have a meaningful size. Each line stands for itself
 * (header-scope.ts).
 */
export const HEADER_DECLARATIONS = `${HEADER_TYPES}${HEADER_FUNCTIONS}`;

/** Definitions of macros, one a line. None of them is used in the declarations. */
export const HEADER_DEFINITIONS = `${HEADER_CONSTANTS}${HEADER_MACROS()}`;

function printk(levels: readonly string[]): string {
  // The prefix is applied where a pr_ function is called; the call itself stays.
  const line = (name: string): string => `#define ${name}(fmt, ...) ${name}(pr_fmt(fmt), ##__VA_ARGS__)\n`;
  return levels
    .map((level) => line(`pr_${level}`) + line(`pr_${level}_once`) + line(`pr_${level}_ratelimited`))
    .join('');
}

function HEADER_MACROS(): string {
  return `
#define pr_fmt(fmt) fmt
${printk(['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'devel'])}
#define pr_warning(fmt, ...) pr_warn(pr_fmt(fmt), ##__VA_ARGS__)
#define __stringify_1(x...) #x
#define __stringify(x...) __stringify_1(x)
#define ___PASTE(a, b) a##b
#define __PASTE(a, b) ___PASTE(a, b)
#define CONCATENATE(a, b) __PASTE(a, b)
#define __concat(a, b) __PASTE(a, b)
#define likely(x) (x)
#define unlikely(x) (x)
#define READ_ONCE(x) (x)
#define ACCESS_ONCE(x) (x)
#define WRITE_ONCE(x, v) ((x) = (v))
#define smp_load_acquire(p) (*(p))
#define smp_store_release(p, v) (*(p) = (v))
#define smp_store_mb(x, v) ((x) = (v))
#define rcu_dereference(p) (p)
#define rcu_dereference_raw(p) (p)
#define rcu_dereference_bh(p) (p)
#define rcu_dereference_sched(p) (p)
#define rcu_dereference_check(p, c) (p)
#define rcu_dereference_protected(p, c) (p)
#define rcu_access_pointer(p) (p)
#define rcu_assign_pointer(p, v) ((p) = (v))
#define RCU_INIT_POINTER(p, v) ((p) = (v))
#define rcu_replace_pointer(p, v, c) ({ typeof(p) __old = (p); (p) = (v); __old; })
#define barrier_data(p) ((void)(p))
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK(h, l) (((~0UL) << (l)) & (~0UL >> (63 - (h))))
#define GENMASK_ULL(h, l) (((~0ULL) << (l)) & (~0ULL >> (63 - (h))))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d) (((unsigned long long)(n) + (d) - 1) / (d))
#define roundup(x, y) ((((x) + ((y) - 1)) / (y)) * (y))
#define rounddown(x, y) ((x) - ((x) % (y)))
#define ALIGN(x, a) (((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define PAGE_ALIGN(x) ALIGN(x, PAGE_SIZE)
#define IS_ALIGNED(x, a) (((x) & ((typeof(x))(a) - 1)) == 0)
#define upper_32_bits(n) ((u32)(((n) >> 16) >> 16))
#define lower_32_bits(n) ((u32)(n))
#define max(a, b) ({ __auto_type __max_a = (a); __auto_type __max_b = (b); __max_a > __max_b ? __max_a : __max_b; })
#define min(a, b) ({ __auto_type __min_a = (a); __auto_type __min_b = (b); __min_a < __min_b ? __min_a : __min_b; })
#define max_t(t, a, b) ({ t __max_a = (a); t __max_b = (b); __max_a > __max_b ? __max_a : __max_b; })
#define min_t(t, a, b) ({ t __min_a = (a); t __min_b = (b); __min_a < __min_b ? __min_a : __min_b; })
#define max3(a, b, c) max(max(a, b), c)
#define min3(a, b, c) min(min(a, b), c)
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define clamp_t(t, v, lo, hi) min_t(t, max_t(t, v, lo), hi)
#define clamp_val(v, lo, hi) clamp_t(typeof(v), v, lo, hi)
#define abs(x) ({ __auto_type __abs = (x); __abs < 0 ? -__abs : __abs; })
#define swap(a, b) do { __auto_type __swap = (a); (a) = (b); (b) = __swap; } while (0)
#define list_entry(p, t, m) container_of(p, t, m)
#define list_entry_rcu(p, t, m) container_of(p, t, m)
#define list_first_entry(p, t, m) container_of((p)->next, t, m)
#define list_last_entry(p, t, m) container_of((p)->prev, t, m)
#define list_next_entry(p, m) container_of((p)->m.next, typeof(*(p)), m)
#define list_prev_entry(p, m) container_of((p)->m.prev, typeof(*(p)), m)
#define list_first_entry_or_null(p, t, m) ((p)->next != (p) ? container_of((p)->next, t, m) : NULL)
#define list_entry_is_head(p, h, m) (&(p)->m == (h))
#define hlist_entry(p, t, m) container_of(p, t, m)
#define llist_entry(p, t, m) container_of(p, t, m)
#define rb_entry(p, t, m) container_of(p, t, m)
#define rb_entry_safe(p, t, m) ((p) ? container_of(p, t, m) : NULL)
#define from_timer(v, p, m) container_of(p, typeof(*(v)), m)
#define timer_container_of(v, p, m) container_of(p, typeof(*(v)), m)
#define from_work(v, p, m) container_of(p, typeof(*(v)), m)
#define from_tasklet(v, p, m) container_of(p, typeof(*(v)), m)
#define sizeof_field(t, m) sizeof(((t *)0)->m)
#define FIELD_SIZEOF(t, m) sizeof(((t *)0)->m)
#define offsetofend(t, m) (offsetof(t, m) + sizeof_field(t, m))
#define struct_size_t(t, m, n) (sizeof(t) + sizeof(*((t *)0)->m) * (n))
#define struct_size(p, m, n) (sizeof(*(p)) + sizeof(*(p)->m) * (n))
#define array_size(a, b) ((size_t)(a) * (b))
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))
#define LIST_HEAD_INIT(n) { &(n), &(n) }
#define LIST_HEAD(n) struct list_head n = { &(n), &(n) }
#define HLIST_HEAD_INIT { .first = NULL }
#define HLIST_HEAD(n) struct hlist_head n = { .first = NULL }
#define LLIST_HEAD(n) struct llist_head n = { NULL }
#define DEFINE_HASHTABLE(n, b) struct hlist_head n[1 << (b)] = {}
#define DECLARE_HASHTABLE(n, b) struct hlist_head n[1 << (b)]
#define DECLARE_BITMAP(n, b) unsigned long n[((b) + 63) / 64]
#define ATOMIC_INIT(i) { (i) }
#define ATOMIC64_INIT(i) { (i) }
#define ATOMIC_LONG_INIT(i) { (i) }
#define REFCOUNT_INIT(n) { .refs = ATOMIC_INIT(n) }
#define KREF_INIT(n) { .refcount = REFCOUNT_INIT(n) }
#define __WORK_INITIALIZER(n, f) { .func = (f) }
#define DECLARE_WORK(n, f) struct work_struct n = { .func = (f) }
#define DECLARE_DELAYED_WORK(n, f) struct delayed_work n = { .work = { .func = (f) } }
#define DECLARE_DEFERRABLE_WORK(n, f) struct delayed_work n = { .work = { .func = (f) } }
#define DEFINE_TIMER(n, f) struct timer_list n = { .function = (f) }
#define DECLARE_TASKLET(n, f) struct tasklet_struct n = { .callback = (f) }
#define __ATTR(n, m, s, t) { .attr = { .name = __stringify(n), .mode = (m) }, .show = (s), .store = (t) }
#define __ATTR_PREALLOC(n, m, s, t) __ATTR(n, m, s, t)
#define __ATTR_RO_MODE(n, m) __ATTR(n, m, n##_show, NULL)
#define __ATTR_RW_MODE(n, m) __ATTR(n, m, n##_show, n##_store)
#define __ATTR_RO(n) __ATTR_RO_MODE(n, 0444)
#define __ATTR_RW(n) __ATTR_RW_MODE(n, 0644)
#define __ATTR_WO(n) __ATTR(n, 0200, NULL, n##_store)
#define __ATTR_NULL { .attr = { .name = NULL } }
#define DEVICE_ATTR(n, m, s, t) struct device_attribute dev_attr_##n = __ATTR(n, m, s, t)
#define DEVICE_ATTR_RO(n) struct device_attribute dev_attr_##n = __ATTR_RO(n)
#define DEVICE_ATTR_RW(n) struct device_attribute dev_attr_##n = __ATTR_RW(n)
#define DEVICE_ATTR_WO(n) struct device_attribute dev_attr_##n = __ATTR_WO(n)
#define ATTRIBUTE_GROUPS(n) static const struct attribute_group n##_group = { .attrs = n##_attrs }; static const struct attribute_group *n##_groups[] = { &n##_group, NULL }
#define DEFINE_MUTEX(n) struct mutex n = {}
#define DEFINE_SPINLOCK(n) spinlock_t n = {}
#define DEFINE_RAW_SPINLOCK(n) raw_spinlock_t n = {}
#define DEFINE_RWLOCK(n) rwlock_t n = {}
#define DECLARE_RWSEM(n) struct rw_semaphore n = {}
#define DEFINE_SEMAPHORE(n, ...) struct semaphore n = {}
#define DEFINE_SEQLOCK(n) seqlock_t n = {}
#define DECLARE_COMPLETION(n) struct completion n = {}
#define DECLARE_COMPLETION_ONSTACK(n) struct completion n = {}
#define DECLARE_WAIT_QUEUE_HEAD(n) struct wait_queue_head n = {}
#define DEFINE_PER_CPU(t, n) typeof(t) n
#define DECLARE_PER_CPU(t, n) extern typeof(t) n
#define DEFINE_PER_CPU_SHARED_ALIGNED(t, n) typeof(t) n
#define DEFINE_PER_CPU_ALIGNED(t, n) typeof(t) n
#define DEFINE_STATIC_KEY_FALSE(n) struct static_key_false n = {}
#define DEFINE_STATIC_KEY_TRUE(n) struct static_key_true n = { .key = { .enabled = { .counter = 1 } } }
#define DECLARE_STATIC_KEY_FALSE(n) extern struct static_key_false n
#define DECLARE_STATIC_KEY_TRUE(n) extern struct static_key_true n
#define DEFINE_IDA(n) struct ida n = {}
#define DEFINE_IDR(n) struct idr n = {}
#define DEFINE_XARRAY(n) struct xarray n = {}
#define DEFINE_XARRAY_ALLOC(n) struct xarray n = {}
#define DEFINE_SRCU(n) struct srcu_struct n = {}
#define DEFINE_STATIC_SRCU(n) static struct srcu_struct n = {}
#define DEFINE_RATELIMIT_STATE(n, i, b) struct ratelimit_state n = {}
#define DEFINE_SHOW_ATTRIBUTE(n) static const struct file_operations n##_fops = { .owner = THIS_MODULE, .open = (void *)n##_show }
#define DEFINE_SHOW_STORE_ATTRIBUTE(n) DEFINE_SHOW_ATTRIBUTE(n)
#define DEFINE_SEQ_ATTRIBUTE(n) static const struct file_operations n##_fops = { .owner = THIS_MODULE, .open = (void *)&n##_sops }
#define DEFINE_PROC_SHOW_ATTRIBUTE(n) static const struct proc_ops n##_proc_ops = { .proc_open = (void *)n##_show }
#define DEFINE_SIMPLE_ATTRIBUTE(n, g, s, f) static const struct file_operations n = { .owner = THIS_MODULE, .open = (void *)(g) }
#define DEFINE_SIMPLE_ATTRIBUTE_SIGNED(n, g, s, f) DEFINE_SIMPLE_ATTRIBUTE(n, g, s, f)
#define DEFINE_DEBUGFS_ATTRIBUTE(n, g, s, f) DEFINE_SIMPLE_ATTRIBUTE(n, g, s, f)
#define DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(n, g, s, f) DEFINE_SIMPLE_ATTRIBUTE(n, g, s, f)
#define ATOMIC_NOTIFIER_HEAD(n) struct atomic_notifier_head n = {}
#define BLOCKING_NOTIFIER_HEAD(n) struct blocking_notifier_head n = {}
#define RAW_NOTIFIER_HEAD(n) struct raw_notifier_head n = {}
#define SRCU_NOTIFIER_HEAD(n) struct srcu_notifier_head n = {}
${syscalls()}
`;
}

function syscalls(): string {
  let text = '';
  for (const prefix of ['', 'KLP_']) {
    for (let count = 0; count <= 6; count++) {
      const given = Array.from({ length: count }, (_, i) => `, t${i}, a${i}`).join('');
      const list = Array.from({ length: count }, (_, i) => `t${i} a${i}`).join(', ');
      text += `#define ${prefix}SYSCALL_DEFINE${count}(n${given}) static long __do_sys_##n(${list || 'void'})\n`;
    }
  }
  return text;
}
