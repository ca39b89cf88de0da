import { expect, test } from 'vitest';
import { check, expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const USES = `static void use(void *p)
{
  klp_shadow_get_or_alloc(p, 7, 8, GFP_KERNEL, NULL, NULL);
}`;

test('all of an id', async () => {
  const findings = await expectMarked(
    lineage(
      manifest(['released', 'draft']),
      { body: USES },
      {
        body: USES,
        exit: '  klp_shadow_free_all(7, NULL);\n  //~ shadow-free-in-exit: v1, which uses the same id',
      },
    ),
  );
  expect(findings[0]?.severity).toBe('error');
  expect(findings[0]?.versions).toEqual(['v2', 'v1']);
});

test('one of them', async () => {
  await expectMarked(
    lineage(manifest(['draft']), {
      body: 'static int owner;',
      exit: '  klp_shadow_free(&owner, 7, NULL);\n  //~ shadow-free-in-exit: a successor that works with them',
    }),
  );
});

test('through a function of its own', async () => {
  await expectMarked(
    lineage(manifest(['draft']), {
      body: 'static void drop(void)\n{\n  klp_shadow_free_all(7, NULL);\n  //~ shadow-free-in-exit\n}',
      exit: '  drop();',
    }),
  );
});

test('without replace nothing is live when exit runs', async () => {
  await expectMarked(lineage(manifest(['draft']), { replace: '', exit: '  klp_shadow_free_all(7, NULL);' }));
});

test('post_unpatch is the place for it', async () => {
  await expectMarked(
    lineage(manifest(['draft']), {
      body: 'static void gone(struct klp_object *obj)\n{\n  klp_shadow_free_all(7, NULL);\n}',
      callbacks: '      .post_unpatch = gone,',
    }),
  );
});

test('looking one up frees nothing', async () => {
  await expectMarked(lineage(manifest(['draft']), { exit: '  klp_shadow_get(NULL, 7);' }));
});

const REPLACING = manifest(['draft']);
precision(
  'shadow-free-in-exit',
  [
    {
      what: 'each object of a list',
      lineage: lineage(REPLACING, {
        body: 'struct acme { struct list_head list; };\nextern struct list_head acme_list;',
        exit: '  struct acme *a;\n\n  list_for_each_entry(a, &acme_list, list)\n    klp_shadow_free(a, 7, NULL);',
      }),
      says: 'in module exit frees the shadow variables with id 0x7',
      on: 'klp_shadow_free(',
      severity: 'error',
    },
    {
      what: 'after a print, with a destructor and the id of a macro',
      lineage: lineage(REPLACING, {
        body: '#define SV_LEAK 1\nstatic void dtor(void *obj, void *data)\n{\n  kfree(*(void **)data);\n}',
        exit: '  klp_shadow_free_all(SV_LEAK, dtor);\n  pr_info("unloaded\\n");',
      }),
      says: 'id 0x1',
      severity: 'error',
    },
    {
      what: 'only if there is one: there is, and the successor has it',
      lineage: lineage(REPLACING, {
        exit: '  if (klp_shadow_get(NULL, 7))\n    klp_shadow_free(NULL, 7, NULL);',
      }),
      says: 'frees the shadow variables',
      severity: 'error',
    },
    {
      what: 'behind a flag that may say that nobody took over',
      lineage: lineage(REPLACING, {
        body: 'static bool disabled;\nstatic void gone(struct klp_object *obj)\n{\n  disabled = true;\n}',
        callbacks: '      .post_unpatch = gone,',
        exit: '  if (disabled)\n    klp_shadow_free_all(7, NULL);',
      }),
      says: 'unless the condition in front of it holds only after a disable',
      severity: 'warning',
    },
  ],
  [
    {
      why: 'a helper that exit does not call',
      lineage: lineage(REPLACING, {
        body: 'static void drop(struct klp_object *obj)\n{\n  klp_shadow_free_all(7, NULL);\n}\nstatic void quiet(void)\n{\n  pr_info("bye\\n");\n}',
        callbacks: '      .post_unpatch = drop,',
        exit: '  quiet();',
      }),
    },
    {
      why: 'init that failed frees what it made itself',
      lineage: lineage(REPLACING, {
        init: '  int ret = klp_enable_patch(&patch);\n\n  if (ret)\n    klp_shadow_free_all(7, NULL);\n  return ret;',
      }),
    },
    {
      why: 'a patched function that frees with its object',
      lineage: lineage(REPLACING, {}).replace('  return n;', '  klp_shadow_free(&n, 7, NULL);\n  return n;'),
    },
  ],
);

const CODE = 'shadow-free-in-exit';
const says = (head: string, ...parts: readonly LivepatchParts[]): Promise<string[]> =>
  spoken(lineage(head, ...parts), CODE);
const FREES = { body: USES, exit: '  klp_shadow_free_all(7, NULL);' };
const SAID = (version: string, who: string, what = 'the shadow variables with id 0x7'): string =>
  `klp_shadow_free_all() in module exit frees ${what} when ${version}'s module is removed, also after a replacement, while ${who} live. Free them in post_unpatch, which runs only when nobody takes over.`;
const SUCCESSOR = 'a successor that works with them is';

test('the whole sentences, by who uses the id as well', async () => {
  const two = manifest(['released', 'draft']);
  const three = manifest(['released', 'released', 'draft']);
  expect(await says(two, { body: USES }, FREES)).toEqual([
    `error must v2 v1: ${SAID('v2', 'v1, which uses the same id, is')} | v1 uses the id here`,
  ]);
  expect(await says(three, { body: USES }, { body: USES }, FREES)).toEqual([
    `error must v3 v1 v2: ${SAID('v3', 'v1 and v2, which use the same id, are')} | v1 uses the id here | v2 uses the id here`,
  ]);
  const other = { body: USES.replace('7', '8') };
  expect(await says(two, other, FREES)).toEqual([`error must v2: ${SAID('v2', SUCCESSOR)}`]);
});

test('the id is that of the call, and theirs that of their own', async () => {
  const many = USES.replace('{\n', '{\n  klp_shadow_get(p, 8);\n');
  const { fixture, findings } = await check(
    lineage(manifest(['released', 'draft']), { body: many }, { ...FREES, body: many }),
  );
  const own = findings.filter(({ code }) => code === CODE);
  expect(own.map(({ message }) => message)).toEqual([SAID('v2', 'v1, which uses the same id, is')]);
  const place = own[0]?.related[0]?.place;
  expect(place && fixture.files.get('v1/a.c')?.slice(place.start)).toMatch(/^klp_shadow_get_or_alloc\(p, 7/);
});

test('an id that is not known is that of nobody else', async () => {
  const frees = { exit: '  klp_shadow_free_all(acme_id(), NULL);' };
  const local = { exit: '  int id = acme_id();\n\n  klp_shadow_free_all(id, NULL);' };
  for (const parts of [frees, local])
    expect(await says(manifest(['released', 'draft']), { ...parts, replace: '' }, parts)).toContain(
      `error must v2: ${SAID('v2', SUCCESSOR, 'shadow variables')}`,
    );
});

test.each([
  ['data of its own', 'static bool disabled;', 'disabled', true],
  [
    'a parameter, which an administrator sets',
    'static bool disabled;\nmodule_param(disabled, bool, 0644);',
    'disabled',
    false,
  ],
  ['something of the kernel', '', 'acme_disabled', false],
] as const)('a condition on %s', async (_what, body, condition, isGuard) => {
  const exit = `  if (${condition})\n    klp_shadow_free_all(7, NULL);`;
  const [said] = await says(REPLACING, { body, exit });
  expect(said).toBe(
    isGuard
      ? `warning may v1: ${SAID('v1', SUCCESSOR).replace('frees', 'may free').replace(' live.', ' live, unless the condition in front of it holds only after a disable.')}`
      : `error must v1: ${SAID('v1', SUCCESSOR)}`,
  );
});

test('a condition in a function of that name in another file', async () => {
  const drop = (condition: string): string =>
    `static bool disabled;\nstatic void drop(void)\n{\n${condition}  klp_shadow_free_all(7, NULL);\n}\n`;
  const other = `//- v1/b.c\n#include <linux/livepatch.h>\n${drop('  if (disabled)\n  ')}`;
  expect(await spoken(lineage(REPLACING, { body: drop(''), exit: '  drop();' }) + other, CODE)).toEqual([
    `error must v1: ${SAID('v1', SUCCESSOR)}`,
  ]);
});
