/** The module behind the step `stall`. */
export const STALL_MODULE = 'klp_rehearsal_stall';

/**
 * A kernel thread that stands more frames deep than livepatch looks at (MAX_STACK_ENTRIES in
 * kernel/livepatch/transition.c is 100) and sleeps there: its stack never counts as reliable.
 */
export const STALL_SOURCE = String.raw`#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

#define DEPTH 150

static struct task_struct *sleeper;
static DECLARE_COMPLETION(deep);

/* The work after the call keeps the compiler from turning it into a jump. */
static noinline int descend(int depth, volatile int *sum)
{
	if (depth > 0) {
		int below = descend(depth - 1, sum);

		*sum += below;
		return below + 1;
	}
	complete(&deep);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int sleeper_fn(void *data)
{
	volatile int sum = 0;

	descend(DEPTH, &sum);
	return 0;
}

static int __init stall_init(void)
{
	sleeper = kthread_run(sleeper_fn, NULL, "klp_stall");
	if (IS_ERR(sleeper))
		return PTR_ERR(sleeper);
	wait_for_completion(&deep);
	return 0;
}

static void __exit stall_exit(void)
{
	kthread_stop(sleeper);
}

module_init(stall_init);
module_exit(stall_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Keeps livepatch transitions pending");
`;
