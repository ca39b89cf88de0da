import { expect, test } from 'vitest';
import { FILE, NOTIFIER } from './effects';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const ONE = manifest(['draft']);
/** `make` hangs on what is not known, so that no run gets there. */
const seldom = (make: string, undo: string, data: string, more: LivepatchParts = {}): LivepatchParts => ({
  body: `${data}
static void on(struct klp_object *obj)
{
  if (acme_mode() == 3) {
${make}
  }
}
static void off(struct klp_object *obj)
{
  if (acme_mode() == 3) {
${undo}
  }
}`,
  callbacks: '      .post_patch = on,\n      .pre_unpatch = off,',
  ...more,
});
const NB = `int acme_mode(void);
static int seen(struct notifier_block *nb, unsigned long event, void *data)
{
  return NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = seen };`;
const MODE = 'int acme_mode(void);';
const STATE = { states: '  { .id = 7, .version = 1 },' };
const UNREGISTER = '    unregister_reboot_notifier(&nb);';
const REGISTER = '    register_reboot_notifier(&nb);';

const NOTIFIED = seldom(REGISTER, UNREGISTER, NB);
const THREAD = seldom(
  '    worker = kthread_run(loop, NULL, "acme");',
  '    kthread_stop(worker);',
  `${MODE}\nstatic struct task_struct *worker;\nstatic int loop(void *data)\n{\n  return 0;\n}`,
);
const SLOT = seldom(
  '    slot = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "acme", NULL, NULL);',
  '    cpuhp_remove_state(slot);',
  `${MODE}\nstatic int slot;`,
);
const TIMER = seldom(
  '    mod_timer(&timer, jiffies + HZ);',
  '    timer_delete_sync(&timer);',
  `${MODE}\nstatic struct timer_list timer;`,
);
const MISC = seldom(
  '    misc_register(&dev);',
  '    misc_deregister(&dev);',
  `${MODE}\nstatic struct miscdevice dev = { .name = "acme" };`,
);
const CHAIN = seldom(
  '    blocking_notifier_chain_register(&acme_chain, &nb);',
  '    blocking_notifier_chain_unregister(&acme_chain, &nb);',
  `${NB}\nextern struct blocking_notifier_head acme_chain;`,
);
const SILENT = [
  {
    why: 'it is taken back in the same callback',
    lineage: lineage(ONE, {
      ...NOTIFIER,
      body: (NOTIFIER.body ?? '').replace(
        '  return register_reboot_notifier(&nb);',
        '  register_reboot_notifier(&nb);\n  unregister_reboot_notifier(&nb);\n  return 0;',
      ),
      callbacks: '      .pre_patch = hook,',
    }),
  },
  {
    why: 'the state gets the address',
    lineage: lineage(
      ONE,
      seldom(`    klp_get_state(&patch, 7)->data = &nb;\n${REGISTER}`, UNREGISTER, NB, STATE),
    ),
  },
  {
    why: 'a shadow variable gets it',
    lineage: lineage(
      ONE,
      seldom(`    klp_shadow_alloc(NULL, 9, 8, GFP_KERNEL, keep, &nb);\n${REGISTER}`, UNREGISTER, NB),
    ),
  },
  {
    why: 'the state has the address from the beginning',
    lineage: lineage(
      ONE,
      seldom(REGISTER, UNREGISTER, NB, { states: '  { .id = 7, .version = 1, .data = &nb },' }),
    ),
  },
  {
    why: 'the kernel knows the object by a name of its own',
    lineage: lineage(
      ONE,
      seldom(
        '    register_reboot_notifier(&acme_nb);',
        '    unregister_reboot_notifier(&acme_nb);',
        `${MODE}\nextern struct notifier_block acme_nb;`,
      ),
    ),
  },
  { why: 'a file has a name', lineage: lineage(ONE, FILE) },
  { why: 'what is released cannot be changed', lineage: lineage(manifest(['released']), NOTIFIED) },
  { why: 'nothing replaces', lineage: lineage(ONE, { ...NOTIFIED, replace: '' }) },
  { why: 'a run gets there, and a rule with more to say speaks', lineage: lineage(ONE, NOTIFIER) },
];

precision(
  'unpublished-pointer',
  [
    {
      what: 'a notifier',
      lineage: lineage(ONE, NOTIFIED),
      says: 'unregister_reboot_notifier() needs the address of nb, which only v1 knows',
      on: 'register_reboot_notifier',
      severity: 'warning',
    },
    {
      what: 'a thread',
      lineage: lineage(ONE, THREAD),
      says: 'kthread_stop() needs what kthread_run() returned',
    },
    {
      what: 'a number that the kernel hands out',
      lineage: lineage(ONE, SLOT),
      says: 'what cpuhp_setup_state() returned',
    },
    { what: 'a timer', lineage: lineage(ONE, TIMER), says: 'the address of timer' },
    { what: 'a device', lineage: lineage(ONE, MISC), says: 'the address of dev' },
    { what: "one's own block in a chain of the kernel", lineage: lineage(ONE, CHAIN), says: 'nb' },
  ],
  SILENT,
);

const held = (take: string, drop: string, more: LivepatchParts = {}): LivepatchParts => ({
  body: `struct task_struct *acme_owner(void);
struct net *acme_net(void);
extern struct net init_net;
static struct task_struct *held;
static struct net *net;
static struct file *file;
static int on(struct klp_object *obj)
{
${take}
  return 0;
}
static void off(struct klp_object *obj)
{
${drop}
}`,
  callbacks: '      .pre_patch = on,\n      .post_unpatch = off,',
  ...more,
});

precision(
  'undo-only-in-own-unpatch',
  [
    {
      what: 'a module reference of its own',
      lineage: lineage(
        ONE,
        held(
          '  __module_get(THIS_MODULE);\n  held = get_task_struct(acme_owner());',
          '  module_put(THIS_MODULE);\n  put_task_struct(held);',
        ),
      ),
      says: 'in post_unpatch is all that undoes get_task_struct()',
      severity: 'warning',
    },
    {
      what: 'a reference to a task',
      lineage: lineage(ONE, held('  held = get_task_struct(acme_owner());', '  put_task_struct(held);')),
      says: 'put_task_struct() in post_unpatch is all that undoes get_task_struct()',
      on: 'get_task_struct',
    },
    {
      what: 'a reference to a network namespace',
      lineage: lineage(ONE, held('  net = get_net(acme_net());', '  put_net(net);')),
      says: 'put_net()',
    },
    {
      what: 'in pre_unpatch as well',
      lineage: lineage(
        ONE,
        held('  net = get_net(acme_net());', '  put_net(net);', {
          callbacks: '      .pre_patch = on,\n      .pre_unpatch = off,',
        }),
      ),
      says: 'in pre_unpatch',
    },
    {
      what: 'taken in one draft of several',
      lineage: lineage(
        manifest(['released', 'draft']),
        {},
        held('  held = get_task_struct(acme_owner());', '  put_task_struct(held);'),
      ),
      says: 'when v2 is disabled or reversed',
    },
  ],
  [
    ...SILENT,
    {
      why: 'post_patch of its own drops it',
      lineage: lineage(
        ONE,
        held('  held = get_task_struct(acme_owner());', '  put_task_struct(held);', {
          callbacks: '      .pre_patch = on,\n      .post_patch = off,',
        }),
      ),
    },
    {
      why: 'the object has a name',
      lineage: lineage(ONE, held('  net = get_net(&init_net);', '  put_net(net);')),
    },
    {
      why: 'the state holds the reference',
      lineage: lineage(
        ONE,
        held(
          '  held = get_task_struct(acme_owner());\n  klp_get_state(&patch, 7)->data = held;',
          '  put_task_struct(held);',
          STATE,
        ),
      ),
    },
  ],
);

/** Without what the other rule says of the same cause. */
const unpublished = async (text: string): Promise<string[]> =>
  (await spoken(text, 'unpublished-pointer')).map((said) => said.replace(/ \| also .*$/, ''));
const pointers = (parts: LivepatchParts): Promise<string[]> => unpublished(lineage(ONE, parts));
const NEEDS = (undo: string, what: string, noun: string, severity = 'warning'): string =>
  `${severity} must v1: ${undo}() needs ${what}, which only v1 knows: a version that replaces it cannot undo this ${noun}. Publish it in the data of a state or in a shadow variable. | v1 itself undoes it here`;
const OF = (variable: string): string =>
  NEEDS('unregister_reboot_notifier', `the address of ${variable}`, 'notifier');

test('the whole sentences of unpublished-pointer', async () => {
  expect(await pointers(NOTIFIED)).toEqual([OF('nb')]);
  expect(await pointers(THREAD)).toEqual([
    NEEDS('kthread_stop', 'what kthread_run() returned', 'kernel thread'),
  ]);
  // The undo that this version calls, of several that the kernel has.
  expect(await pointers(TIMER)).toEqual([NEEDS('timer_delete_sync', 'the address of timer', 'timer')]);
  const heap = seldom(
    '    buffer = kmalloc(8, GFP_KERNEL);',
    '    kfree(buffer);',
    `${MODE}\nstatic void *buffer;`,
  );
  expect(await pointers(heap)).toEqual([
    NEEDS('kfree', 'what kmalloc() returned', 'allocation', 'information'),
  ]);
});

/** A notifier block that stands elsewhere than in a variable of its own. */
const standing = (declared: string, block: string): LivepatchParts =>
  seldom(
    `    register_reboot_notifier(${block});`,
    `    unregister_reboot_notifier(${block});`,
    `${MODE}\n${declared}`,
  );

test.each([
  ['static struct notifier_block nb;', '(struct notifier_block *)&nb', 'nb'],
  ['static struct { struct notifier_block nb; } held;', '&held.nb', 'held'],
  ['static struct notifier_block blocks[3];', '&blocks[1]', 'blocks'],
  ['static struct notifier_block blocks[3];', 'blocks', 'blocks'],
])('%s, by %s', async (declared, block, variable) => {
  expect(await pointers(standing(declared, block))).toEqual([OF(variable)]);
});

test.each([
  ['static struct { struct notifier_block nb; } *held;', '&held->nb'],
  ['static struct notifier_block *held;', '*&held + 1'],
  ['extern struct notifier_block acme_nb;', '&acme_nb'],
  ['', 'acme_block()'],
])('%s, by %s: not for sure in the module', async (declared, block) => {
  expect(await pointers(standing(declared, block))).toEqual([]);
});

test('what a call returned is kept in a member, or in nothing that lasts', async () => {
  const LOOP = `${MODE}\nstatic int loop(void *data)\n{\n  return 0;\n}\n`;
  const run = (keep: string, stop: string, declared: string): LivepatchParts =>
    seldom(
      `    ${keep} = kthread_run(loop, NULL, "acme");`,
      `    kthread_stop(${stop});`,
      `${LOOP}${declared}`,
    );
  expect(
    await pointers(run('all.worker', 'all.worker', 'static struct { struct task_struct *worker; } all;')),
  ).toHaveLength(1);
  expect(await pointers(run('struct task_struct *t', 'acme_thread()', ''))).toEqual([]);
  expect(await pointers(run('acme_threads->first', 'acme_threads->first', ''))).toEqual([]);
});

test.each([
  ['memory of the kernel', '    acme_list->first = &nb;\n'],
  ['a local', '    struct notifier_block *mine = &nb;\n\n'],
  ['a local struct', '    struct { void *p; } mine = { .p = &nb };\n\n'],
  ['a function of its own', '    keep(&nb);\n'],
  ['a function behind a pointer', '    acme_ops->keep(&nb);\n'],
])('%s takes the address: it may be found there', async (_what, statement) => {
  const keep = 'static void keep(void *p)\n{\n  acme_keep(p);\n}\n';
  expect(await pointers(seldom(`${statement}${REGISTER}`, UNREGISTER, `${NB}\n${keep}`))).toEqual([]);
});

test.each([
  ['its own data', '    mine = &nb;\n', 'static void *mine;'],
  ['a function of the kernel that keeps nothing', '    acme_look(&nb);\n', ''],
  ['its own initialiser', '', ''],
])('%s is no place where it could be found', async (_what, statement, declared) => {
  const nb = declared === '' && statement === '' ? NB.replace('= seen }', '= seen, .next = &nb }') : NB;
  expect(await pointers(seldom(`${statement}${REGISTER}`, UNREGISTER, `${nb}\n${declared}`))).toEqual([
    OF('nb'),
  ]);
});

test('another table of the module has it', async () => {
  const list = 'static struct notifier_block *list[] = { NULL, &nb };\nstatic int other;';
  expect(await pointers(seldom(REGISTER, UNREGISTER, `${NB}\n${list}`))).toEqual([]);
});

test('what is never undone, and what is made somewhere else than on the way in', async () => {
  expect(await pointers(seldom(REGISTER, '    acme_note();', NB))).toEqual([]);
  const late = { ...NOTIFIED, callbacks: '      .pre_unpatch = on,\n      .post_unpatch = off,' };
  expect(await pointers(late)).toEqual([]);
  const helper = seldom('    make();', UNREGISTER, `${NB}\nstatic void make(void)\n{\n${REGISTER}\n}`, {
    functions: ['acme_open'],
  });
  expect(await pointers(helper)).toEqual([OF('nb')]);
  const text = lineage(ONE, helper)
    .replace('static int klpp_acme_open', 'static void make(void);\n$&')
    .replace('  return n;', '  make();\n  return n;');
  expect(await unpublished(text)).toEqual([OF('nb')]);
});

test('made in init and undone in exit, which runs after a replacement too', async () => {
  const when = (statement: string): string => `  if (acme_mode() == 3)\n  ${statement}\n`;
  const init = `${when(REGISTER)}  return klp_enable_patch(&patch);`;
  expect(await pointers({ body: NB, init, exit: when(UNREGISTER) })).toEqual([]);
  const off = `static void off(struct klp_object *obj)\n{\n${when(UNREGISTER)}}`;
  const callbacks = '      .post_unpatch = off,';
  expect(await pointers({ body: `${NB}\n${off}`, init, callbacks })).toEqual([OF('nb')]);
  // Made in a callback: exit is too late, the kernel may have replaced it long ago.
  expect(await pointers({ ...seldom(REGISTER, '', NB), exit: when(UNREGISTER) })).toEqual([OF('nb')]);
});

test('in a second file of the module', async () => {
  const text = lineage(ONE, {
    body: 'void on(struct klp_object *obj);\nvoid off(struct klp_object *obj);',
    callbacks: '      .post_patch = on,\n      .pre_unpatch = off,',
  });
  const source = (NOTIFIED.body ?? '').replaceAll('static void o', 'void o');
  expect(await unpublished(`${text}//- v1/b.c\n#include <linux/livepatch.h>\n${source}\n`)).toEqual([
    OF('nb'),
  ]);
});

const only = (parts: LivepatchParts): Promise<string[]> =>
  spoken(lineage(ONE, parts), 'undo-only-in-own-unpatch');
const ALL = (undo: string, where: string, made: string): string =>
  `warning must v1: ${undo}() in ${where} is all that undoes ${made}(): it runs when v1 is disabled or reversed, and not when another version replaces it. Hand it over by a state or a shadow variable. | the only undo, in ${where}`;
const TASK = '  held = get_task_struct(acme_owner());';
const PUT = '  put_task_struct(held);';

test('the whole sentences of undo-only-in-own-unpatch', async () => {
  expect(await only(held(TASK, PUT))).toEqual([ALL('put_task_struct', 'post_unpatch', 'get_task_struct')]);
  const both = '      .pre_patch = on,\n      .pre_unpatch = off,\n      .post_unpatch = off,';
  expect(await only(held(TASK, PUT, { callbacks: both }))).toEqual([
    ALL('put_task_struct', 'post_unpatch and pre_unpatch', 'get_task_struct'),
  ]);
});

test('exit as well is too late, a way back in pre_patch or a patched function is not', async () => {
  expect(await only(held(TASK, PUT, { exit: PUT }))).toHaveLength(1);
  const back = `${TASK}\n  if (acme_check()) {\n  ${PUT}\n    return -EIO;\n  }`;
  expect(await only(held(back, PUT))).toEqual([]);
  const text = lineage(ONE, held(TASK, PUT))
    .replace('static int klpp_acme_open', 'static struct task_struct *held;\n$&')
    .replace('  return n;', `${PUT}\n  return n;`);
  expect(await spoken(text, 'undo-only-in-own-unpatch')).toEqual([]);
  expect(await only(held(TASK, '', { exit: PUT }))).toEqual([]);
});

test('memory is an information, where only this rule may speak', async () => {
  const off = manifest(['draft'], { end: 'rules:\n  unpublished-pointer: off\n' });
  const heap = seldom(
    '    buffer = kmalloc(8, GFP_KERNEL);',
    '    kfree(buffer);',
    `${MODE}\nstatic void *buffer;`,
  );
  const code = 'undo-only-in-own-unpatch';
  expect(await spoken(lineage(off, heap), code)).toEqual([
    ALL('kfree', 'pre_unpatch', 'kmalloc').replace('warning', 'information'),
  ]);
  expect(await spoken(lineage(off, NOTIFIED), code)).toEqual([
    ALL('unregister_reboot_notifier', 'pre_unpatch', 'register_reboot_notifier'),
  ]);
});
