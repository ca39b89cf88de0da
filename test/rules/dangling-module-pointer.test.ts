import { expect, test } from 'vitest';
import { FILE, marked, NOTIFIER, NOTIFIER_BY_STATE, VALUE } from './effects';
import { expectMarked, lineage, manifest } from './fixture';

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
