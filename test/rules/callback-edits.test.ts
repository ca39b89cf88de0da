import { expect, test } from 'vitest';
import { asText, check, fixed, type LivepatchParts, lineage, manifest } from './fixture';

const TWO = manifest(['released', 'draft']);

/** The file with the only fix of the only finding of that code; checks that the finding is gone and no other came. */
async function accepted(text: string, code: string, file: string): Promise<string> {
  const { fixture, findings } = await check(text);
  const own = findings.filter((finding) => finding.code === code);
  expect(own.map(({ fixes }) => fixes.length)).toEqual([1]);
  const fix = own[0]?.fixes[0];
  if (!fix) throw new Error('no fix');
  const files = fixed(fixture, fix);
  const after = await check(asText(files));
  const before = new Set(findings.map((finding) => finding.code));
  expect(after.findings.map((finding) => finding.code)).not.toContain(code);
  expect(after.findings.filter((finding) => !before.has(finding.code)).map(({ message }) => message)).toEqual(
    [],
  );
  return files.get(file) ?? '';
}

async function fixesOf(text: string, code: string): Promise<number[]> {
  const { findings } = await check(text);
  return findings.filter((finding) => finding.code === code).map(({ fixes }) => fixes.length);
}

const HANDED: LivepatchParts = {
  body: `static int seen(struct notifier_block *nb, unsigned long event, void *data)
{
  return NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = seen };
static int hook(struct klp_object *obj)
{
  klp_get_state(&patch, 7)->data = &nb;
  return register_reboot_notifier(&nb);
}
static void unhook(struct klp_object *obj)
{
  unregister_reboot_notifier(&nb);
}`,
  callbacks: '      .pre_patch = hook,\n      .post_unpatch = unhook,',
  states: '  { .id = 7, .version = 1 },',
};
const tidying = (id: string, version: number, call: string, head = ''): LivepatchParts => ({
  body: `#define ACME_STATE 7\nextern struct static_key_false acme_key;\n${head}static void tidy(struct klp_object *obj)\n{\n  ${call}\n}`,
  callbacks: '      .post_patch = tidy,',
  states: `  { .id = ${id}, .version = ${version} },`,
});
const PREV = 'unregister_reboot_notifier(klp_get_prev_state(7)->data);';

test('a cleanup is wrapped in the guard that the state of the other version is', async () => {
  const text = await accepted(lineage(TWO, HANDED, tidying('7', 2, PREV)), 'unguarded-cleanup', 'v2/a.c');
  expect(text).toContain(`{
  {
    struct klp_state *prev = klp_get_prev_state(7);

    if (prev && prev->version <= 1)
      unregister_reboot_notifier(prev->data);
  }
}
`);
});

test('the guard names the state as the version does', async () => {
  const lines = tidying('ACME_STATE', 2, 'remove_proc_entry("acme", NULL);');
  const proc: LivepatchParts = {
    ...HANDED,
    body: `static const struct proc_ops ops = { };
static int hook(struct klp_object *obj)
{
  return proc_create("acme", 0444, NULL, &ops) ? 0 : -ENOMEM;
}
static void unhook(struct klp_object *obj)
{
  remove_proc_entry("acme", NULL);
}`,
  };
  const text = await accepted(lineage(TWO, proc, lines), 'unguarded-cleanup', 'v2/a.c');
  expect(text).toContain('klp_get_prev_state(ACME_STATE);');
  expect(text).toContain('if (prev && prev->version <= 1)\n      remove_proc_entry("acme", NULL);');
});

test('no guard is offered that would not tell whose the state is', async () => {
  // The same version: the one after this would take this one's own entry for that of the faulty one.
  expect(await fixesOf(lineage(TWO, HANDED, tidying('7', 1, PREV)), 'unguarded-cleanup')).toEqual([0]);
  // What goes wrong stands in front of the call.
  const early = 'void *nb = klp_get_prev_state(7)->data;\n\n  unregister_reboot_notifier(nb);';
  expect(await fixesOf(lineage(TWO, HANDED, tidying('7', 2, early)), 'unguarded-cleanup')).toEqual([0]);
});

const keyVersion = (more: string, callbacks: string): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;\nextern int acme_limit;\n${more}`,
  callbacks,
});
const switching = (pre: string, post: string): LivepatchParts =>
  keyVersion(
    `static int before(struct klp_object *obj)
{
  static_branch_inc(&acme_key);
  return 0;
}
static void leave(struct klp_object *obj)
{
  ${pre}
}
static void left(struct klp_object *obj)
{
  ${post}
}`,
    '      .pre_patch = before,\n      .pre_unpatch = leave,\n      .post_unpatch = left,',
  );

test('an undo is moved to the callback that is the partner', async () => {
  const wrong = switching('static_branch_dec(&acme_key);\n  pr_info("leaving\\n");', 'pr_info("left\\n");');
  const text = await accepted(lineage(manifest(['draft']), wrong), 'undo-in-wrong-callback', 'v1/a.c');
  expect(text).toContain(`static void leave(struct klp_object *obj)
{
  pr_info("leaving\\n");
}
static void left(struct klp_object *obj)
{
  pr_info("left\\n");
  static_branch_dec(&acme_key);
}
`);
});

test('an undo is not moved out of a branch, nor where the other callback may leave early', async () => {
  const ONE = manifest(['draft']);
  const branch = switching('if (obj)\n    static_branch_dec(&acme_key);', 'pr_info("left\\n");');
  expect(await fixesOf(lineage(ONE, branch), 'undo-in-wrong-callback')).toEqual([0]);
  const early = switching(
    'static_branch_dec(&acme_key);',
    'if (acme_limit)\n    return;\n  pr_info("left\\n");',
  );
  expect(await fixesOf(lineage(ONE, early), 'undo-in-wrong-callback')).toEqual([0]);
  const local = switching(
    'struct static_key_false *key = &acme_key;\n\n  static_branch_dec(key);',
    'pr_info("left\\n");',
  );
  expect(await fixesOf(lineage(ONE, local), 'undo-in-wrong-callback')).toEqual([0]);
});

test('a cleanup is moved from pre_patch to post_patch', async () => {
  const make = keyVersion(
    `static void on(struct klp_object *obj)
{
  static_branch_enable(&acme_key);
}
static void off(struct klp_object *obj)
{
  static_branch_disable(&acme_key);
}`,
    '      .post_patch = on,\n      .pre_unpatch = off,',
  );
  const early = keyVersion(
    `static int tidy(struct klp_object *obj)
{
  static_branch_disable(&acme_key);
  return 0;
}
static void done(struct klp_object *obj)
{
  pr_info("in force\\n");
}`,
    '      .pre_patch = tidy,\n      .post_patch = done,',
  );
  const text = await accepted(lineage(TWO, make, early), 'cleanup-in-pre-patch', 'v2/a.c');
  expect(text).toContain('{\n  return 0;\n}');
  expect(text).toContain('  pr_info("in force\\n");\n  static_branch_disable(&acme_key);\n}');
});

const SAVING = (version: number): LivepatchParts => ({
  body: `static int room(struct klp_object *obj)
{
  struct klp_state *state = klp_get_state(&patch, 7);

  state->data = kzalloc(sizeof(int), GFP_KERNEL);
  return state->data ? 0 : -ENOMEM;
}
static void louder(struct klp_object *obj)
{
  struct klp_state *state = klp_get_state(&patch, 7);

  *(int *)state->data = console_loglevel;
  console_loglevel = 15;
}
static void quiet(struct klp_object *obj)
{
  console_loglevel = *(int *)klp_get_state(&patch, 7)->data;
}
static void gone(struct klp_object *obj)
{
  kfree(klp_get_state(&patch, 7)->data);
}`,
  callbacks:
    '      .pre_patch = room,\n      .post_patch = louder,\n      .pre_unpatch = quiet,\n      .post_unpatch = gone,',
  states: `  { .id = 7, .version = ${version} },`,
});

test('what the previous state holds is taken over', async () => {
  const text = await accepted(lineage(TWO, SAVING(1), SAVING(1)), 'forgotten-original-value', 'v2/a.c');
  expect(text).toContain(`static void louder(struct klp_object *obj)
{
  struct klp_state *before = klp_get_prev_state(7);
  struct klp_state *mine = klp_get_state(&patch, 7);
  struct klp_state *state = klp_get_state(&patch, 7);

  if (before) {
    kfree(mine->data);
    mine->data = before->data;
    return;
  }

  *(int *)state->data = console_loglevel;
`);
});

test('nothing is taken over that is not in a state', async () => {
  const saved: LivepatchParts = {
    ...SAVING(1),
    body: (SAVING(1).body ?? '')
      .replaceAll('*(int *)klp_get_state(&patch, 7)->data', 'saved')
      .replaceAll('*(int *)state->data', 'saved')
      .replace('static int room', 'static int saved;\nstatic int room')
      .replace('state->data = kzalloc(sizeof(int), GFP_KERNEL);', 'pr_info("%p\\n", state->data);')
      .replace('return state->data ? 0 : -ENOMEM;', 'return 0;'),
  };
  expect(await fixesOf(lineage(TWO, saved, saved), 'forgotten-original-value')).toEqual([0]);
});
