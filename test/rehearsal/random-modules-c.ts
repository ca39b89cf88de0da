import type { ModuleSource } from '../../server/src/host/rehearsal/modules';
import { type RandomLivepatch, type RandomObject, STATE_IDS, TARGETS } from './random-modules';

/** The C of random livepatches and targets. */

function targetModule(name: string): ModuleSource {
  const text = `#include <linux/kernel.h>
#include <linux/module.h>

#define pr_line(what) printk(KERN_INFO KBUILD_MODNAME ": " what "\\n")

static int init_ret;
module_param(init_ret, int, 0644);

int ${name}_one(int value);
int ${name}_two(int value);

noinline __noclone int ${name}_one(int value)
{
	return value + 1;
}

noinline __noclone int ${name}_two(int value)
{
	return value * 2;
}

static int __init ${name}_init(void)
{
	pr_line("init");
	return init_ret;
}

static void __exit ${name}_exit(void)
{
	pr_line("exit");
}

module_init(${name}_init);
module_exit(${name}_exit);
MODULE_LICENSE("GPL");
`;
  return { name, sources: [{ file: `${name}.c`, text }] };
}

function livepatchModule(patch: RandomLivepatch): ModuleSource {
  const { name, objects, states, replace, shadows } = patch;
  const text = `#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static const char *const module_state[] = { "live", "coming", "going", "unformed" };

static const char *state_of(struct klp_object *obj)
{
	return obj->mod ? module_state[obj->mod->state] : "-";
}

static void show(struct klp_object *obj, const char *callback)
{
	pr_info("%s %s %s\\n", callback, obj->name ? obj->name : "vmlinux", state_of(obj));
	if (!obj->name) {
		struct klp_state *prev;
		unsigned long id;

		for (id = ${STATE_IDS[0]}; id <= ${STATE_IDS[STATE_IDS.length - 1] ?? 0}; id++) {
			prev = klp_get_prev_state(id);
			if (prev)
				pr_info("state %lu was %u\\n", id, prev->version);
		}
	}
}

static int note_maker(void *obj, void *shadow_data, void *ctor_data)
{
	*(int *)shadow_data = *(int *)ctor_data;
	return 0;
}

static void __maybe_unused attach_one(unsigned long id)
{
	int maker = ${Number(name.slice(3))};
	int *shadow = klp_shadow_get_or_alloc(NULL, id, sizeof(maker), GFP_KERNEL, note_maker, &maker);

	if (shadow)
		pr_info("shadow %lu of %d\\n", id, *shadow);
}

static void __maybe_unused detach_one(unsigned long id)
{
	int *shadow = klp_shadow_get(NULL, id);

	if (shadow)
		pr_info("shadow %lu of %d freed\\n", id, *shadow);
	klp_shadow_free(NULL, id, NULL);
}

static void __maybe_unused attach(void)
{
${shadows
  .map(
    (id) => `	attach_one(${id});
`,
  )
  .join('')}}

static void __maybe_unused detach(void)
{
${shadows
  .map(
    (id) => `	detach_one(${id});
`,
  )
  .join('')}}
${objects.map((object) => objectCode(object)).join('')}
static struct klp_object objs[] = {
${objects.map(objectEntry).join('')}	{ }
};
${states.length > 0 ? `\nstatic struct klp_state states[] = {\n${states.map(({ id, version }) => `\t{ .id = ${id}, .version = ${version} },\n`).join('')}\t{ }\n};\n` : ''}
static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
${states.length > 0 ? '\t.states = states,\n' : ''}	.replace = ${replace},
};

static int __init ${name}_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit ${name}_exit(void)
{
	pr_info("exit\\n");
	detach();
}

module_init(${name}_init);
module_exit(${name}_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
  return { name, sources: [{ file: `${name}.c`, text }] };
}

function objectCode(object: RandomObject): string {
  const parts = object.callbacks.map((callback) =>
    callback === 'pre_patch'
      ? `
static int ${object.name}_pre_patch(struct klp_object *obj)
{
	show(obj, "pre_patch");
	return fail_${object.name};
}
`
      : `
static void ${object.name}_${callback}(struct klp_object *obj)
{
	show(obj, "${callback}");
${callback === 'post_patch' ? '\tattach();\n' : callback === 'pre_unpatch' ? '\tdetach();\n' : ''}}
`,
  );
  const vmlinux = object.name === 'vmlinux';
  const functions = object.functions.map((fn) =>
    vmlinux
      ? `
static int new_${fn}(struct seq_file *m, void *v)
{
	seq_printf(m, "%s\\n", KBUILD_MODNAME);
	return 0;
}
`
      : `
static int new_${fn}(int value)
{
	return value - 1;
}
`,
  );
  const entries = object.functions.map((fn) => `\t{ .old_name = "${fn}", .new_func = new_${fn} },\n`);
  return `
static int fail_${object.name};
module_param(fail_${object.name}, int, 0644);
${parts.join('')}${functions.join('')}
static struct klp_func ${object.name}_funcs[] = {
${entries.join('')}	{ }
};
`;
}

function objectEntry(object: RandomObject): string {
  const callbacks = object.callbacks.map((callback) => `\t\t\t.${callback} = ${object.name}_${callback},\n`);
  return `	{
${object.name === 'vmlinux' ? '' : `\t\t.name = "${object.name}",\n`}		.funcs = ${object.name}_funcs,
		.callbacks = {
${callbacks.join('')}		},
	},
`;
}

export function randomModules(livepatches: readonly RandomLivepatch[]): ModuleSource[] {
  return [...TARGETS.map(targetModule), ...livepatches.map(livepatchModule)];
}
