// SPDX-License-Identifier: GPL-2.0
/*
 * Version 2: also counts the modules that are loaded. It takes its notifier away when it is disabled, but not when
 * it is replaced: then the kernel runs none of its callbacks, and nobody else knows watch_nb.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <linux/utsname.h>

static int livepatch_version_proc_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s version %s (livepatched)\n", utsname()->sysname, utsname()->release);
	return 0;
}

static uint loaded;
module_param(loaded, uint, 0444);

static int watch_event(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == MODULE_STATE_LIVE)
		loaded++;

	return NOTIFY_OK;
}

static struct notifier_block watch_nb = {
	.notifier_call = watch_event,
};

static int watch_pre_patch(struct klp_object *obj)
{
	return register_module_notifier(&watch_nb);
}

static void watch_post_unpatch(struct klp_object *obj)
{
	unregister_module_notifier(&watch_nb);
}

static struct klp_func funcs[] = {
	{
		.old_name = "version_proc_show",
		.new_func = livepatch_version_proc_show,
	},
	{ }
};

static struct klp_object objs[] = {
	{
		/* name being NULL means vmlinux */
		.funcs = funcs,
		.callbacks = {
			.pre_patch = watch_pre_patch,
			.post_unpatch = watch_post_unpatch,
		},
	},
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = true,
};

static int __init livepatch_watch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit livepatch_watch_exit(void)
{
}

module_init(livepatch_watch_init);
module_exit(livepatch_watch_exit);
MODULE_DESCRIPTION("What /proc/version says, version 2");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
