import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';

const CODE = 'ignored-failure';
const MARK = `  //~ ${CODE}`;

const DATA = `static int seen(struct notifier_block *nb, unsigned long event, void *data)
{
  return NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = seen };
static bool registered;
`;

/** One version with one callback; the body is that of `act`. */
const acting = (statements: string, callback = 'post_patch', before = ''): string => {
  const [type, end] = callback === 'pre_patch' ? ['int', '  return 0;\n'] : ['void', ''];
  return lineage(manifest(['draft']), {
    body: `${DATA}${before}static ${type} act(struct klp_object *obj)\n{\n${statements}\n${end}}`,
    callbacks: `      .${callback} = act,`,
  });
};

test('a registration in post_patch', async () => {
  const findings = await expectMarked(
    acting(`  register_reboot_notifier(&nb);\n${MARK}: post_patch cannot refuse`),
    CODE,
  );
  expect(findings[0]?.severity).toBe('warning');
});

test('a registration in pre_unpatch', async () => {
  await expectMarked(acting(`  register_reboot_notifier(&nb);\n${MARK}: pre_unpatch`, 'pre_unpatch'), CODE);
});

test('a result that goes into a variable nobody reads', async () => {
  await expectMarked(acting(`  int ret = register_reboot_notifier(&nb);\n${MARK}`), CODE);
});

test('assigned later', async () => {
  await expectMarked(acting(`  int ret;\n\n  ret = register_reboot_notifier(&nb);\n${MARK}`), CODE);
});

const SETUP = 'static int setup(void)\n{\n  return register_reboot_notifier(&nb);\n}\n';

test('a function of its own that passes the failure on', async () => {
  await expectMarked(
    acting(`  setup();\n${MARK}: that of register_reboot_notifier()`, 'post_patch', SETUP),
    CODE,
  );
});

test('a thread', async () => {
  await expectMarked(acting(`  kthread_run(acme_thread, NULL, "acme");\n${MARK}`), CODE);
});

test('a result that is looked at', async () => {
  await expectMarked(acting('  if (!register_reboot_notifier(&nb))\n    registered = true;'), CODE);
});

test('a result that is remembered', async () => {
  await expectMarked(acting('  registered = register_reboot_notifier(&nb) == 0;'), CODE);
});

test('a variable that is read', async () => {
  await expectMarked(
    acting('  int ret = register_reboot_notifier(&nb);\n\n  if (ret)\n    pr_err("%d\\n", ret);'),
    CODE,
  );
});

test('a cast to void says that it is on purpose', async () => {
  await expectMarked(acting('  (void)register_reboot_notifier(&nb);'), CODE);
});

test('pre_patch has other rules', async () => {
  await expectMarked(acting('  register_reboot_notifier(&nb);', 'pre_patch'), CODE);
});

test('an undo', async () => {
  await expectMarked(acting('  unregister_reboot_notifier(&nb);', 'post_unpatch'), CODE);
});

test('debugfs, whose results nobody should look at', async () => {
  await expectMarked(acting('  debugfs_create_dir("acme", NULL);'), CODE);
});

test('what only says whether it was queued already', async () => {
  await expectMarked(acting('  schedule_work(&acme_work);'), CODE);
});

test('what cannot fail', async () => {
  await expectMarked(acting('  mutex_lock(&acme);\n  pr_info("hello\\n");\n  mutex_unlock(&acme);'), CODE);
});
