// SPDX-License-Identifier: GPL-2.0
/*
 * Version 1: /proc/version says that the kernel is patched. No callbacks, nothing to clean up.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/utsname.h>

static int livepatch_version_proc_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s version %s (livepatched)\n", utsname()->sysname, utsname()->release);
	return 0;
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
MODULE_DESCRIPTION("What /proc/version says, version 1");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
