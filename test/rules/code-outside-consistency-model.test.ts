import { expect, test } from 'vitest';
import { expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { told } from './told';

const CODE = 'code-outside-consistency-model';
const MARK = `  //~ ${CODE}`;

const running = (data: string, start: string, stop: string, more: LivepatchParts = {}): string =>
  lineage(manifest(['draft']), {
    body: `${data}
static void start(struct klp_object *obj)
{
${start}
}
static void stop(struct klp_object *obj)
{
${stop}
}`,
    callbacks: '      .post_patch = start,\n      .pre_unpatch = stop,',
    ...more,
  });

const WORK = 'static void run(struct work_struct *work)\n{\n}\n';
const TIMER = 'static void run(struct timer_list *t)\n{\n}\nstatic DEFINE_TIMER(ticker, run);';
const THREAD = `static struct task_struct *task;
static int run(void *data)
{
  while (!kthread_should_stop())
    msleep(10);
  return 0;
}`;

test('a thread', async () => {
  const findings = await expectMarked(
    running(
      THREAD,
      `  task = kthread_run(run, NULL, "acme");\n${MARK}: kthread_stop()`,
      '  kthread_stop(task);',
    ),
    CODE,
  );
  expect(findings[0]).toMatchObject({ severity: 'warning', run: ['load v1'] });
});

test('a timer', async () => {
  await expectMarked(
    running(
      TIMER,
      `  mod_timer(&ticker, jiffies + HZ);\n${MARK}: timer_delete_sync()`,
      '  del_timer_sync(&ticker);',
    ),
    CODE,
  );
});

test('delayed work', async () => {
  await expectMarked(
    running(
      `${WORK}static DECLARE_DELAYED_WORK(job, run);`,
      `  schedule_delayed_work(&job, HZ);\n${MARK}: cancel_delayed_work_sync()`,
      '  cancel_delayed_work_sync(&job);',
    ),
    CODE,
  );
});

test('a work item that ends by itself, sooner or later', async () => {
  await expectMarked(
    running(
      `${WORK}static DECLARE_WORK(job, run);`,
      `  schedule_work(&job);\n${MARK}: cancel_work_sync()`,
      '  cancel_work_sync(&job);',
    ),
    CODE,
  );
});

test('a tasklet', async () => {
  await expectMarked(
    running(
      'static void run(struct tasklet_struct *t)\n{\n}\nstatic DECLARE_TASKLET(little, run);',
      `  tasklet_schedule(&little);\n${MARK}: tasklet_kill()`,
      '  tasklet_kill(&little);',
    ),
    CODE,
  );
});

test('a work item that the callback waits for', async () => {
  await expectMarked(
    running(
      `${WORK}static DECLARE_WORK(job, run);`,
      '  schedule_work(&job);\n  flush_work(&job);',
      '  cancel_work_sync(&job);',
    ),
    CODE,
  );
});

test('a thread whose code is the kernel’s', async () => {
  await expectMarked(
    running(
      'static struct task_struct *task;\nextern int acme_thread(void *data);',
      '  task = kthread_run(acme_thread, NULL, "acme");',
      '  kthread_stop(task);',
    ),
    CODE,
  );
});

test('a thread that is stopped within the callback', async () => {
  await expectMarked(
    running(THREAD, '  task = kthread_run(run, NULL, "acme");\n  kthread_stop(task);', ''),
    CODE,
  );
});

test('a workqueue alone runs nothing', async () => {
  await expectMarked(
    running(
      'static struct workqueue_struct *queue;',
      '  queue = alloc_workqueue("acme", 0, 0);',
      '  destroy_workqueue(queue);',
    ),
    CODE,
  );
});

test('without replace nothing takes over', async () => {
  await expectMarked(
    running(THREAD, '  task = kthread_run(run, NULL, "acme");', '  kthread_stop(task);', { replace: '' }),
    CODE,
  );
});

test('a thread that stays after a replacement is dangling, and that says enough', async () => {
  const body = `${THREAD}
static void start(struct klp_object *obj)
{
  task = kthread_run(run, NULL, "acme");
}
static void stop(struct klp_object *obj)
{
  kthread_stop(task);
}`;
  const callbacks = '      .post_patch = start,\n      .pre_unpatch = stop,';
  await expectMarked(lineage(manifest(['released', 'draft']), { body, callbacks }, {}), CODE);
});

test('what is told', async () => {
  const text = running(THREAD, '  task = kthread_run(run, NULL, "acme");', '  kthread_stop(task);');
  expect(await told(text, CODE)).toEqual([
    {
      severity: 'warning',
      certainty: 'must',
      message:
        'The kernel thread acme, which post_patch starts, runs code of m_v1 that no transition waits for: ' +
        "when v1 is replaced, it may be in the middle of it. Let the partner callback and the successor's post_patch end it with kthread_stop().",
      versions: ['v1'],
      on: 'v1/a.c: kthread_run(run, NULL, "acme")',
      related: [],
      run: ['load v1'],
      fixes: [],
    },
  ]);
});

test('what pre_patch starts as well, and what init or a work item starts not', async () => {
  const started = async (callbacks: string, init?: string): Promise<number> => {
    const body = `${THREAD}
static int begin(struct klp_object *obj)
{
  task = kthread_run(run, NULL, "acme");
  return PTR_ERR_OR_ZERO(task);
}
static void stop(struct klp_object *obj)
{
  kthread_stop(task);
}`;
    const text = lineage(manifest(['draft']), { body, callbacks, ...(init ? { init } : {}) });
    return (await told(text, CODE)).length;
  };
  expect(await started('.pre_patch = begin,\n.post_unpatch = stop,')).toBe(1);
  expect(
    await started(
      '.post_unpatch = stop,',
      '  task = kthread_run(run, NULL, "acme");\n  return klp_enable_patch(&patch);',
    ),
  ).toBe(0);
});
