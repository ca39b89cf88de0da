import { expect, test } from 'vitest';
import { appended } from '../dialects/diff-text';
import { check, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

const HEAD = (dialect: string, sources = 'v1/*.patch'): string =>
  `//- livepatch.yaml\nlineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m_v1\n    sources: ${sources}\n    dialect: ${dialect}\n`;

const PRE = (name: string, macro = 'KPATCH'): string =>
  `static int ${name}(struct klp_object *obj)\n{\n\treturn 0;\n}\n${macro}_PRE_PATCH_CALLBACK(${name});`;
const POST = (name: string, macro = 'KPATCH'): string =>
  `static void ${name}(struct klp_object *obj)\n{\n\tacme = 1;\n}\n${macro}_POST_PATCH_CALLBACK(${name});`;

function diffs(dialect: string, ...files: readonly (readonly [string, string])[]): string {
  const texts = files.map(([path, code], i) => `//- v1/${i}.patch\n${appended(path, code)}`);
  return `${HEAD(dialect)}${texts.join('')}`;
}

const FUNCTIONS = 'static void f(struct klp_object *obj) { }\nstatic void g(struct klp_object *obj) { }';

precision(
  'duplicate-callback',
  [
    {
      what: 'two files that are built in, for kpatch',
      lineage: diffs('kpatch', ['kernel/a.c', PRE('a_pre')], ['mm/b.c', PRE('b_pre')]),
      says: 'b_pre() is a second pre_patch for vmlinux: its init refuses',
      on: 'KPATCH_PRE_PATCH_CALLBACK(b_pre)',
    },
    {
      what: 'two files that are built in, for klp-build',
      lineage: diffs('klp-build', ['kernel/a.c', PRE('a_pre', 'KLP')], ['mm/b.c', PRE('b_pre', 'KLP')]),
      says: 'so the livepatch cannot be linked',
    },
    {
      what: 'two in one file',
      lineage: diffs('kpatch', ['kernel/a.c', `${POST('one')}\n\n${POST('two')}`]),
      says: 'two() is a second post_patch',
    },
    {
      what: 'two files of one module',
      lineage: diffs('kpatch', ['fs/ext4/inode.c', POST('one')], ['fs/ext4/super.c', POST('two')]),
      says: 'a second post_patch for ext4',
    },
    {
      what: 'twice in one initialiser',
      lineage: lineage(manifest(['draft']), {
        body: FUNCTIONS,
        callbacks: '      .post_patch = f,\n      .post_patch = g,',
      }),
      says: '`.post_patch` is set twice',
      on: '.post_patch = g',
    },
    {
      what: 'twice, written in two ways',
      lineage: lineage(manifest(['draft']), {
        body: FUNCTIONS,
        objects: '  { .funcs = funcs, .callbacks.post_patch = f, .callbacks.post_patch = g },',
      }),
      says: '`.post_patch` is set twice',
    },
    {
      what: 'vmlinux twice in the table',
      lineage: lineage(manifest(['draft']), {
        body: `${FUNCTIONS}\nstatic struct klp_func none[] = { { } };`,
        objects:
          '  { .funcs = funcs, .callbacks = { .post_patch = f } },\n  { .funcs = none, .callbacks = { .post_patch = g } },',
      }),
      says: 'stands in the table twice',
    },
  ],
  [
    {
      why: 'one of each kind',
      lineage: diffs('kpatch', ['kernel/a.c', PRE('a_pre')], ['mm/b.c', POST('b_post')]),
    },
    {
      why: 'one for vmlinux and one for a module',
      lineage: diffs('kpatch', ['kernel/a.c', PRE('a_pre')], ['fs/ext4/super.c', PRE('b_pre')]),
    },
    {
      why: 'one for each of two modules',
      lineage: diffs('klp-build', ['fs/xfs/a.c', PRE('a_pre', 'KLP')], ['fs/ext4/b.c', PRE('b_pre', 'KLP')]),
    },
    {
      why: 'one function for two kinds',
      lineage: lineage(manifest(['draft']), {
        body: FUNCTIONS,
        callbacks: '      .post_patch = f,\n      .pre_unpatch = f,',
      }),
    },
    {
      why: 'the same kind for two objects',
      lineage: lineage(manifest(['draft']), {
        body: `${FUNCTIONS}\nstatic struct klp_func more[] = { { } };`,
        objects:
          '  { .funcs = funcs, .callbacks = { .post_patch = f } },\n  { .name = "ext4", .funcs = more, .callbacks = { .post_patch = g } },',
      }),
    },
    {
      why: 'callbacks of another kind of object',
      lineage: lineage(manifest(['draft']), {
        body: `${FUNCTIONS}
struct acme_object { struct klp_callbacks callbacks; };
static struct acme_object other = { .callbacks = { .post_patch = f, .post_patch = g } };
static int n = 3;`,
      }),
    },
    {
      why: 'other members, one of them twice',
      lineage: lineage(manifest(['draft']), {
        body: FUNCTIONS,
        objects: '  { .funcs = funcs, .funcs = funcs, .name = NULL, .callbacks = CALLBACKS },',
      }),
    },
    {
      why: 'by position',
      lineage: lineage(manifest(['draft']), {
        body: 'static int p(struct klp_object *obj) { return 0; }\nstatic void g(struct klp_object *obj) { }',
        objects: '  { NULL, funcs, { p, g } },',
      }),
    },
    {
      why: 'a livepatch without objects',
      lineage: lineage(manifest(['draft']), livepatch().replace('  .objs = objs,\n', '')),
    },
    {
      why: 'a later diff takes the first one away',
      lineage: `${HEAD('kpatch')}//- v1/0.patch\n${appended('kernel/a.c', PRE('a_pre'))}//- v1/1.patch\n${appended('mm/b.c', PRE('b_pre'))}//- v1/2.patch\ndiff --git a/kernel/a.c b/kernel/a.c\n--- a/kernel/a.c\n+++ b/kernel/a.c\n@@ -405,3 +405,2 @@ static int a_pre(struct klp_object *obj)\n \treturn 0;\n }\n-KPATCH_PRE_PATCH_CALLBACK(a_pre);\n`,
    },
  ],
);

test('it points at the first one', async () => {
  const { findings, fixture } = await check(
    diffs('kpatch', ['kernel/a.c', PRE('a_pre')], ['mm/b.c', PRE('b_pre')]),
  );
  const [related] = findings.find(({ code }) => code === 'duplicate-callback')?.related ?? [];
  const text = fixture.files.get(related?.place.file.replace('/lineage/', '') ?? '') ?? '';
  expect(text.slice(related?.place.start, related?.place.end)).toBe('KPATCH_PRE_PATCH_CALLBACK(a_pre);');
});

test.each([
  [
    '  { .funcs = funcs, .callbacks = { .post_patch = f, .post_patch = g } },',
    '.post_patch = g',
    '.post_patch = f',
  ],
  [
    '  { .funcs = funcs, .callbacks.post_patch = f, .callbacks.post_patch = g },',
    '.callbacks.post_patch = g',
    '.callbacks.post_patch = f',
  ],
])('what is told of %s', async (objects, on, first) => {
  const text = lineage(manifest(['draft']), { body: FUNCTIONS, objects });
  expect(await told(text, 'duplicate-callback')).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: '`.post_patch` is set twice for one object: only this one counts, the first is never called.',
      versions: ['v1'],
      on: `v1/a.c: ${on}`,
      related: [`v1/a.c: ${first}: the first`],
      run: [],
      fixes: [],
    },
  ]);
});

test.each([
  ['', 'vmlinux'],
  ['.name = "ext4", ', 'ext4'],
])('what is told of an object that stands in the table twice: %s', async (name, object) => {
  const text = lineage(manifest(['draft']), {
    body: `${FUNCTIONS}\nstatic struct klp_func none[] = { { } };`,
    objects: `  { ${name}.funcs = funcs, .callbacks = { .post_patch = f } },\n  { ${name}.funcs = none, .callbacks = { .post_patch = g } },`,
  });
  expect(await told(text, 'duplicate-callback')).toMatchObject([
    {
      message: `g() is a second post_patch for ${object}, which stands in the table twice: klp_enable_patch() answers -EEXIST for the second.`,
      on: 'v1/a.c: .post_patch = g',
      related: ['v1/a.c: .post_patch = f: the first'],
    },
  ]);
});
