import type { Analysis } from '../../server/src/features/analysis';
import { analyseTexts } from '../support/project';

/** Two versions that hand over a state and a shadow variable, with a scenario; a cursor is `$0` in one of the files. */
export const MANIFEST = `lineage: demo
kernel: "6.1"
versions:
  - version: v1
    module: demo_v1
    sources: v1.c
    status: released
  - version: v2
    module: demo_v2
    sources: v2.c
    restores: v1
    cleans-up-after: [v1]
targets:
  - nf_tables
scenarios:
  - name: upgrade
    steps: [load v1, load v2, unload demo_v1]
    expect: clean
`;

/** The C of one version; `id` is how its state id is written, `undo` what its callbacks are. */
export function livepatch(version: 1 | 2): string {
  return `#include <linux/debugfs.h>
#include <linux/livepatch.h>
#include <linux/module.h>

#define LOUD_STATE 7
enum { NOTE_ID = 0x51 };

static struct dentry *file;
static struct klp_patch patch;

static int demo_pre_patch(struct klp_object *obj)
{
	struct klp_state *before = klp_get_prev_state(LOUD_STATE);

	if (before)
		return 0;
	file = debugfs_create_file("demo", 0444, NULL, NULL, NULL);
	klp_shadow_alloc(obj, NOTE_ID, 8, GFP_KERNEL, NULL, NULL);
	return 0;
}

static void demo_post_unpatch(struct klp_object *obj)
{
	debugfs_remove(file);
	klp_shadow_free_all(NOTE_ID, NULL);
	klp_get_state(&patch, LOUD_STATE)->data = NULL;
}

static int demo_info_show(struct seq_file *m, void *v)
{
	return ${version};
}

static struct klp_func funcs[] = {
	{
		.old_name = "info_show",
		.new_func = demo_info_show,
	},
	{ }
};

static struct klp_object objs[] = {
	{
		.funcs = funcs,
		.callbacks = {
			.pre_patch = demo_pre_patch,
			.post_unpatch = demo_post_unpatch,
		},
	},
	{ }
};

static struct klp_state states[] = {
	{ .id = LOUD_STATE, .version = ${version} },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.states = states,
	.replace = true,
};

static int __init demo_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit demo_exit(void)
{
}

module_init(demo_init);
module_exit(demo_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

export const FILES: Readonly<Record<string, string>> = {
  'livepatch.yaml': MANIFEST,
  'v1.c': livepatch(1),
  'v2.c': livepatch(2),
};

export interface Cursor {
  readonly analysis: Analysis;
  /** As the analysis names it. */
  readonly file: string;
  readonly offset: number;
  readonly text: string;
}

/**
 * A lineage with a cursor: `change` replaces one stretch of one of FILES, which has to be there once, with a text that
 * holds `$0`.
 */
export async function cursorAt(name: string, before: string, after: string): Promise<Cursor> {
  const whole = FILES[name] ?? '';
  if (whole.split(before).length !== 2) throw new Error(`${name} holds "${before}" not once`);
  const marked = whole.replace(before, () => after);
  const offset = marked.indexOf('$0');
  if (offset < 0) throw new Error('no $0');
  const text = marked.replace('$0', '');
  const analysis = await analyseTexts({ ...FILES, [name]: text });
  return { analysis, file: `/lineage/${name}`, offset, text };
}

/** Places as `file: line`, with the place between « and ». */
export function shown(
  analysis: Analysis,
  places: readonly { readonly file: string; readonly start: number; readonly end: number }[],
): string[] {
  return places.map(({ file, start, end }) => {
    const text = analysis.text(file);
    const from = text.lastIndexOf('\n', start - 1) + 1;
    const to = text.indexOf('\n', end);
    const marked = `${text.slice(from, start)}«${text.slice(start, end)}»${text.slice(end, to)}`;
    return `${file.replace('/lineage/', '')}: ${marked.trim()}`;
  });
}
