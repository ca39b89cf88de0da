/** Sources of small livepatches, of this project's own writing. */

export interface Parts {
  /** Between the includes and the tables. */
  readonly code?: string;
  readonly includes?: readonly string[];
  /** The objects' initialisers; by default vmlinux with one function and `callbacks`. */
  readonly objects?: string;
  readonly callbacks?: Readonly<Record<string, string>>;
  /** `{ .id = 1, .version = 1 }, …` without the end of the table. */
  readonly states?: string;
  readonly exit?: string;
}

/** A livepatch that replaces all others, in the shape of the kernel's samples. */
export function livepatch({
  code = '',
  includes = [],
  objects,
  callbacks = {},
  states,
  exit = '',
}: Parts): string {
  const entries = Object.entries(callbacks).map(([name, fn]) => `\t\t\t.${name} = ${fn},\n`);
  const table =
    objects ??
    `\t{\n\t\t.funcs = funcs,\n${entries.length > 0 ? `\t\t.callbacks = {\n${entries.join('')}\t\t},\n` : ''}\t},\n`;
  const own = states === undefined ? '' : `static struct klp_state states[] = {\n\t${states}\n\t{ }\n};\n\n`;
  return `// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
${includes.map((header) => `#include <${header}>\n`).join('')}
static struct klp_patch patch;

static int livepatch_cmdline_proc_show(struct seq_file *m, void *v)
{
	return 0;
}

${code}
static struct klp_func funcs[] = {
	{
		.old_name = "cmdline_proc_show",
		.new_func = livepatch_cmdline_proc_show,
	},
	{ }
};

static struct klp_object objs[] = {
${table}	{ }
};

${own}static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
${states === undefined ? '' : '\t.states = states,\n'}	.replace = true,
};

static int __init livepatch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit livepatch_exit(void)
{
${exit}}

module_init(livepatch_init);
module_exit(livepatch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

/** A manifest with v1 released and the others faulty. */
export function manifest(names: readonly string[], more = ''): string {
  const versions = names.map(
    (name, index) =>
      `  - { version: ${name}, module: klp_${name}, sources: [${name}/klp_${name}.c], status: ${index === 0 ? 'released' : 'faulty'} }\n`,
  );
  return `lineage: test\nkernel: "6.1"\nversions:\n${versions.join('')}${more}`;
}

/** v2 raises the console's log level and keeps the old one in its state, as the kernel's state selftest does. */
export const STATE_V2 = livepatch({
  includes: ['linux/slab.h', 'linux/printk.h'],
  code: `#define CONSOLE_LOGLEVEL_STATE 1
#define CONSOLE_LOGLEVEL_STATE_VERSION 1

static int allocate_loglevel_state(void)
{
	struct klp_state *loglevel_state = klp_get_state(&patch, CONSOLE_LOGLEVEL_STATE);

	if (!loglevel_state)
		return -EINVAL;

	loglevel_state->data = kzalloc(sizeof(console_loglevel), GFP_KERNEL);
	if (!loglevel_state->data)
		return -ENOMEM;

	return 0;
}

static void fix_console_loglevel(void)
{
	struct klp_state *loglevel_state = klp_get_state(&patch, CONSOLE_LOGLEVEL_STATE);

	if (!loglevel_state)
		return;

	*(int *)loglevel_state->data = console_loglevel;
	console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH;
}

static void restore_console_loglevel(void)
{
	struct klp_state *loglevel_state = klp_get_state(&patch, CONSOLE_LOGLEVEL_STATE);

	if (!loglevel_state)
		return;

	console_loglevel = *(int *)loglevel_state->data;
}

static void free_loglevel_state(void)
{
	struct klp_state *loglevel_state = klp_get_state(&patch, CONSOLE_LOGLEVEL_STATE);

	if (!loglevel_state)
		return;

	kfree(loglevel_state->data);
}

static int pre_patch_callback(struct klp_object *obj)
{
	return allocate_loglevel_state();
}

static void post_patch_callback(struct klp_object *obj)
{
	fix_console_loglevel();
}

static void pre_unpatch_callback(struct klp_object *obj)
{
	restore_console_loglevel();
}

static void post_unpatch_callback(struct klp_object *obj)
{
	free_loglevel_state();
}
`,
  callbacks: {
    pre_patch: 'pre_patch_callback',
    post_patch: 'post_patch_callback',
    pre_unpatch: 'pre_unpatch_callback',
    post_unpatch: 'post_unpatch_callback',
  },
  states: '{\n\t\t.id = CONSOLE_LOGLEVEL_STATE,\n\t\t.version = CONSOLE_LOGLEVEL_STATE_VERSION,\n\t},',
});

/** v2 registers a notifier; `published` says whether its state hands the pointer over. */
export function notifierV2(published: boolean): string {
  return livepatch({
    includes: ['linux/notifier.h'],
    code: `static int acme_event(struct notifier_block *nb, unsigned long action, void *data)
{
	return NOTIFY_OK;
}

static struct notifier_block acme_nb = {
	.notifier_call = acme_event,
};

static int acme_pre_patch(struct klp_object *obj)
{
${published ? '\tklp_get_state(&patch, 7)->data = &acme_nb;\n' : ''}	return register_module_notifier(&acme_nb);
}

static void acme_post_unpatch(struct klp_object *obj)
{
	unregister_module_notifier(&acme_nb);
}
`,
    callbacks: { pre_patch: 'acme_pre_patch', post_unpatch: 'acme_post_unpatch' },
    ...(published ? { states: '{ .id = 7, .version = 3 },' } : {}),
  });
}

/** v2 polls by a work item that queues itself anew, or looks once in an hour. */
export function delayedV2(published: boolean, again: boolean): string {
  const publish = published ? '\tklp_get_state(&patch, 7)->data = &acme_poll;\n' : '';
  return livepatch({
    includes: ['linux/workqueue.h'],
    code: `static void acme_look(struct work_struct *work);

static DECLARE_DELAYED_WORK(acme_poll, acme_look);

static void acme_look(struct work_struct *work)
{
${again ? '\tschedule_delayed_work(&acme_poll, HZ);\n' : ''}}

static void acme_post_patch(struct klp_object *obj)
{
${publish}	schedule_delayed_work(&acme_poll, 3600 * HZ);
}

static void acme_pre_unpatch(struct klp_object *obj)
{
	cancel_delayed_work_sync(&acme_poll);
}
`,
    callbacks: { post_patch: 'acme_post_patch', pre_unpatch: 'acme_pre_unpatch' },
    ...(published ? { states: '{ .id = 7, .version = 3 },' } : {}),
  });
}

/** v2 attaches shadow variables with a destructor of its own. */
export const SHADOW_V2 = livepatch({
  includes: ['linux/slab.h'],
  code: `#define LEAK_ID 0x51

struct leak {
	void *buffer;
	int count;
};

static int leak_ctor(void *obj, void *shadow_data, void *ctor_data)
{
	return 0;
}

static void leak_dtor(void *obj, void *shadow_data)
{
	struct leak *leak = shadow_data;

	kfree(leak->buffer);
}

static int leak_pre_patch(struct klp_object *obj)
{
	struct leak *leak = klp_shadow_alloc(NULL, LEAK_ID, sizeof(*leak), GFP_KERNEL, leak_ctor, NULL);

	return leak ? 0 : -ENOMEM;
}

static void leak_post_unpatch(struct klp_object *obj)
{
	klp_shadow_free_all(LEAK_ID, leak_dtor);
}
`,
  callbacks: { pre_patch: 'leak_pre_patch', post_unpatch: 'leak_post_unpatch' },
});

/** v2 turns a kernel's static key on; its state only says that it was there. */
export function staticKeyV2(withState: boolean): string {
  return livepatch({
    includes: ['linux/jump_label.h'],
    code: `extern struct static_key_false acme_feature;

static void key_post_patch(struct klp_object *obj)
{
	static_branch_enable(&acme_feature);
}

static void key_pre_unpatch(struct klp_object *obj)
{
	static_branch_disable(&acme_feature);
}
`,
    callbacks: { post_patch: 'key_post_patch', pre_unpatch: 'key_pre_unpatch' },
    ...(withState ? { states: '{ .id = 9, .version = 0 },' } : {}),
  });
}

/** v2 makes a proc entry. */
export function procV2(withState: boolean): string {
  return livepatch({
    includes: ['linux/proc_fs.h'],
    code: `static const struct proc_ops acme_ops = { };
static struct proc_dir_entry *entry;

static int proc_pre_patch(struct klp_object *obj)
{
	entry = proc_create("acme_status", 0444, NULL, &acme_ops);
	return entry ? 0 : -ENOMEM;
}

static void proc_post_unpatch(struct klp_object *obj)
{
	proc_remove(entry);
}
`,
    callbacks: { pre_patch: 'proc_pre_patch', post_unpatch: 'proc_post_unpatch' },
    ...(withState ? { states: '{ .id = 4, .version = 1 },' } : {}),
  });
}

/** v2 makes a sysfs file below /sys/kernel. */
export const SYSFS_V2 = livepatch({
  includes: ['linux/kobject.h', 'linux/sysfs.h'],
  code: `static ssize_t acme_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return 0;
}

static struct kobj_attribute acme_attribute = {
	.attr = { .name = "acme_level", .mode = 0444 },
	.show = acme_show,
};

static int sysfs_pre_patch(struct klp_object *obj)
{
	return sysfs_create_file(kernel_kobj, &acme_attribute.attr);
}

static void sysfs_post_unpatch(struct klp_object *obj)
{
	sysfs_remove_file(kernel_kobj, &acme_attribute.attr);
}
`,
  callbacks: { pre_patch: 'sysfs_pre_patch', post_unpatch: 'sysfs_post_unpatch' },
});
