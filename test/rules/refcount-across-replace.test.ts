import { expect, test } from 'vitest';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const CODE = 'refcount-across-replace';

const TWO = manifest(['released', 'draft']);
const counting = (
  up: string,
  down: string,
  callbacks = '      .pre_patch = up,\n      .post_unpatch = down,',
  more: LivepatchParts = {},
): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;
extern atomic_t acme_users;
${callbacks.includes('pre_patch = up') ? 'static int up' : 'static void up'}(struct klp_object *obj)
{
${up}
${callbacks.includes('pre_patch = up') ? '  return 0;' : ''}
}
static void down(struct klp_object *obj)
{
${down}
}`,
  callbacks,
  ...more,
});
const LATE = '      .post_patch = up,\n      .pre_unpatch = down,';
const KEY = counting('  static_branch_inc(&acme_key);', '  static_branch_dec(&acme_key);');
const STATE = { states: '  { .id = 7, .version = 1 },' };
const withState = (up: string, down: string): LivepatchParts => counting(up, down, undefined, STATE);

/** A count in a shadow variable: the first one makes a folder, the last one removes it. */
const SHARED = counting(
  `  int *users = klp_shadow_get_or_alloc(NULL, 9, sizeof(int), GFP_KERNEL, NULL, NULL);

  if (!users)
    return -ENOMEM;
  if ((*users)++ == 0)
    debugfs_create_dir("acme", NULL);`,
  `  int *users = klp_shadow_get(NULL, 9);

  if (users && --(*users) == 0) {
    debugfs_lookup_and_remove("acme", NULL);
    klp_shadow_free(NULL, 9, NULL);
  }`,
);
const REFS = counting(
  `  refcount_t *users = klp_shadow_get(NULL, 9);

  if (users) {
    refcount_inc(users);
    return 0;
  }
  users = klp_shadow_alloc(NULL, 9, sizeof(*users), GFP_KERNEL, NULL, NULL);
  if (!users)
    return -ENOMEM;
  refcount_set(users, 1);
  static_branch_enable(&acme_key);`,
  `  refcount_t *users = klp_shadow_get(NULL, 9);

  if (users && refcount_dec_and_test(users)) {
    static_branch_disable(&acme_key);
    klp_shadow_free(NULL, 9, NULL);
  }`,
);

precision(
  'refcount-across-replace',
  [
    {
      what: 'a static key that is counted up by both and down by one',
      lineage: lineage(TWO, KEY, KEY),
      says: 'v2 counts the static key acme_key up in pre_patch',
      on: 'static_branch_inc',
      run: ['load v1', 'load v2', 'disable v2', 'unload v1', 'unload v2'],
      severity: 'error',
    },
    {
      what: 'an atomic of the kernel',
      lineage: lineage(
        TWO,
        counting('  atomic_inc(&acme_users);', '  atomic_dec(&acme_users);'),
        counting('  atomic_inc(&acme_users);', '  atomic_dec(&acme_users);'),
      ),
      says: 'acme_users',
    },
    {
      what: 'in post_patch and pre_unpatch',
      lineage: lineage(
        TWO,
        counting('  static_branch_inc(&acme_key);', '  static_branch_dec(&acme_key);', LATE),
        counting('  static_branch_inc(&acme_key);', '  static_branch_dec(&acme_key);', LATE),
      ),
      says: 'up in post_patch',
    },
    {
      what: 'once for several predecessors',
      lineage: lineage(manifest(['released', 'released', 'draft']), KEY, {}, KEY),
      says: '(replacing v1)',
    },
    {
      what: 'what hangs on a refcount in a shadow variable',
      lineage: lineage(TWO, REFS, REFS),
      says: 'static key acme_key when a count reaches zero, which it does not',
      on: 'static_branch_disable',
    },
    {
      what: 'after a faulty version',
      lineage: lineage(manifest(['released', 'faulty', 'draft']), {}, KEY, KEY),
      says: '(replacing v2)',
    },
  ],
  [
    {
      why: 'a predecessor is not counted again',
      lineage: lineage(
        TWO,
        withState('  static_branch_inc(&acme_key);', '  static_branch_dec(&acme_key);'),
        withState(
          '  if (!klp_get_prev_state(7))\n    static_branch_inc(&acme_key);',
          '  static_branch_dec(&acme_key);',
        ),
      ),
    },
    { why: 'only one of them counts', lineage: lineage(TWO, KEY, {}) },
    {
      why: 'the successor counts down for the predecessor in post_patch',
      lineage: lineage(TWO, withState('  static_branch_inc(&acme_key);', '  static_branch_dec(&acme_key);'), {
        body: `extern struct static_key_false acme_key;
static int up(struct klp_object *obj)
{
  static_branch_inc(&acme_key);
  return 0;
}
static void pass(struct klp_object *obj)
{
  if (klp_get_prev_state(7))
    static_branch_dec(&acme_key);
}
static void down(struct klp_object *obj)
{
  static_branch_dec(&acme_key);
}`,
        callbacks: '      .pre_patch = up,\n      .post_patch = pass,\n      .post_unpatch = down,',
        ...STATE,
      }),
    },
    {
      why: 'each counts in its own data',
      lineage: lineage(
        TWO,
        counting('  static atomic_t own;\n\n  atomic_inc(&own);', '  pr_info("bye\\n");'),
        counting('  static atomic_t own;\n\n  atomic_inc(&own);', '  pr_info("bye\\n");'),
      ),
    },
    {
      why: 'they do not replace each other',
      lineage: lineage(TWO, { ...KEY, replace: '' }, { ...KEY, replace: '' }),
    },
    {
      why: 'two counts of different things',
      lineage: lineage(TWO, KEY, counting('  atomic_inc(&acme_users);', '  atomic_dec(&acme_users);')),
    },
  ],
);

precision(
  'refcount-across-replace',
  [
    {
      what: 'a plain count in a shadow variable',
      lineage: lineage(TWO, SHARED, SHARED),
      says: 'when a count reaches zero',
      on: 'debugfs_lookup_and_remove',
    },
  ],
  [],
);

const says = (head: string, ...parts: readonly LivepatchParts[]): Promise<string[]> =>
  spoken(lineage(head, ...parts), CODE);
const UP = (to: string): string =>
  `${to} counts the static key acme_key up in pre_patch, and so did the version before, whose counting down is not called when it is replaced: disabling ${to} takes back one of two. Do not count again what a predecessor has counted`;

test('a count in whole sentences, once for each version that counts again', async () => {
  expect(await says(manifest(['released', 'released', 'draft']), KEY, KEY, KEY)).toEqual([
    `warning must v2 v1: ${UP('v2')} (replacing v1). | v1 counts up here | v2 counts down here, in post_unpatch`,
    `error must v3 v1 v2: ${UP('v3')} (replacing v1 and v2). | v1 counts up here | v3 counts down here, in post_unpatch`,
  ]);
});

test('what hangs on a count, in a whole sentence', async () => {
  const things = 'the shadow variable <NULL, 0x9> and the debugfs folder acme';
  expect(await says(TWO, SHARED, SHARED)).toEqual([
    `error must v2 v1: v2's post_unpatch undoes ${things} when a count reaches zero, which it does not: v1 counted up too, and its counting down is not called when it is replaced. Do not count again what a predecessor has counted (replacing v1). | v1: the shadow variable <NULL, 0x9> is made here | v1: the debugfs folder acme is made here`,
  ]);
});

/** A kref in a shadow variable, whose release function undoes. */
const kref = (release: string): LivepatchParts => {
  const parts = counting(
    `  struct kref *users = klp_shadow_get(NULL, 9);

  if (users) {
    kref_get(users);
    return 0;
  }
  users = klp_shadow_alloc(NULL, 9, sizeof(*users), GFP_KERNEL, NULL, NULL);
  if (!users)
    return -ENOMEM;
  kref_init(users);
  static_branch_enable(&acme_key);`,
    `  struct kref *users = klp_shadow_get(NULL, 9);

  if (users)
    kref_put(users, gone);`,
  );
  const gone = `static void gone(struct kref *ref)\n{\n${release}\n}\n`;
  return { ...parts, body: (parts.body ?? '').replace('static int up', `${gone}static int up`) };
};

test('the release function of a kref hangs on a count', async () => {
  const parts = kref('  static_branch_disable(&acme_key);\n  klp_shadow_free(NULL, 9, NULL);');
  const second = '//- v2/b.c\n#include <linux/livepatch.h>\nint acme_more(void);\n';
  expect(await spoken(lineage(TWO, parts, parts) + second, CODE)).toEqual([
    expect.stringMatching(
      /^error must v2 v1: v2's post_unpatch undoes the shadow variable <NULL, 0x9> and the static key acme_key when a count reaches zero,/,
    ),
  ]);
});

test('an undo that hangs on something else than a count is not for this rule', async () => {
  const own = counting(
    '  if (klp_get_prev_state(7))\n    return 0;\n  static_branch_enable(&acme_key);\n  mine = true;',
    '  acme_note(1);\n  if (mine)\n    static_branch_disable(&acme_key);',
    undefined,
    STATE,
  );
  const parts = { ...own, body: `static bool mine;\n${own.body}` };
  expect(await says(TWO, parts, parts)).toEqual([]);
  // The release function of the kref is another one, and this one is handed to something else.
  const others = `${parts.body}
static void other(struct kref *ref)
{
}
static void put(struct kref *ref)
{
  kref_put(ref, other);
  acme_ops->put(down);
  acme_call(down);
}`;
  expect(await says(TWO, parts, { ...parts, body: others })).toEqual([]);
});

test('a version that does not count down even alone is no case of counting across', async () => {
  const never = counting('  static_branch_inc(&acme_key);', '  acme_note();');
  expect(await says(TWO, KEY, never)).toEqual([]);
  expect(await says(TWO, never, KEY)).toEqual([]);
});

test('two counts of which one is taken over', async () => {
  const both = withState(
    '  static_branch_inc(&acme_key);\n  atomic_inc(&acme_users);',
    '  static_branch_dec(&acme_key);\n  atomic_dec(&acme_users);',
  );
  const half = withState(
    '  static_branch_inc(&acme_key);\n  if (!klp_get_prev_state(7))\n    atomic_inc(&acme_users);',
    '  static_branch_dec(&acme_key);\n  atomic_dec(&acme_users);',
  );
  expect(await says(TWO, both, half)).toEqual([
    `error must v2 v1: ${UP('v2')} (replacing v1). | v1 counts up here | v2 counts down here, in post_unpatch`,
  ]);
});

test('what a version counts twice itself is not the version before', async () => {
  const twice = withState(
    '  if (klp_get_prev_state(7))\n    return 0;\n  static_branch_inc(&acme_key);\n  static_branch_inc(&acme_key);',
    '  static_branch_dec(&acme_key);\n  static_branch_dec(&acme_key);',
  );
  expect(await says(TWO, twice, twice)).toEqual([]);
});

test('a count that is gone up only on another way than the usual one is not spoken of', async () => {
  const seldom = counting(
    '  if (acme_mode() != 3)\n    return 0;\n  static_branch_inc(&acme_key);',
    '  static_branch_dec(&acme_key);',
  );
  expect(await says(TWO, seldom, KEY)).toEqual([]);
});
