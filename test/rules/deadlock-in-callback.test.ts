import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';

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
