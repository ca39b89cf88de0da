import { expect, test } from 'vitest';
import { NOTIFIER, VALUE } from './effects';
import { expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { spoken } from './spoken';

const CODE = 'side-effect-in-init-exit';
const MARK = `//~ ${CODE}`;
const ENABLE = '  return klp_enable_patch(&patch);';

const draft = (parts: LivepatchParts): string => lineage(manifest(['draft']), parts);
const NB = (NOTIFIER.body ?? '').split('static int hook')[0] ?? '';

test('a notifier of init, which exit unregisters', async () => {
  const findings = await expectMarked(
    draft({
      body: NB,
      init: `  register_reboot_notifier(&nb);\n${MARK}: work of module init\n${ENABLE}`,
      exit: '  unregister_reboot_notifier(&nb);',
    }),
    CODE,
  );
  expect(findings[0]?.severity).toBe('warning');
  expect(findings[0]?.related.map(({ message }) => message)).toEqual(['undone here, in module exit']);
});

test('a folder', async () => {
  await expectMarked(draft({ init: `  proc_mkdir("acme", NULL);\n${MARK}: proc_mkdir()\n${ENABLE}` }), CODE);
});

test('a value', async () => {
  await expectMarked(
    draft({ init: `  console_loglevel = 15;\n${MARK}: the write of console_loglevel\n${ENABLE}` }),
    CODE,
  );
});

test('what pre_patch did, undone in exit', async () => {
  await expectMarked(
    draft({
      ...NOTIFIER,
      callbacks: '      .pre_patch = hook,',
      exit: `  unregister_reboot_notifier(&nb);\n${MARK}: work of module exit`,
    }),
    CODE,
  );
});

test('in a function that init calls', async () => {
  await expectMarked(
    draft({
      body: `${NB}static void setup(void)\n{\n  register_reboot_notifier(&nb);\n${MARK}\n}`,
      init: `  setup();\n${ENABLE}`,
    }),
    CODE,
  );
});

test('in callbacks', async () => {
  await expectMarked(draft(NOTIFIER), CODE);
  await expectMarked(draft(VALUE), CODE);
});

test('memory of its own', async () => {
  await expectMarked(
    draft({ body: 'static void *a;', init: `  a = kzalloc(8, GFP_KERNEL);\n${ENABLE}`, exit: '  kfree(a);' }),
    CODE,
  );
});

test('init that only prints', async () => {
  await expectMarked(
    draft({ init: `  pr_info("hello\\n");\n${ENABLE}`, exit: '  pr_info("bye\\n");' }),
    CODE,
  );
});

test('without replace, as nobody else has it', async () => {
  await expectMarked(
    draft({
      replace: '',
      init: `  proc_mkdir("acme", NULL);\n${ENABLE}`,
      exit: '  remove_proc_entry("acme", NULL);',
    }),
    CODE,
  );
});

test('data of its own', async () => {
  await expectMarked(draft({ body: 'static int limit;', init: `  limit = 5;\n${ENABLE}` }), CODE);
});

test('shadow variables in exit have a rule of their own', async () => {
  await expectMarked(draft({ exit: '  klp_shadow_free_all(7, NULL);' }), CODE);
});

test('the whole sentences, each work of init with its own undo', async () => {
  const IN_INIT = (what: string): string =>
    `warning must v1: ${what} is work of module init: the init of a successor runs while v1 is still in force, and v1's exit only when the successor is live. Do it in pre_patch and undo it in post_unpatch.`;
  const IN_EXIT = (what: string): string =>
    `warning must v1: ${what} is work of module exit: after a replacement that runs when somebody removes v1's module, and the successor has long been live. Do it in post_unpatch, which runs only when nobody takes over.`;
  const UNDONE = ' | undone here, in module exit';
  const init = `  register_reboot_notifier(&nb);\n  proc_mkdir("acme", NULL);\n${ENABLE}`;
  expect(await spoken(draft({ body: NB, init, exit: '  unregister_reboot_notifier(&nb);' }), CODE)).toEqual([
    `${IN_INIT('register_reboot_notifier()')}${UNDONE}`,
    IN_INIT('proc_mkdir()'),
  ]);
  const exit = '  remove_proc_entry("acme", NULL);\n  unregister_reboot_notifier(&nb);';
  expect(
    await spoken(draft({ body: NB, init: `  register_reboot_notifier(&nb);\n${ENABLE}`, exit }), CODE),
  ).toEqual([`${IN_INIT('register_reboot_notifier()')}${UNDONE}`, IN_EXIT('remove_proc_entry()')]);
});

test('memory and references of its own disturb nobody', async () => {
  const body =
    'static void *buffer;\nstruct task_struct *acme_owner(void);\nstatic struct task_struct *task;';
  const init = `  buffer = kmalloc(8, GFP_KERNEL);\n  task = get_task_struct(acme_owner());\n${ENABLE}`;
  expect(
    await spoken(draft({ body, init, exit: '  kfree(buffer);\n  put_task_struct(task);' }), CODE),
  ).toEqual([]);
});
