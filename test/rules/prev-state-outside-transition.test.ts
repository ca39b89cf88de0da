import { expect, test } from 'vitest';
import { check, expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

const STATES = '  { .id = 7, .version = 1 },';
const MARK = '  //~ prev-state-outside-transition';

const ASKS = `static void ask(struct klp_object *obj)
{
  if (!klp_get_prev_state(7))
    pr_info("first\\n");
}`;
const MARKED = ASKS.replace('(7))', `(7))\n${MARK}`);

const onModule = (callback: string, body: string): LivepatchParts => ({
  body,
  states: STATES,
  objects: `  {
    .name = "ext4",
    .funcs = funcs,
    .callbacks = {
      .${callback} = ask,
    },
  },`,
});

test('a callback of a module that comes later', async () => {
  const findings = await expectMarked(lineage(manifest(['draft']), onModule('post_patch', MARKED)));
  expect(findings[0]?.run).toEqual(['load v1', 'load ext4']);
  expect(findings[0]?.message).toContain('post_patch of ext4');
  expect(findings[0]?.severity).toBe('error');
});

test('a callback of a module that goes later', async () => {
  const findings = await expectMarked(lineage(manifest(['draft']), onModule('pre_unpatch', MARKED)));
  expect(findings[0]?.run).toEqual(['load ext4', 'load v1', 'unload ext4']);
});

test('a patched function', async () => {
  const text = lineage(manifest(['draft']), { states: STATES }).replace(
    '  return n;',
    `  if (klp_get_prev_state(7))\n  ${MARK}: a patched function\n    return 0;\n  return n;`,
  );
  await expectMarked(text);
});

test('module exit', async () => {
  await expectMarked(
    lineage(manifest(['draft']), { states: STATES, exit: `  klp_get_prev_state(7);\n${MARK}: module exit` }),
  );
});

test('module init, before there is a transition', async () => {
  await expectMarked(
    lineage(manifest(['draft']), {
      states: STATES,
      init: `  klp_get_prev_state(7);\n${MARK}: module init\n  return klp_enable_patch(&patch);`,
    }),
  );
});

test.each(['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'])('%s of vmlinux', async (callback) => {
  const body =
    callback === 'pre_patch'
      ? ASKS.replace('static void', 'static int').replace(/\}$/, '  return 0;\n}')
      : ASKS;
  await expectMarked(
    lineage(manifest(['draft']), { body, states: STATES, callbacks: `      .${callback} = ask,` }),
  );
});

test('klp_get_state() may be called anywhere', async () => {
  const body = ASKS.replace('klp_get_prev_state(7)', 'klp_get_state(&patch, 7)');
  await expectMarked(lineage(manifest(['draft']), onModule('post_patch', body)));
});

test('a function that nobody calls', async () => {
  await expectMarked(lineage(manifest(['draft']), { body: ASKS, states: STATES }));
});

test('a guard that lets it be called in transitions only', async () => {
  const body = ASKS.replace(
    'if (!',
    'if (obj->mod && obj->mod->state != MODULE_STATE_LIVE)\n    return;\n  if (!',
  );
  const { findings } = await check(lineage(manifest(['draft']), onModule('post_patch', body)));
  expect(findings).toEqual([]);
});

test('a work item that a callback queues', async () => {
  const body = `static void later(struct work_struct *work)
{
  klp_get_prev_state(7);
${MARK}: later(), which runs by itself
}
static DECLARE_WORK(work, later);
static void start(struct klp_object *obj)
{
  schedule_work(&work);
}
static void stop(struct klp_object *obj)
{
  cancel_work_sync(&work);
}`;
  const findings = await expectMarked(
    lineage(manifest(['draft']), {
      body,
      states: STATES,
      callbacks: '      .post_patch = start,\n      .pre_unpatch = stop,',
    }),
    'prev-state-outside-transition',
  );
  expect(findings[0]?.run).toEqual(['load v1']);
});

const CODE = 'prev-state-outside-transition';
const both = (body: string, callback = 'post_patch'): LivepatchParts => ({
  body,
  states: STATES,
  objects: `  { .funcs = funcs, .callbacks = { .${callback} = ask } },\n  { .name = "ext4", .funcs = funcs, .callbacks = { .${callback} = ask } },`,
});
const during = (
  body: string,
  callbacks = '      .pre_patch = lp_on,\n      .post_unpatch = lp_off,',
): string => lineage(manifest(['draft']), { body, states: STATES, callbacks });
const WORK_OF_PATCHED = lineage(manifest(['draft']), {
  body: 'static void later(struct work_struct *w) { if (klp_get_prev_state(7)) pr_info("x\\n"); }\nstatic DECLARE_WORK(work, later);',
  states: STATES,
})
  .replace('static int klpp_acme_open', 'static struct work_struct work;\nstatic int klpp_acme_open')
  .replace('  return n;', '  schedule_work(&work);\n  return n;');

precision(
  CODE,
  [
    {
      what: 'one callback for vmlinux and a module',
      lineage: lineage(manifest(['draft']), both(ASKS)),
      says: 'post_patch of ext4 also when ext4 is loaded',
      severity: 'error',
      run: ['load v1', 'load ext4'],
    },
    {
      what: 'through a helper',
      lineage: lineage(
        manifest(['draft']),
        both(`static bool first(void) { return !klp_get_prev_state(7); }
static void ask(struct klp_object *obj) { if (first()) pr_info("first\\n"); }`),
      ),
      says: 'first() runs as post_patch of ext4',
      severity: 'error',
    },
    {
      what: 'a thread',
      lineage: during(`static struct task_struct *t;
static int loop(void *d) { while (!kthread_should_stop()) { klp_get_prev_state(7); msleep(100); } return 0; }
static int lp_on(struct klp_object *obj) { t = kthread_run(loop, NULL, "lp"); return PTR_ERR_OR_ZERO(t); }
static void lp_off(struct klp_object *obj) { kthread_stop(t); }`),
      says: 'called from loop()',
      severity: 'error',
    },
    {
      what: 'a work item that a patched function queues',
      lineage: WORK_OF_PATCHED,
      says: 'from a work item, timer or thread',
      severity: 'error',
    },
    {
      what: 'a notifier',
      lineage:
        during(`static int seen(struct notifier_block *nb, unsigned long e, void *d) { return klp_get_prev_state(7) ? NOTIFY_OK : NOTIFY_DONE; }
static struct notifier_block nb = { .notifier_call = seen };
static int lp_on(struct klp_object *obj) { return register_reboot_notifier(&nb); }
static void lp_off(struct klp_object *obj) { unregister_reboot_notifier(&nb); }`),
      says: 'may call at any time',
      severity: 'warning',
    },
    {
      what: 'init behind klp_enable_patch(): a race',
      lineage: lineage(manifest(['draft']), {
        states: STATES,
        init: '  int ret = klp_enable_patch(&patch);\n\n  if (!ret && klp_get_prev_state(7))\n    pr_info("x\\n");\n  return ret;',
      }),
      says: 'the transition may be over already',
      severity: 'warning',
    },
  ],
  [
    {
      why: 'one callback for both, which asks for vmlinux only',
      lineage: lineage(
        manifest(['draft']),
        both(ASKS.replace('  if', '  if (obj->name)\n    return;\n  if')),
      ),
    },
    {
      why: 'the answer is kept for the module',
      lineage: lineage(manifest(['draft']), {
        body: `static bool first;
static int ask(struct klp_object *obj) { first = !klp_get_prev_state(7); return 0; }
static void use(struct klp_object *obj) { if (first) pr_info("first\\n"); }`,
        states: STATES,
        objects:
          '  { .funcs = funcs, .callbacks = { .pre_patch = ask } },\n  { .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = use } },',
      }),
    },
    {
      why: 'work that post_patch waits for: the transition is still there',
      lineage: during(
        `static void now(struct work_struct *w) { klp_get_prev_state(7); }
static DECLARE_WORK(work, now);
static void lp_on(struct klp_object *obj) { schedule_work(&work); flush_work(&work); }`,
        '      .post_patch = lp_on,',
      ),
    },
  ],
);
