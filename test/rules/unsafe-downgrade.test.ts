import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FILE, FOLDER, HEAP, marked, NOTIFIER, VALUE } from './effects';
import { check, expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const EXAMPLE = join(import.meta.dirname, '../../examples/net-fixes');

test('the example: v1 cannot take over from the faulty v2', async () => {
  const read = (file: string): string => readFileSync(join(EXAMPLE, file), 'utf8');
  const files = ['livepatch.yaml', 'v1/livepatch_net_v1.c', 'v2/livepatch_net_v2.c'];
  const { fixture, findings } = await check(files.map((file) => `//- ${file}\n${read(file)}`).join(''));
  expect(findings.map((finding) => finding.code)).toEqual(['unsafe-downgrade']);
  const [finding] = findings;
  expect(finding?.severity).toBe('warning');
  expect(finding?.certainty).toBe('must');
  expect(finding?.message).toContain('use-after-free');
  expect(finding?.message).toContain('debugfs file net_status');
  expect(finding?.message).toContain('post_unpatch');
  expect(finding?.versions).toEqual(['v2', 'v1']);
  expect(finding?.run).toEqual(['load v2', 'load v1', 'unload v2']);
  const text = fixture.files.get('v2/livepatch_net_v2.c') ?? '';
  expect(text.slice(finding?.place.start)).toMatch(/^debugfs_create_file\(/);
  expect(finding?.fixes.map((fix) => fix.command)).toEqual([
    { id: 'livepatch.generateCleanupPatch', arguments: ['v1', 'v2'] },
  ]);
});

test('one finding for all older versions', async () => {
  const findings = await expectMarked(
    lineage(
      manifest(['released', 'released', 'draft']),
      {},
      {},
      marked(
        VALUE,
        'console_loglevel = 15',
        '  //~ unsafe-downgrade: v1 and v2 cannot safely replace v3\n  //~ cleanup-impossible: original value',
      ),
    ),
  );
  const down = findings.find((finding) => finding.code === 'unsafe-downgrade');
  expect(down?.versions).toEqual(['v3', 'v1', 'v2']);
  expect(down?.fixes[0]?.command?.arguments).toEqual(['v2', 'v3']);
});

test('one finding for each side effect', async () => {
  const both = {
    body: `${marked(NOTIFIER, 'return register_reboot', '  //~ unsafe-downgrade: use-after-free').body}\n${
      marked(FOLDER, 'debugfs_create_dir', '  //~ unsafe-downgrade: doing it again fails').body
    }
static int all(struct klp_object *obj)
{
  make(obj);
  return hook(obj);
}
static void none(struct klp_object *obj)
{
  unhook(obj);
  drop(obj);
}`,
    callbacks: '      .pre_patch = all,\n      .post_unpatch = none,',
  };
  await expectMarked(lineage(manifest(['released', 'draft']), {}, both), 'unsafe-downgrade');
});

test('nobody wants to go back to a withdrawn or faulty version', async () => {
  await expectMarked(lineage(manifest(['withdrawn', 'faulty', 'draft']), {}, {}, FILE));
});

test('a newer version already is the way out', async () => {
  const cleanup = {
    body: 'static void clean(struct klp_object *obj)\n{\n  debugfs_lookup_and_remove("acme", NULL);\n}',
    callbacks: '      .post_patch = clean,',
  };
  await expectMarked(lineage(manifest(['released', 'faulty', 'draft']), {}, FILE, cleanup));
});

test('the kernel refuses the way back: v1 lacks the state', async () => {
  await expectMarked(
    lineage(manifest(['released', 'draft']), {}, { ...FILE, states: '  { .id = 7, .version = 1 },' }),
  );
});

test('nothing stays where callbacks only print', async () => {
  const printing = {
    body: 'static int say(struct klp_object *obj)\n{\n  pr_info("hello\\n");\n  return 0;\n}',
    callbacks: '      .pre_patch = say,',
  };
  await expectMarked(lineage(manifest(['released', 'draft']), {}, printing));
});

const BACK = manifest(['released', 'draft']);
const LOGS = {
  body: `static int show_it(struct seq_file *m, void *v) { return 0; }
static int lp_on(struct klp_object *obj)
{
  int ret;

  if (!proc_create_single("lp_status", 0444, NULL, show_it))
    return -ENOMEM;
  ret = acme_prepare();
  if (ret)
    goto err;
  return 0;
err:
  remove_proc_entry("lp_status", NULL);
  return ret;
}
static void lp_off(struct klp_object *obj)
{
  remove_proc_entry("lp_status", NULL);
}`,
  callbacks: '      .pre_patch = lp_on,\n      .post_unpatch = lp_off,',
};
const THREAD = {
  body: `static struct task_struct *t;
static int loop(void *d) { while (!kthread_should_stop()) msleep(100); return 0; }
static int lp_on(struct klp_object *obj)
{
  t = kthread_run(loop, NULL, "lp_loop");
  return PTR_ERR_OR_ZERO(t);
}
static void lp_off(struct klp_object *obj)
{
  kthread_stop(t);
}`,
  callbacks: '      .pre_patch = lp_on,\n      .post_unpatch = lp_off,',
};
const IN_ANOTHER_FILE = `${lineage(
  BACK,
  {},
  {
    body: 'int lp_hook(void);\nvoid lp_unhook(void);\nstatic int lp_on(struct klp_object *obj) { return lp_hook(); }\nstatic void lp_off(struct klp_object *obj) { lp_unhook(); }',
    callbacks: '      .pre_patch = lp_on,\n      .post_unpatch = lp_off,',
  },
)}//- v2/b.c
#include <linux/reboot.h>
static int seen(struct notifier_block *nb, unsigned long event, void *data) { return NOTIFY_DONE; }
static struct notifier_block nb = { .notifier_call = seen };
int lp_hook(void) { return register_reboot_notifier(&nb); }
void lp_unhook(void) { unregister_reboot_notifier(&nb); }
`;
const REMOVES = {
  body: 'static void clean(struct klp_object *obj)\n{\n  remove_proc_entry("lp_status", NULL);\n}',
  callbacks: '      .post_patch = clean,',
};

precision(
  'unsafe-downgrade',
  [
    {
      what: 'a proc entry, whose undo also stands on the error path',
      lineage: lineage(BACK, {}, LOGS),
      says: 'the proc entry lp_status stays and points into m_v2',
      on: 'proc_create_single(',
      run: ['load v2', 'load v1', 'unload v2'],
    },
    {
      what: 'a thread',
      lineage: lineage(BACK, {}, THREAD),
      says: 'kernel thread lp_loop',
      on: 'kthread_run(',
    },
    {
      what: 'a notifier that another file of the module registers',
      lineage: IN_ANOTHER_FILE,
      says: "v2's post_unpatch, which undoes it, is not called",
      on: 'register_reboot_notifier(',
    },
    {
      what: 'the older one has a state too, in the same version, and does not look at it',
      lineage: lineage(
        BACK,
        { states: '  { .id = 7, .version = 1 },' },
        { ...LOGS, states: '  { .id = 7, .version = 1 },' },
      ),
      says: 'v1 cannot safely replace v2',
    },
  ],
  [
    { why: 'the older one already removes it by its name', lineage: lineage(BACK, REMOVES, LOGS) },
    {
      why: 'the state of the newer one is in a higher version: the kernel refuses the way back',
      lineage: lineage(
        BACK,
        { states: '  { .id = 7, .version = 1 },' },
        { ...LOGS, states: '  { .id = 7, .version = 2 },' },
      ),
    },
    {
      why: 'the older one is stacked on it and replaces nothing',
      lineage: lineage(BACK, { replace: '' }, LOGS),
    },
    {
      why: 'what is made and removed in one callback',
      lineage: lineage(
        BACK,
        {},
        {
          body: `static void probe(struct klp_object *obj)
{
  void *buffer = kmalloc(64, GFP_KERNEL);

  if (!buffer)
    return;
  acme_fill(buffer);
  kfree(buffer);
}`,
          callbacks: '      .post_patch = probe,',
        },
      ),
    },
  ],
);

const says = (head: string, ...parts: readonly LivepatchParts[]): Promise<string[]> =>
  spoken(lineage(head, ...parts), 'unsafe-downgrade');
const STATUS = 'the proc entry lp_status';
const POINTS = 'and points into m_v2: a use-after-free once that module is removed';
const SAID = (what: string, undo = 'post_unpatch'): string =>
  `v1 cannot safely replace v2: v2's ${undo}, which undoes it, is not called, so ${what}. Disable v2 before loading v1 (for that time nothing is patched), or generate a cleanup version. | v2: undone here, in ${undo}, which a replacement does not call | v1 replaces v2 here`;
const ON_OFF = {
  body: LOGS.body
    .replace(/ {2}int ret;\n\n/, '')
    .replace(/ {2}ret = acme_prepare[^]*?goto err;\n/, '')
    .replace(/err:[^]*?return ret;\n/, ''),
  callbacks: LOGS.callbacks,
};
const UNSURE = {
  ...REMOVES,
  body: REMOVES.body.replace('  remove', '  if (acme_busy())\n    return;\n  remove'),
};

test('the whole sentences, by what becomes of it', async () => {
  expect(await says(BACK, {}, ON_OFF)).toEqual([`warning must v2 v1: ${SAID(`${STATUS} stays ${POINTS}`)}`]);
  expect(await says(BACK, {}, VALUE)).toEqual([
    `warning must v2 v1: ${SAID('the kernel variable console_loglevel stays changed for good', 'pre_unpatch')}`,
  ]);
  expect(await says(BACK, {}, HEAP)).toEqual([
    `warning must v2 v1: ${SAID('the allocation kzalloc in get stays and nobody frees it')}`,
  ]);
  const held = { ...ON_OFF, body: ON_OFF.body.replace('{\n  if', '{\n  __module_get(THIS_MODULE);\n  if') };
  expect((await says(BACK, {}, held))[0]).toBe(
    `warning must v2 v1: ${SAID(`${STATUS} stays, and the kernel goes on using m_v2, which something holds in memory`)}`,
  );
});

test('an older version that only may clean up', async () => {
  const said = SAID(`${STATUS} may stay ${POINTS.replace('points', 'point')}`);
  expect(await says(BACK, UNSURE, ON_OFF)).toEqual([
    `information may v2 v1: ${said.replace('Disable', 'It depends on acme_busy(), which is not known. Disable')}`,
  ]);
  // Another one surely does not.
  const [both] = await says(manifest(['released', 'released', 'draft']), UNSURE, {}, ON_OFF);
  expect(both).toMatch(
    /^warning must v3 v1 v2: v1 and v2 cannot safely replace v3: .* the proc entry lp_status stays and/,
  );
});

test('which newer version is the way out', async () => {
  const head = manifest(['released', 'faulty', 'draft']);
  expect(await says(head, {}, ON_OFF, REMOVES)).toEqual([]);
  for (const other of [
    {},
    UNSURE,
    { ...REMOVES, replace: '' },
    {
      ...REMOVES,
      callbacks: `      .pre_patch = no,\n${REMOVES.callbacks}`,
      body: `static int no(struct klp_object *obj)\n{\n  return -EIO;\n}\n${REMOVES.body}`,
    },
  ])
    expect(await says(head, {}, ON_OFF, other)).toHaveLength(1);
  // One that is withdrawn is none.
  expect(await says(manifest(['released', 'faulty', 'withdrawn']), {}, ON_OFF, REMOVES)).toHaveLength(1);
  // One that takes care of another thing is none for this.
  const both = {
    body: `${ON_OFF.body}\n${VALUE.body}`,
    callbacks: `${ON_OFF.callbacks}\n${VALUE.callbacks}`,
  };
  expect(await says(head, {}, both, REMOVES)).toEqual([
    expect.stringContaining('so the kernel variable console_loglevel stays changed for good'),
  ]);
});

test('the fix asks for a cleanup version', async () => {
  const { findings } = await check(lineage(BACK, {}, ON_OFF));
  const [fix] = findings.filter(({ code }) => code === 'unsafe-downgrade').flatMap(({ fixes }) => fixes);
  expect(fix).toMatchObject({
    title: 'Generate a cleanup version: v1 that cleans up after v2',
    preferred: false,
    edits: [],
  });
});
