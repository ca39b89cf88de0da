/**
 * Small lineages of this project's own writing, one for each way a cleanup version can find what a faulty one left:
 * v1 is good, v2 is v1 and something that only its own unpatch callbacks undo. All patch a function of `story_target`.
 */

/** A piece of a livepatch: code, and the statements it adds to the callbacks of vmlinux. */
interface Piece {
  readonly includes?: readonly string[];
  readonly code?: string;
  readonly pre_patch?: string;
  readonly post_patch?: string;
  readonly pre_unpatch?: string;
  readonly post_unpatch?: string;
  /** Statements of the target's callbacks. */
  readonly target?: { readonly post_patch?: string; readonly post_unpatch?: string };
  /** `{ .id = 1, .version = 1 },` */
  readonly state?: string;
}

export interface StoryLineage {
  readonly title: string;
  readonly v1: string;
  readonly v2: string;
  readonly values?: ReadonlyMap<string, string>;
  /** What a probe says on an untouched kernel, with v1 enabled, and with v2's effect alone added. */
  readonly untouched: string;
  readonly own: string;
  readonly leftByV2: string;
  /** What v2 itself says while it lives, of a module that comes. */
  readonly notified?: string;
  /** The verdict of v1, v2, and v1 again. */
  readonly back: 'unsafe' | 'leaves' | 'refused';
  /** v1 has a file of its own and v2 two more. */
  readonly files?: true;
  /** Ends badly in the kernel when somebody touches what is left. */
  readonly crashes?: true;
}

const CALLBACKS = ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'] as const;

/** A livepatch made of pieces; without any it has no object for vmlinux at all. */
function livepatch(...pieces: readonly Piece[]): string {
  const includes = new Set(['linux/kernel.h', 'linux/livepatch.h', 'linux/module.h']);
  for (const piece of pieces) for (const header of piece.includes ?? []) includes.add(header);
  const states = pieces.flatMap((piece) => piece.state ?? []);
  const kinds = CALLBACKS.filter((kind) => pieces.some((piece) => piece[kind] !== undefined));
  const onTarget = (['post_patch', 'post_unpatch'] as const).filter((kind) =>
    pieces.some((piece) => piece.target?.[kind] !== undefined),
  );
  const body = (lines: readonly (string | undefined)[]): string =>
    lines.flatMap((line) => (line === undefined ? [] : [`\t${line}\n`])).join('');
  const vmlinux = kinds.map((kind) =>
    kind === 'pre_patch'
      ? `static int story_pre_patch(struct klp_object *obj)\n{\n${body(pieces.map((piece) => piece.pre_patch))}\treturn 0;\n}\n`
      : `static void story_${kind}(struct klp_object *obj)\n{\n${body(pieces.map((piece) => piece[kind]))}}\n`,
  );
  const target = onTarget.map(
    (kind) =>
      `static void target_${kind}(struct klp_object *obj)\n{\n${body(pieces.map((piece) => piece.target?.[kind]))}}\n`,
  );
  const table =
    kinds.length === 0
      ? ''
      : `\t{\n\t\t.funcs = no_funcs,\n\t\t.callbacks = {\n${kinds.map((kind) => `\t\t\t.${kind} = story_${kind},\n`).join('')}\t\t},\n\t},\n`;
  return `// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

${[...includes]
  .sort()
  .map((header) => `#include <${header}>\n`)
  .join('')}
static int fail;
module_param(fail, int, 0444);

static struct klp_patch patch;

${pieces.flatMap((piece) => piece.code ?? []).join('\n')}${pieces.some((piece) => piece.code) ? '\n' : ''}static int story_value(int value)
{
	return value + 100;
}

/* livepatch-ignore pre-patch-blocks-module: fail is set when the livepatch is loaded */
static int target_pre_patch(struct klp_object *obj)
{
	return fail;
}

${[...vmlinux, ...target].join('\n')}${vmlinux.length + target.length > 0 ? '\n' : ''}static struct klp_func target_funcs[] = {
	{
		.old_name = "story_target_value",
		.new_func = story_value,
	},
	{ }
};

${kinds.length > 0 ? 'static struct klp_func no_funcs[] = {\n\t{ }\n};\n\n' : ''}static struct klp_object objs[] = {
${table}	{
		.name = "story_target",
		.funcs = target_funcs,
		.callbacks = {
			.pre_patch = target_pre_patch,
${onTarget.map((kind) => `\t\t\t.${kind} = target_${kind},\n`).join('')}		},
	},
	{ }
};

${states.length > 0 ? `static struct klp_state states[] = {\n${states.map((state) => `\t${state}\n`).join('')}\t{ }\n};\n\n` : ''}static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
${states.length > 0 ? '\t.states = states,\n' : ''}	.replace = true,
};

static int __init story_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit story_exit(void)
{
}

module_init(story_init);
module_exit(story_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("A livepatch of a story");
`;
}

/** A value that is kept in a state, handed over and restored, as system-state.rst asks for. */
function heldValue(id: number, variable: string, value: number, name: string): Piece {
  return {
    includes: ['linux/highuid.h', 'linux/slab.h'],
    code: `static int ${name}_prepare(void)
{
	struct klp_state *state = klp_get_state(&patch, ${id});

	if (klp_get_prev_state(${id}))
		return 0;

	state->data = kzalloc(sizeof(int), GFP_KERNEL);
	return state->data ? 0 : -ENOMEM;
}

static void ${name}_apply(void)
{
	struct klp_state *state = klp_get_state(&patch, ${id});
	struct klp_state *prev = klp_get_prev_state(${id});

	if (prev) {
		state->data = prev->data;
		return;
	}

	*(int *)state->data = ${variable};
	${variable} = ${value};
}

static void ${name}_revert(void)
{
	struct klp_state *state = klp_get_state(&patch, ${id});

	${variable} = *(int *)state->data;
}

static void ${name}_free(void)
{
	struct klp_state *state = klp_get_state(&patch, ${id});

	if (klp_get_prev_state(${id}))
		return;

	kfree(state->data);
	state->data = NULL;
}
`,
    pre_patch: `int ret = ${name}_prepare();\n\n\tif (ret)\n\t\treturn ret;\n`,
    post_patch: `${name}_apply();`,
    pre_unpatch: `${name}_revert();`,
    post_unpatch: `${name}_free();`,
    state: `{ .id = ${id}, .version = 1 },`,
  };
}

const OWN_VALUE = heldValue(100, 'overflowuid', 4321, 'own');

/** v2's notifier; the address of its block lies in the state's data. */
const NOTIFIER: Piece = {
  includes: ['linux/notifier.h'],
  code: `static int seen_event(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == MODULE_STATE_LIVE)
		pr_info("saw a module\\n");
	return NOTIFY_OK;
}

static struct notifier_block seen_nb = {
	.notifier_call = seen_event,
};
`,
  post_patch: 'klp_get_state(&patch, 7)->data = &seen_nb;\n\tregister_module_notifier(&seen_nb);',
  pre_unpatch: 'unregister_module_notifier(&seen_nb);',
  state: '{ .id = 7, .version = 3 },',
};

/** One shadow variable that follows its livepatch, found again by its id. */
const OWN_SHADOW: Piece = {
  includes: ['linux/slab.h'],
  post_patch:
    'if (!klp_shadow_get_or_alloc(NULL, 0x10, sizeof(int), GFP_KERNEL, NULL, NULL))\n\t\tpr_warn("no shadow\\n");',
  pre_unpatch: 'klp_shadow_free(NULL, 0x10, NULL);',
};

/** v2's shadow variables, with memory behind them; one comes with the target. */
const SHADOWS: Piece = {
  code: `#define LEFT_ID 0x20

struct left {
	void *buffer;
};

static int left_ctor(void *obj, void *shadow_data, void *ctor_data)
{
	struct left *left = shadow_data;

	left->buffer = ctor_data;
	return 0;
}

static void left_dtor(void *obj, void *shadow_data)
{
	struct left *left = shadow_data;

	kfree(left->buffer);
}

static void left_attach(void *obj)
{
	klp_shadow_get_or_alloc(obj, LEFT_ID, sizeof(struct left), GFP_KERNEL, left_ctor, NULL);
}
`,
  post_patch: 'left_attach(NULL);',
  pre_unpatch: 'klp_shadow_free_all(LEFT_ID, left_dtor);',
  target: {
    post_patch: 'left_attach(&patch);',
    post_unpatch: 'klp_shadow_free(&patch, LEFT_ID, left_dtor);',
  },
};

/** A file that every version makes anew in the place of the one before. */
const OWN_FILE: Piece = {
  includes: ['linux/debugfs.h'],
  code: 'static u32 own_level = 7;\n',
  post_patch:
    'debugfs_lookup_and_remove("story_own", NULL);\n\tdebugfs_create_u32("story_own", 0444, NULL, &own_level);',
  pre_unpatch: 'debugfs_lookup_and_remove("story_own", NULL);',
};

/** v2's folder with a file in it, and a file in /sys/kernel. */
const FILES: Piece = {
  includes: ['linux/kobject.h', 'linux/sysfs.h'],
  code: `static struct dentry *left_dir;
static u32 left_count = 3;

static ssize_t left_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "left\\n");
}

static struct kobj_attribute left_attribute = {
	.attr = { .name = "story_left", .mode = 0444 },
	.show = left_show,
};
`,
  pre_patch:
    'int ret = sysfs_create_file(kernel_kobj, &left_attribute.attr);\n\n\tif (ret)\n\t\treturn ret;\n',
  post_patch:
    'left_dir = debugfs_create_dir("story_left", NULL);\n\tdebugfs_create_u32("count", 0444, left_dir, &left_count);',
  pre_unpatch: 'debugfs_remove(left_dir);',
  post_unpatch: 'sysfs_remove_file(kernel_kobj, &left_attribute.attr);',
};

/** v2 changes a value and tells nobody what stood there. */
const BLUNT: Piece = {
  includes: ['linux/highuid.h'],
  code: 'static int saved_gid;\n',
  post_patch: 'saved_gid = overflowgid;\n\toverflowgid = 4242;',
  pre_unpatch: 'overflowgid = saved_gid;',
};

const QUIET = { own: 'uid 65534 gid 65534 shadow 0 0' };

export const STORIES: readonly StoryLineage[] = [
  {
    title: 'a pointer that its state hands over',
    v1: livepatch(OWN_VALUE),
    v2: livepatch(OWN_VALUE, NOTIFIER),
    untouched: QUIET.own,
    own: 'uid 4321 gid 65534 shadow 0 0',
    leftByV2: 'uid 4321 gid 65534 shadow 0 0',
    notified: 'saw a module',
    back: 'refused',
  },
  {
    title: 'shadow variables with a destructor',
    v1: livepatch(OWN_SHADOW),
    v2: livepatch(OWN_SHADOW, SHADOWS),
    untouched: QUIET.own,
    own: 'uid 65534 gid 65534 shadow 1 0',
    leftByV2: 'uid 65534 gid 65534 shadow 1 1',
    back: 'leaves',
  },
  {
    title: 'names that are looked up',
    v1: livepatch(OWN_FILE),
    v2: livepatch(OWN_FILE, FILES),
    untouched: QUIET.own,
    own: QUIET.own,
    leftByV2: QUIET.own,
    back: 'unsafe',
    files: true,
    crashes: true,
  },
  {
    title: 'a value from the data that its state hands over',
    v1: livepatch(),
    v2: livepatch(heldValue(5, 'overflowgid', 4242, 'left')),
    untouched: QUIET.own,
    own: QUIET.own,
    leftByV2: 'uid 65534 gid 4242 shadow 0 0',
    back: 'refused',
  },
  {
    title: 'a value that the author gives',
    v1: livepatch(),
    v2: livepatch(BLUNT),
    values: new Map([['overflowgid', '65534']]),
    untouched: QUIET.own,
    own: QUIET.own,
    leftByV2: 'uid 65534 gid 4242 shadow 0 0',
    back: 'leaves',
  },
];

/** The module whose function they patch. */
export const STORY_TARGET = `#include <linux/module.h>

int story_target_value(int value);

noinline __noclone int story_target_value(int value)
{
	return value + 1;
}

static int __init target_init(void)
{
	return 0;
}

static void __exit target_exit(void)
{
}

module_init(target_init);
module_exit(target_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Target of a story");
`;

/** Says what is there: both values, and how many shadow variables of v1 and of v2 hang on NULL. */
export const STORY_PROBE = `#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/highuid.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static int __init probe_init(void)
{
	pr_info("uid %d gid %d shadow %d %d\\n", overflowuid, overflowgid,
		klp_shadow_get(NULL, 0x10) != NULL, klp_shadow_get(NULL, 0x20) != NULL);
	return 0;
}

static void __exit probe_exit(void)
{
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Looks at what a story left");
`;
