import { expect, test } from 'vitest';
import { findingJson, runJson, transitionJson } from '../../server/src/cli/json';
import { run } from '../../server/src/core/lineage/run';
import { parseSteps } from '../../server/src/core/manifest/steps';
import { nextVersion } from '../../server/src/core/scaffold/next-version';
import { codeLenses } from '../../server/src/features/code-lens';
import { completions } from '../../server/src/features/completion';
import { hover } from '../../server/src/features/hover';
import { inlayHints } from '../../server/src/features/inlay-hints';
import { definition, references } from '../../server/src/features/navigation';
import { panelModel } from '../../server/src/features/panel';
import { panelTransition } from '../../server/src/features/panel-transition';
import { rename } from '../../server/src/features/rename';
import { runbookDocument } from '../../server/src/features/runbook-answer';
import { scaffoldAnswer } from '../../server/src/features/scaffold-answer';
import { manifestSymbols } from '../../server/src/features/symbols';
import { placesOf } from '../../server/src/host/places-of';
import { projectOfTexts } from '../support/project';

/**
 * A thing that is called as JavaScript's objects call what they inherit is a thing like any other: everything said of it
 * is what is said of one with another name of the same length and order.
 */
const TWINS = [
  ['__proto__', '__protp__'],
  ['constructor', 'constructos'],
  ['toString', 'toStrinh'],
] as const;

/** Everything in a lineage that somebody names, by what it is. */
const NAMES = {
  lineage: 'demo',
  old: 'v1',
  new: 'v2',
  oldModule: 'demo_v1',
  newModule: 'demo_v2',
  target: 'nf_tables',
  scenario: 'upgrade',
  parameter: 'level',
  define: 'CONFIG_DEMO',
  switch: 'CONFIG_NET',
  does: 'acme_register',
  undoes: 'acme_unregister',
  patched: 'info_show',
  fresh: 'demo_info_show',
  pre: 'demo_pre_patch',
  post: 'demo_post_unpatch',
  variable: 'file',
  struct: 'kept',
  field: 'entry',
  inner: 'inner',
  macro: 'LOUD_STATE',
  constant: 'NOTE_ID',
  local: 'before',
  helper: 'prepare',
  label: 'out',
  unknown: 'not_declared',
  table: 'funcs',
  path: 'demo',
} as const;
type Slot = keyof typeof NAMES;

function texts(names: Readonly<Record<Slot, string>>): Record<string, string> {
  const source = (version: 1 | 2): string => `#include <linux/debugfs.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#define ${names.macro} 7
enum { ${names.constant} = 0x51 };
struct ${names.struct} { struct dentry *${names.field}; int n; };
static struct ${names.struct} ${names.variable};
struct two { struct { int a; } ${names.inner}; };
static struct two both = { .${names.inner} = { .a = 1 } };
static struct klp_patch patch;
static int ${names.parameter};
module_param(${names.parameter}, int, 0644);
#ifdef ${names.define}
int off;
#endif
static int ${names.helper}(int n) { return ${names.unknown}(n); }
static int ${names.pre}(struct klp_object *obj)
{
	struct klp_state *${names.local} = klp_get_prev_state(${names.macro});

	if (${names.local})
		goto ${names.label};
	if (${names.helper}(${names.parameter}))
		${names.variable}.n++;
	${names.variable}.${names.field} = debugfs_create_file("${names.path}", 0444, NULL, NULL, NULL);
	${names.does}(&${names.variable});
	klp_shadow_alloc(obj, ${names.constant}, 8, GFP_KERNEL, NULL, NULL);
${names.label}:
	return 0;
}
static void ${names.post}(struct klp_object *obj)
{
	debugfs_remove(${names.variable}.${names.field});
	klp_shadow_free_all(${names.constant}, NULL);
	klp_get_state(&patch, ${names.macro})->data = NULL;
}
static int ${names.fresh}(struct seq_file *m, void *v)
{
	return ${version};
}
static struct klp_func ${names.table}[] = { { .old_name = "${names.patched}", .new_func = ${names.fresh} }, { } };
static struct klp_object objs[] = {
	{ .funcs = ${names.table}, .callbacks = { .pre_patch = ${names.pre}, .post_unpatch = ${names.post} } },
	{ .name = "${names.target}", .funcs = ${names.table} },
	{ }
};
static struct klp_state states[] = { { .id = ${names.macro}, .version = ${version} }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = true };
static int start(void) { return klp_enable_patch(&patch); }
module_init(start);
MODULE_INFO(livepatch, "Y");
MODULE_LICENSE("GPL");
`;
  return {
    'livepatch.yaml': `lineage: ${names.lineage}
kernel: { release: "6.1", config: config }
versions:
  - { version: ${names.old}, module: ${names.oldModule}, sources: v1.c, status: faulty, params: { ${names.parameter}: "2" } }
  - { version: ${names.new}, module: ${names.newModule}, sources: v2.c, restores: ${names.old}, defines: { ${names.define}: y } }
targets: [${names.target}]
effects: [{ do: ${names.does}, undo: ${names.undoes}, key: pointer, argument: 1, fails: errno }]
scenarios: [{ name: ${names.scenario}, steps: ["load ${names.target}", "load ${names.old} ${names.parameter}=3", "load ${names.new}"], expect: clean }]
`,
    config: `${names.switch}=y\n`,
    'v1.c': source(1),
    'v2.c': source(2),
  };
}

/** Everything that is said of a lineage, as a text. */
async function said(names: Readonly<Record<Slot, string>>, names_: readonly string[]): Promise<string> {
  const { project } = await projectOfTexts(texts(names));
  const analysis = project.analyse();
  const places = placesOf(project);
  const uri = (file: string): string => `file://${file}`;
  const { lineage, transitions } = analysis;
  const steps = parseSteps(
    `load ${names.target}; load ${names.old}; set ${names.old} ${names.parameter}=4; fail ${names.old} ${names.does}; load ${names.new}; unload ${names.oldModule}; unload ${names.target}`,
  ).steps.map((step) => step.value);
  const answers: unknown[] = [
    analysis.findings().map((it) => findingJson(it, places)),
    transitions.all().map((it) => transitionJson(it, transitions, places)),
    runJson(run(lineage, steps), places),
    panelModel(analysis, uri),
    panelTransition(analysis, names.old, names.new, uri),
    scaffoldAnswer(analysis, names.new, [names.old], 'v9'),
    nextVersion(analysis, { from: names.new, as: 'v9', out: null }),
    runbookDocument(analysis, names.old, names.new, places),
    manifestSymbols(analysis),
  ];
  for (const name of ['livepatch.yaml', 'v2.c']) {
    const file = `/lineage/${name}`;
    const text = analysis.text(file);
    answers.push(codeLenses(analysis, file), inlayHints(analysis, file, { start: 0, end: text.length }));
    // Every place where something may be typed between braces.
    for (let at = text.indexOf('{'); at >= 0; at = text.indexOf('{', at + 1))
      answers.push(completions(analysis, file, at + 1), completions(analysis, file, at + 2));
    for (const word of names_)
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
        answers.push(
          hover(analysis, file, at + 1),
          definition(analysis, file, at + 1),
          references(analysis, file, at + 1, true),
          completions(analysis, file, at + 2),
          rename(analysis, file, at + 1, 'renamed'),
        );
  }
  return JSON.stringify(answers, (_, value: unknown) => (value instanceof Map ? [...value] : value), 1);
}

test.each(
  TWINS.flatMap(([name, twin]) => (Object.keys(NAMES) as Slot[]).map((slot) => [name, slot, twin] as const)),
)('%s as the name of what is here called %s', async (name, slot, twin) => {
  const told = await said({ ...NAMES, [slot]: name }, [name]);
  const other = await said({ ...NAMES, [slot]: twin }, [twin]);
  expect(told.length).toBeGreaterThan(5_000);
  // Generated names are in small letters, and Markdown escapes underscores.
  const [stem = '', replacement = ''] = [name, twin].map((it) => it.replaceAll('_', ''));
  const translated = told
    .replaceAll(stem, replacement)
    .replaceAll(stem.toLowerCase(), replacement.toLowerCase());
  expect(translated.split('\n')).toEqual(other.split('\n'));
});
