import { expect, test } from 'vitest';
import { expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { spoken } from './spoken';

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

const says = (...versions: readonly string[]): Promise<string[]> => spoken(lineage(HEAD, ...versions), CODE);
const SAID = (frees: string, what: string): string =>
  `v1 frees the shadow variables with id 0x7 in ${frees}, and ${what}: they stay when their objects go, and the next object at such an address finds a stale one. Go on freeing them there, or free all of them in v2's post_patch with klp_shadow_free_all().`;

test('the whole sentences', async () => {
  const gone = SAID('acme_free()', 'v2 does not patch acme_free() any more');
  expect(await says(V1, doing({ acme_open: ALLOC }))).toEqual([
    `error must v2 v1: ${gone} | v1 frees them here`,
  ]);
  const kept = SAID('acme_free()', 'acme_free() of v2 frees them no longer');
  expect(await says(V1, doing({ acme_open: ALLOC, acme_free: '' }))).toEqual([
    `error must v2 v1: ${kept} | v1 frees them here`,
  ]);
  expect(
    await spoken(lineage(manifest(['draft', 'released']), V1, doing({ acme_open: ALLOC })), CODE),
  ).toEqual([`error must v1 v2: ${gone} | v2 replaces v1 here`]);
});

test('a function that two patched ones call', async () => {
  const calls = { acme_open: ALLOC, acme_free: '  forget();\n', acme_drop: '  forget();\n' };
  const both = doing(calls).replace('static int klpp_acme_open', `static void forget(void)\n{\n${FREE}}\n$&`);
  const nobody = doing({ acme_free: '', acme_drop: '' });
  expect(await says(both, nobody)).toEqual([
    `error must v2 v1: ${SAID('acme_drop() and acme_free()', 'acme_drop() and acme_free() of v2 free them no longer')} | v1 frees them here`,
  ]);
  expect(await says(both, doing({ acme_free: '' }))).toEqual([
    `error must v2 v1: ${SAID('acme_drop() and acme_free()', 'acme_free() of v2 frees them no longer')} | v1 frees them here`,
  ]);
});

test('an id that only a local variable knows may be freed under another name', async () => {
  const local = (text: string): string => text.replaceAll('acme, 7', 'acme, n');
  expect(await says(local(V1), doing({ acme_open: '' }))).toEqual([]);
});

test('only the newest version that is known is the one before', async () => {
  const head = manifest(['released', 'released', 'draft']);
  expect(
    await spoken(
      lineage(head, V1, doing({ acme_open: '', acme_free: FREE }), doing({ acme_open: '' })),
      CODE,
    ),
  ).toHaveLength(1);
  expect(await spoken(lineage(head, V1, doing({ acme_open: '' }), doing({ acme_open: '' })), CODE)).toEqual([
    expect.stringMatching(/^warning must v2 v1/),
  ]);
  const later = doing({ acme_open: ALLOC });
  expect(
    await spoken(lineage(head, doing({ acme_free: FREE }), doing({ acme_open: '' }), later), CODE),
  ).toEqual([]);
});

/** v2 that no longer frees in a patched function, with callbacks. */
const with_ = (body: string, callbacks: string): string =>
  doing({ acme_open: '' }, { body, callbacks: `      ${callbacks}` });
const ALL = 'klp_shadow_free_all(7, NULL);';

test.each([
  ['in pre_patch', `static int go(struct klp_object *obj) { ${ALL} return 0; }`, '.pre_patch = go,', 0],
  [
    'one by one in post_patch',
    'static void go(struct klp_object *obj) { klp_shadow_free(acme, 7, NULL); }',
    '.post_patch = go,',
    0,
  ],
  [
    'in work',
    `static void late(struct work_struct *work) { ${ALL} }\nstatic DECLARE_WORK(job, late);\nstatic void go(struct klp_object *obj) { schedule_work(&job); }`,
    '.post_patch = go,',
    0,
  ],
  [
    'when it goes',
    `static void go(struct klp_object *obj) { ${ALL} }\nstatic void on(struct klp_object *obj) { acme_on(); }`,
    '.post_patch = on, .post_unpatch = go,',
    1,
  ],
  [
    'for another id',
    'static void go(struct klp_object *obj) { klp_shadow_free_all(8, NULL); }',
    '.post_patch = go,',
    1,
  ],
  [
    'for none: it looks one up',
    'static void go(struct klp_object *obj) { klp_shadow_get(acme, 7); }',
    '.post_patch = go,',
    1,
  ],
])('freed %s', async (_when, body, callbacks, count) => {
  expect(await says(V1, with_(body, callbacks))).toHaveLength(count);
});
