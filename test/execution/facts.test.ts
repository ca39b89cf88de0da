import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import type { LivepatchFacts, PatchFacts } from '../../server/src/core/execution/fact-types';
import { livepatchFacts } from '../../server/src/core/execution/facts';
import type { Place } from '../../server/src/core/place';
import { linuxSource } from '../support/linux-source';
import { programOf, startParser } from './machine-kit';

beforeAll(startParser);

const facts = (...texts: string[]): LivepatchFacts => livepatchFacts(programOf('m', ...texts));

function patchOf(...texts: string[]): PatchFacts {
  const { patch } = facts(...texts);
  if (!patch) throw new Error('no patch');
  return patch;
}

const at = (text: string, place: Place | null | undefined): string | null =>
  place ? text.slice(place.start, place.end) : null;

const ENABLE = 'static int __init m_init(void) { return klp_enable_patch(&patch); }\nmodule_init(m_init);\n';
const FUNCTIONS = `
static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = { { .old_name = "f", .new_func = klpp_f }, { } };
`;
const OBJECTS = 'static struct klp_object objs[] = { { .funcs = funcs }, { } };\n';

test('a livepatch as the documentation writes it', () => {
  const text = `
static int pre(struct klp_object *obj) { return 0; }
static void post(struct klp_object *obj) { }
static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = {
  { .old_name = "f", .new_func = klpp_f, .old_sympos = 2 },
  { }
};
static struct klp_object objs[] = {
  { .name = NULL, .funcs = funcs, .callbacks = { .pre_patch = pre, .post_unpatch = post } },
  { .name = "nf_tables", .funcs = funcs },
  { }
};
static struct klp_state states[] = { { .id = 7, .version = 3 }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = true };
static int __init m_init(void) { return klp_enable_patch(&patch); }
static void __exit m_exit(void) { }
module_init(m_init);
module_exit(m_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
  const found = facts(text);
  const patch = found.patch;
  expect(found.patches).toHaveLength(1);
  expect(patch).toMatchObject({ variable: 'patch', replace: true, complete: true, unterminated: [] });
  expect(at(text, patch?.place)).toBe('patch');
  expect(at(text, patch?.replacePlace)).toContain('true');
  expect(at(text, patch?.initialiser)).toMatch(/^\{ \.mod = .*\}$/);
  expect(patch?.mod.set).toBe(true);
  expect(patch?.objects?.map((object) => object.name)).toEqual([null, 'nf_tables']);
  expect(patch?.objects?.[0]?.functions).toMatchObject([{ old: 'f', new: 'klpp_f', sympos: 2 }]);
  expect(at(text, patch?.objects?.[0]?.functions?.[0]?.place)).toContain('.old_name = "f"');
  expect(patch?.objects?.[0]?.callbacks.map((it) => [it.callback, it.function])).toEqual([
    ['pre_patch', 'pre'],
    ['post_unpatch', 'post'],
  ]);
  expect(at(text, patch?.objects?.[0]?.callbacks[0]?.definition)).toBe('pre');
  expect(patch?.objects?.[0]?.callbacks[0]?.definition?.start).toBe(text.indexOf('pre('));
  expect(patch?.states.map(({ id, version }) => [id, version])).toEqual([[7, 3]]);
  expect(at(text, patch?.objectsPlace)).toContain('objs');
  expect(found).toMatchObject({
    enables: true,
    init: { name: 'm_init' },
    exit: { name: 'm_exit' },
    license: { text: 'GPL' },
  });
  expect(at(text, found.livepatchInfo)).toContain('livepatch');
  expect(found.complete).toBe(true);
});

describe('other ways to write the same tables', () => {
  const same = {
    replace: true,
    complete: true,
    unterminated: [],
    objects: [{ name: 'ext4', functions: [{ old: 'f', new: 'klpp_f', sympos: 1 }], callbacks: [] }],
    states: [{ id: 5, version: 1 }],
  };
  test.each([
    [
      'positional initialisers',
      `static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = { { "f", klpp_f, 1 }, { } };
static struct klp_object objs[] = { { "ext4", funcs }, { } };
static struct klp_state states[] = { { 5, 1 }, { } };
static struct klp_patch patch = { THIS_MODULE, objs, states, true };
${ENABLE}`,
    ],
    [
      'compound literals',
      `static int klpp_f(void) { return 0; }
static struct klp_patch patch = {
  .mod = THIS_MODULE, .replace = true,
  .objs = (struct klp_object[]) { { .name = "ext4", .funcs = (struct klp_func[]) {
    { .old_name = "f", .new_func = klpp_f, .old_sympos = 1 }, { } } }, { } },
  .states = (struct klp_state[]) { { .id = 5, .version = 1 }, { } },
};
${ENABLE}`,
    ],
    [
      'macros, enumerators and a stringified name',
      `#define REPLACES true
#define FN(name, pos) { .old_name = __stringify(name), .new_func = klpp_##name, .old_sympos = pos }
enum { FIRST = 4, FIVE };
static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = { FN(f, 1), { } };
static struct klp_object objs[] = { [0] = { .name = "ext" "4", .funcs = funcs }, [1] = { } };
static struct klp_state states[] = { { .id = FIVE, .version = FIVE - FIRST }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = REPLACES };
${ENABLE}`,
    ],
    [
      'assignments in init',
      `static int klpp_f(void) { return 0; }
static struct klp_func funcs[2];
static struct klp_object objs[] = { { .name = "ext4", .funcs = funcs }, { } };
static struct klp_state states[2];
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
static int m_init(void)
{
  int i;
  funcs[0].old_name = "f";
  funcs[0].new_func = klpp_f;
  funcs[0].old_sympos = 1;
  for (i = 0; i < ARRAY_SIZE(states) - 1; i++) {
    states[i].id = 5;
    states[i].version = 1;
  }
  patch.states = states;
  patch.replace = true;
  return klp_enable_patch(&patch);
}
module_init(m_init);`,
    ],
    [
      'a branch of the preprocessor inside the table',
      `static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = {
#if 0
  { .old_name = "gone", .new_func = klpp_f },
#else
  { .old_name = "f", .new_func = klpp_f, .old_sympos = 1 },
#endif
  { } };
static struct klp_patch patch;
static struct klp_object objs[] = { { .name = "ext4", .funcs = funcs }, { } };
static struct klp_state states[] = { { .id = 5, .version = 1 }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = true };
${ENABLE}`,
    ],
  ])('%s', (_name, text) => {
    expect(patchOf(text)).toMatchObject(same);
  });
});

describe('.replace', () => {
  test('is false where nobody writes it', () => {
    const patch = patchOf(
      `${FUNCTIONS}${OBJECTS}static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };\n${ENABLE}`,
    );
    expect(patch).toMatchObject({ replace: false, replacePlace: null });
  });

  test('is undecided where a parameter decides, and the assignment is its place', () => {
    const text = `${FUNCTIONS}${OBJECTS}
static bool replace;
module_param(replace, bool, 0644);
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
static int m_init(void) { patch.replace = replace; return klp_enable_patch(&patch); }
module_init(m_init);`;
    const found = facts(text);
    expect(found.patch).toMatchObject({ replace: null, complete: true });
    expect(at(text, found.patch?.replacePlace)).toContain('patch.replace = replace');
    expect(found.parameters).toMatchObject([{ name: 'replace', variable: 'replace' }]);
  });
});

describe('arrays without their end', () => {
  test.each([
    ['functions', '{ .old_name = "f", .new_func = klpp_f }', '{ .funcs = funcs }, { }', '{ .id = 1 }, { }'],
    ['objects', '{ .old_name = "f", .new_func = klpp_f }, { }', '{ .funcs = funcs }', '{ .id = 1 }, { }'],
    ['states', '{ .old_name = "f", .new_func = klpp_f }, { }', '{ .funcs = funcs }, { }', '{ .id = 1 }'],
  ])('%s', (array, functions, objects, states) => {
    const text = `
static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = { ${functions} };
static struct klp_object objs[] = { ${objects} };
static struct klp_state states[] = { ${states} };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states };
${ENABLE}`;
    const patch = patchOf(text);
    const name = { functions: 'funcs', objects: 'objs', states: 'states' }[array];
    expect(patch.unterminated.map((it) => [it.array, it.name])).toEqual([[array, name]]);
    expect(at(text, patch.unterminated[0]?.place)).toBe(name);
    expect(patch.objects).toHaveLength(1);
    expect(patch.states).toHaveLength(1);
  });
});

test('what stands behind the end of a table, or in it, is no part of it, and is noted', () => {
  const text = `
static int klpp_f(void) { return 0; }
static void on(struct klp_object *obj) { }
static struct klp_func funcs[] = { { }, { .new_func = klpp_f }, { "g", klpp_f } };
static struct klp_object objs[4] = { { .name = "ext4", .funcs = funcs }, { .callbacks.post_patch = on }, { "x" } };
static struct klp_state states[] = { { .id = 7 }, { .version = 2 }, { }, { .id = 8 }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states };
${ENABLE}`;
  const patch = patchOf(text);
  expect(patch.objects?.map(({ name, functions }) => [name, functions])).toEqual([['ext4', []]]);
  expect(patch.states.map(({ id }) => id)).toEqual([7]);
  expect(patch.unseen.map(({ place, ...it }) => [it.array, it.what, it.name, at(text, place)])).toEqual([
    ['objects', 'callbacks', 'objs', '{ .callbacks.post_patch = on }'],
    ['functions', 'behind', 'funcs', '{ .new_func = klpp_f }'],
    ['states', 'behind', 'states', '{ .id = 8 }'],
  ]);
  expect(patch.complete).toBe(true);
  expect(patch.settled).toBe(true);
});

test('a name that is NULL is none, and a table that code may have filled is not settled', () => {
  const text = `
static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = { { .new_func = klpp_f }, { .old_sympos = 1 }, { } };
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
${ENABLE}`;
  const patch = patchOf(text);
  expect(patch.objects?.[0]?.functions?.map((it) => [it.old, it.new, it.sympos])).toEqual([
    ['', 'klpp_f', 0],
    ['', '', 1],
  ]);
  expect([patch.complete, patch.settled, patch.unseen]).toEqual([true, true, []]);
  for (const before of ['acme_fill(funcs);', 'if (acme_late()) return -1;', 'while (!acme_late()) ;'])
    expect(
      patchOf(text.replace('return klp_enable_patch', `${before} return klp_enable_patch`)).settled,
    ).toBe(false);
  const assigned = patchOf(
    text.replace('return klp_enable_patch', 'funcs[0].old_name = "f"; return klp_enable_patch'),
  );
  expect([assigned.settled, assigned.objects?.[0]?.functions?.[0]?.old]).toEqual([true, 'f']);
});

test('an element that cannot be evaluated does not end the array', () => {
  const patch = patchOf(`
static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = {
  { .old_name = vendor_name(f), .new_func = klpp_f },
  { .old_name = "g", .new_func = klpp_f },
  { }
};
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
${ENABLE}`);
  expect(patch.complete).toBe(false);
  expect(patch.objects?.[0]?.functions?.map((entry) => entry.new)).toEqual(['klpp_f', 'klpp_f']);
  expect(patch.objects?.[0]?.functions?.[1]?.old).toBe('g');
  expect(patch.unterminated).toEqual([]);
});

test('a state id that no header at hand resolves is its name', () => {
  const patch = patchOf(`${FUNCTIONS}${OBJECTS}
static struct klp_state states[] = { { .id = ACME_STATE_ID, .version = 1 }, { .id = OTHER_ID, .version = ACME_VERSION }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states };
${ENABLE}`);
  expect(patch.states.map(({ id, version }) => [id, version])).toEqual([
    ['ACME_STATE_ID', 1],
    ['OTHER_ID', null],
  ]);
});

test('a table without functions is empty, one that is not set is absent', () => {
  const patch = patchOf(`
static struct klp_func no_funcs[] = { { } };
static struct klp_object objs[] = { { .name = "a", .funcs = no_funcs }, { .name = "b" }, { } };
static struct klp_patch patch = { .objs = objs };
${ENABLE}`);
  expect(patch.objects?.map((object) => object.functions)).toEqual([[], null]);
  expect(patch.mod).toEqual({ set: false, place: null });
  expect(patchOf(`static struct klp_patch patch = { .mod = THIS_MODULE };\n${ENABLE}`).objects).toBeNull();
});

test('tables and functions from another file of the module', () => {
  const found = facts(
    `extern struct klp_func funcs[];
static int klpp_local(void) { return 1; }
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
${ENABLE}`,
    `static int klpp_local(void) { return 2; }
struct klp_func funcs[] = { { .old_name = "f", .new_func = klpp_local }, { } };`,
  );
  expect(found.patch?.objects?.[0]?.functions).toMatchObject([{ old: 'f', new: 'klpp_local' }]);
  expect(found.patch?.objects?.[0]?.functions?.[0]?.place.file).toBe('m1.c');
});

test('of several patches the one that init enables is the patch', () => {
  const found = facts(`${FUNCTIONS}${OBJECTS}
static struct klp_patch spare = { .mod = THIS_MODULE, .objs = objs };
static struct klp_patch real = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int m_init(void) { return klp_enable_patch(&real); }
module_init(m_init);`);
  expect(found.patches.map((patch) => patch.variable)).toEqual(['spare', 'real']);
  expect(found.patch?.variable).toBe('real');
});

test('whether init enables a patch', () => {
  const tables = `${FUNCTIONS}${OBJECTS}static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };\n`;
  const via = `${tables}static int go(void) { return klp_enable_patch(&patch); }
static int m_init(void) { int ret = go(); if (ret) pr_err("no\\n"); return ret; }
module_init(m_init);`;
  expect(facts(via).enables).toBe(true);
  expect(facts(`${tables}static int m_init(void) { return 0; }\nmodule_init(m_init);`).enables).toBe(false);
  expect(facts(tables)).toMatchObject({ enables: false, init: null, patch: { variable: 'patch' } });
  expect(facts(`${tables}module_init(elsewhere_init);`).enables).toBeNull();
});

test('a module that is no livepatch has no patch', () => {
  const found = facts(
    'static int m_init(void) { return 0; }\nmodule_init(m_init);\nMODULE_LICENSE("Proprietary");',
  );
  expect(found).toMatchObject({
    patches: [],
    patch: null,
    livepatchInfo: null,
    license: { text: 'Proprietary' },
  });
});

test('who reaches a call: callbacks, patched functions, work, timers, threads, init and exit', () => {
  const text = `
static void helper(void) { synchronize_rcu(); }
static void work_fn(struct work_struct *w) { msleep(1); }
static void late_fn(struct work_struct *w) { udelay(1); }
static void timer_fn(struct timer_list *t) { wake_up(&q); }
static int thread_fn(void *p) { schedule(); return 0; }
static int event(struct notifier_block *nb, unsigned long a, void *p) { return kobject_uevent(0, 0); }
static struct notifier_block nb = { .notifier_call = event };
static DECLARE_WORK(late, late_fn);
static struct work_struct work;
static struct timer_list timer;
static int opened(void *p);
static int klpp_f(void) { helper(); return 0; }
static int pre(struct klp_object *o) { acme_ops.open = opened; INIT_WORK(&work, work_fn); schedule_work(&late); helper(); return 0; }
static void post(struct klp_object *o) { timer_setup(&timer, timer_fn, 0); kthread_run(thread_fn, NULL, "t"); register_reboot_notifier(&nb); }
static struct klp_func funcs[] = { { .old_name = "f", .new_func = klpp_f }, { } };
static struct klp_object objs[] = { { .funcs = funcs, .callbacks = { .pre_patch = pre, .post_patch = post } }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
${ENABLE}
static void m_exit(void) { helper(); }
module_exit(m_exit);
static int opened(void *p) { touch_nmi_watchdog(); return 0; }
static void unused(void) { dump_stack(); }`;
  const from = (callee: string): readonly string[] | undefined =>
    facts(text).calls.find((call) => call.callee === callee)?.reachedFrom;
  expect(from('synchronize_rcu')).toEqual(['exit', 'patched', 'pre_patch']);
  expect(from('msleep')).toEqual(['work']);
  expect(from('udelay')).toEqual(['work']);
  expect(from('wake_up')).toEqual(['timer']);
  expect(from('schedule')).toEqual(['thread']);
  expect(from('kobject_uevent')).toEqual(['event']);
  expect(from('touch_nmi_watchdog')).toEqual(['event']);
  expect(from('register_reboot_notifier')).toEqual(['post_patch']);
  expect(from('klp_enable_patch')).toEqual(['init']);
  expect(from('dump_stack')).toEqual([]);
});

test('a function that stores its own address is read like any other', () => {
  const found = facts(
    'static struct acme ops; static int self(void) { ops.f = self; acme_call(); return 0; } module_init(self);',
  );
  expect(found.calls).toMatchObject([{ callee: 'acme_call', reachedFrom: ['event', 'init'] }]);
});

test('shadow variables: id, size, function and place', () => {
  const text = `
#define SHADOW_ID(bug, id) ((bug) << 6 | (id))
struct acme { long a; int b; };
static int klpp_f(void *p)
{
  struct acme *s = klp_shadow_get_or_alloc(p, SHADOW_ID(2, 1), sizeof(*s), GFP_KERNEL, NULL, NULL);
  return s ? 0 : -ENOMEM;
}
static void gone(void *p) { klp_shadow_free(p, ACME_SHADOW, NULL); klp_shadow_free_all(0x81, NULL); }`;
  const uses = facts(text).shadow;
  expect(uses.map(({ id, api, function: name, size }) => [id, api, name, size])).toEqual([
    // 2 << 6 | 1 = 129; long and int take 16 bytes.
    ['0x81', 'klp_shadow_get_or_alloc', 'klpp_f', 16],
    ['ACME_SHADOW', 'klp_shadow_free', 'gone', null],
    ['0x81', 'klp_shadow_free_all', 'gone', null],
  ]);
  expect(at(text, uses[1]?.place)).toContain('klp_shadow_free');
});

test('ten thousand functions are read in order', () => {
  const count = 10_000;
  const rows = Array.from({ length: count }, (_, i) => `{ .old_name = "f${i}", .new_func = klpp_f },`).join(
    '\n',
  );
  const text = `static int klpp_f(void) { return 0; }
static struct klp_func funcs[] = {\n${rows}\n{ } };
${OBJECTS}static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };\n${ENABLE}`;
  const functions = patchOf(text).objects?.[0]?.functions;
  expect(functions).toHaveLength(count);
  expect(functions?.[9_999]?.old).toBe('f9999');
});

describe("the kernel's own livepatches", () => {
  async function kernelFacts(file: string): Promise<LivepatchFacts | null> {
    const tree = await linuxSource();
    if (tree === null) return null;
    const read = (path: string): string | undefined => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    };
    const path = join(tree, file);
    const provider = { text: read, resolve: (name: string, from: string) => join(from, '..', name) };
    const unit = openUnit(path, provider, { defines: {}, kernelRelease: '6.1.192' }, new CSource());
    return livepatchFacts({ name: 'm', units: [unit] });
  }
  const ALL = ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'];

  // Values read from the sources by eye.
  test.each([
    ['lib/livepatch/test_klp_atomic_replace.c', null, [[null, 1, []]], []],
    [
      'lib/livepatch/test_klp_callbacks_demo.c',
      false,
      [
        [null, 0, ALL],
        ['test_klp_callbacks_mod', 0, ALL],
        ['test_klp_callbacks_busy', 1, ALL],
      ],
      [],
    ],
    ['lib/livepatch/test_klp_callbacks_demo2.c', null, [[null, 0, ALL]], []],
    ['lib/livepatch/test_klp_livepatch.c', false, [[null, 1, []]], []],
    ['lib/livepatch/test_klp_state.c', true, [[null, 0, ALL]], [[1, 1]]],
    ['lib/livepatch/test_klp_state2.c', true, [[null, 0, ALL]], [[1, 2]]],
    ['lib/livepatch/test_klp_state3.c', true, [[null, 0, ALL]], [[1, 2]]],
    [
      'samples/livepatch/livepatch-callbacks-demo.c',
      false,
      [
        [null, 0, ALL],
        ['livepatch_callbacks_mod', 0, ALL],
        ['livepatch_callbacks_busymod', 1, ALL],
      ],
      [],
    ],
    ['samples/livepatch/livepatch-sample.c', false, [[null, 1, []]], []],
    ['samples/livepatch/livepatch-shadow-fix1.c', false, [['livepatch_shadow_mod', 2, []]], []],
    ['samples/livepatch/livepatch-shadow-fix2.c', false, [['livepatch_shadow_mod', 2, []]], []],
  ] as const)('%s', async (file, replace, objects, states) => {
    const found = await kernelFacts(file);
    if (found === null) return;
    const patch = found.patch;
    expect(found.complete).toBe(true);
    expect(found.enables).toBe(true);
    expect(patch?.replace).toBe(replace);
    expect(
      patch?.objects?.map((it) => [
        it.name,
        it.functions?.length,
        it.callbacks.map((callback) => callback.callback),
      ]),
    ).toEqual(objects);
    expect(patch?.states.map(({ id, version }) => [id, version])).toEqual(states);
    expect(patch?.unterminated).toEqual([]);
    expect(patch?.mod.set).toBe(true);
    expect(found.license?.text).toBe('GPL');
    expect(found.livepatchInfo).not.toBeNull();
  });

  test('modules beside them are no livepatches', async () => {
    for (const file of [
      'lib/livepatch/test_klp_callbacks_mod.c',
      'samples/livepatch/livepatch-shadow-mod.c',
    ]) {
      const found = await kernelFacts(file);
      if (found === null) return;
      expect(found).toMatchObject({ patches: [], enables: false, livepatchInfo: null });
    }
  });
});
