import { expect, test } from 'vitest';
import { VALUE } from './effects';
import { check, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

const TWO = manifest(['released', 'draft']);
const THREE = manifest(['released', 'released', 'draft']);

const HOOK: LivepatchParts = {
  body: `extern struct acme_ops acme_ops;
static void *original;
static int klpp_send(int n)
{
  return n;
}
static void set(struct klp_object *obj)
{
  original = acme_ops.send;
  acme_ops.send = klpp_send;
}
static void back(struct klp_object *obj)
{
  acme_ops.send = original;
}`,
  callbacks: '      .post_patch = set,\n      .pre_unpatch = back,',
};
const FLAGGED: LivepatchParts = {
  body: `static struct kobj_attribute attr = __ATTR(acme, 0444, NULL, NULL);
static bool registered;
static int make(struct klp_object *obj)
{
  int ret;

  if (registered)
    return 0;
  ret = sysfs_create_file(kernel_kobj, &attr.attr);
  if (!ret)
    registered = true;
  return ret;
}
static void drop(struct klp_object *obj)
{
  if (registered)
    sysfs_remove_file(kernel_kobj, &attr.attr);
}`,
  callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
};
const KEY: LivepatchParts = {
  body: `extern struct static_key_false acme_key;
static bool changed;
static void on(struct klp_object *obj)
{
  static_branch_enable(&acme_key);
  changed = true;
}
static void off(struct klp_object *obj)
{
  if (changed)
    static_branch_disable(&acme_key);
}`,
  callbacks: '      .post_patch = on,\n      .pre_unpatch = off,',
};
/** The same flag in a version that only wants to clean up. */
const KEY_CLEANUP: LivepatchParts = {
  body: `extern struct static_key_false acme_key;
static bool changed;
static void tidy(struct klp_object *obj)
{
  if (!changed)
    return;
  static_branch_disable(&acme_key);
  changed = false;
}`,
  callbacks: '      .post_patch = tidy,',
};

/** State 7 holds the original value; `taking` says what is done where there is a predecessor. */
const handing = (taking: string, use = ''): LivepatchParts => ({
  body: `static int room(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);

  if (klp_get_prev_state(7))
    return 0;
  own->data = kzalloc(sizeof(int), GFP_KERNEL);
  return own->data ? 0 : -ENOMEM;
}
static void louder(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);
  struct klp_state *prev = klp_get_prev_state(7);

  if (prev) {
    ${taking}
    ${use}
    return;
  }
  *(int *)own->data = console_loglevel;
  console_loglevel = 15;
}
static void quiet(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);

  if (own->data)
    console_loglevel = *(int *)own->data;
}
static void gone(struct klp_object *obj)
{
  kfree(klp_get_state(&patch, 7)->data);
}`,
  callbacks:
    '      .pre_patch = room,\n      .post_patch = louder,\n      .pre_unpatch = quiet,\n      .post_unpatch = gone,',
  states: '  { .id = 7, .version = 1 },',
});
const TAKES = 'own->data = prev->data;';
const READS = 'pr_info("was %d\\n", *(int *)prev->data);';
const FORGETS = '(void)own;';

/** The data of state 7 leads to a table of operations in the version that made it; `taking` as above. */
const operating = (taking: string): LivepatchParts => ({
  body: `struct saved { int level; const struct hooks *hooks; };
struct hooks { void (*off)(struct saved *); };
static void back(struct saved *s)
{
  console_loglevel = s->level;
}
static const struct hooks hooks = { .off = back };
static void louder(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);
  struct klp_state *prev = klp_get_prev_state(7);
  struct saved *s;

  if (prev) {
    s = own->data = prev->data;
    ${taking}
    return;
  }
  s = own->data = kzalloc(sizeof(*s), GFP_KERNEL);
  if (!s)
    return;
  s->hooks = &hooks;
  s->level = console_loglevel;
  console_loglevel = 15;
}
static void quiet(struct klp_object *obj)
{
  struct saved *s = klp_get_state(&patch, 7)->data;

  if (s)
    s->hooks->off(s);
}
static void gone(struct klp_object *obj)
{
  kfree(klp_get_state(&patch, 7)->data);
}`,
  callbacks: '      .post_patch = louder,\n      .pre_unpatch = quiet,\n      .post_unpatch = gone,',
  states: '  { .id = 7, .version = 1 },',
});

precision(
  'forgotten-original-value',
  [
    {
      what: "data that leads into the predecessor's module",
      lineage: lineage(TWO, operating('pr_info("taken over\\n");'), operating('pr_info("taken over\\n");')),
      says: 'Loaded after v1, v2 goes wrong when it is disabled: memory that is gone is used in v2',
      on: 's->hooks->off',
      run: ['load v1', 'load v2', 'unload v1', 'disable v2', 'unload v2'],
      severity: 'error',
    },
    {
      what: 'the changed value is saved as the original one',
      lineage: lineage(TWO, VALUE, VALUE),
      says: 'writes back what v1 had set',
      on: 'saved = console_loglevel',
      run: ['load v1', 'load v2', 'disable v2', 'unload v1', 'unload v2'],
      severity: 'error',
    },
    {
      what: "the predecessor's function is saved as the original operation",
      lineage: lineage(TWO, HOOK, HOOK),
      says: 'the original is lost',
    },
    {
      what: 'a flag in static data: the successor does it again',
      lineage: lineage(TWO, FLAGGED, FLAGGED),
      says: 'its own variable registered',
      on: 'sysfs_create_file',
    },
    {
      what: 'a flag in static data: the cleanup is never done',
      lineage: lineage(TWO, KEY, KEY_CLEANUP),
      says: 'only where its own variable changed says so',
      on: 'static_branch_disable',
    },
    {
      what: 'of several predecessors',
      lineage: lineage(THREE, VALUE, {}, VALUE),
      says: 'after v1 that is not the original value',
    },
    {
      what: 'a predecessor that declares the state and leaves its data NULL',
      lineage: lineage(TWO, { states: '  { .id = 7, .version = 1 },' }, handing(TAKES, READS)),
      says: 'NULL is dereferenced in v2',
    },
  ],
  [
    { why: 'the state hands the original on', lineage: lineage(TWO, handing(TAKES), handing(TAKES, READS)) },
    {
      why: 'three of that kind',
      lineage: lineage(THREE, handing(TAKES), handing(TAKES), handing(TAKES, READS)),
    },
    {
      why: 'the successor sets its own table of operations',
      lineage: lineage(TWO, operating('s->hooks = &hooks;'), operating('s->hooks = &hooks;')),
    },
    { why: 'the successor does not touch it', lineage: lineage(TWO, VALUE, {}) },
    {
      why: 'it saves another variable',
      lineage: lineage(TWO, VALUE, {
        ...VALUE,
        body: (VALUE.body ?? '').replaceAll('console_loglevel', 'panic_timeout'),
      }),
    },
    {
      why: 'the flag is asked of a shadow variable',
      lineage: lineage(
        TWO,
        {
          ...KEY,
          body: (KEY.body ?? '')
            .replace('static bool changed;', '')
            .replace('changed = true', 'klp_shadow_alloc(NULL, 9, 1, GFP_KERNEL, NULL, NULL)')
            .replace('if (changed)', 'if (klp_shadow_get(NULL, 9))'),
        },
        {
          ...KEY_CLEANUP,
          body: (KEY_CLEANUP.body ?? '')
            .replace('static bool changed;', '')
            .replace('!changed', '!klp_shadow_get(NULL, 9)')
            .replace('changed = false', 'klp_shadow_free(NULL, 9, NULL)'),
        },
      ),
    },
    { why: 'without a predecessor the flag is right', lineage: lineage(manifest(['draft']), FLAGGED) },
    {
      why: 'a module parameter is no memory of what was done',
      lineage: lineage(TWO, KEY, {
        ...KEY_CLEANUP,
        body: `extern struct static_key_false acme_key;
static bool tidy_up = true;
module_param(tidy_up, bool, 0444);
static void tidy(struct klp_object *obj)
{
  if (tidy_up)
    static_branch_disable(&acme_key);
}`,
      }),
    },
  ],
);

test('a chain of three is judged by its history', async () => {
  const chain = lineage(THREE, handing(TAKES), handing(FORGETS), handing(TAKES, READS));
  const { findings, project } = await check(chain);
  const { transitions, lineage: assembled } = project.analyse();
  const [v1, v2, v3] = assembled.versions;
  if (!v1 || !v2 || !v3) throw new Error('three versions');
  const word = (from: typeof v1 | null, to: typeof v1): string =>
    transitions.transition(from, to).run.verdict.word;
  expect(word(v1, v2)).toBe('leaves');
  expect(word(null, v2)).toBe('clean');
  expect(word(v2, v3)).toBe('clean');

  const found = findings.filter((finding) => finding.code === 'forgotten-original-value');
  expect(found).toHaveLength(1);
  const finding = found[0] as (typeof found)[0];
  expect(finding.run).toEqual(['load v1', 'load v2', 'unload v1', 'load v3', 'unload v2']);
  expect(finding.message).toContain('Loaded after v1 and v2 in this order, v3 goes wrong');
  expect(finding.message).toContain('NULL is dereferenced in v3');
  expect(finding.versions[0]).toBe('v3');
  expect(finding.place.file).toBe('/lineage/v3/a.c');
  expect(finding.severity).toBe('error');
  expect(finding.related.map(({ message }) => message)).toContain('v2 declares the state 7 here');
});

const CODE = 'forgotten-original-value';
const ASK = 'Ask for a previous state, a shadow variable or the name instead.';
const RUN = ['load v1', 'load v2', 'disable v2', 'unload v1', 'unload v2'];
/** What pre_patch makes and post_unpatch undoes, with an own flag. */
const flagged = (data: string, make: string, undo: string): LivepatchParts => ({
  body: `${data}
static bool done;
static int make(struct klp_object *obj)
{
  if (done)
    return 0;
  ${make};
  done = true;
  return 0;
}
static void drop(struct klp_object *obj)
{
  if (done)
    ${undo};
}`,
  callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
});
const SAVED = (after: string): string =>
  `v2 saves the kernel variable console_loglevel as it finds it, and after ${after} that is not the original value: ` +
  `its pre_unpatch writes back what ${after} had set, and the original is lost. Take over what ${after} saved, by a state or a shadow variable.`;

test('what is told of a value that is saved again', async () => {
  const noise = (VALUE.body ?? '').replace(
    '  saved = ',
    '  count += console_loglevel;\n  other = panic_timeout;\n  saved = ',
  );
  const body = `static int other, count;\n${noise}`;
  expect(await told(lineage(TWO, VALUE, { ...VALUE, body }), CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: SAVED('v1'),
      versions: ['v2', 'v1'],
      on: 'v2/a.c: saved = console_loglevel',
      related: [
        'v1/a.c: console_loglevel = 15: v1: the kernel variable console_loglevel is made here',
        'v2/a.c: console_loglevel = saved: v2 writes it back here, in pre_unpatch',
      ],
      run: RUN,
      fixes: [],
    },
  ]);
});

test('of several predecessors the first tells it, and the others are named', async () => {
  const found = await told(lineage(THREE, VALUE, VALUE, VALUE), CODE);
  expect(found.map(({ on, versions }) => [on, versions])).toEqual([
    ['v2/a.c: saved = console_loglevel', ['v2', 'v1']],
    ['v3/a.c: saved = console_loglevel', ['v3', 'v1', 'v2']],
  ]);
  expect(found[1]?.message).toBe(`${SAVED('v1').replace('v2', 'v3')} The same after v2.`);
  expect(found[0]?.message).toBe(SAVED('v1'));
});

test('what is told of a flag that lets it be done again', async () => {
  const attribute = '__ATTR(acme, 0444, NULL, NULL)';
  const body = (FLAGGED.body ?? '').replace(attribute, '{ .attr = { .name = "acme", .mode = 0444 } }');
  const named = { ...FLAGGED, body };
  expect(await told(lineage(TWO, named, named), CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: `v2 makes the sysfs file acme again: whether that is done is in its own variable registered, which knows nothing of v1. ${ASK}`,
      versions: ['v2', 'v1'],
      on: 'v2/a.c: sysfs_create_file(kernel_kobj, &attr.attr)',
      related: ['v1/a.c: sysfs_create_file(kernel_kobj, &attr.attr): v1: the sysfs file acme is made here'],
      run: ['load v1', 'load v2'],
      fixes: [],
    },
  ]);
});

test.each([
  ['atomic_inc(&acme_users)', 'atomic_dec(&acme_users)', 'the kernel counter acme_users'],
  ['list_add(&acme_node, &acme_list)', 'list_del(&acme_node)', 'the list entry acme_node'],
])('%s once more, which answers nothing', async (make, undo, what) => {
  const parts = flagged(
    'extern atomic_t acme_users;\nextern struct list_head acme_node, acme_list;',
    make,
    undo,
  );
  expect((await told(lineage(TWO, parts, parts), CODE)).map(({ message }) => message.split(',')[0])).toEqual([
    `v2 makes ${what} again: whether that is done is in its own variable done`,
  ]);
});

test('what is told of a flag that keeps it from being undone', async () => {
  expect(await told(lineage(TWO, KEY, KEY_CLEANUP), CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: `v2 undoes the static key acme_key only where its own variable changed says so, which knows nothing of v1: after v1 it stays. ${ASK}`,
      versions: ['v2', 'v1'],
      on: 'v2/a.c: static_branch_disable(&acme_key)',
      related: ['v1/a.c: static_branch_enable(&acme_key): v1: the static key acme_key is made here'],
      run: RUN,
      fixes: [],
    },
  ]);
});

test('an undo by name that a flag keeps from running', async () => {
  const v1: LivepatchParts = {
    body: `static int make(struct klp_object *obj)
{
  debugfs_create_dir("acme", NULL);
  return 0;
}
static void drop(struct klp_object *obj)
{
  debugfs_lookup_and_remove("acme", NULL);
}`,
    callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
  };
  const tidy = (name: string): LivepatchParts => ({
    body: `static bool made;\nstatic void tidy(struct klp_object *obj)\n{\n  if (made)\n    debugfs_lookup_and_remove("${name}", NULL);\n}`,
    callbacks: '      .post_patch = tidy,',
  });
  expect(
    (await told(lineage(TWO, v1, tidy('acme')), CODE)).map(({ message }) => message.split(':')[0]),
  ).toEqual([
    'v2 undoes the debugfs folder acme only where its own variable made says so, which knows nothing of v1',
  ]);
  expect(await told(lineage(TWO, v1, tidy('another')), CODE)).toEqual([]);
});

test('doing what changes nothing once more is no harm', async () => {
  const again = flagged(
    'extern struct static_key_false acme_key;',
    'static_branch_enable(&acme_key)',
    'static_branch_disable(&acme_key)',
  );
  expect(await told(lineage(TWO, again, again), CODE)).toEqual([]);
});

test('what is told of data that leads into the predecessor', async () => {
  const text = lineage(TWO, operating('(void)own;'), operating('(void)own;'));
  expect((await told(text, CODE)).map(({ message }) => message)).toEqual([
    'Loaded after v1, v2 goes wrong when it is disabled: memory that is gone is used in v2. ' +
      'Leave no pointer into a version of its own in data that outlives it: the successor sets its own.',
  ]);
});
