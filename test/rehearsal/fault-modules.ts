import type { ModuleSource } from '../../server/src/host/rehearsal/modules';

/** Modules that go wrong in one way each. */

function moduleOf(name: string, body: string, init: string, exit = ''): ModuleSource {
  const text = `#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>

${body}
static int __init ${name}_init(void)
{
	pr_info("${name}: init\\n");
${init}
	return 0;
}

static void __exit ${name}_exit(void)
{
${exit}}

module_init(${name}_init);
module_exit(${name}_exit);
MODULE_LICENSE("GPL");
`;
  return { name, sources: [{ file: `${name}.c`, text }] };
}

export const plainModule = (name: string): ModuleSource => moduleOf(name, '', '');

export const panicking = moduleOf('fm_panic', '', '\tpanic("asked for");');

export const hanging = moduleOf('fm_hang', '', '\tfor (;;)\n\t\tcpu_relax();');

/** Leaves a debugfs file behind whose functions are gone with it. */
export const leaving = moduleOf(
  'fm_leave',
  `static int value_show(struct seq_file *m, void *v)
{
	seq_puts(m, "value\\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(value);
`,
  '\tdebugfs_create_file("fm_value", 0444, NULL, NULL, &value_fops);',
);

export const broken = moduleOf(
  'fm_broken',
  'static int wrong(void)\n{\n\treturn nothing;\n}\n',
  '\twrong();',
);

export const unresolved = moduleOf(
  'fm_unresolved',
  'int nowhere_defined(void);\n',
  '\treturn nowhere_defined();',
);

/** Fine, but W=1 has something to say. */
export const warned = moduleOf('fm_warned', 'int no_prototype(void)\n{\n\treturn 1;\n}\n', '');
