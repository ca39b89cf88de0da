import { expect, test } from 'vitest';
import { PROC_FILE, PUBLISHED_NOTIFIER, STATIC_KEY, VALUE } from './effects';
import { check, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const TWO = manifest(['released', 'draft']);
const COUNT: LivepatchParts = {
  body: `extern struct static_key_false acme_key;
static void on(struct klp_object *obj)
{
  static_branch_inc(&acme_key);
}
static void off(struct klp_object *obj)
{
  static_branch_dec(&acme_key);
}`,
  callbacks: '      .post_patch = on,\n      .pre_unpatch = off,',
};
const FILE: LivepatchParts = {
  body: `static struct dentry *dir;
static int make(struct klp_object *obj)
{
  dir = debugfs_create_dir("acme", NULL);
  return PTR_ERR_OR_ZERO(dir);
}
static void drop(struct klp_object *obj)
{
  debugfs_remove(dir);
}`,
  callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
};
const STATE = { states: '  { .id = 7, .version = 2 },' };
const post = (body: string, more: LivepatchParts = {}): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;\nstatic void tidy(struct klp_object *obj)\n{\n${body}\n}`,
  callbacks: '      .post_patch = tidy,',
  ...more,
});
const withState = (parts: LivepatchParts): LivepatchParts => ({
  ...parts,
  states: '  { .id = 7, .version = 1 },',
});
const IF_PREV = '  if (!klp_get_prev_state(7))\n    return;\n';

precision(
  'unguarded-cleanup',
  [
    {
      what: 'the data of a state that nobody had',
      lineage: lineage(
        TWO,
        PUBLISHED_NOTIFIER,
        post('  unregister_reboot_notifier(klp_get_prev_state(7)->data);', STATE),
      ),
      says: 'also where v1 was never installed',
      on: 'unregister_reboot_notifier',
      run: ['load v2'],
      severity: 'error',
    },
    {
      what: 'the same, over a variable',
      lineage: lineage(
        TWO,
        PUBLISHED_NOTIFIER,
        post(
          '  struct klp_state *prev = klp_get_prev_state(7);\n  void *nb = prev->data;\n\n  unregister_reboot_notifier(nb);',
          STATE,
        ),
      ),
      says: 'also where v1 was never installed',
    },
    {
      what: 'a proc file that is not there: the kernel warns',
      lineage: lineage(TWO, PROC_FILE, post('  remove_proc_entry("acme", NULL);')),
      says: 'gets something that is not there',
    },
    {
      what: 'a static key that somebody else may have switched on',
      lineage: lineage(TWO, STATIC_KEY, post('  static_branch_disable(&acme_key);')),
      says: 'it changes the static key acme_key, whoever set it',
    },
    {
      what: 'a count that nobody raised',
      lineage: lineage(TWO, COUNT, post('  static_branch_dec(&acme_key);')),
      says: 'Guard it',
    },
  ],
  [
    {
      why: 'the previous state is asked',
      lineage: lineage(
        TWO,
        PUBLISHED_NOTIFIER,
        post(
          '  struct klp_state *prev = klp_get_prev_state(7);\n\n  if (prev)\n    unregister_reboot_notifier(prev->data);',
          STATE,
        ),
      ),
    },
    {
      why: 'an early return asks it',
      lineage: lineage(
        TWO,
        withState(PROC_FILE),
        post(`${IF_PREV}  remove_proc_entry("acme", NULL);`, STATE),
      ),
    },
    {
      why: 'removing a name that is not there does nothing',
      lineage: lineage(TWO, FILE, post('  debugfs_lookup_and_remove("acme", NULL);')),
    },
    {
      why: 'freeing shadow variables that are not there does nothing',
      lineage: lineage(TWO, {}, post('  klp_shadow_free_all(9, NULL);')),
    },
    {
      why: 'the key is switched off behind the guard',
      lineage: lineage(
        TWO,
        withState(STATIC_KEY),
        post(`${IF_PREV}  static_branch_disable(&acme_key);`, STATE),
      ),
    },
    { why: 'it is its own, undone in its own post_unpatch', lineage: lineage(TWO, {}, PROC_FILE) },
  ],
);

const CODE = 'unguarded-cleanup';
const THREE = manifest(['released', 'released', 'draft']);
const says = (head: string, ...parts: readonly LivepatchParts[]): Promise<string[]> =>
  spoken(lineage(head, ...parts), CODE);
const SAID = (what: string, where: string, harm: string, to = 'v2'): string =>
  `error must ${to} v1: ${to}'s post_patch cleans up ${what} of v1 also ${where}: ${harm}. Guard it with what v1 leaves: a previous state, a shadow variable, a name. | v1: ${what} is made here`;
const NEVER = 'where v1 was never installed';
const ABSENT = 'remove_proc_entry() gets something that is not there';
const REMOVES = post('  remove_proc_entry("acme", NULL);');

test('what goes wrong, in whole sentences', async () => {
  const unregisters = post('  unregister_reboot_notifier(klp_get_prev_state(7)->data);', STATE);
  expect(await says(TWO, PUBLISHED_NOTIFIER, unregisters)).toEqual([
    SAID('the notifier nb', NEVER, 'NULL pointer dereference'),
  ]);
  expect(await says(TWO, PROC_FILE, REMOVES)).toEqual([SAID('the proc entry acme', NEVER, ABSENT)]);
  expect(await says(TWO, STATIC_KEY, post('  static_branch_disable(&acme_key);'))).toEqual([
    SAID('the static key acme_key', NEVER, 'it changes the static key acme_key, whoever set it'),
  ]);
});

test('a guard that another version satisfies as well', async () => {
  const guarded = post(`${IF_PREV}  remove_proc_entry("acme", NULL);`, STATE);
  const [first, other] = [withState(PROC_FILE), withState({})];
  const { findings } = await check(lineage(THREE, first, other, guarded));
  expect(findings.filter(({ code }) => code === CODE).map(({ run }) => run)).toEqual([
    ['load v2', 'load v3'],
  ]);
  expect(await says(THREE, first, other, guarded)).toEqual([
    SAID('the proc entry acme', 'after v2 alone', ABSENT, 'v3'),
  ]);
  expect(await says(THREE, first, withState(PROC_FILE), guarded)).toEqual([]);
  // What is faulty, or comes later, is not what one comes from alone.
  expect(await says(manifest(['released', 'faulty', 'draft']), first, other, guarded)).toEqual([]);
  expect(await says(THREE, first, guarded, other)).toEqual([]);
});

test('once for several that left it, and once for several ways to come there', async () => {
  expect(await says(THREE, PROC_FILE, PROC_FILE, REMOVES)).toEqual([
    SAID('the proc entry acme', NEVER, ABSENT, 'v3'),
  ]);
  expect(await says(THREE, PROC_FILE, {}, REMOVES)).toEqual([
    SAID('the proc entry acme', NEVER, ABSENT, 'v3'),
  ]);
});

test('two things that are cleaned up are two findings', async () => {
  const both: LivepatchParts = {
    body: `${STATIC_KEY.body}\n${PROC_FILE.body}`,
    callbacks: `${STATIC_KEY.callbacks}\n${PROC_FILE.callbacks}`,
  };
  const removes = '  static_branch_disable(&acme_key);\n  remove_proc_entry("acme", NULL);';
  expect(await says(TWO, both, post(removes))).toEqual([
    SAID('the static key acme_key', NEVER, 'it changes the static key acme_key, whoever set it'),
    SAID('the proc entry acme', NEVER, ABSENT),
  ]);
  const guarded = `  static_branch_disable(&acme_key);\n${IF_PREV}  remove_proc_entry("acme", NULL);`;
  expect(await says(TWO, withState(both), post(guarded, STATE))).toEqual([
    SAID('the static key acme_key', NEVER, 'it changes the static key acme_key, whoever set it'),
  ]);
});

test('a guard is offered around the call, unless it goes wrong in front of it', async () => {
  const titles = async (body: string): Promise<string[]> => {
    const { findings } = await check(lineage(TWO, PUBLISHED_NOTIFIER, post(body, STATE)));
    return findings.flatMap(({ code, fixes }) => (code === CODE ? fixes.map(({ title }) => title) : []));
  };
  expect(await titles('  unregister_reboot_notifier(klp_get_prev_state(7)->data);')).toEqual([
    'Only where v1 left state 7',
  ]);
  expect(
    await titles('  void *nb = klp_get_prev_state(7)->data;\n\n  unregister_reboot_notifier(nb);'),
  ).toEqual([]);
});

test.each([
  [
    'a guard that warns is a guard',
    PUBLISHED_NOTIFIER,
    post(
      '  struct klp_state *prev = klp_get_prev_state(7);\n\n  if (WARN_ON(!prev))\n    return;\n  unregister_reboot_notifier(prev->data);',
      STATE,
    ),
  ],
  [
    'what goes wrong in another callback is not the cleanup',
    PUBLISHED_NOTIFIER,
    {
      body: `static int peek(struct klp_object *obj)
{
  return klp_get_prev_state(7)->version > 9;
}
static void tidy(struct klp_object *obj)
{
  struct klp_state *prev = klp_get_prev_state(7);

  if (prev)
    unregister_reboot_notifier(prev->data);
}`,
      callbacks: '      .pre_patch = peek,\n      .post_patch = tidy,',
      ...STATE,
    },
  ],
  [
    'what a version wants in any case it may set in any case',
    VALUE,
    post('  console_loglevel = CONSOLE_LOGLEVEL_DEFAULT;'),
  ],
  [
    'a key that it sets anew',
    STATIC_KEY,
    post('  static_branch_disable(&acme_key);\n  static_branch_enable(&acme_key);'),
  ],
  [
    'its init is not the moment of taking over',
    PROC_FILE,
    { init: '  remove_proc_entry("acme", NULL);\n  return klp_enable_patch(&patch);' },
  ],
] as const)('%s', async (_why, from, to) => {
  expect(await says(TWO, from, to)).toEqual([]);
});
