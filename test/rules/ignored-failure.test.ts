import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';
import { told } from './told';

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

test('what is told', async () => {
  expect(await told(acting('  register_reboot_notifier(&nb);'), CODE)).toEqual([
    {
      severity: 'warning',
      certainty: 'must',
      message:
        'The result of register_reboot_notifier() is ignored, and post_patch cannot refuse: ' +
        'a failure goes unseen. Do it in pre_patch, or look at the result.',
      versions: ['v1'],
      on: 'v1/a.c: register_reboot_notifier(&nb)',
      related: [],
      run: [],
      fixes: [],
    },
  ]);
});

test('what is told of a function that several callbacks share', async () => {
  const text = lineage(manifest(['draft']), {
    body: `${DATA}${SETUP}static void act(struct klp_object *obj)\n{\n  setup();\n}`,
    callbacks: '      .post_patch = act,\n      .pre_unpatch = act,\n      .post_unpatch = act,',
  });
  expect((await told(text, CODE)).map(({ message }) => message)).toEqual([
    'The result of setup(), which passes on that of register_reboot_notifier(), is ignored, and ' +
      'post_patch, pre_unpatch and post_unpatch cannot refuse: a failure goes unseen. ' +
      'Do it in pre_patch, or look at the result.',
  ]);
});

const passing = (statements: string, type = 'int'): string =>
  `static ${type} setup(void)\n{\n${statements}\n}\n`;
test.each([
  ['a variable with that value', '  int err = register_reboot_notifier(&nb);\n\n  return err;'],
  ['one that gets it later', '  int err;\n\n  err = register_reboot_notifier(&nb);\n  return err;'],
  ['a choice', '  return registered ? 0 : register_reboot_notifier(&nb);'],
  ['NULL', '  return proc_create("acme", 0444, NULL, NULL) ? 0 : -ENOMEM;'],
])('a failure is passed on by %s', async (_what, statements) => {
  await expectMarked(acting(`  setup();\n${MARK}: setup()`, 'post_patch', passing(statements)), CODE);
});

test('a failure is passed on by another function, of another file too', async () => {
  const other = `extern struct notifier_block far;
int outer(void)
{
  return register_reboot_notifier(&far);
}
static int setup(void)
{
  return 0;
}
int quiet(void)
{
  return setup();
}
`;
  const before = `${SETUP}int outer(void);\nstatic int both(void)\n{\n  return setup();\n}\n`;
  const text = acting(
    `  both();\n${MARK}: both(), which passes on that of register_reboot_notifier()\n  outer();\n${MARK}: outer()`,
    'post_patch',
    before,
  );
  await expectMarked(`${text}//- v1/0.c\n${other}`, CODE);
});

test.each([
  [
    'it says itself what went wrong',
    '  if (register_reboot_notifier(&nb))\n    pr_err("no\\n");\n  return 0;',
  ],
  [
    'what it returns is something else',
    '  int n = 3;\n  int err = register_reboot_notifier(&nb);\n\n  if (err)\n    n = 4;\n  return n;',
  ],
  ['it calls itself', '  return registered ? setup() : 0;'],
  ['nobody knows what it calls', '  return acme_ops.setup(&nb);'],
])('a function of its own, silent: %s', async (_what, statements) => {
  await expectMarked(acting('  setup();', 'post_patch', passing(statements)), CODE);
});

test('whether it was done is no failure', async () => {
  await expectMarked(
    acting('  setup();', 'post_patch', passing('  return register_reboot_notifier(&nb) == 0;', 'bool')),
    CODE,
  );
});

test('a function that passes nothing on', async () => {
  const before = passing('  int ret = register_reboot_notifier(&nb);\n\n  registered = ret == 0;', 'void');
  await expectMarked(acting('  setup();', 'post_patch', before), CODE);
});

test('a file that is not there then', async () => {
  await expectMarked(acting(`  proc_create("acme", 0444, NULL, NULL);\n${MARK}: proc_create()`), CODE);
});

test('memory is for other rules', async () => {
  await expectMarked(acting('  kzalloc(64, GFP_KERNEL);'), CODE);
});

test('a result that is read later, or remembered', async () => {
  await expectMarked(
    acting('  int ret;\n\n  ret = register_reboot_notifier(&nb);\n  if (ret)\n    pr_err("%d\\n", ret);'),
    CODE,
  );
  await expectMarked(
    acting('  outcome = register_reboot_notifier(&nb);', 'post_patch', 'static int outcome;\n'),
    CODE,
  );
});

test('statements of other kinds', async () => {
  await expectMarked(
    acting(
      '  int n = 2, unread = 1;\n  bool first;\n\n  n++;\n  first = n > 1;\n  acme_ops.setup(&nb);\n  n;',
    ),
    CODE,
  );
});
