import { expect, test } from 'vitest';
import { expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';

const CODE = 'shadow-free-path-dropped';
const MARK = `//~ ${CODE}`;
const HEAD = manifest(['released', 'draft']);
const ON_REPLACE = `  .replace = true,\n${MARK}`;

const ALLOC = '  klp_shadow_alloc(acme, 7, 8, GFP_KERNEL, NULL, NULL);\n';
const FREE = '  klp_shadow_free(acme, 7, NULL);\n';

/** A livepatch whose replacement functions do something; by the name of what they replace. */
const doing = (bodies: Readonly<Record<string, string>>, parts: LivepatchParts = {}): string => {
  let text = livepatch({ ...parts, functions: Object.keys(bodies) });
  for (const [name, body] of Object.entries(bodies))
    text = text.replace(`static int klpp_${name}(int n)\n{\n`, `static int klpp_${name}(int n)\n{\n${body}`);
  return text;
};

const V1 = doing({ acme_open: ALLOC, acme_free: FREE });

test('the function is not patched any more', async () => {
  const findings = await expectMarked(
    lineage(
      HEAD,
      V1,
      doing({ acme_open: ALLOC }, { replace: `${ON_REPLACE}: does not patch acme_free() any more` }),
    ),
    CODE,
  );
  expect(findings[0]).toMatchObject({
    severity: 'error',
    versions: ['v2', 'v1'],
    run: ['load v1', 'load v2'],
  });
  expect(findings[0]?.related.map(({ message }) => message)).toEqual(['v1 frees them here']);
});

test('neither function is', async () => {
  await expectMarked(lineage(HEAD, V1, doing({ acme_read: '' }, { replace: ON_REPLACE })), CODE);
});

test('it is patched, and frees no more', async () => {
  await expectMarked(
    lineage(
      HEAD,
      V1,
      doing({ acme_open: ALLOC, acme_free: '' }, { replace: `${ON_REPLACE}: frees them no longer` }),
    ),
    CODE,
  );
});

test('another id is freed there', async () => {
  await expectMarked(
    lineage(
      HEAD,
      V1,
      doing({ acme_open: ALLOC, acme_free: FREE.replace('7', '8') }, { replace: ON_REPLACE }),
    ),
    CODE,
  );
});

test('freed by a function that the patched one calls', async () => {
  const v1 = doing({ acme_open: ALLOC, acme_free: '  forget();\n' }, {}).replace(
    'static int klpp_acme_open',
    `static void forget(void)\n{\n${FREE}}\nstatic int klpp_acme_open`,
  );
  await expectMarked(lineage(HEAD, v1, doing({ acme_open: ALLOC }, { replace: ON_REPLACE })), CODE);
});

test('the older one is the draft', async () => {
  const v1 = V1.replace(FREE, `${FREE}${MARK}\n`);
  await expectMarked(lineage(manifest(['draft', 'released']), v1, doing({ acme_open: ALLOC })), CODE);
});

test('it is still patched and still frees', async () => {
  await expectMarked(lineage(HEAD, V1, doing({ acme_open: '', acme_free: FREE })), CODE);
});

test('another patched function frees them', async () => {
  await expectMarked(lineage(HEAD, V1, doing({ acme_open: ALLOC, acme_release: FREE })), CODE);
});

test('all of them are freed when it takes over', async () => {
  const parts = {
    body: 'static void clean(struct klp_object *obj)\n{\n  klp_shadow_free_all(7, NULL);\n}',
    callbacks: '      .post_patch = clean,',
  };
  await expectMarked(lineage(HEAD, V1, doing({ acme_open: '' }, parts)), CODE);
});

test('one variable for all has no object that goes', async () => {
  const one = (text: string): string => text.replaceAll('(acme, 7', '(NULL, 7');
  await expectMarked(lineage(HEAD, one(V1), doing({ acme_open: '' })), CODE);
});

test('nobody allocates them', async () => {
  await expectMarked(lineage(HEAD, doing({ acme_free: FREE }), doing({ acme_open: '' })), CODE);
});

test('without replace the old functions stay patched', async () => {
  await expectMarked(lineage(HEAD, V1, doing({ acme_open: '' }, { replace: '' })), CODE);
});
