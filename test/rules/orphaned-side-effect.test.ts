import { expect, test } from 'vitest';
import { FOLDER, HEAP, marked, NOTIFIER, STATIC_KEY, VALUE } from './effects';
import { check, expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

const ON_REPLACE = '  .replace = true,\n//~ orphaned-side-effect';

test('a value that stays changed is a warning', async () => {
  const findings = await expectMarked(
    lineage(manifest(['released', 'draft']), VALUE, { replace: `${ON_REPLACE}: v1's pre_unpatch` }),
  );
  expect(findings[0]?.severity).toBe('warning');
  expect(findings[0]?.message).toContain('stays changed for good');
  expect(findings[0]?.run).toEqual(['load v1', 'load v2', 'unload v1']);
});

test('memory that nobody frees is an information', async () => {
  const findings = await expectMarked(
    lineage(manifest(['released', 'draft']), HEAP, { replace: `${ON_REPLACE}: nobody frees it` }),
  );
  expect(findings[0]?.severity).toBe('information');
});

test('a name that is taken is an error', async () => {
  const findings = await expectMarked(
    lineage(manifest(['released', 'draft']), FOLDER, { replace: `${ON_REPLACE}: doing it again fails` }),
  );
  expect(findings[0]?.severity).toBe('error');
});

test('a static key that stays on', async () => {
  await expectMarked(
    lineage(
      manifest(['draft', 'draft']),
      marked(STATIC_KEY, 'static_branch_enable', '  //~ orphaned-side-effect: acme_key'),
      {},
    ),
  );
});

test('what only may stay is one step milder, and says why', async () => {
  const guarded = {
    ...VALUE,
    body: `static int done;
${VALUE.body}`
      .replace('  saved = ', '  if (!acme_wants_more())\n    return;\n  done = 1;\n  saved = ')
      .replace('  console_loglevel = saved;', '  if (done)\n    console_loglevel = saved;'),
  };
  const findings = await expectMarked(
    lineage(manifest(['released', 'draft']), guarded, { replace: `${ON_REPLACE}: may stay changed` }),
  );
  expect(findings[0]?.severity).toBe('information');
  expect(findings[0]?.certainty).toBe('may');
  expect(findings[0]?.message).toContain('depends on');
});

const HANDED_ON = {
  body: `static void louder(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);
  struct klp_state *previous = klp_get_prev_state(7);

  if (previous) {
    own->data = previous->data;
    return;
  }
  *(int *)own->data = console_loglevel;
  console_loglevel = 15;
}
static int room(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);

  if (klp_get_prev_state(7))
    return 0;
  own->data = kzalloc(sizeof(int), GFP_KERNEL);
  return own->data ? 0 : -ENOMEM;
}
static void back(struct klp_object *obj)
{
  console_loglevel = *(int *)klp_get_state(&patch, 7)->data;
}
static void gone(struct klp_object *obj)
{
  kfree(klp_get_state(&patch, 7)->data);
}`,
  callbacks:
    '      .pre_patch = room,\n      .post_patch = louder,\n      .pre_unpatch = back,\n      .post_unpatch = gone,',
  states: '  { .id = 7, .version = 1 },',
};

test('a state hands it on, and the last one restores it', async () => {
  const { findings } = await check(lineage(manifest(['released', 'draft']), HANDED_ON, HANDED_ON));
  expect(findings.filter((finding) => finding.code === 'orphaned-side-effect')).toEqual([]);
});

test('the successor puts the value back', async () => {
  const restoring = {
    body: `static void restore(struct klp_object *obj)
{
  int *saved = klp_shadow_get(NULL, 7);

  if (!saved)
    return;
  console_loglevel = *saved;
  klp_shadow_free(NULL, 7, NULL);
}`,
    callbacks: '      .post_patch = restore,',
  };
  const published = {
    body: `static int louder(struct klp_object *obj)
{
  int *saved = klp_shadow_alloc(NULL, 7, sizeof(int), GFP_KERNEL, NULL, NULL);

  if (!saved)
    return -ENOMEM;
  *saved = console_loglevel;
  console_loglevel = 15;
  return 0;
}
static void back(struct klp_object *obj)
{
  int *saved = klp_shadow_get(NULL, 7);

  if (!saved)
    return;
  console_loglevel = *saved;
  klp_shadow_free(NULL, 7, NULL);
}`,
    callbacks: '      .pre_patch = louder,\n      .post_unpatch = back,',
  };
  await expectMarked(lineage(manifest(['released', 'draft']), published, restoring));
});

test('callbacks that only print leave nothing', async () => {
  const printing = {
    body: 'static int say(struct klp_object *obj)\n{\n  pr_info("hello\\n");\n  return 0;\n}',
    callbacks: '      .pre_patch = say,',
  };
  await expectMarked(lineage(manifest(['released', 'draft']), printing, {}));
});

test("what the version leaves even when it is simply disabled is not the replacement's fault", async () => {
  await expectMarked(
    lineage(manifest(['released', 'draft']), { ...VALUE, callbacks: '      .post_patch = louder,' }, {}),
    'orphaned-side-effect',
  );
});

test('a chain of three that leaves what no two of it leave', async () => {
  const alloc = (id: number): string =>
    `klp_shadow_alloc(NULL, ${id}, 4, GFP_KERNEL, NULL, NULL) ? 0 : -ENOMEM;`;
  const drop = 'static void drop(struct klp_object *obj)\n{\n  klp_shadow_free_all(9, NULL);\n';
  const callbacks = '      .pre_patch = make,\n      .post_unpatch = drop,';
  const first = {
    body: `static int make(struct klp_object *obj)\n{\n  return ${alloc(9)}\n}\n${drop}}`,
    callbacks,
  };
  // Only where it finds what v1 made does v2 make something of its own.
  const second = {
    body: `static int make(struct klp_object *obj)
{
  if (klp_shadow_get(NULL, 9))
    return ${alloc(10)}
  return ${alloc(9)}
}
${drop}  klp_shadow_free_all(10, NULL);
}`,
    callbacks,
  };
  const third = { body: `${drop}}`, callbacks: '      .post_patch = drop,' };
  const { findings } = await check(
    lineage(manifest(['released', 'released', 'draft']), first, second, third),
  );
  const orphans = findings.filter((finding) => finding.code === 'orphaned-side-effect');
  expect(orphans.map(({ versions, run }) => ({ versions, run }))).toEqual([
    {
      versions: ['v3', 'v1', 'v2'],
      run: ['load v1', 'load v2', 'unload v1', 'load v3', 'unload v2'],
    },
  ]);
  expect(orphans[0]?.message).toContain('<NULL, 0xa>');
});

const REPLACED = manifest(['released', 'draft']);
const value = (declared: string, on: string, off: string): { body: string; callbacks: string } => ({
  body: `${declared}
static void lp_on(struct klp_object *obj)
{
  ${on}
}
static void lp_off(struct klp_object *obj)
{
  ${off}
}`,
  callbacks: '      .post_patch = lp_on,\n      .pre_unpatch = lp_off,',
});
const KEY = (states = '1'): LivepatchParts => ({
  ...value(
    'extern struct static_key_false acme_key;',
    'static_branch_inc(&acme_key);',
    'static_branch_dec(&acme_key);',
  ),
  states: `  { .id = 1, .version = ${states} },`,
});
const SYSCTL = value(
  'static int saved;\nextern int sysctl_tcp_sack;',
  'saved = READ_ONCE(sysctl_tcp_sack);\n  WRITE_ONCE(sysctl_tcp_sack, 0);',
  'WRITE_ONCE(sysctl_tcp_sack, saved);',
);
const CONSTANT = value('extern int sysctl_tcp_sack;', 'sysctl_tcp_sack = 0;', 'sysctl_tcp_sack = 1;');
const PINNED = {
  ...NOTIFIER,
  body: (NOTIFIER.body ?? '')
    .replace('  return register', '  __module_get(THIS_MODULE);\n  return register')
    .replace(
      '  unregister_reboot_notifier(&nb);',
      '  unregister_reboot_notifier(&nb);\n  module_put(THIS_MODULE);',
    ),
};
/** A buffer for all versions, found by a shadow variable; the last one frees it. */
const SHARED = {
  body: `#define BUF_ID 0xb0f
struct buf { int users; void *mem; };
static int take(struct klp_object *obj)
{
  struct buf *b = klp_shadow_get(NULL, BUF_ID);

  if (b)
    return 0;
  b = klp_shadow_alloc(NULL, BUF_ID, sizeof(*b), GFP_KERNEL, NULL, NULL);
  if (!b)
    return -ENOMEM;
  b->mem = kmalloc(4096, GFP_KERNEL);
  if (b->mem)
    return 0;
  klp_shadow_free(NULL, BUF_ID, NULL);
  return -ENOMEM;
}
static void drop(struct klp_object *obj)
{
  struct buf *b = klp_shadow_get(NULL, BUF_ID);

  if (!b)
    return;
  kfree(b->mem);
  klp_shadow_free(NULL, BUF_ID, NULL);
}`,
  callbacks: '      .pre_patch = take,\n      .post_unpatch = drop,',
};

test('a buffer in a shadow variable that the successor does not know: both stay', async () => {
  const { findings } = await check(lineage(REPLACED, SHARED, {}));
  const own = findings.filter((finding) => finding.code === 'orphaned-side-effect');
  expect(own.map(({ severity }) => severity)).toEqual(['information', 'information']);
  expect(own[0]?.message).toContain('the allocation kmalloc in take');
  expect(own[1]?.message).toContain('the shadow variable <NULL, 0xb0f>');
});

test('a notifier of a module that holds itself: a warning, for nothing can free it', async () => {
  const { findings } = await check(lineage(REPLACED, PINNED, {}));
  const own = findings.filter((finding) => finding.message.includes('the notifier nb'));
  expect(own.map(({ code, severity }) => `${severity} ${code}`)).toContain('warning orphaned-side-effect');
  expect(own.map(({ code }) => code)).not.toContain('dangling-module-pointer');
  expect(own.find(({ code }) => code === 'orphaned-side-effect')?.message).toContain(
    'the kernel goes on using m_v1, which something holds in memory',
  );
});

precision(
  'orphaned-side-effect',
  [
    {
      what: 'a key counted up',
      lineage: lineage(REPLACED, KEY(), { states: '  { .id = 1, .version = 1 },' }),
      says: 'counts it twice',
      severity: 'error',
    },
    {
      what: 'a setting, saved in static data, which the successor saves again',
      lineage: lineage(REPLACED, SYSCTL, SYSCTL),
      says: 'the kernel variable sysctl_tcp_sack',
      on: '.replace',
      severity: 'warning',
    },
  ],
  [
    {
      why: 'the successor counts it down, once',
      lineage: lineage(REPLACED, KEY(), {
        ...value(
          'extern struct static_key_false acme_key;',
          'struct klp_state *prev = klp_get_prev_state(1);\n\n  if (prev && prev->version == 1)\n    static_branch_dec(&acme_key);',
          '',
        ),
        states: '  { .id = 1, .version = 2 },',
      }),
    },
    {
      why: 'both write the same, and the last one the default',
      lineage: lineage(REPLACED, CONSTANT, CONSTANT),
    },
    {
      why: 'three versions share one buffer',
      lineage: lineage(manifest(['released', 'released', 'draft']), SHARED, SHARED, SHARED),
    },
    {
      why: 'the manifest keeps it',
      lineage: lineage(
        manifest([
          { status: 'released', more: '    keeps:\n      - { effect: static_branch_inc, key: acme_key }\n' },
          { status: 'draft', more: '    keeps:\n      - { effect: static_branch_inc, key: acme_key }\n' },
        ]),
        KEY(),
        { states: '  { .id = 1, .version = 1 },' },
      ),
    },
  ],
);
