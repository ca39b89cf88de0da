/** A tree in the layout of SUSE's kernel-livepatch, written for these tests. */

export const TEMPLATE = `/* The module around the fixes. */
#include <linux/livepatch.h>
#include <linux/module.h>

@@KLP_PATCHES_INCLUDES@@

static struct klp_object tables[] = {
	@@KLP_PATCHES_OBJS@@,
};

static struct klp_patch cumulative = {
	.mod = THIS_MODULE,
	.objs = tables,
	.replace = true,
};

static int __init cumulative_init(void)
{
	int retval;

	@@KLP_PATCHES_INIT_CALLS@@;

#ifndef KLP_NOREG_API
	retval = klp_register_patch(&cumulative);
	if (retval)
		goto undo;
#endif
	retval = klp_enable_patch(&cumulative);
	if (!retval)
		return 0;
#ifndef KLP_NOREG_API
undo:
#endif
	@@KLP_PATCHES_INIT_ERR_HANDLERS@@;
	return retval;
}

static void __exit cumulative_exit(void)
{
	@@KLP_PATCHES_CLEANUP_CALLS@@;
}

module_init(cumulative_init);
module_exit(cumulative_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;

/** What one fix of a tree is made of. */
export interface FixParts {
  /** Rows of its patched_funcs.csv. */
  readonly rows: string;
  /** The C of its one .c file behind the includes. */
  readonly body: string;
  /** Its header says that it has an init and a cleanup of its own. */
  readonly init?: boolean;
}

/** The files of one fix, below `folder`. */
export function fix(folder: string, name: string, { rows, body, init }: FixParts): Record<string, string> {
  const declared = init
    ? `int livepatch_${name}_init(void);\nvoid livepatch_${name}_cleanup(void);\n`
    : `static inline int livepatch_${name}_init(void) { return 0; }\nstatic inline void livepatch_${name}_cleanup(void) {}\n`;
  const functions = [...body.matchAll(/^(?!static|struct)(\w[\w ]*?\**)(klpp_\w+)\(([^)]*)\)/gm)];
  const prototypes = functions.map(([, type, fn, args]) => `${type}${fn}(${args});\n`).join('');
  return {
    [`${folder}${name}/Kbuild.inc`]: '',
    [`${folder}${name}/patched_funcs.csv`]: rows,
    [`${folder}${name}/livepatch_${name}.h`]: `#ifndef ${name}_H\n#define ${name}_H\n${declared}${prototypes}#endif\n`,
    [`${folder}${name}/livepatch_${name}.c`]: `#include <linux/kernel.h>\n#include "livepatch_${name}.h"\n\n${body}`,
  };
}

/** A function of the kernel that a fix replaces by one that does nothing more. */
export function replacement(name: string): string {
  return `int klpp_${name}(int argument)\n{\n\tif (argument < 0)\n\t\treturn -EINVAL;\n\treturn argument;\n}\n`;
}

/** A count in a shadow variable that init raises and cleanup lowers: whoever comes first makes it, the last one frees it. */
export function sharedCount(name: string, id: number, first = '', last = ''): string {
  return `#include <linux/livepatch.h>
#include <linux/slab.h>

struct ${name}_shared {
	unsigned long users;
};

static struct ${name}_shared *${name}_shared;

static int ${name}_begin(void *obj, void *data, void *unused)
{
	memset(data, 0, sizeof(struct ${name}_shared));
	return 0;
}

int livepatch_${name}_init(void)
{
	int ret = 0;

	mutex_lock(&module_mutex);
	${name}_shared = klp_shadow_get_or_alloc(NULL, ${id}, sizeof(*${name}_shared), GFP_KERNEL,
						 ${name}_begin, NULL);
	if (!${name}_shared) {
		ret = -ENOMEM;
		goto out;
	}
	if (!${name}_shared->users) {
${first}	}
	++${name}_shared->users;
out:
	mutex_unlock(&module_mutex);
	return ret;
}

void livepatch_${name}_cleanup(void)
{
	mutex_lock(&module_mutex);
	--${name}_shared->users;
	if (!${name}_shared->users) {
${last}		klp_shadow_free(NULL, ${id}, NULL);
	}
	${name}_shared = NULL;
	mutex_unlock(&module_mutex);
}
`;
}

/** A manifest of versions in folders `v1/`, `v2/`, …, each a whole tree. */
export function manifest(versions: readonly string[], more = ''): string {
  const entries = versions.map(
    (status, i) =>
      `  - { version: v${i + 1}, module: livepatch_${i + 1}_1, sources: v${i + 1}, status: ${status} }\n`,
  );
  return `lineage: l\nkernel: "6.1"\nversions:\n${entries.join('')}${more}`;
}
