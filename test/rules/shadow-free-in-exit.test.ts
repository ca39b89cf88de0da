import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';
import { precision } from './precision';

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
