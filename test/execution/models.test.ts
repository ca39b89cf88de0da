import { beforeAll, describe, expect, test } from 'vitest';
import { executionLibrary, modelOf } from '../../server/src/core/execution/api-models';
import { effectRowsOf } from '../../server/src/core/execution/catalogue';
import type { Effect } from '../../server/src/core/execution/effects';
import { Machine } from '../../server/src/core/execution/machine';
import { load, programOf, RecordingHost, startParser } from './machine-kit';

beforeAll(startParser);

/** Runs the statements as a module's init. */
function run(body: string, declarations = '') {
  const text = `${declarations}\nstatic int m_init(void)\n{\n${body}\nreturn 0;\n}\nmodule_init(m_init);\n`;
  const { host, machine } = load(text);
  const result = machine.init(1);
  return { host, machine, result, effects: machine.effects() };
}

/** Two modules, one after the other, in one kernel: their inits run in that order. */
function runTwo(first: string, second: string) {
  const host = new RecordingHost();
  const machine = new Machine(host);
  const results = [first, second].map((text, index) => {
    const name = `m${index + 1}`;
    host.names.set(index + 1, name);
    machine.insert(index + 1, programOf(name, `${text}\nmodule_init(m_init);\n`), new Map());
    return machine.init(index + 1);
  });
  return { host, machine, results, effects: machine.effects() };
}

const shown = (effects: readonly Effect[]): (readonly [string, string])[] =>
  effects.map((effect) => [effect.row.do, effect.key] as const);
const kinds = (host: RecordingHost): string[] => host.events.map((event) => event.k);

test('which names have models', () => {
  for (const name of [
    'klp_get_prev_state',
    'kzalloc',
    'kfree',
    'proc_create',
    'mutex_lock',
    'ktime_get',
    'atomic_inc',
  ]) {
    expect(modelOf(name), name).toBeDefined();
  }
  for (const name of ['acme_frobnicate', 'constructor', '__proto__', ''])
    expect(modelOf(name), name).toBeUndefined();
  const own = effectRowsOf([
    { do: 'acme_register', undo: 'acme_unregister', key: 'pointer', argument: 1, fails: 'errno' },
  ]);
  expect(modelOf('acme_register', own)).toBeDefined();
  expect(modelOf('acme_unregister', own)).toBeDefined();
});

describe('registrations', () => {
  test('a notifier is in force until it is unregistered, and holds its module', () => {
    const declarations = `static int event(struct notifier_block *nb, unsigned long a, void *p) { return 0; }
static struct notifier_block acme_nb = { .notifier_call = event };`;
    const { effects } = run('register_module_notifier(&acme_nb);', declarations);
    expect(shown(effects)).toEqual([['register_module_notifier', 'acme_nb']]);
    expect(effects[0]).toMatchObject({ holds: [1], by: { during: 'init', function: 'm_init' }, count: 1 });
    expect(
      run('register_module_notifier(&acme_nb); unregister_module_notifier(&acme_nb);', declarations).effects,
    ).toEqual([]);
  });

  test('the same notifier a second time is refused with -EEXIST; of another chain it is another effect', () => {
    const { host, effects } = run(
      `pr_info("%d\\n", register_module_notifier(&nb)); pr_info("%d\\n", register_module_notifier(&nb));
       register_reboot_notifier(&nb);`,
      'static struct notifier_block nb;',
    );
    expect(host.lines).toEqual(['0', '-17']);
    expect(kinds(host)).toEqual(['done', 'repeated', 'done']);
    expect(effects).toHaveLength(2);
  });

  test('unregistering what is not registered is -ENOENT and an event', () => {
    const { host } = run(
      'pr_info("%d\\n", unregister_reboot_notifier(&nb));',
      'static struct notifier_block nb;',
    );
    expect(host.lines).toEqual(['-2']);
    expect(host.events).toMatchObject([{ k: 'undone-without', key: 'nb' }]);
  });

  test('a name-keyed file can be removed by another module, in the right folder', () => {
    const make = `static int m_init(void) { struct proc_dir_entry *d = proc_mkdir("acme", NULL);
      if (!d) return -ENOMEM;
      proc_create("status", 0444, d, &acme_ops); return 0; }`;
    const wrong = 'static int m_init(void) { remove_proc_entry("status", NULL); return 0; }';
    const { host, effects } = runTwo(make, wrong);
    expect(shown(effects)).toEqual([
      ['proc_mkdir', 'acme'],
      ['proc_create', 'status'],
    ]);
    expect(host.events.at(-1)).toMatchObject({ k: 'undone-without', key: 'status' });
    const whole = 'static int m_init(void) { remove_proc_subtree("acme", NULL); return 0; }';
    expect(runTwo(make, whole).effects).toEqual([]);
  });

  test('a second file of the same name is refused: NULL from procfs, -EEXIST from sysfs', () => {
    const proc = 'static int m_init(void) { return proc_create("acme", 0, NULL, &ops) ? 0 : -ENOMEM; }';
    expect(runTwo(proc, proc).results).toEqual([0, -12]);
    const sysfs = `static struct attribute acme_attr = { .name = "acme" };
      static int m_init(void) { return sysfs_create_file(kernel_kobj, &acme_attr); }`;
    expect(runTwo(sysfs, sysfs).results).toEqual([0, -17]);
  });

  // As include/linux/sysfs.h and include/linux/device.h name them.
  test.each([
    [
      '__ATTR',
      'static struct kobj_attribute foo = __ATTR(level, 0644, level_show, level_store);',
      '&foo.attr',
      'level',
    ],
    ['__ATTR_RO', 'static struct kobj_attribute foo = __ATTR_RO(level);', '&foo.attr', 'level'],
    ['__ATTR_RW', 'static struct kobj_attribute foo = __ATTR_RW(level);', '&foo.attr', 'level'],
    ['__ATTR_WO', 'static struct kobj_attribute foo = __ATTR_WO(level);', '&foo.attr', 'level'],
    [
      'a name that is a macro',
      '#define NAME level\nstatic struct kobj_attribute foo = __ATTR(NAME, 0, 0, 0);',
      '&foo.attr',
      'level',
    ],
    [
      'a macro of its own',
      '#define FOO(n) static struct kobj_attribute foo = __ATTR_RO(n)\nFOO(level);',
      '&foo.attr',
      'level',
    ],
    [
      'a macro that is not known',
      'static struct kobj_attribute foo = ACME_ATTR(level);',
      '&foo.attr',
      'of &foo.attr',
    ],
    ['no name', 'static struct kobj_attribute foo = __ATTR_NULL;', '&foo.attr', 'of &foo.attr'],
    ['DEVICE_ATTR_RW', 'static DEVICE_ATTR_RW(level);', '&dev_attr_level.attr', 'level'],
    ['DEVICE_ATTR', 'static DEVICE_ATTR(level, 0444, level_show, NULL);', '&dev_attr_level.attr', 'level'],
  ])('a sysfs file is called as %s says', (_how, declaration, argument, name) => {
    const { effects } = run(
      `sysfs_create_file(kernel_kobj, ${argument});`,
      `static ssize_t level_show(void) { return 0; }\nstatic ssize_t level_store(void) { return 0; }\n${declaration}`,
    );
    expect(shown(effects)).toEqual([['sysfs_create_file', name]]);
    expect(effects[0]?.holds).toEqual([1]);
  });

  test('a group without a name is called as the first of its attributes', () => {
    const { effects } = run(
      'sysfs_create_group(kernel_kobj, &acme_group);',
      `static ssize_t level_show(void) { return 0; }
static struct kobj_attribute level = __ATTR_RO(level);
static struct attribute *acme_attrs[] = { &level.attr, NULL };
ATTRIBUTE_GROUPS(acme);`,
    );
    expect(shown(effects)).toEqual([['sysfs_create_group', 'level']]);
  });

  test('a sysfs attribute of the same name in another module removes it', () => {
    const attribute = 'static struct attribute acme_attr = { .name = "acme" };';
    const { effects } = runTwo(
      `${attribute} static int m_init(void) { return sysfs_create_file(kernel_kobj, &acme_attr); }`,
      `${attribute} static int m_init(void) { sysfs_remove_file(kernel_kobj, &acme_attr); return 0; }`,
    );
    expect(effects).toEqual([]);
  });

  test('removing a debugfs folder takes along what is in it', () => {
    const { effects } = run(`struct dentry *d = debugfs_create_dir("acme", NULL);
      debugfs_create_file("status", 0444, d, NULL, &ops);
      debugfs_create_u32("count", 0644, debugfs_create_dir("deep", d), &count);
      debugfs_remove_recursive(d);`);
    expect(effects).toEqual([]);
  });

  test('debugfs_lookup() finds what a livepatch made, and usually nothing else', () => {
    const make = 'static int m_init(void) { debugfs_create_dir("acme", NULL); return 0; }';
    const find = `static int m_init(void) { struct dentry *d = debugfs_lookup("acme", NULL);
      if (!d) { pr_info("none\\n"); return 0; } debugfs_remove(d); return 0; }`;
    expect(runTwo(make, find).effects).toEqual([]);
    const alone = runTwo('static int m_init(void) { return 0; }', find);
    expect(alone.host.lines).toEqual(['none']);
  });

  test('a handle that is not handed over cannot be undone by another module', () => {
    const thread = `static int fn(void *d) { while (!kthread_should_stop()) msleep(10); return 0; }
      static struct task_struct *t;
      static int m_init(void) { t = kthread_run(fn, NULL, "acme"); return IS_ERR(t) ? PTR_ERR(t) : 0; }`;
    const stop =
      'static struct task_struct *t; static int m_init(void) { if (t) kthread_stop(t); return 0; }';
    expect(shown(runTwo(thread, stop).effects)).toEqual([['kthread_run', 'acme']]);
  });

  test('a thread that is asked to stop does so', () => {
    const { effects, host } = run(
      't = kthread_run(fn, NULL, "acme"); kthread_stop(t); pr_info("stopped\\n");',
      `static struct task_struct *t;
       static int fn(void *d) { while (!kthread_should_stop()) msleep(10); pr_info("ending\\n"); return 0; }`,
    );
    expect(host.lines).toEqual(['ending', 'stopped']);
    expect(effects).toEqual([]);
    // It is kthread_stop() that undoes it, not the end of the thread.
    expect(host.events.map((event) => event.k)).toEqual(['done', 'undone']);
  });

  test('NULL where the undo needs an object', () => {
    expect(run('kthread_stop(NULL); debugfs_remove(NULL); class_destroy(NULL);').host.faults()).toEqual([
      'null-dereference: kthread_stop(NULL)',
    ]);
  });

  test('an unknown handle may be anything that was done: certainty goes, the effect stays', () => {
    const { effects } = run(
      'kthread_run(fn, NULL, "acme"); kthread_stop(acme_find_thread());',
      'static int fn(void *d) { return 0; }',
    );
    expect(effects.map((effect) => effect.certainty)).toEqual(['may']);
  });

  test('a dynamic hotplug state is a number that undoes it', () => {
    const { effects, host } = run(
      `int s = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "acme:online", up, down);
      pr_info("%s\\n", s > 0 ? "dynamic" : "no"); if (s > 0) cpuhp_remove_state(s);`,
      'static int up(unsigned int c) { return 0; } static int down(unsigned int c) { return 0; }',
    );
    expect(host.lines).toEqual(['dynamic']);
    expect(effects).toEqual([]);
  });

  test("a lineage's own pair", () => {
    const rows = effectRowsOf([
      { do: 'acme_register', undo: 'acme_unregister', key: 'pointer', argument: 1, fails: 'errno' },
    ]);
    const host = new RecordingHost();
    const machine = new Machine(host, { library: executionLibrary(rows) });
    machine.insert(
      1,
      programOf(
        'm',
        'static int x; static int m_init(void) { return acme_register(&x); } module_init(m_init);',
      ),
      new Map(),
    );
    expect(machine.init(1)).toBe(0);
    expect(shown(machine.effects())).toEqual([['acme_register', 'x']]);
    expect(host.unknowns).toEqual([]);
  });
});

describe('asked to fail', () => {
  const failing = (name: string, body: string): { result: number; effects: readonly Effect[] } => {
    const { machine } = load(
      `static struct notifier_block nb; static int m_init(void) { ${body} } module_init(m_init);`,
    );
    machine.failNext(1, name, 12);
    return { result: machine.init(1), effects: machine.effects() };
  };
  test.each([
    ['kzalloc', 'void *p = kzalloc(8, GFP_KERNEL); return p ? 0 : -5;', -5],
    ['register_module_notifier', 'return register_module_notifier(&nb);', -12],
    ['filp_open', 'struct file *f = filp_open("/x", 0, 0); return IS_ERR(f) ? PTR_ERR(f) : 0;', -12],
    ['proc_mkdir', 'return proc_mkdir("a", NULL) ? 0 : -5;', -5],
    ['try_module_get', 'return try_module_get(THIS_MODULE) ? 0 : -5;', -5],
    ['klp_shadow_alloc', 'return klp_shadow_alloc(NULL, 1, 8, GFP_KERNEL, NULL, NULL) ? 0 : -5;', -5],
  ])('%s', (name, body, result) => {
    expect(failing(name, body)).toEqual({ result, effects: [] });
  });
});

describe('memory', () => {
  test('what is not freed is in force; kfree(NULL) is nothing', () => {
    const { effects, host } = run(
      'void *p = kmalloc(8, GFP_KERNEL); kzalloc(16, GFP_KERNEL); kfree(p); kfree(NULL);',
    );
    expect(effects.map((effect) => [effect.row.do, effect.size])).toEqual([['kzalloc', 16]]);
    expect(host.faults()).toEqual([]);
  });

  test('a double free and a use after free', () => {
    const { host } = run('int *p = kzalloc(4, GFP_KERNEL); kfree(p); *p = 1; kfree(p);');
    expect(host.faults().map((fault) => fault.split(':')[0])).toEqual(['use-after-free', 'double-free']);
  });

  test('strings: copied, formatted, compared, parsed', () => {
    const { host } = run(
      `char *s = kstrdup("acme", GFP_KERNEL); char *t = kasprintf(GFP_KERNEL, "%s-%d", s, 7); int n = 0;
      pr_info("%s %s %zu\\n", s, t, strlen(t));
      pr_info("%d %d %d\\n", strcmp(s, "acme"), strncmp(t, "acme!", 4), strcmp("b", "a") > 0);
      snprintf(buf, sizeof(buf), "%s", "too long for it"); pr_info("%s\\n", buf);
      pr_info("%d\\n", kstrtoint("0x1f", 0, &n)); pr_info("%d\\n", n);
      pr_info("%d\\n", kstrtoint("12z", 10, &n));
      strscpy(buf, "ab", sizeof(buf)); pr_info("%s %s\\n", buf, strchr(t, '-'));
      memset(buf, 0, sizeof(buf)); pr_info("<%s>\\n", buf);
      kfree(s); kfree(t);`,
      'static char buf[6];',
    );
    expect(host.lines).toEqual(['acme acme-7 6', '0 0 1', 'too l', '0', '31', '-22', 'ab -7', '<>']);
    expect(host.faults()).toEqual([]);
  });

  test('objects and arrays are copied and cleared as a whole', () => {
    const { host } = run(
      `int b[3], c[3] = { 1, 2, 3 }; struct acme x = { 5, 6 }, y, *z;
      memcpy(b, c, sizeof(b)); memcpy(&y, &x, sizeof(x)); z = kmemdup(&x, sizeof(x), GFP_KERNEL);
      pr_info("%d %d %d %d\\n", b[2], y.v, z->v, z->w);
      memset(&y, 0, sizeof(y)); memset(c, 0, sizeof(c)); pr_info("%d %d\\n", y.v, c[1]); kfree(z);`,
      'struct acme { int v, w; };',
    );
    expect(host.lines).toEqual(['3 5 5 6', '0 0']);
  });

  test('lists', () => {
    const { host } = run(
      `struct item *a = kzalloc(sizeof(*a), GFP_KERNEL), *b = kzalloc(sizeof(*b), GFP_KERNEL), *i, *n;
      pr_info("%d\\n", list_empty(&items));
      a->v = 1; b->v = 2; list_add(&a->node, &items); list_add_tail(&b->node, &items);
      list_for_each_entry(i, &items, node) pr_info("%d\\n", i->v);
      list_for_each_entry_safe(i, n, &items, node) { list_del(&i->node); kfree(i); }
      pr_info("%d\\n", list_empty(&items));`,
      'struct item { int v; struct list_head node; }; static LIST_HEAD(items);',
    );
    expect(host.lines).toEqual(['1', '1', '2', '1']);
    expect(host.faults()).toEqual([]);
  });

  test("an entry in one of the kernel's own lists holds the module", () => {
    const { effects } = run('list_add(&entry, &kernel_list);', 'static struct list_head entry;');
    expect(effects[0]).toMatchObject({ key: 'entry', holds: [1], row: { hazards: ['use-after-free'] } });
    expect(
      run('list_add(&entry, &kernel_list); list_del(&entry);', 'static struct list_head entry;').effects,
    ).toEqual([]);
  });

  const ITEM = `struct item { int v; struct list_head node; };
static struct item one = { .v = 1 }, two = { .v = 2 }; static struct item *i, *n; static struct list_head *saved;
extern struct list_head kernel_list; extern struct item *kernel_item;`;

  test.each([
    ['next', 'list_add(&one.node, &kernel_list); list_del(kernel_list.next);'],
    ['prev', 'list_add_tail(&one.node, &kernel_list); list_del(kernel_list.prev);'],
    ['its neighbour', 'list_add(&one.node, &kernel_list); list_del(one.node.prev->next);'],
    ['both neighbours', 'list_add(&one.node, &kernel_list); __list_del(one.node.prev, one.node.next);'],
    ['the entry alone', 'list_add(&one.node, &kernel_list); __list_del_entry(&one.node);'],
    [
      'the first entry',
      `list_add(&one.node, &kernel_list);
       i = list_first_entry(&kernel_list, struct item, node); pr_info("%d\\n", i->v); list_del(&i->node);`,
    ],
    [
      'the last entry',
      `list_add_tail(&one.node, &kernel_list); list_del(&list_last_entry(&kernel_list, struct item, node)->node);`,
    ],
    [
      'a walk that looks for it',
      `list_add(&one.node, &kernel_list);
       list_for_each_entry_safe(i, n, &kernel_list, node) if (i == &one) { list_del(&i->node); break; }`,
    ],
    [
      'two, as they came',
      `list_add(&one.node, &kernel_list); list_add(&two.node, &kernel_list);
       list_del(kernel_list.next); list_del(kernel_list.next);`,
    ],
  ])("an entry of the kernel's own list is reached and taken out by %s", (_by, body) => {
    const { host, effects } = run(body, ITEM);
    expect(shown(effects)).toEqual([]);
    expect(host.faults()).toEqual([]);
    expect(kinds(host)).toContain('undone');
  });

  test('of two entries the one that is not taken out stays', () => {
    const { effects } = run(
      'list_add(&one.node, &kernel_list); list_add(&two.node, &kernel_list); list_del(kernel_list.next);',
      ITEM,
    );
    expect(shown(effects)).toEqual([['list_add', 'one.node']]);
  });

  test('an entry that is taken out twice is a fault, one that is moved is not', () => {
    const twice = 'list_add(&one.node, &kernel_list); list_del(&one.node); list_del(&one.node);';
    expect(run(twice, ITEM).host.faults().length).toBe(1);
    const again = 'list_add(&one.node, &kernel_list); list_del_init(&one.node); list_del_init(&one.node);';
    expect(run(again, ITEM).host.faults()).toEqual([]);
    const moved = run('list_add(&one.node, &kernel_list); list_move_tail(&one.node, &kernel_list);', ITEM);
    expect([shown(moved.effects), moved.host.faults()]).toEqual([[['list_add', 'one.node']], []]);
  });

  test.each([
    ['an unknown one', 'list_del(acme_find());'],
    ['one of the kernel', 'list_del(&kernel_item->node);'],
    ['the one behind it', 'list_del(two.node.next);'],
  ])('where %s is taken out, it may have been any', (_what, body) => {
    const { host, effects } = run(`list_add(&two.node, &kernel_list); ${body}`, ITEM);
    expect(effects.map(({ key, certainty }) => [key, certainty])).toContainEqual(['two.node', 'may']);
    expect(host.faults()).toEqual([]);
  });

  test('to take an entry of the kernel out and to put it back is no effect, to put a new one in is', () => {
    for (const [out, back] of [
      ['list_del(&kernel_item->node);', 'list_add(&kernel_item->node, &kernel_list);'],
      ['list_del_init(&kernel_item->node);', 'list_add_tail(&kernel_item->node, &kernel_list);'],
      ['i = list_first_entry(&kernel_list, struct item, node); list_del(&i->node);', ''],
    ] as const) {
      const { host, effects } = run(out + back, ITEM);
      expect([shown(effects), host.faults()]).toEqual([[], []]);
    }
    expect(shown(run('list_add(&kernel_item->node, &kernel_list);', ITEM).effects)).toEqual([
      ['list_add', 'kernel_item->node'],
    ]);
  });
});

describe('counts', () => {
  test('arithmetic in own memory', () => {
    const { host } = run(
      `atomic_set(&a, 5); atomic_inc(&a); atomic_add(10, &a); atomic_dec(&a);
       pr_info("%d %d\\n", atomic_read(&a), atomic_dec_return(&a));
       pr_info("%d %d\\n", atomic_dec_and_test(&b), atomic_dec_and_test(&b));`,
      'static atomic_t a; static atomic_t b = ATOMIC_INIT(2);',
    );
    // Arguments are evaluated from right to left: 5 + 1 + 10 - 1 - 1 = 14 is read last.
    expect(host.lines).toEqual(['14 14', '1 0']);
  });

  test('the last kref_put() releases', () => {
    const { host } = run(
      'kref_init(&o.ref); kref_get(&o.ref); kref_put(&o.ref, gone); pr_info("still\\n"); kref_put(&o.ref, gone);',
      `struct obj { int id; struct kref ref; }; static struct obj o = { .id = 9 };
       static void gone(struct kref *r) { pr_info("gone %d\\n", container_of(r, struct obj, ref)->id); }`,
    );
    expect(host.lines).toEqual(['still', 'gone 9']);
  });

  test('a refcount below zero is a fault', () => {
    const { host } = run('refcount_dec(&r); refcount_dec(&r);', 'static refcount_t r = REFCOUNT_INIT(1);');
    expect(host.faults().map((fault) => fault.split(':')[0])).toEqual(['refcount-underflow']);
  });

  test("a counter of the kernel's is counted, whatever it stands at", () => {
    const { effects } = run('atomic_inc(&acme_users); atomic_inc(&acme_users); atomic_dec(&acme_users);');
    expect(effects).toMatchObject([{ key: 'acme_users', count: 1 }]);
    expect(run('atomic_inc(&acme_users); atomic_dec(&acme_users);').effects).toEqual([]);
  });
});

describe('values of the kernel', () => {
  test('a saved value that is written back leaves nothing', () => {
    expect(
      run('int saved = console_loglevel; console_loglevel = 15; console_loglevel = saved;').effects,
    ).toEqual([]);
    expect(shown(run('console_loglevel = 15;').effects)).toEqual([['=', 'console_loglevel']]);
  });

  test('a static key is what it was when it was switched back', () => {
    const { host, effects } = run(`static_branch_enable(&acme_key);
      pr_info("%d\\n", static_key_enabled(&acme_key)); static_branch_disable(&acme_key);`);
    expect(host.lines).toEqual(['1']);
    expect(effects).toEqual([]);
    expect(shown(run('static_branch_enable(&acme_key);').effects)).toEqual([
      ['static_branch_enable', 'acme_key'],
    ]);
    expect(shown(run('static_branch_disable(&acme_key);').effects)).toEqual([
      ['static_branch_disable', 'acme_key'],
    ]);
  });

  test('static_branch_inc() counts', () => {
    const { effects } = run(
      'static_branch_inc(&acme_key); static_branch_inc(&acme_key); static_branch_dec(&acme_key);',
    );
    expect(effects).toMatchObject([{ key: 'acme_key', count: 1 }]);
  });

  test("a module's own key is no side effect", () => {
    const { host, effects } = run(
      'static_branch_enable(&own); if (static_branch_unlikely(&own)) pr_info("on\\n");',
      'static DEFINE_STATIC_KEY_FALSE(own);',
    );
    expect(host.lines).toEqual(['on']);
    expect(effects).toEqual([]);
  });
});

describe('shadow variables', () => {
  test('allocated once, found by object and id, freed with the destructor', () => {
    const { host, effects } = run(
      `int *v = klp_shadow_alloc(&o, 5, sizeof(*v), GFP_KERNEL, make, &start);
       pr_info("%d %d\\n", *v, klp_shadow_get(&o, 5) == v);
       pr_info("%d\\n", klp_shadow_get(&o, 6) == NULL);
       pr_info("%d\\n", klp_shadow_get_or_alloc(&o, 5, sizeof(*v), GFP_KERNEL, make, &start) == v);
       klp_shadow_free(&o, 5, gone); pr_info("%d\\n", klp_shadow_get(&o, 5) == NULL);`,
      `static int o, start = 7;
       static int make(void *obj, void *data, void *arg) { *(int *)data = *(int *)arg; return 0; }
       static void gone(void *obj, void *data) { pr_info("free %d\\n", *(int *)data); }`,
    );
    expect(host.lines).toEqual(['7 1', '1', '1', 'free 7', '1']);
    expect(effects).toEqual([]);
  });

  test('a second klp_shadow_alloc() warns and gives NULL', () => {
    const { host, effects } = run(`klp_shadow_alloc(NULL, 0x51, 8, GFP_KERNEL, NULL, NULL);
      pr_info("%d\\n", klp_shadow_alloc(NULL, 0x51, 8, GFP_KERNEL, NULL, NULL) == NULL);`);
    expect(host.lines).toEqual(['1']);
    expect(host.faults().map((fault) => fault.split(':')[0])).toEqual(['warn']);
    expect(effects).toMatchObject([{ key: '<NULL, 0x51>', size: 8 }]);
  });

  test('a failing constructor leaves nothing', () => {
    const { host, effects } = run(
      'pr_info("%d\\n", klp_shadow_alloc(NULL, 1, 8, GFP_KERNEL, no, NULL) == NULL);',
      'static int no(void *o, void *d, void *a) { return -EINVAL; }',
    );
    expect(host.lines.at(-1)).toBe('1');
    expect(effects).toEqual([]);
  });

  test('klp_shadow_free_all() frees every object of an id, from any module', () => {
    const make = `static int a, b; static int m_init(void) {
      klp_shadow_alloc(&a, 1, 4, GFP_KERNEL, NULL, NULL); klp_shadow_alloc(&b, 1, 4, GFP_KERNEL, NULL, NULL);
      klp_shadow_alloc(&b, 2, 4, GFP_KERNEL, NULL, NULL); return 0; }`;
    const { effects } = runTwo(make, 'static int m_init(void) { klp_shadow_free_all(1, NULL); return 0; }');
    expect(effects.map((effect) => effect.key)).toEqual(['<b, 0x2>']);
  });
});

describe('states', () => {
  const tables = (version: number, data = ''): string => `
    static struct klp_func none[] = { { } };
    static struct klp_object objs[] = { { .funcs = none, .callbacks = { .pre_patch = pre } }, { } };
    static struct klp_state states[] = { { .id = 3, .version = ${version} }, { .id = 4, .version = ${version} }, { } };
    static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = true };
    static int m_init(void) { ${data} return klp_enable_patch(&patch); }
    module_init(m_init);`;
  const ask = `static int pre(struct klp_object *obj) {
    struct klp_state *s = klp_get_prev_state(4);
    if (!s) { pr_info("none\\n"); return 0; }
    pr_info("%u %d\\n", s->version, *(int *)s->data); return 0; }`;

  test('klp_get_state() finds an entry of its own table, and its data stays there', () => {
    const { host } = run(
      `struct klp_state *s = klp_get_state(&patch, 3); s->data = &x;
       pr_info("%d %d %u\\n", klp_get_state(&patch, 9) == NULL, *(int *)klp_get_state(&patch, 3)->data, s->version);`,
      `static int x = 8; static struct klp_state states[] = { { .id = 3, .version = 2 }, { } };
       static struct klp_patch patch = { .states = states };`,
    );
    expect(host.lines).toEqual(['1 8 2']);
  });

  test('klp_get_prev_state() warns outside a transition', () => {
    const { host } = run('pr_info("%d\\n", klp_get_prev_state(1) == NULL);');
    expect(host.lines).toEqual(['1']);
    expect(host.faults().map((fault) => fault.split(':')[0])).toEqual(['warn']);
  });

  test('klp_get_prev_state() gives the youngest entry below the patch in transition', () => {
    const host = new RecordingHost();
    const machine = new Machine(host);
    const start = (instance: number, text: string): void => {
      machine.insert(instance, programOf(`m${instance}`, text), new Map());
      machine.init(instance);
      host.listed.push(instance);
    };
    const with_ = (n: number): string => `static int v = ${n};\n${ask}\n${tables(n, 'states[1].data = &v;')}`;
    start(1, with_(10));
    start(2, with_(20));
    start(3, with_(30));
    const callback = (patch: number): void => {
      host.transition = patch;
      machine.callback({ patch, object: 0, callback: 'pre_patch', target: null });
    };
    callback(3);
    callback(2);
    callback(1);
    expect(host.lines).toEqual(['20 20', '10 10', 'none']);
  });
});

describe('module references', () => {
  test('are counted, and putting one that was not taken is an underflow', () => {
    const taken = run('try_module_get(THIS_MODULE); __module_get(THIS_MODULE); module_put(THIS_MODULE);');
    expect(taken.effects).toMatchObject([{ key: 'test', count: 1, row: { key: 'reference' } }]);
    const { host } = run('module_put(THIS_MODULE);');
    expect(host.faults().map((fault) => fault.split(':')[0])).toEqual(['refcount-underflow']);
    expect(run('pr_info("%d\\n", try_module_get(NULL)); module_put(NULL);').host.faults()).toEqual([]);
  });
});

describe('later', () => {
  test('work is in force until it has run', () => {
    const work =
      'static void fn(struct work_struct *w) { pr_info("work\\n"); } static DECLARE_WORK(acme_work, fn);';
    const queued = run('schedule_work(&acme_work); pr_info("queued\\n");', work);
    expect(shown(queued.effects)).toEqual([['schedule_work', 'acme_work']]);
    expect(queued.host.lines).toEqual(['queued']);
    queued.machine.runTasks();
    expect(queued.host.lines).toEqual(['queued', 'work']);
    expect(queued.machine.effects()).toEqual([]);
    expect(run('schedule_work(&acme_work); cancel_work_sync(&acme_work);', work).effects).toEqual([]);
    expect(run('schedule_work(&acme_work); flush_work(&acme_work);', work).host.lines).toEqual(['work']);
  });

  test('INIT_WORK() in the body', () => {
    const { host } = run(
      'INIT_WORK(&w, fn); schedule_work(&w); flush_work(&w);',
      'static struct work_struct w; static void fn(struct work_struct *p) { pr_info("%d\\n", p == &w); }',
    );
    expect(host.lines).toEqual(['1']);
  });

  test('a completion joins a work item and its starter', () => {
    const { host } = run(
      'schedule_work(&w); wait_for_completion(&done); pr_info("after\\n");',
      'static DECLARE_COMPLETION(done); static void fn(struct work_struct *p) { pr_info("before\\n"); complete(&done); } static DECLARE_WORK(w, fn);',
    );
    expect(host.lines).toEqual(['before', 'after']);
  });
});

describe('deadlocks', () => {
  const inCallback = (body: string): string[] => {
    const { host, machine } = load(`
      static int pre(struct klp_object *obj) { ${body} return 0; }
      static struct klp_func none[] = { { } };
      static struct klp_object objs[] = { { .funcs = none, .callbacks = { .pre_patch = pre } }, { } };
      static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
      static int m_init(void) { return klp_enable_patch(&patch); }
      module_init(m_init);`);
    machine.init(1);
    machine.callback({ patch: 1, object: 0, callback: 'pre_patch', target: null });
    return host.events.flatMap((event) => (event.k === 'fault' ? [`${event.fault} ${event.certainty}`] : []));
  };
  test.each([
    ['request_module("acme");', ['deadlock must']],
    ['crypto_alloc_shash("sha256", 0, 0);', ['deadlock may']],
    ['klp_enable_patch(&patch);', ['deadlock must']],
    ['flush_scheduled_work();', ['deadlock must']],
    ['flush_workqueue(system_wq);', ['deadlock must']],
    ['flush_workqueue(acme_wq);', []],
    ['synchronize_rcu(); mutex_lock(&m); mutex_unlock(&m);', []],
  ])('%s', (body, faults) => {
    expect(inCallback(body.includes('&m)') ? `static DEFINE_MUTEX(m); ${body}` : body)).toEqual(faults);
  });

  test('loading a module in init is fine', () => {
    expect(run('request_module("acme");').host.faults()).toEqual([]);
  });
});
