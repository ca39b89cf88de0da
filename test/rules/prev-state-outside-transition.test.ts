import { expect, test } from 'vitest';
import { check, expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

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

const DRAFT = manifest(['draft']);
const says = (parts: LivepatchParts): Promise<string[]> =>
  spoken(lineage(DRAFT, { states: STATES, ...parts }), CODE);
const NULLS =
  'without a transition the kernel warns and answers NULL, so this looks like the first time. Ask in a callback of the vmlinux object and keep the answer.';
const OF_EXT4 = (what: string, callback: string, fn = 'ask'): string =>
  `error must v1: ${fn}() runs as ${callback} of ext4 also when ext4 is ${what} while no transition is running: klp_get_prev_state() then warns and answers NULL, so this looks like the first time. Ask in a callback of the vmlinux object and keep the answer.`;
const FIRST = 'static bool first(void)\n{\n  return !klp_get_prev_state(7);\n}\n';

test('the whole sentences', async () => {
  expect(await says(onModule('post_patch', ASKS))).toEqual([OF_EXT4('loaded', 'post_patch')]);
  expect(await says(onModule('pre_unpatch', ASKS))).toEqual([OF_EXT4('removed', 'pre_unpatch')]);
  expect(await says({ exit: '  klp_get_prev_state(7);' })).toEqual([
    `error must v1: klp_get_prev_state() is reached from module exit, which runs when the livepatch is long disabled or replaced: ${NULLS}`,
  ]);
  const call = '  klp_get_prev_state(7);\n  return klp_enable_patch(&patch);';
  expect(await says({ init: call })).toEqual([
    `error must v1: klp_get_prev_state() is called in module init, where no transition is running: ${NULLS}`,
  ]);
  const behind = '  int ret = klp_enable_patch(&patch);\n\n  klp_get_prev_state(7);\n  return ret;';
  expect(await says({ init: behind })).toEqual([
    `warning may v1: klp_get_prev_state() is called in module init, where the transition may be over already: ${NULLS}`,
  ]);
  expect(await spoken(WORK_OF_PATCHED, CODE)).toEqual([
    `error must v1: klp_get_prev_state() is reached from a work item, timer or thread, which runs by itself at any time: ${NULLS}`,
  ]);
});

test('two calls in init are each judged by where they stand', async () => {
  const init =
    '  int ret;\n\n  klp_get_prev_state(7);\n  ret = klp_enable_patch(&patch);\n  klp_get_prev_state(7);\n  return ret;';
  expect((await says({ init })).map((said) => said.split(':')[0])).toEqual([
    'error must v1',
    'warning may v1',
  ]);
});

test('two calls of one callback, and the same one when it comes and when it goes', async () => {
  const twice = ASKS.replace('  if', '  klp_get_prev_state(8);\n  if');
  expect(await says(onModule('post_patch', twice))).toHaveLength(2);
  const objects =
    '  { .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = ask, .pre_unpatch = ask } },';
  expect(await says({ body: ASKS, objects })).toEqual([OF_EXT4('loaded', 'post_patch')]);
});

test('of two targets that one is named whose callback asks', async () => {
  const objects =
    '  { .name = "xfs", .funcs = funcs, .callbacks = { .post_patch = quiet } },\n  { .name = "btrfs", .funcs = funcs },\n  { .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = ask } },';
  const body = `${ASKS}\nstatic void quiet(struct klp_object *obj)\n{\n}`;
  expect(await says({ body, objects })).toEqual([OF_EXT4('loaded', 'post_patch')]);
});

test('a call that is reached from a notifier and surely from a callback of a module', async () => {
  const body = `${FIRST}static int seen(struct notifier_block *nb, unsigned long e, void *d)
{
  return first() ? NOTIFY_OK : NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = seen };
static void ask(struct klp_object *obj)
{
  if (first())
    pr_info("first");
}
static int lp_on(struct klp_object *obj)
{
  return register_reboot_notifier(&nb);
}
static void lp_off(struct klp_object *obj)
{
  unregister_reboot_notifier(&nb);
}`;
  const objects = `  { .funcs = funcs, .callbacks = { .pre_patch = lp_on, .post_unpatch = lp_off } },
  { .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = ask } },`;
  expect(await says({ body, objects })).toEqual([OF_EXT4('loaded', 'post_patch', 'first')]);
});

test('another warning of the kernel in a callback of a module is not taken for it', async () => {
  const warns = `static void ask(struct klp_object *obj)
{
  klp_shadow_alloc(NULL, 9, 8, GFP_KERNEL, NULL, NULL);
  klp_shadow_alloc(NULL, 9, 8, GFP_KERNEL, NULL, NULL);
  if (acme_never() == 77)
    klp_get_prev_state(7);
}`;
  expect((await says(onModule('post_patch', warns))).filter((said) => said.startsWith('error must'))).toEqual(
    [],
  );
});

test('a livepatch without objects', async () => {
  const none = livepatch({ exit: '  klp_get_prev_state(7);' }).replace('  .objs = objs,\n', '');
  expect(await spoken(lineage(DRAFT, none), CODE)).toHaveLength(1);
});

test('two files with the call at the same offset are two findings', async () => {
  const file = (name: string): string =>
    `//- v1/${name}.c\n#include <linux/livepatch.h>\nbool first_${name}(void)\n{\n  return klp_get_prev_state(7);\n}\n`;
  const body =
    'bool first_b(void);\nbool first_c(void);\nstatic void ask(struct klp_object *obj)\n{\n  if (first_b() || !first_c())\n    pr_info("first");\n}';
  const text = lineage(DRAFT, onModule('post_patch', body));
  expect(await spoken(text + file('b') + file('c'), CODE)).toEqual([
    OF_EXT4('loaded', 'post_patch', 'first_b'),
    OF_EXT4('loaded', 'post_patch', 'first_c'),
  ]);
});
