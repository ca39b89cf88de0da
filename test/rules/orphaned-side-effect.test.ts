import { expect, test } from 'vitest';
import { FOLDER, HEAP, marked, VALUE } from './effects';
import { check, expectMarked, lineage, manifest } from './fixture';

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
  const key = {
    body: `extern struct static_key_false acme_key;
static void on(struct klp_object *obj)
{
  static_branch_enable(&acme_key);
}
static void off(struct klp_object *obj)
{
  static_branch_disable(&acme_key);
}`,
    callbacks: '      .post_patch = on,\n      .pre_unpatch = off,',
  };
  await expectMarked(
    lineage(
      manifest(['draft', 'draft']),
      marked(key, 'static_branch_enable', '  //~ orphaned-side-effect: acme_key'),
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
