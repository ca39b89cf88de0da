import { expect, test } from 'vitest';
import { transitionJson } from '../../server/src/cli/json';
import { Places } from '../../server/src/core/places';
import type { Analysis } from '../../server/src/features/analysis';
import { analyseTexts } from '../support/project';
import { fix, manifest, replacement, sharedCount, TEMPLATE } from './tree';

const MAKE = '\t\tproc_mkdir("acme", NULL);\n';
const REMOVE = '\t\tremove_proc_entry("acme", NULL);\n';

/** v2's work in init hangs on no count, and v3 has dropped a fix. */
const WORK = `int livepatch_bsc2_init(void)\n{\n${MAKE}\treturn 0;\n}\n\nvoid livepatch_bsc2_cleanup(void)\n{\n${REMOVE}}\n`;
const NONE = 'int livepatch_bsc2_init(void) { return 0; }\nvoid livepatch_bsc2_cleanup(void) {}\n';
const BODIES = [sharedCount('bsc2', 77), WORK, NONE];

const ONE = replacement('do_one') + replacement('two');

function suse(): Record<string, string> {
  const files: Record<string, string> = {};
  BODIES.forEach((body, i) => {
    const folder = `v${i + 1}/`;
    Object.assign(files, {
      [`${folder}livepatch_main.c`]: TEMPLATE,
      ...fix(folder, 'bsc1', { rows: 'vmlinux do_one klpp_do_one\nnet_mod two,2 klpp_two\n', body: ONE }),
      ...fix(folder, 'bsc2', {
        rows: 'vmlinux do_two klpp_do_two\n',
        body: replacement('do_two') + body,
        init: true,
      }),
    });
  });
  return files;
}

const HAND_WRITTEN = `#include <linux/livepatch.h>
#include <linux/module.h>

int klpp_do_one(int);
int klpp_two(int);
int klpp_do_two(int);
int livepatch_bsc2_init(void);
void livepatch_bsc2_cleanup(void);

static struct klp_func kernel_funcs[] = {
	{ .old_name = "do_one", .new_func = klpp_do_one },
	{ .old_name = "do_two", .new_func = klpp_do_two },
	{ }
};

static struct klp_func net_funcs[] = {
	{ .old_name = "two", .new_func = klpp_two, .old_sympos = 2 },
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = kernel_funcs },
	{ .name = "net_mod", .funcs = net_funcs },
	{ }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };

static int __init begin(void)
{
	int retval = livepatch_bsc2_init();

	if (retval)
		return retval;
	retval = klp_enable_patch(&patch);
	if (retval)
		livepatch_bsc2_cleanup();
	return retval;
}

static void __exit end(void)
{
	livepatch_bsc2_cleanup();
}

module_init(begin);
module_exit(end);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;

function handWritten(): Record<string, string> {
  const files: Record<string, string> = {};
  BODIES.forEach((body, i) => {
    files[`v${i + 1}/main.c`] = HAND_WRITTEN;
    files[`v${i + 1}/bsc1.c`] = `#include <linux/kernel.h>\n${ONE}`;
    files[`v${i + 1}/bsc2.c`] = `#include <linux/kernel.h>\n${replacement('do_two')}${body}`;
  });
  return files;
}

function told(analysis: Analysis): unknown {
  const nowhere = new Places(
    () => '',
    () => '',
  );
  const placed = new Set(['file', 'start', 'end', 'line', 'column', 'endLine', 'endColumn']);
  const facts = analysis.lineage.versions.map(({ facts: it }) => ({
    objects: it?.patch?.objects?.map(({ name, functions, callbacks }) => ({
      name,
      functions: functions?.map(({ old, new: by, sympos }) => [old, by, sympos]),
      callbacks,
    })),
    replace: it?.patch?.replace,
    states: it?.patch?.states,
    enables: it?.enables,
    shadow: it?.shadow.map(({ id, api, function: by, size }) => [id, api, by, size]),
    calls: it?.calls
      .map(({ callee, function: by, reachedFrom }) => [callee, by, reachedFrom].join(' '))
      .filter((call) => !call.startsWith('klp_'))
      .sort(),
  }));
  const findings = analysis.findings().map(({ code, severity, certainty, message, versions, run }) => ({
    code,
    severity,
    certainty,
    message: message.replace(/[\w/.]+\.c:\d+/g, ''),
    versions,
    run,
  }));
  const matrix = analysis.transitions.all().map((it) => transitionJson(it, analysis.transitions, nowhere));
  return JSON.parse(
    JSON.stringify({ facts, findings, matrix }, (key, value: unknown) =>
      placed.has(key) ? undefined : value,
    ),
  );
}

test('a lineage of hand-written modules and the same in the suse layout are told alike', async () => {
  const text = manifest(['released', 'faulty', 'draft']);
  const inTree = await analyseTexts({ 'livepatch.yaml': text, ...suse() });
  const byHand = await analyseTexts({ 'livepatch.yaml': text, ...handWritten() });
  expect(inTree.lineage.versions.map(({ dialect }) => dialect)).toEqual(['suse', 'suse', 'suse']);
  expect(byHand.lineage.versions.map(({ dialect }) => dialect)).toEqual(['module', 'module', 'module']);
  expect(byHand.findings().length).toBeGreaterThan(0);
  expect(byHand.lineage.versions[0]?.facts?.shadow.length).toBeGreaterThan(0);
  expect(told(inTree)).toEqual(told(byHand));
});
