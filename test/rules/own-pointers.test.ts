import { FILE, NOTIFIER } from './effects';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

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
