import { expect, test } from 'vitest';
import { FOLDER, marked, NOTIFIER, VALUE } from './effects';
import { check, expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { spoken } from './spoken';

const ON_REPLACE = '  .replace = true,\n//~ orphaned-side-effect';
const AT_LINE = '  //~ orphaned-side-effect';
const atLine = (words: string): typeof VALUE =>
  marked(VALUE, 'console_loglevel = 15', `${AT_LINE}: ${words}`);
const RESTORES_15 = {
  body: 'static void fix(struct klp_object *obj)\n{\n  int *saved = klp_shadow_get(NULL, 7);\n\n  if (saved)\n    console_loglevel = *saved;\n}',
  callbacks: '      .post_patch = fix,',
};

test('from a draft: once at the line, for all that follow', async () => {
  const findings = await expectMarked(
    lineage(manifest(['draft', 'draft', 'released']), atLine('replaced by v2 and v3'), {}, {}),
  );
  expect(findings[0]?.versions).toEqual(['v1', 'v2', 'v3']);
});

test('to several drafts: on the first', async () => {
  await expectMarked(
    lineage(
      manifest(['released', 'draft', 'draft']),
      VALUE,
      { replace: `${ON_REPLACE}: replaced by v2` },
      {},
    ),
  );
});

test('to a released version and a draft: on the draft', async () => {
  await expectMarked(
    lineage(
      manifest(['released', 'released', 'draft']),
      VALUE,
      {},
      { replace: `${ON_REPLACE}: replaced by v3` },
    ),
  );
});

test('no draft: at the line, a warning at most', async () => {
  const folder = marked(FOLDER, 'debugfs_create_dir', AT_LINE);
  const findings = await expectMarked(lineage(manifest(['released', 'released']), folder, {}));
  expect(findings[0]?.severity).toBe('warning');
  expect(findings[0]?.message).toContain('No version of the lineage can be changed');
});

test('to a faulty or withdrawn version: history', async () => {
  await expectMarked(lineage(manifest(['released', 'faulty', 'withdrawn']), VALUE, {}, {}));
});

test('a draft that answers for what two released versions left', async () => {
  const folder = {
    body: 'static void fix(struct klp_object *obj)\n{\n  debugfs_lookup_and_remove("acme", NULL);\n}',
    callbacks: '      .post_patch = fix,',
  };
  await expectMarked(lineage(manifest(['released', 'released', 'draft']), FOLDER, {}, folder));
});

test('a draft that answers for one way and not for the other', async () => {
  const publishes = {
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

  if (saved)
    console_loglevel = *saved;
  klp_shadow_free(NULL, 7, NULL);
}`,
    callbacks: '      .pre_patch = louder,\n      .post_unpatch = back,',
  };
  // v2 throws away what v3 would have needed.
  const forgets = {
    body: 'static void forget(struct klp_object *obj)\n{\n  klp_shadow_free(NULL, 7, NULL);\n}',
    callbacks: '      .post_patch = forget,',
  };
  const { findings } = await check(
    lineage(manifest(['released', 'released', 'draft']), publishes, forgets, RESTORES_15),
  );
  const value = findings.filter((finding) => finding.message.includes('console_loglevel'));
  expect(value.map(({ code, versions, run }) => ({ code, versions, run }))).toEqual([
    {
      code: 'orphaned-side-effect',
      versions: ['v3', 'v1', 'v2'],
      run: ['load v1', 'load v2', 'load v3', 'unload v1', 'unload v2'],
    },
  ]);
});

test('an object of a module: its load is part of the run', async () => {
  const objects = `  {
    .name = "ext4",
    .funcs = funcs,
    .callbacks = {
${VALUE.callbacks}
    },
  },`;
  const { findings } = await check(
    lineage(
      manifest(['released', 'draft']),
      { ...VALUE, objects },
      { objects: objects.replace(/ {4}\.callbacks[\s\S]*?\},\n/, '') },
    ),
  );
  const orphan = findings.find((finding) => finding.code === 'orphaned-side-effect');
  expect(orphan?.run).toEqual(['load ext4', 'load v1', 'load v2', 'unload v1']);
});

const CODE = 'orphaned-side-effect';
/** "warning must v1 v2": severity, certainty and versions of what is said. */
const heads = async (text: string, code = CODE): Promise<string[]> =>
  (await spoken(text, code)).map((said) => said.split(':')[0] ?? '');
/** Restores the value that VALUE changes, or may do so. */
const restoring = (condition = ''): LivepatchParts => ({
  body: `static void fix(struct klp_object *obj)\n{\n${condition}  console_loglevel = CONSOLE_LOGLEVEL_DEFAULT;\n}`,
  callbacks: '      .post_patch = fix,',
});
const removing = (condition = ''): LivepatchParts => ({
  body: `static void fix(struct klp_object *obj)\n{\n${condition}  debugfs_lookup_and_remove("acme", NULL);\n}`,
  callbacks: '      .post_patch = fix,',
});
const PERHAPS = '  if (acme_busy())\n    return;\n';

test('going back to an older version is another matter', async () => {
  expect(await heads(lineage(manifest(['released', 'draft']), {}, VALUE))).toEqual([]);
  expect(await heads(lineage(manifest(['draft']), VALUE))).toEqual([]);
});

test('what one successor may leave and another surely does is sure, in either order', async () => {
  const head = manifest(['draft', 'released', 'released']);
  expect(await heads(lineage(head, FOLDER, removing(PERHAPS), {}))).toEqual(['error must v1 v2 v3']);
  expect(await heads(lineage(head, FOLDER, {}, removing(PERHAPS)))).toEqual(['error must v1 v2 v3']);
  const both = lineage(head, FOLDER, removing(PERHAPS), removing(PERHAPS));
  expect(await heads(both)).toEqual(['warning may v1 v2 v3']);
  expect(await heads(lineage(head, FOLDER, removing(), removing(PERHAPS)))).toEqual(['warning may v1 v3']);
});

test('a draft in front of two released versions answers for nothing behind it', async () => {
  const text = lineage(manifest(['draft', 'released', 'released']), restoring(), VALUE, {});
  const { findings } = await check(text);
  const own = findings.filter(({ code }) => code === CODE);
  expect(own.map(({ versions, severity }) => [severity, ...versions])).toEqual([['warning', 'v2', 'v3']]);
  expect(own[0]?.place.file).toBe('/lineage/v2/a.c');
});

test('a draft that the kernel refuses after two others says nothing of what they left', async () => {
  const refuses = {
    body: `static int no(struct klp_object *obj)\n{\n  return klp_shadow_get(NULL, 7) ? 0 : -ENODEV;\n}\n${removing().body}`,
    callbacks: `      .pre_patch = no,\n      .post_patch = fix,`,
  };
  const makes = {
    ...FOLDER,
    body: (FOLDER.body ?? '').replace(
      '  return 0;',
      '  klp_shadow_alloc(NULL, 7, 8, GFP_KERNEL, NULL, NULL);\n  return 0;',
    ),
  };
  const forgets = {
    body: 'static void forget(struct klp_object *obj)\n{\n  klp_shadow_free(NULL, 7, NULL);\n}',
    callbacks: '      .post_patch = forget,',
  };
  const text = lineage(manifest(['released', 'released', 'draft']), makes, forgets, refuses);
  expect((await spoken(text, CODE)).filter((said) => said.includes('debugfs'))).toEqual([]);
});

/** The notifier by a shadow variable: the next removes it by that, one in between throws the variable away. */
const PUBLISHED: LivepatchParts = {
  body: `${(NOTIFIER.body ?? '').replace(
    '  return register',
    '  void **where = klp_shadow_alloc(NULL, 7, sizeof(*where), GFP_KERNEL, NULL, NULL);\n\n  if (!where)\n    return -ENOMEM;\n  *where = &nb;\n  return register',
  )}`,
  callbacks: NOTIFIER.callbacks ?? '',
};
const FORGETS: LivepatchParts = {
  body: 'static void forget(struct klp_object *obj)\n{\n  klp_shadow_free(NULL, 7, NULL);\n}',
  callbacks: '      .post_patch = forget,',
};
const UNREGISTERS: LivepatchParts = {
  body: `static void fix(struct klp_object *obj)
{
  void **where = klp_shadow_get(NULL, 7);

  if (where) {
    unregister_reboot_notifier(*where);
    klp_shadow_free(NULL, 7, NULL);
  }
}`,
  callbacks: '      .post_patch = fix,',
};

test('a pointer that dangles only after a version in between', async () => {
  const head = manifest(['released', 'released', 'draft']);
  const text = lineage(head, PUBLISHED, FORGETS, UNREGISTERS);
  const { findings } = await check(text);
  const own = findings.filter(({ code }) => code === 'dangling-module-pointer');
  expect(own.map(({ versions, run, place }) => ({ versions, run, file: place.file }))).toEqual([
    {
      versions: ['v3', 'v1', 'v2'],
      run: ['load v1', 'load v2', 'load v3', 'unload v1', 'unload v2'],
      file: '/lineage/v3/a.c',
    },
  ]);
  expect(await heads(lineage(head, PUBLISHED, {}, UNREGISTERS), 'dangling-module-pointer')).toEqual([]);
});

test('of two things that are left behind each is said with its own, targets only where they matter', async () => {
  const objects = `  { .name = "xfs", .funcs = funcs },
  { .funcs = funcs, .callbacks = { .post_patch = louder, .pre_unpatch = back } },
  { .name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = make, .post_unpatch = drop } },`;
  const both = { body: `${VALUE.body}\n${FOLDER.body}`, objects };
  const plain = { objects: objects.replace(/, \.callbacks = \{.*?\} \}/g, ' }') };
  const { findings } = await check(lineage(manifest(['released', 'draft']), both, plain));
  const own = findings.filter(({ code }) => code === CODE);
  expect(
    own.map(({ message, run }) => [/(kernel variable|debugfs folder)/.exec(message)?.[1], run]).sort(),
  ).toEqual([
    ['debugfs folder', ['load ext4', 'load v1', 'load v2', 'unload v1']],
    ['kernel variable', ['load v1', 'load v2', 'unload v1']],
  ]);
});

test('two things, of which one is lost on the way over a version in between', async () => {
  const both = {
    body: `${PUBLISHED.body}\n${FOLDER.body}`,
    callbacks: `${PUBLISHED.callbacks}\n`,
    objects: `  { .funcs = funcs, .callbacks = { .pre_patch = all, .post_unpatch = none } },`,
  };
  const all = `static int all(struct klp_object *obj)\n{\n  make(obj);\n  return hook(obj);\n}\nstatic void none(struct klp_object *obj)\n{\n  unhook(obj);\n  drop(obj);\n}`;
  const parts = { body: `${both.body}\n${all}`, objects: both.objects };
  const fixes = {
    body: `${UNREGISTERS.body}\n${removing().body?.replace('fix', 'more')}`,
    objects: '  { .funcs = funcs, .callbacks = { .pre_patch = before, .post_patch = fix } },',
  };
  const before = 'static int before(struct klp_object *obj)\n{\n  more(obj);\n  return 0;\n}';
  const text = lineage(manifest(['released', 'released', 'draft']), parts, FORGETS, {
    ...fixes,
    body: `${fixes.body}\n${before}`,
  });
  expect(await heads(text, 'dangling-module-pointer')).toEqual(['error must v3 v1 v2']);
  expect((await spoken(text, CODE)).filter((said) => said.includes('debugfs'))).toEqual([]);
});
