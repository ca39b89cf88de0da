import { expect, test } from 'vitest';
import { expectMarked, lineage, manifest } from './fixture';

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
