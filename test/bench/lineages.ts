/** A version that saves, changes and restores a value and hands the original over: everything is taken over. */
export function takeoverVersion(n: number, size: number): string {
  const filler = Array.from(
    { length: size },
    (_, i) =>
      `static int lp_fix_${i}(struct seq_file *m, void *v)\n{\n\tint sum = ${n};\n\n\tfor (int i = 0; i < ${i + 3}; i++)\n\t\tsum += i * ${i};\n\tseq_printf(m, "fixed %d\\n", sum);\n\treturn 0;\n}\n`,
  ).join('\n');
  const entries = Array.from(
    { length: size },
    (_, i) => `\t{ .old_name = "subsys_show_${i}", .new_func = lp_fix_${i} },`,
  ).join('\n');
  return `// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>

#define LEVEL_STATE 1
#define LEVEL_VERSION 1

static struct klp_patch patch;
extern int subsys_level;

${filler}
static int lp_pre_patch(struct klp_object *obj)
{
	struct klp_state *state;

	if (klp_get_prev_state(LEVEL_STATE))
		return 0;
	state = klp_get_state(&patch, LEVEL_STATE);
	if (!state)
		return -EINVAL;
	state->data = kzalloc(sizeof(int), GFP_KERNEL);
	if (!state->data)
		return -ENOMEM;
	pr_info("space for the level allocated\\n");
	return 0;
}

static void lp_post_patch(struct klp_object *obj)
{
	struct klp_state *state = klp_get_state(&patch, LEVEL_STATE);
	struct klp_state *prev = klp_get_prev_state(LEVEL_STATE);

	if (!state)
		return;
	if (prev) {
		state->data = prev->data;
		pr_info("level taken over\\n");
		return;
	}
	*(int *)state->data = subsys_level;
	subsys_level = 7;
}

static void lp_pre_unpatch(struct klp_object *obj)
{
	struct klp_state *state = klp_get_state(&patch, LEVEL_STATE);

	if (klp_get_prev_state(LEVEL_STATE))
		return;
	if (state && state->data)
		subsys_level = *(int *)state->data;
}

static void lp_post_unpatch(struct klp_object *obj)
{
	struct klp_state *state = klp_get_state(&patch, LEVEL_STATE);

	if (klp_get_prev_state(LEVEL_STATE))
		return;
	if (state)
		kfree(state->data);
}

static struct klp_func funcs[] = {
${entries}
	{ }
};

static struct klp_object objs[] = {
	{
		.funcs = funcs,
		.callbacks = {
			.pre_patch = lp_pre_patch,
			.post_patch = lp_post_patch,
			.pre_unpatch = lp_pre_unpatch,
			.post_unpatch = lp_post_unpatch,
		},
	},
	{ }
};

static struct klp_state states[] = {
	{ .id = LEVEL_STATE, .version = LEVEL_VERSION },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.states = states,
	.replace = true,
};

static int __init lp_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit lp_exit(void)
{
}

module_init(lp_init);
module_exit(lp_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

/** A lineage of `count` such versions, each with `size` patched functions, as texts by name. */
export function takeoverLineage(count: number, size: number): Record<string, string> {
  const texts: Record<string, string> = {};
  const versions: string[] = [];
  for (let n = 1; n <= count; n++) {
    texts[`v${n}.c`] = takeoverVersion(n, size);
    versions.push(`  - { version: v${n}, module: lp_v${n}, sources: v${n}.c }`);
  }
  texts['livepatch.yaml'] = `lineage: takeover\nkernel: "6.1"\nversions:\n${versions.join('\n')}\n`;
  return texts;
}
