import { expect, test } from 'vitest';
import { run, steps } from '../../server/src/core/lineage/run';
import type { Finding } from '../../server/src/rules/rule';
import { FOLDER, VALUE } from './effects';
import { check, type LivepatchParts, lineage, livepatch, manifest } from './fixture';

/**
 * A target module whose work item sleeps for ever in a function that the versions patch: every transition stays
 * pending while it is loaded, and the kernel refuses the next version. What the versions leave behind is told all the
 * same, by runs without that module.
 */

const TARGET = `//- acme.c
#include <linux/module.h>
#include <linux/workqueue.h>
#include <linux/delay.h>
static bool block = true;
static void acme_work(struct work_struct *work)
{
  while (READ_ONCE(block))
    msleep(20);
}
static DECLARE_WORK(work, acme_work);
int acme_open(int n)
{
  return n;
}
static int a_init(void)
{
  schedule_work(&work);
  return 0;
}
static void a_exit(void)
{
  WRITE_ONCE(block, false);
  flush_work(&work);
}
module_init(a_init);
module_exit(a_exit);
MODULE_LICENSE("GPL");
`;

const SOURCES = 'targets:\n  - { module: acme, sources: acme.c }\n';

/** The same livepatch with a second object: the function of acme in which its work item sleeps, or one that it is not in. */
function patching(fn: 'acme_work' | 'acme_open', parts: LivepatchParts): string {
  const callbacks = parts.callbacks === undefined ? '' : `\n    .callbacks = {\n${parts.callbacks}\n    },`;
  return livepatch({
    ...parts,
    body: `${parts.body ?? ''}
static void klpp_acme_work(struct work_struct *work) { }
static struct klp_func acme_funcs[] = {
  { .old_name = "${fn}", .new_func = klpp_${fn} },
  { }
};`,
    objects: `  {\n    .funcs = funcs,${callbacks}\n  },\n  {\n    .name = "acme",\n    .funcs = acme_funcs,\n  },`,
  });
}

const versions = (fn: 'acme_work' | 'acme_open', ...parts: readonly LivepatchParts[]): string[] =>
  parts.map((it) => patching(fn, it));

/** A lineage with the stalling target, its sources known or not. */
const text = (statuses: string[], sources: string[], end = SOURCES): string =>
  `${lineage(manifest(statuses, { end }), ...sources)}${end.includes('acme.c') ? TARGET : ''}`;

const codes = (findings: readonly Finding[]): string[] => findings.map((finding) => finding.code);
const brief = (findings: readonly Finding[]): string[] =>
  findings.map(
    (it) => `${it.code} ${it.severity} ${it.place.file}:${it.place.start} ${it.run?.join('; ') ?? ''}`,
  );

const LEFT = ['released', 'draft'];

test('the pair is refused while the target is there', async () => {
  const { project } = await check(text(LEFT, versions('acme_work', VALUE, {})));
  const { transitions, lineage: read } = project.analyse();
  const [v1, v2] = read.versions;
  if (!v1 || !v2) throw new Error('two versions');
  expect(transitions.transition(v1, v2).run.verdict.word).toBe('refused');
  const { outcomes } = run(read, steps('load acme', 'load v1', 'load v2'));
  expect(outcomes.map((outcome) => outcome.result)).toEqual([0, 0, -16]);
});

test('what it leaves is told, with a run that shows it', async () => {
  const stalled = await check(text(LEFT, versions('acme_work', VALUE, {})));
  expect(codes(stalled.findings)).toContain('orphaned-side-effect');
  const finding = stalled.findings.find((it) => it.code === 'orphaned-side-effect');
  expect(finding?.run).toEqual(['load v1', 'load v2', 'unload v1']);
  const shown = run(stalled.project.analyse().lineage, steps(...(finding?.run ?? [])));
  expect(shown.verdict.word).toBe('leaves');
});

test.each([
  ['a value', VALUE, {}],
  ['a folder that both make', FOLDER, FOLDER],
  ['a value that both change', VALUE, VALUE],
])('%s: the same findings as where nothing is known of the target', async (_, first, second) => {
  const sources = versions('acme_work', first, second);
  const stalled = await check(text(LEFT, sources));
  const unread = await check(text(LEFT, sources, 'targets: [acme]\n'));
  expect(unread.findings.length).toBeGreaterThan(0);
  expect(brief(stalled.findings)).toEqual(brief(unread.findings));
});

test('nothing is told of versions that take over or undo', async () => {
  const { findings } = await check(text(LEFT, versions('acme_work', {}, {})));
  expect(codes(findings)).toEqual([]);
});

test('a way back that is open is not taken for closed because of the stall', async () => {
  // v3 undoes what v2 does, so that nothing is said against going back.
  const sources = versions('acme_work', {}, VALUE, {
    body: 'static void fix(struct klp_object *obj)\n{\n  console_loglevel = CONSOLE_LOGLEVEL_DEFAULT;\n}',
    callbacks: '      .post_patch = fix,',
  });
  const stalled = await check(text(['released', 'faulty', 'draft'], sources));
  const unread = await check(text(['released', 'faulty', 'draft'], sources, 'targets: [acme]\n'));
  expect(brief(stalled.findings)).toEqual(brief(unread.findings));
});

test('a target whose task stands elsewhere stays loaded: its callbacks are judged', async () => {
  const modules = (parts: LivepatchParts): string =>
    livepatch({
      ...parts,
      objects: `  {\n    .name = "acme",\n    .funcs = funcs,${parts.callbacks ? `\n    .callbacks = {\n${parts.callbacks}\n    },` : ''}\n  },`,
    });
  const { findings, project } = await check(text(LEFT, [modules(VALUE), modules({})]));
  expect(codes(findings)).toContain('orphaned-side-effect');
  const [v1, v2] = project.analyse().lineage.versions;
  if (!v1 || !v2) throw new Error('two versions');
  const patient = project.analyse().transitions.withoutStalls();
  expect(patient.transition(v1, v2).run.steps[0]).toMatchObject({ k: 'load', name: 'acme' });
});

test('a scenario is run as it is written', async () => {
  const scenario = (expected: string): string =>
    `${SOURCES}scenarios:\n  - { name: s, steps: [load acme, load v1, load v2], expect: ${expected} }\n`;
  const sources = versions('acme_work', {}, {});
  expect(codes((await check(text(LEFT, sources, scenario('refused')))).findings)).toEqual([]);
  expect(codes((await check(text(LEFT, sources, scenario('clean')))).findings)).toEqual(['scenario-failed']);
});

test('a chain that only the search sees', async () => {
  // v2 does not hand the pointer on that v1 gave it.
  const state = (body: string): LivepatchParts => ({
    body: `static struct klp_patch patch;\n${body}`,
    callbacks: '      .post_patch = take,',
    states: '  { .id = 5, .version = 1 },',
  });
  const keeps = state(`static void take(struct klp_object *obj)
{
  struct klp_state *prev = klp_get_prev_state(5);
  struct klp_state *own = klp_get_state(&patch, 5);
  own->data = prev ? prev->data : kzalloc(8, GFP_KERNEL);
  if (prev)
    *(int *)own->data = 1;
}`);
  const drops = state('static void take(struct klp_object *obj)\n{\n}');
  const sources = versions('acme_work', keeps, drops, keeps);
  const stalled = await check(text(['released', 'released', 'draft'], sources));
  const unread = await check(text(['released', 'released', 'draft'], sources, 'targets: [acme]\n'));
  expect(unread.findings.length).toBeGreaterThan(0);
  expect(brief(stalled.findings)).toEqual(brief(unread.findings));
});
