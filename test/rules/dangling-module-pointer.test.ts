import { expect, test } from 'vitest';
import { FILE, marked, NOTIFIER, NOTIFIER_BY_STATE, VALUE } from './effects';
import { expectMarked, lineage, manifest } from './fixture';
import { precision } from './precision';

const ON_REPLACE = '  .replace = true,\n//~ dangling-module-pointer';

test('a notifier of a released version: on the draft that replaces it', async () => {
  const findings = await expectMarked(
    lineage(manifest(['released', 'draft']), NOTIFIER, { replace: `${ON_REPLACE}: v1's post_unpatch` }),
  );
  const [finding] = findings;
  expect(finding?.severity).toBe('error');
  expect(finding?.certainty).toBe('must');
  expect(finding?.message).toContain('use-after-free');
  expect(finding?.message).toContain('m_v1');
  expect(finding?.versions).toEqual(['v2', 'v1']);
  expect(finding?.run).toEqual(['load v1', 'load v2', 'unload v1']);
  const messages = finding?.related.map((item) => item.message) ?? [];
  expect(messages[0]).toContain('made here, in pre_patch');
  expect(messages[1]).toContain('undone here, in post_unpatch');
  // One cause, one finding: the other rule speaks through this one.
  expect(messages[2]).toContain('also orphaned-side-effect');
});

test('a file of a draft: at the line that makes it', async () => {
  const findings = await expectMarked(
    lineage(
      manifest(['draft', 'draft']),
      marked(FILE, 'debugfs_create_file(', '  //~ dangling-module-pointer: the debugfs file acme'),
      {},
    ),
  );
  expect(findings[0]?.versions).toEqual(['v1', 'v2']);
});

test('a timer that fires on in the old module', async () => {
  const timer = {
    body: `static struct timer_list t;
static void fire(struct timer_list *timer)
{
  mod_timer(&t, jiffies + HZ);
}
static void arm(struct klp_object *obj)
{
  timer_setup(&t, fire, 0);
  mod_timer(&t, jiffies + HZ);
}
static void disarm(struct klp_object *obj)
{
  timer_delete_sync(&t);
}`,
    callbacks: '      .post_patch = arm,\n      .pre_unpatch = disarm,',
  };
  await expectMarked(
    lineage(manifest(['released', 'draft'], { kernel: '"6.12"' }), timer, {
      replace: `${ON_REPLACE}: v1's pre_unpatch, which undoes the timer t`,
    }),
  );
});

test('a pointer of the kernel that was bent into the module', async () => {
  const hooked = {
    body: `extern struct proto tcp_prot;
static int (*saved)(struct sock *sk);
static int klpp_init(struct sock *sk)
{
  return 0;
}
static int bend(struct klp_object *obj)
{
  saved = tcp_prot.init;
  tcp_prot.init = klpp_init;
  return 0;
}
static void unbend(struct klp_object *obj)
{
  tcp_prot.init = saved;
}`,
    callbacks: '      .pre_patch = bend,\n      .post_unpatch = unbend,',
  };
  await expectMarked(lineage(manifest(['released', 'draft']), hooked, { replace: ON_REPLACE }));
});

test('the successor removes it through the state', async () => {
  await expectMarked(
    lineage(
      manifest(['released', 'released', 'draft']),
      NOTIFIER_BY_STATE,
      NOTIFIER_BY_STATE,
      NOTIFIER_BY_STATE,
    ),
  );
});

test('the successor removes it by its name', async () => {
  const cleanup = {
    body: 'static void clean(struct klp_object *obj)\n{\n  debugfs_lookup_and_remove("acme", NULL);\n}',
    callbacks: '      .post_patch = clean,',
  };
  await expectMarked(lineage(manifest(['released', 'draft']), FILE, cleanup));
});

test('module exit takes it back', async () => {
  await expectMarked(
    lineage(
      manifest(['released', 'draft']),
      { ...NOTIFIER, callbacks: '      .pre_patch = hook,', exit: '  unregister_reboot_notifier(&nb);' },
      {},
    ),
    'dangling-module-pointer',
  );
});

test('without replace nothing is taken away from the old version', async () => {
  await expectMarked(lineage(manifest(['released', 'draft']), { ...NOTIFIER, replace: '' }, { replace: '' }));
});

test('a value that stays leads nowhere', async () => {
  await expectMarked(
    lineage(manifest(['released', 'draft']), VALUE, {
      replace: '  .replace = true,\n//~ orphaned-side-effect: console_loglevel',
    }),
  );
});

const REPLACED = manifest(['released', 'draft']);

/** What `on` does in pre_patch and `off` takes back in post_unpatch, or in the other pair. */
const onOff = (
  declared: string,
  on: string,
  off: string,
  pair: 'pre_patch' | 'post_patch' = 'pre_patch',
): { body: string; callbacks: string } => ({
  body: `${declared}
static ${pair === 'pre_patch' ? 'int' : 'void'} lp_on(struct klp_object *obj)
{
  ${on}
}
static void lp_off(struct klp_object *obj)
{
  ${off}
}`,
  callbacks: `      .${pair} = lp_on,\n      .${pair === 'pre_patch' ? 'post_unpatch' : 'pre_unpatch'} = lp_off,`,
});

const GROUP = onOff(
  `static ssize_t v_show(struct kobject *k, struct kobj_attribute *a, char *b) { return 0; }
static struct kobj_attribute v_attr = __ATTR_RO(v);
static struct attribute *attrs[] = { &v_attr.attr, NULL };
static const struct attribute_group grp = { .name = "lp", .attrs = attrs };`,
  'return sysfs_create_group(kernel_kobj, &grp);',
  'sysfs_remove_group(kernel_kobj, &grp);',
);
const PROC = onOff(
  'static int show_it(struct seq_file *m, void *v) { return 0; }',
  'return proc_create_single("lp_status", 0444, NULL, show_it) ? 0 : -ENOMEM;',
  'remove_proc_entry("lp_status", NULL);',
);
const THREAD = onOff(
  `static struct task_struct *t;
static int loop(void *d) { while (!kthread_should_stop()) msleep(100); return 0; }`,
  't = kthread_run(loop, NULL, "lp_loop");\n  return PTR_ERR_OR_ZERO(t);',
  'kthread_stop(t);',
);
const POLL = onOff(
  `static void poll(struct work_struct *w);
static DECLARE_DELAYED_WORK(dw, poll);
static void poll(struct work_struct *w) { schedule_delayed_work(&dw, HZ); }`,
  'schedule_delayed_work(&dw, HZ);',
  'cancel_delayed_work_sync(&dw);',
  'post_patch',
);
const TICK = onOff(
  `static struct hrtimer ht;
static enum hrtimer_restart tick(struct hrtimer *t)
{
  hrtimer_forward_now(t, ms_to_ktime(100));
  return HRTIMER_RESTART;
}`,
  `hrtimer_init(&ht, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
  ht.function = tick;
  hrtimer_start(&ht, ms_to_ktime(100), HRTIMER_MODE_REL);`,
  'hrtimer_cancel(&ht);',
  'post_patch',
);
const ONCE = onOff(
  'static void once(struct timer_list *t) { pr_info("late\\n"); }\nstatic DEFINE_TIMER(tm, once);',
  'mod_timer(&tm, jiffies + 60 * HZ);',
  'del_timer_sync(&tm);',
  'post_patch',
);
const LATER = onOff(
  'static void later(struct work_struct *w) { }\nstatic DECLARE_DELAYED_WORK(dw, later);',
  'schedule_delayed_work(&dw, 3600 * HZ);',
  'cancel_delayed_work_sync(&dw);',
  'post_patch',
);
const WORK = (on: string): ReturnType<typeof onOff> =>
  onOff(
    'static void work_fn(struct work_struct *w) { pr_info("done\\n"); }\nstatic DECLARE_WORK(work, work_fn);',
    on,
    'cancel_work_sync(&work);',
    'post_patch',
  );

/** Each version registers its own notifier and removes that of the one before, found by a shadow variable. */
const RELAY = {
  body: `#define LP_NB 0x1234
static int seen(struct notifier_block *nb, unsigned long event, void *data) { return NOTIFY_DONE; }
static struct notifier_block nb = { .notifier_call = seen };
static int lp_pre(struct klp_object *obj)
{
  return register_netdevice_notifier(&nb);
}
static void lp_post(struct klp_object *obj)
{
  struct notifier_block **old = klp_shadow_get(NULL, LP_NB);

  if (old)
    unregister_netdevice_notifier(*old);
  else
    old = klp_shadow_alloc(NULL, LP_NB, sizeof(*old), GFP_KERNEL, NULL, NULL);
  if (old)
    *old = &nb;
}
static void lp_gone(struct klp_object *obj)
{
  unregister_netdevice_notifier(&nb);
  klp_shadow_free(NULL, LP_NB, NULL);
}`,
  callbacks: '      .pre_patch = lp_pre,\n      .post_patch = lp_post,\n      .post_unpatch = lp_gone,',
};
const MUST = { on: '.replace = true', severity: 'error' } as const;
const MAY = { on: '.replace = true', severity: 'warning' } as const;

precision(
  'dangling-module-pointer',
  [
    { what: 'a sysfs group', lineage: lineage(REPLACED, GROUP, {}), says: 'post_unpatch', ...MUST },
    { what: 'a proc entry', lineage: lineage(REPLACED, PROC, {}), says: 'the proc entry lp_status', ...MUST },
    { what: 'a thread', lineage: lineage(REPLACED, THREAD, {}), says: 'kernel thread lp_loop', ...MUST },
    { what: 'work that queues itself', lineage: lineage(REPLACED, POLL, {}), says: 'work item dw', ...MUST },
    {
      what: 'a timer that restarts',
      lineage: lineage(REPLACED, TICK, {}),
      says: 'resolution timer ht',
      ...MUST,
    },
    {
      what: 'a timer that goes off once, in a minute',
      lineage: lineage(REPLACED, ONCE, {}),
      says: 'It depends on whether the timer tm has gone off by then',
      ...MAY,
    },
    {
      what: 'delayed work, once in an hour',
      lineage: lineage(REPLACED, LATER, {}),
      says: 'It depends on whether the delayed work item dw has gone off by then',
      ...MAY,
    },
  ],
  [
    {
      why: 'the successor removes the entry by its name',
      lineage: lineage(REPLACED, PROC, {
        body: 'static void clean(struct klp_object *obj)\n{\n  remove_proc_entry("lp_status", NULL);\n}',
        callbacks: '      .post_patch = clean,',
      }),
    },
    { why: 'each removes the one before', lineage: lineage(REPLACED, RELAY, RELAY) },
    { why: 'work runs at once', lineage: lineage(REPLACED, WORK('schedule_work(&work);'), {}) },
    {
      why: 'the callback waits for its work',
      lineage: lineage(REPLACED, WORK('schedule_work(&work);\n  flush_work(&work);'), {}),
    },
    {
      why: 'exit of the old module stops the work, however long it had to wait',
      lineage: lineage(REPLACED, { ...LATER, exit: '  cancel_delayed_work_sync(&dw);' }, {}),
    },
    {
      why: 'without a delay it does not wait',
      lineage: lineage(REPLACED, { ...LATER, body: LATER.body.replace('3600 * HZ', '0') }, {}),
    },
    {
      why: 'a reference of its own holds the module: for another rule, and milder',
      lineage: lineage(
        REPLACED,
        {
          ...NOTIFIER,
          body: (NOTIFIER.body ?? '').replace(
            '  return register',
            '  __module_get(THIS_MODULE);\n  return register',
          ),
        },
        {},
      ),
    },
  ],
);
