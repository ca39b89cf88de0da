import { nameSet, names } from './names';

/** Annotations without parentheses that may stand where a declaration does, and mean nothing to a parser. */
export const ANNOTATIONS = nameSet(`
__init __exit __initdata __exitdata __initconst __exitconst __init_or_module __initdata_or_module __meminit
__meminitdata __memexit __devinit __devexit __cpuinit __net_init __net_exit __net_initdata __ref __refdata
__kprobes __used __maybe_unused __always_unused __unused __user __kernel __iomem __percpu __rcu __force __bitwise
__nocast __safe __private __must_check __visible __cold __hot __weak __pure __attribute_const__ __deprecated
__always_inline __noreturn noinline noinline_for_stack asmlinkage notrace noinstr __sched __lockfunc __latent_entropy
__no_sanitize_address __no_sanitize_undefined __no_kcsan __no_kasan_or_inline __read_mostly __ro_after_init
__cacheline_aligned __cacheline_aligned_in_smp ____cacheline_aligned ____cacheline_aligned_in_smp
____cacheline_internodealigned_in_smp __page_aligned_data __page_aligned_bss __packed __randomize_layout
__no_randomize_layout __extension__ __malloc __noclone __no_profile __flatten __naked __noscs __designated_init
__nonstring __ksym __bpf_kfunc __percpu_qual __malloc_like __inline __inline__ __gnu_inline __compat_inline
__interrupt __irq_entry __softirq_entry __entry_text __cpuidle __tracing_text __mcount_loc __signed__
STATIC INIT __printf_like noreturn _Noreturn __noendbr fastcall __fentry__ __klp_reloc __noipa __nofentry
__syscall __livepatch __nostackprotector __no_stack_protector __uninitialized __attribute_used__ extern_inline
`);

/** Annotations that take an argument list. */
export const CALLED_ANNOTATIONS = nameSet(`
__attribute__ __attribute __aligned __section __printf __scanf __acquires __releases __must_hold __cond_acquires
__alloc_size __counted_by __counted_by_le __counted_by_be __assume_aligned __declspec _Alignas __btf_type_tag
__guarded_by __pt_guarded_by __no_sanitize __nonnull __nonnull__ __compiletime_error __compiletime_warning
__diagnose_as asm __asm__ __asm
`);

export const ASM = nameSet('asm __asm__ __asm');

export const KEYWORDS = nameSet(`
if else while do for switch case default break continue return goto sizeof struct union enum typedef extern static
inline register auto const volatile void char short int long float double signed unsigned restrict _Bool typeof
__typeof__ __typeof _Alignof __alignof__ _Generic _Static_assert __auto_type asm __asm__
`);

/** Whether a name looks like an annotation that the table does not hold. */
export function looksAnnotated(name: number): boolean {
  return names.text(name).startsWith('__');
}
