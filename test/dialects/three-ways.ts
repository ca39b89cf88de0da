import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** One version of a lineage, said once: how it is written follows from the dialect. */
export interface VersionParts {
  /** C that is added to kernel/acme_sys.c, with `OBJECT` for the type of the callbacks' argument. */
  readonly sys?: string;
  /** C that is added to drivers/acme/acme_core.c. */
  readonly core?: string;
  /** Statement that acme_sys_limit() gets. */
  readonly limit?: string;
  /** Statement that acme_open() gets. */
  readonly open?: string;
  /** Callbacks by kind, of vmlinux and of acme. */
  readonly callbacks?: Readonly<Record<string, string>>;
  readonly moduleCallbacks?: Readonly<Record<string, string>>;
}

const SYS = `// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/acme.h>

static int acme_calls = 3;
static DEFINE_MUTEX(acme_lock);

int acme_before(int n)
{
	return n + 1;
}

int acme_sys_limit(int n)
{
	int limit = 10;

	if (n < 0)
		return -EINVAL;
	mutex_lock(&acme_lock);
	acme_calls++;
	mutex_unlock(&acme_lock);
	if (n > limit) {
		pr_debug("limited\\n");
		n = limit;
	}

	/* THE-LIMIT */
	return n;
}

int acme_after(int n)
{
	return n - 1;
}

static int acme_sys_init(void)
{
	return 0;
}
late_initcall(acme_sys_init);
`;

const CORE = `// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include "acme.h"

static int acme_open(struct acme *acme, int flags)
{
	struct acme_queue *queue;

	queue = acme_queue_of(acme);
	if (!queue)
		return -ENODEV;
	/* THE-OPEN */
	acme_queue_start(queue, flags);

	return 0;
}

static int __init acme_init(void)
{
	return acme_register(acme_open);
}

module_init(acme_init);
MODULE_LICENSE("GPL");
`;

/** The part of a kernel tree that the lineages patch: acme.ko of two files, and a file that is built in. */
export const TREE: Readonly<Record<string, string>> = {
  'kernel/acme_sys.c': SYS,
  'kernel/Makefile': 'obj-y := acme_sys.o\n',
  'drivers/acme/acme_core.c': CORE,
  'drivers/acme/Kbuild': 'obj-$(CONFIG_ACME) += acme.o\nacme-y := acme_core.o acme_queue.o\n',
};
export const CONFIG = 'CONFIG_ACME=m\n';

function grown(
  text: string,
  mark: string,
  statement: string | undefined,
  include: string,
  added: string,
): string {
  const more =
    statement === undefined ? text : text.replace(`\t/* ${mark} */\n`, `\t/* ${mark} */\n${statement}`);
  if (added === '') return more;
  const at = more.indexOf('\nstatic int ', more.indexOf('THE-')) + 1;
  const withInclude = include === '' ? more : more.replace('\n\nstatic', `\n${include}\n\nstatic`);
  const shift = withInclude.length - more.length;
  return withInclude.slice(0, at + shift) + added + withInclude.slice(at + shift);
}

function macros(tool: 'KPATCH' | 'KLP', callbacks: Readonly<Record<string, string>> = {}): string {
  return Object.entries(callbacks)
    .map(([kind, name]) => `${tool}_${kind.toUpperCase()}_CALLBACK(${name});\n`)
    .join('');
}

/** The version as a diff made by git, with so many lines of context. */
export function asDiff(parts: VersionParts, tool: 'KPATCH' | 'KLP', context = 3): string {
  const object = tool === 'KPATCH' ? 'patch_object' : 'struct klp_object';
  const include = tool === 'KPATCH' ? '#include "kpatch-macros.h"' : '#include <linux/livepatch_helpers.h>';
  const own = (code: string | undefined, callbacks: Readonly<Record<string, string>> | undefined): string =>
    code === undefined && callbacks === undefined
      ? ''
      : `${(code ?? '').replaceAll('OBJECT', object)}${macros(tool, callbacks)}\n`;
  return gitDiff(
    {
      'kernel/acme_sys.c': grown(SYS, 'THE-LIMIT', parts.limit, include, own(parts.sys, parts.callbacks)),
      'drivers/acme/acme_core.c': grown(
        CORE,
        'THE-OPEN',
        parts.open,
        include,
        own(parts.core, parts.moduleCallbacks),
      ),
    },
    context,
  );
}

/** What git says about these texts in the place of those of the tree. */
export function gitDiff(after: Readonly<Record<string, string>>, context = 3, before = TREE): string {
  const folder = mkdtempSync(join(tmpdir(), 'three-ways-'));
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
    });
  try {
    git('init', '-q');
    for (const texts of [before, after]) {
      for (const [name, text] of Object.entries(texts)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      if (texts === before) git('add', '-A');
    }
    git('add', '-A', '-N');
    return git('diff', `-U${context}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The tree with diffs applied by the program that the tools use. Throws with its words where they do not apply. */
export function applied(diffs: readonly string[], before = TREE): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'three-ways-'));
  try {
    for (const [name, text] of Object.entries(before)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    for (const diff of diffs)
      execFileSync('patch', ['-N', '-p1', '--no-backup-if-mismatch', '-F0'], { cwd: folder, input: diff });
    return Object.fromEntries(
      Object.keys(before).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The version as a module written by hand. */
export function asModule(parts: VersionParts): string {
  const callbacks = (list: Readonly<Record<string, string>> = {}): string =>
    Object.entries(list)
      .map(([kind, name]) => `.callbacks.${kind} = ${name}, `)
      .join('');
  const core = parts.open !== undefined || parts.core !== undefined || parts.moduleCallbacks !== undefined;
  const sys = parts.limit !== undefined || parts.sys !== undefined || parts.callbacks !== undefined;
  const body = (text: string, name: string, mark: string, statement = ''): string => {
    const start = text.lastIndexOf('\n', text.indexOf(`${name}(`)) + 1;
    return text
      .slice(start, text.indexOf('\n}\n', start) + 3)
      .replace(`${name}(`, `klpp_${name}(`)
      .replace(`\t/* ${mark} */\n`, statement);
  };
  return `#include <linux/livepatch.h>
#include <linux/module.h>

extern int acme_calls;
extern struct mutex acme_lock;
${parts.limit === undefined ? '' : body(SYS, 'acme_sys_limit', 'THE-LIMIT', parts.limit)}
${parts.open === undefined ? '' : body(CORE, 'acme_open', 'THE-OPEN', parts.open)}
${(parts.sys ?? '').replaceAll('OBJECT', 'struct klp_object')}
${(parts.core ?? '').replaceAll('OBJECT', 'struct klp_object')}
static struct klp_func sys_funcs[] = {
${parts.limit === undefined ? '' : '\t{ .old_name = "acme_sys_limit", .new_func = klpp_acme_sys_limit },\n'}	{ }
};
static struct klp_func acme_funcs[] = {
${parts.open === undefined ? '' : '\t{ .old_name = "acme_open", .new_func = klpp_acme_open },\n'}	{ }
};
static struct klp_object objs[] = {
${core ? `\t{ .name = "acme", .funcs = acme_funcs, ${callbacks(parts.moduleCallbacks)}},\n` : ''}${sys ? `\t{ .funcs = sys_funcs, ${callbacks(parts.callbacks)}},\n` : ''}	{ }
};
static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = true,
};
static int __init m_init(void)
{
	return klp_enable_patch(&patch);
}
static void __exit m_exit(void)
{
}
module_init(m_init);
module_exit(m_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

/** The files of a lineage, v1, v2, …, in a dialect. */
export function lineageIn(
  dialect: 'module' | 'kpatch' | 'klp-build',
  versions: readonly VersionParts[],
  context = 3,
  kernel = dialect === 'kpatch' ? '6.1' : '6.19',
): Record<string, string> {
  const extension = dialect === 'module' ? 'c' : 'patch';
  const entries = versions.map(
    (_, i) => `  - version: v${i + 1}\n    module: m_v${i + 1}\n    sources: v${i + 1}/a.${extension}\n`,
  );
  const files: Record<string, string> = {
    'livepatch.yaml': `lineage: l\nkernel: { release: "${kernel}", tree: tree, config: tree/.config }\nversions:\n${entries.join('')}`,
    'tree/.config': CONFIG,
  };
  for (const [name, text] of Object.entries(TREE)) files[`tree/${name}`] = text;
  for (const [i, parts] of versions.entries())
    files[`v${i + 1}/a.${extension}`] =
      dialect === 'module'
        ? asModule(parts)
        : asDiff(parts, dialect === 'kpatch' ? 'KPATCH' : 'KLP', context);
  return files;
}
