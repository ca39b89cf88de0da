import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { panelModel } from '../../server/src/features/panel';
import type { PanelDeeds, PanelTransition } from '../../server/src/features/panel-model';
import { panelTransition } from '../../server/src/features/panel-transition';
import { analyseFolder, analyseTexts } from '../support/project';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');

async function told(from: string, to: string, v3 = ''): Promise<PanelTransition> {
  const versions = ['v1', 'v2', ...(v3 === '' ? [] : ['v3'])];
  const analysis = await analyseTexts({
    'livepatch.yaml': `lineage: x\nkernel: "6.1"\nversions:\n${versions.map((name) => `  - { version: ${name}, module: m_${name}, sources: ${name}.c }\n`).join('')}`,
    'v1.c': source('', ''),
    'v2.c': V2,
    'v3.c': v3,
  });
  const transition = panelTransition(analysis, from, to, String);
  if (transition === null) throw new Error(`no transition from ${from} to ${to}`);
  return transition;
}

/** A cumulative livepatch of vmlinux with these functions and callbacks. */
function source(code: string, callbacks: string): string {
  return `
#include <linux/livepatch.h>
${code}
static int livepatch_f(void) { return 0; }
static struct klp_func funcs[] = { { .old_name = "f", .new_func = livepatch_f, }, { } };
static struct klp_object objs[] = { { .funcs = funcs, .callbacks = { ${callbacks} }, }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true, };
static int fixes_init(void) { return klp_enable_patch(&patch); }
static void fixes_exit(void) { }
module_init(fixes_init);
module_exit(fixes_exit);
MODULE_INFO(livepatch, "Y");
`;
}

/** Two files, of which the second may fail: then the first is taken back. */
const V2 = source(
  `
static struct dentry *one, *two;
static int make(struct klp_object *obj)
{
	one = debugfs_create_dir("one", NULL); /* one */
	two = debugfs_create_dir("two", NULL); /* two */
	if (IS_ERR(two)) {
		debugfs_remove(one);
		return PTR_ERR(two);
	}
	return 0;
}
static void take_back(struct klp_object *obj)
{
	debugfs_remove(one); /* away */
}`,
  '.pre_patch = make, .post_unpatch = take_back,',
);

/** `v2 pre_patch: makes debugfs directory one <post_unpatch> [double-application]` */
function lines(callbacks: readonly PanelDeeds[]): string[] {
  return callbacks.map(({ version, callback, deeds }) => {
    const words = deeds.map(({ does, key, certainty, undoneBy, left }) => {
      const undo = does === 'makes' ? ` <${undoneBy.map((one) => one.callback).join()}>` : '';
      return `${does} ${key}${certainty === 'may' ? '?' : ''}${undo}${left === null ? '' : ` [${left}]`}`;
    });
    return `${version} ${callback}: ${words.join('; ')}`;
  });
}

describe('what the callbacks of a transition do', () => {
  test('each side effect has who undoes it, and what the transition leaves it as', async () => {
    // A directory that is there already cannot be made again (-EEXIST).
    expect(lines((await told('v2', 'v1')).callbacks)).toEqual([
      'v2 pre_patch: makes one <post_unpatch> [double-application]; makes two <> [double-application]',
      'v2 post_unpatch: undoes one',
    ]);
    // On the way there nothing is left that would not be there anyway.
    expect(lines((await told('none', 'v2')).callbacks)).toEqual([
      'v2 pre_patch: makes one <post_unpatch>; makes two <> [double-application]',
      'v2 post_unpatch: undoes one',
    ]);
  });

  test('what another version made is undone in the run of both', async () => {
    const v3 = source(
      `static void clean(struct klp_object *obj) { debugfs_remove(debugfs_lookup("one", NULL)); }
static void quiet(struct klp_object *obj) { }`,
      '.post_patch = clean, .pre_unpatch = quiet,',
    );
    expect(lines((await told('v2', 'v3', v3)).callbacks)).toEqual([
      'v2 pre_patch: makes one <post_unpatch>; makes two <> [double-application]',
      'v2 post_unpatch: undoes one',
      'v3 post_patch: undoes one',
      'v3 pre_unpatch: ',
    ]);
  });

  test('what only another way through the code does is not certain', async () => {
    const v3 = source(
      `static int make(struct klp_object *obj)
{
	if (num_online_cpus() > 4)
		debugfs_create_dir("many", NULL);
	return 0;
}`,
      '.pre_patch = make,',
    );
    const [pre] = (await told('none', 'v3', v3)).callbacks;
    expect(pre?.deeds.map(({ key, certainty }) => [key, certainty])).toEqual([['many', 'may']]);
  });

  test('init and exit are told where they do something', async () => {
    const v3 = source(
      `static struct dentry *own;
#define klp_enable_patch(p) (own = debugfs_create_dir("own", NULL), klp_enable_patch(p))`,
      '',
    ).replace('fixes_exit(void) { }', 'fixes_exit(void) { debugfs_remove(own); }');
    expect(lines((await told('none', 'v3', v3)).callbacks)).toEqual([
      'v3 init: makes own <exit>',
      'v3 exit: undoes own',
    ]);
  });

  test('every name leads to its line', async () => {
    const line = (mark: string): number => V2.split('\n').findIndex((text) => text.includes(mark)) + 1;
    const [pre, post] = (await told('v2', 'v1')).callbacks;
    expect(pre?.source?.line).toBe(line('static int make('));
    expect(pre?.deeds.map((deed) => deed.source?.line)).toEqual([line('/* one */'), line('/* two */')]);
    expect(pre?.deeds[0]?.undoneBy[0]?.source?.line).toBe(line('/* away */'));
    expect(post?.source?.line).toBe(line('static void take_back('));
  });
});

describe('the moments of a transition', () => {
  test('tasks are somewhere at each of them, and what completion does belongs to it', async () => {
    const analysis = await analyseFolder(`${EXAMPLE}/livepatch.yaml`, EXAMPLE);
    const transition = panelTransition(analysis, 'v2', 'v1', String);
    const tasks = transition?.lanes.find((lane) => lane.k === 'tasks');
    const spans = tasks?.k === 'tasks' ? tasks.spans : [];
    expect(spans.map(({ state, label }) => [state, label])).toEqual([
      ['old-code', 'in kernel code'],
      ['mixed', 'moving'],
      ['old-code', "in v2's code"],
      ['mixed', 'moving'],
      ['new-code', "in v1's code"],
    ]);
    // No moment is left out, none is told twice.
    let next = 0;
    for (const { first, last } of spans) {
      expect(first).toBe(next);
      next = last + 1;
    }
    expect(next).toBe(transition?.moments.length);
    const moved = transition?.moments.findLastIndex(({ title }) => title.startsWith('all tasks have moved'));
    const skipped = transition?.lanes
      .flatMap((lane) => (lane.k === 'callbacks' ? lane.marks : []))
      .find((mark) => mark.state === 'skipped');
    expect(skipped).toMatchObject({ callback: 'post_unpatch', moment: moved });
    expect(transition?.log.findLast(({ text }) => text.endsWith('patching complete'))?.moment).toBe(moved);
    expect(spans.at(-1)?.first).toBe(moved);
  });

  test('without a transition tasks stay where they are', async () => {
    const refused = await told(
      'none',
      'v3',
      source('', '').replace('return klp_enable_patch(&patch)', 'return -22'),
    );
    expect(refused.lanes.find((lane) => lane.k === 'tasks')).toMatchObject({
      spans: [{ first: 0, last: refused.moments.length - 1, state: 'old-code', label: 'in kernel code' }],
    });
  });
});

test('each cell of the matrix says what is known of its rehearsal', async () => {
  const analysis = await analyseFolder(`${EXAMPLE}/livepatch.yaml`, EXAMPLE);
  const seen = { release: '6.1.0-1', when: '2026-01-02T03:04:05.000Z', same: true, crash: null };
  const model = panelModel(analysis, String, null, (steps) => (steps.length === 1 ? seen : null));
  expect(model.matrix.map(({ from, to, rehearsed }) => [from, to, rehearsed])).toEqual([
    ['none', 'v1', seen],
    ['none', 'v2', seen],
    ['v1', 'v2', null],
    ['v2', 'v1', null],
  ]);
});
