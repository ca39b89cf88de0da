import { expect, test } from 'vitest';
import { expectMarked, lineage, livepatch, manifest } from './fixture';
import { told } from './told';

const CODE = 'deadlock-in-callback';
const MARK = `  //~ ${CODE}`;

/** One version whose post_patch is `act`. */
const acting = (statements: string, before = ''): string =>
  lineage(manifest(['draft']), {
    body: `${before}static void act(struct klp_object *obj)\n{\n${statements}\n}`,
    callbacks: '      .post_patch = act,',
  });

test.each([
  ['request_module', 'request_module("acme");', 'loads a module'],
  ['klp_enable_patch', 'klp_enable_patch(NULL);', 'Enable it in module init'],
  ['the whole system queue', 'flush_scheduled_work();', "transition's own work item"],
  ['the system queue by name', 'flush_workqueue(system_wq);', "transition's own work item"],
  ['draining it', 'drain_workqueue(system_wq);', "transition's own work item"],
])('%s', async (_, call, words) => {
  const findings = await expectMarked(acting(`  ${call}\n${MARK}: ${words}`), CODE);
  expect(findings[0]).toMatchObject({ severity: 'error', certainty: 'must' });
});

test.each([
  ['an algorithm', 'crypto_alloc_shash("sha256", 0, 0);'],
  ['a file system', 'get_fs_type("acme");'],
  ['a program that is waited for', 'call_usermodehelper(path, argv, NULL, UMH_WAIT_PROC);'],
])('%s may load a module', async (_, call) => {
  const findings = await expectMarked(acting(`  ${call}\n${MARK}: may load`), CODE);
  expect(findings[0]).toMatchObject({ severity: 'warning', certainty: 'may' });
});

test('in a function that the callback calls', async () => {
  const helper = `static void helper(void)\n{\n  request_module("acme");\n${MARK}: helper()\n}\n`;
  await expectMarked(acting('  helper();', helper), CODE);
});

test('in module init no lock is held yet', async () => {
  await expectMarked(
    lineage(manifest(['draft']), { init: '  request_module("acme");\n  return klp_enable_patch(&patch);' }),
    CODE,
  );
});

test('in a work item that the callback only queues', async () => {
  const work = `static void later(struct work_struct *work)
{
  request_module("acme");
}
static DECLARE_WORK(job, later);
`;
  await expectMarked(acting('  schedule_work(&job);', work), CODE);
});

test.each([
  ['a request that nobody waits for', 'request_module_nowait("acme");'],
  ['a queue of its own', 'flush_workqueue(acme_wq);'],
  ['its own work', 'cancel_work_sync(&acme_work);'],
  ['a grace period', 'synchronize_rcu();'],
  ['a program that nobody waits for', 'call_usermodehelper(path, argv, NULL, UMH_NO_WAIT);'],
])('%s', async (_, call) => {
  await expectMarked(acting(`  ${call}`), CODE);
});

test('a function that nobody calls', async () => {
  await expectMarked(acting('', 'static void helper(void)\n{\n  request_module("acme");\n}\n'), CODE);
});

test('a patched function', async () => {
  const text = lineage(manifest(['draft']), {}).replace(
    '  return n;',
    '  request_module("acme");\n  return n;',
  );
  await expectMarked(text, CODE);
});

const EARLIER = 'Do it in module init before klp_enable_patch(), or in a work item.';
const DEADLOCK = 'and callbacks run under klp_mutex: a deadlock.';

test('what is told', async () => {
  expect(await told(acting('  request_module("acme");'), CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: `request_module() in post_patch loads a module, which waits for klp_mutex, ${DEADLOCK} ${EARLIER}`,
      versions: ['v1'],
      on: 'v1/a.c: request_module("acme")',
      related: [],
      run: [],
      fixes: [],
    },
  ]);
});

test.each([
  ['klp_enable_patch(&patch)', `waits for klp_mutex, ${DEADLOCK} Enable it in module init.`],
  // The transition's work item is on the queue of schedule_delayed_work().
  ['flush_workqueue(system_long_wq)', null],
  ['flush_workqueue(system_unbound_wq)', null],
  [
    'flush_workqueue((struct workqueue_struct *)system_wq)',
    `waits for the transition's own work item, which waits for klp_mutex, ${DEADLOCK} Flush or cancel your own work item alone.`,
  ],
  ['cancel_delayed_work(system_wq)', null],
  ['flush_workqueue(acme_ops.queue)', null],
  ['get_fs_type("acme")', `may load a module, which waits for klp_mutex, ${DEADLOCK} ${EARLIER}`],
  [
    'call_usermodehelper(path, argv, NULL, 2)',
    `waits for a program, which may load a module, ${DEADLOCK} ${EARLIER}`,
  ],
  [
    'call_usermodehelper(path, argv, NULL, (int)UMH_WAIT_PROC)',
    `waits for a program, which may load a module, ${DEADLOCK} ${EARLIER}`,
  ],
  ['call_usermodehelper(path, argv, NULL, 1)', null],
  ['call_usermodehelper(path, argv, NULL, UMH_WAIT_EXEC)', null],
])('what is told of %s', async (call, words) => {
  const said = (await told(acting(`  ${call};`), CODE)).map(({ message }) => message);
  expect(said).toEqual(words === null ? [] : [`${call.split('(')[0]}() in post_patch ${words}`]);
});

test('where it stands: in callbacks, or in what they call', async () => {
  const body = `static void helper(void)
{
  request_module("acme");
}
static int first(struct klp_object *obj)
{
  helper();
  return 0;
}
static void last(struct klp_object *obj)
{
  helper();
  request_module("acme");
}
static void other(struct klp_object *obj) { }`;
  const objects = `  { .funcs = funcs, .callbacks = { .post_patch = other, .pre_unpatch = last } },
  { .name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = first, .post_unpatch = last } },`;
  const said = (await told(lineage(manifest(['draft']), { body, objects }), CODE)).map(({ message }) =>
    message.slice(0, message.indexOf(' loads')),
  );
  expect(said).toEqual([
    'request_module() in helper(), which pre_patch, pre_unpatch and post_unpatch reaches',
    'request_module() in pre_unpatch and post_unpatch',
  ]);
});

test('a livepatch without objects', async () => {
  const text = livepatch({ init: '  request_module("acme");\n  return klp_enable_patch(&patch);' });
  await expectMarked(lineage(manifest(['draft']), text.replace('  .objs = objs,\n', '')), CODE);
});
