import { expect, test } from 'vitest';
import type { Lineage } from '../../server/src/core/lineage/lineage';
import { Search } from '../../server/src/core/lineage/search';
import { worstTrial } from '../../server/src/core/lineage/trial';
import { formatStep } from '../../server/src/core/manifest/steps';
import { takeoverLineage } from '../bench/lineages';
import { projectOfTexts } from '../support/project';

async function lineageOf(texts: Readonly<Record<string, string>>): Promise<Lineage> {
  return (await projectOfTexts(texts)).project.analyse().lineage;
}

/** A version that registers a notifier of its own and unregisters it when it is disabled, and only then. */
function notifierVersion(name: string): string {
  return `#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/reboot.h>
static int ${name}_reboot(struct notifier_block *nb, unsigned long code, void *p) { return 0; }
static struct notifier_block ${name}_nb = { .notifier_call = ${name}_reboot };
static void post_patch(struct klp_object *obj) { register_reboot_notifier(&${name}_nb); }
static void post_unpatch(struct klp_object *obj) { unregister_reboot_notifier(&${name}_nb); }
static struct klp_func funcs[] = { { .old_name = "f", .new_func = ${name}_reboot }, { } };
static struct klp_object objs[] = {
	{ .funcs = funcs, .callbacks = { .post_patch = post_patch, .post_unpatch = post_unpatch } }, { }
};
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int __init lp_init(void) { return klp_enable_patch(&patch); }
static void __exit lp_exit(void) { }
module_init(lp_init);
module_exit(lp_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

function notifierLineage(count: number): Record<string, string> {
  const texts: Record<string, string> = {};
  const versions: string[] = [];
  for (let n = 1; n <= count; n++) {
    texts[`v${n}.c`] = notifierVersion(`v${n}`);
    versions.push(`  - { version: v${n}, module: lp_v${n}, sources: v${n}.c }`);
  }
  texts['livepatch.yaml'] = `lineage: notifiers\nkernel: "6.1"\nversions:\n${versions.join('\n')}\n`;
  return texts;
}

// Where all is taken over, a version stands there with what it made itself, or with what some version that is gone made:
// 2n states and the clean kernel.
test.each([5, 10, 20])('states are linear in the versions: %i that take everything over', async (n) => {
  const result = new Search().run(await lineageOf(takeoverLineage(n, 2)));
  expect(result.states).toBe(2 * n + 1);
  // From the clean kernel: n loads, each also reversed, forced and with a failing allocation. From each other state:
  // n - 1 loads, each also reversed, and forced from the first state with that version on top; two ways to disable.
  expect(result.trials.length).toBe(4 * n + n * (3 * (n - 1) + 2) + n * (2 * (n - 1) + 2));
  expect(result.exhausted).toBeNull();
  expect(result.trials.filter((trial) => trial.dangers.length + trial.leftovers.length > 0)).toEqual([]);
});

/** As `takeoverLineage`, and no version does quite what another does. */
function differingLineage(count: number, size: number): Record<string, string> {
  return Object.fromEntries(
    Object.entries(takeoverLineage(count, size)).map(([name, text]) => [
      name,
      text.replace('"space for the level', `"${name}: space for the level`),
    ]),
  );
}

test('an edit in a callback re-runs what leads to the version and out of the states that it made', async () => {
  const n = 6;
  const texts = differingLineage(n, 2);
  const { project, files } = await projectOfTexts(texts);
  const search = new Search();
  const before = search.run(project.analyse().lineage);
  expect(search.tried).toBe(before.trials.length);

  const edited = (texts['v4.c'] ?? '').replace('"level taken over\\n"', '"the level is taken over\\n"');
  files.write('/lineage/v4.c', edited);
  const after = search.run(project.analyse().lineage);
  expect(after.trials.length).toBe(before.trials.length);
  const expected = after.trials.filter((trial) =>
    trial.steps.some((step) => 'name' in step && step.name === 'v4'),
  ).length;
  // Out of the two states with v4 on top, and into it: four ways from the clean kernel, and from the 2(n - 1) other
  // states a load, a reversed load, and from half of them a forced one.
  expect(expected).toBe(3 * (n - 1) + 2 + (2 * (n - 1) + 2) + 4 + 5 * (n - 1));
  expect(search.tried).toBe(before.trials.length + expected);
});

test('an edit that changes nothing in what is reached re-runs nothing', async () => {
  const texts = takeoverLineage(4, 2);
  const { project, files } = await projectOfTexts(texts);
  const search = new Search();
  const first = project.analyse().lineage;
  const result = search.run(first);
  const { tried } = search;
  expect(search.run(first).trials).toEqual(result.trials);
  files.write('/lineage/v2.c', `/* a comment that moves every line */\n\n${texts['v2.c']}`);
  const second = project.analyse().lineage;
  expect(second).not.toBe(first);
  expect(search.run(second).states).toBe(result.states);
  expect(search.tried).toBe(tried);
});

test('a search that used kept results finds what a new one finds', async () => {
  const texts = takeoverLineage(5, 2);
  const { project, files } = await projectOfTexts(texts);
  const search = new Search();
  search.run(project.analyse().lineage);
  // v3 forgets what it was handed.
  files.write('/lineage/v3.c', (texts['v3.c'] ?? '').replace('state->data = prev->data;', ''));
  const lineage = project.analyse().lineage;
  const summary = (result: ReturnType<Search['run']>): string[] =>
    result.trials.map((trial) => `${trial.steps.map(formatStep).join('; ')}: ${trial.word}`);
  const kept = summary(search.run(lineage));
  expect(kept).toEqual(summary(new Search().run(lineage)));
  expect(kept.some((line) => !line.endsWith(': clean') && !line.endsWith(': refused'))).toBe(true);
});

test('the shortest way to a fault is told', async () => {
  const result = new Search().run(await lineageOf(notifierLineage(4)));
  // Shorter ways are tried before longer ones.
  const starts = result.trials.map((trial) => trial.steps.length - trial.own);
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
  // v2's notifier stays behind whatever was there before v2: no history is needed to show it.
  const worst = worstTrial(result, 'v2', 'v3');
  expect(worst?.word).toBe('unsafe');
  expect(worst?.steps.map(formatStep)).toEqual(['load v2', 'load v3', 'unload v2']);
  expect(worst?.dangers.map((danger) => danger.kind)).toContain('dangling-pointer');
});

test('a search that ends early says so', async () => {
  const lineage = await lineageOf(takeoverLineage(5, 2));
  const states = new Search({ states: 4, transitions: 1_000 }).run(lineage);
  expect(states.states).toBe(4);
  expect(states.exhausted).toBe('the search was ended after 4 states');
  const transitions = new Search({ states: 1_000, transitions: 30 }).run(lineage);
  expect(transitions.exhausted).toBe('the search was ended after 30 transitions');
  expect(transitions.trials.length).toBeLessThan(30 + 2 * 5 * 3);
});

/** A version for a target module whose post_patch does `what` whenever the module comes. */
function targetVersion(what: string): Record<string, string> {
  return {
    'livepatch.yaml':
      'lineage: l\nkernel: "6.1"\nversions: [{ version: v1, module: lp_v1, sources: v1.c }]\ntargets: [e1000]\n',
    'v1.c': notifierVersion('v1')
      .replace('{ .funcs = funcs,', '{ .name = "e1000", .funcs = funcs,')
      .replace('{ register_reboot_notifier(&v1_nb); }', `{ ${what} }`)
      .replace('{ unregister_reboot_notifier(&v1_nb); }', '{ }')
      .replace('static void post_patch', 'static int comings;\nstatic void post_patch'),
  };
}

test('a callback that counts how often its module came does not make states for ever', async () => {
  const result = new Search().run(await lineageOf(targetVersion('comings++;')));
  expect(result.exhausted).toBe(
    'ways on which a target module is loaded more than 4 times were not followed',
  );
  expect(result.states).toBeLessThan(40);
});

test('a callback that forgets nothing is searched to the end', async () => {
  const result = new Search().run(await lineageOf(targetVersion('comings = 1;')));
  expect(result.exhausted).toBe(null);
});

test('a search whose callbacks take too many statements says so, at the same place each time', async () => {
  const limits = { states: 1_000, transitions: 1_000, steps: 50_000 };
  const text = targetVersion('int i; for (i = 0; i < 9000; i++) comings = i;');
  const search = new Search(limits);
  const first = search.run(await lineageOf(text));
  expect(first.exhausted).toBe('the search was ended after 50000 statements of callbacks');
  expect(first.trials.length).toBeGreaterThan(0);
  const again = search.run(await lineageOf(text));
  expect(again.trials.length).toBe(first.trials.length);
  expect(again.exhausted).toBe(first.exhausted);
});
