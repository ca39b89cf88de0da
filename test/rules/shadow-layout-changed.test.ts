import { expect, test } from 'vitest';
import { expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { spoken } from './spoken';

const CODE = 'shadow-layout-changed';
const MARK = `  //~ ${CODE}`;
const HEAD = manifest(['released', 'draft']);

/** A version whose patched function attaches what `declared` says under an id. */
const attaching = (
  declared: string,
  type: string,
  mark = '',
  id = '7',
  call = 'klp_shadow_get_or_alloc',
): string => {
  const args = call === 'klp_shadow_get' ? '' : `, sizeof(*p), GFP_KERNEL, NULL, NULL`;
  return livepatch().replace(
    'static int klpp_acme_open(int n)\n{',
    `${declared}\nstatic int klpp_acme_open(int n)\n{\n  ${type} *p = ${call}(acme, ${id}${args});\n${mark}\n`,
  );
};

const OLD = 'struct acme {\n  int count;\n};';
const NEW = 'struct acme {\n  int count;\n  u64 stamp;\n};';

test('a larger struct', async () => {
  const findings = await expectMarked(
    lineage(
      HEAD,
      attaching(OLD, 'struct acme'),
      attaching(NEW, 'struct acme', `${MARK}: 4 bytes there and 16 here`),
    ),
    CODE,
  );
  expect(findings[0]).toMatchObject({
    severity: 'error',
    versions: ['v2', 'v1'],
    run: ['load v1', 'load v2'],
  });
  expect(findings[0]?.related.map(({ message }) => message)).toEqual(['v1 makes them here']);
});

test('members of the same size with another meaning', async () => {
  const other = OLD.replace('count', 'state');
  await expectMarked(
    lineage(
      HEAD,
      attaching(OLD, 'struct acme'),
      attaching(other, 'struct acme', `${MARK}: with other members`),
    ),
    CODE,
  );
});

test('a number where a pointer was', async () => {
  await expectMarked(lineage(HEAD, attaching('', 'void *'), attaching('', 'u64', MARK)), CODE);
});

test('another size of a number', async () => {
  await expectMarked(
    lineage(HEAD, attaching('', 'int'), attaching('', 'u64', `${MARK}: 4 bytes there and 8 here`)),
    CODE,
  );
});

test('it only looks for what is there', async () => {
  await expectMarked(
    lineage(HEAD, attaching(OLD, 'struct acme'), attaching(NEW, 'struct acme', MARK, '7', 'klp_shadow_get')),
    CODE,
  );
});

test('the draft is the older one', async () => {
  await expectMarked(
    lineage(
      manifest(['draft', 'released']),
      attaching('', 'int', `${MARK}: 4 bytes here and 8 there`),
      attaching('', 'u64'),
    ),
    CODE,
  );
});

test('an id that is a constant without a header', async () => {
  await expectMarked(
    lineage(HEAD, attaching('', 'int', '', 'ACME_ID'), attaching('', 'u64', MARK, 'ACME_ID')),
    CODE,
  );
});

test('once, where it changed', async () => {
  await expectMarked(
    lineage(
      manifest(['released', 'draft', 'draft']),
      attaching('', 'int'),
      attaching('', 'u64', MARK),
      attaching('', 'u64'),
    ),
    CODE,
  );
});

test('the same struct', async () => {
  await expectMarked(lineage(HEAD, attaching(OLD, 'struct acme'), attaching(OLD, 'struct acme')), CODE);
});

test('the same struct by another name', async () => {
  const renamed = OLD.replace('struct acme', 'struct acme2');
  await expectMarked(lineage(HEAD, attaching(OLD, 'struct acme'), attaching(renamed, 'struct acme2')), CODE);
});

test('another id', async () => {
  await expectMarked(
    lineage(HEAD, attaching(OLD, 'struct acme'), attaching(NEW, 'struct acme', '', '8')),
    CODE,
  );
});

test('an id that only a variable knows', async () => {
  await expectMarked(lineage(HEAD, attaching('', 'int', '', 'n'), attaching('', 'u64', '', 'n')), CODE);
});

test('without replace in the whole lineage', async () => {
  const plain = (text: string): string => text.replace('  .replace = true,\n', '');
  await expectMarked(
    lineage(HEAD, plain(attaching(OLD, 'struct acme')), plain(attaching(NEW, 'struct acme'))),
    CODE,
  );
});

test('the old ones are freed when it takes over', async () => {
  const fresh = livepatch({
    body: 'static void clean(struct klp_object *obj)\n{\n  klp_shadow_free_all(7, NULL);\n}',
    callbacks: '      .post_patch = clean,',
  }).replace(
    'static int klpp_acme_open(int n)\n{',
    'static int klpp_acme_open(int n)\n{\n  u64 *p = klp_shadow_get_or_alloc(acme, 7, sizeof(*p), GFP_KERNEL, NULL, NULL);\n',
  );
  await expectMarked(lineage(HEAD, attaching('', 'int'), fresh), CODE);
});

const says = (...versions: readonly string[]): Promise<string[]> => spoken(lineage(HEAD, ...versions), CODE);
const SAID = (words: string, id = '0x7', have = 'have'): string =>
  `The shadow variables with id ${id} ${have} another form in v2 than in v1: ${words}. Those that v1 made live on, and v2 takes them for its own. Use another id, or free the old ones in v2's post_patch.`;
const MADE = ' | v1 makes them here';

test('the whole sentences', async () => {
  const int = attaching('', 'int');
  expect(await says(int, attaching('', 'u64'))).toEqual([
    `error must v2 v1: ${SAID('4 bytes there and 8 here')}${MADE}`,
  ]);
  expect(
    await says(attaching(OLD, 'struct acme'), attaching(OLD.replace('count', 'state'), 'struct acme')),
  ).toEqual([
    `error must v2 v1: ${SAID('struct acme there and struct acme here with other members')}${MADE}`,
  ]);
  const renamed = 'struct other {\n  int state;\n};';
  expect(await says(attaching(OLD, 'struct acme'), attaching(renamed, 'struct other'))).toEqual([
    `error must v2 v1: ${SAID('struct acme there and struct other here')}${MADE}`,
  ]);
  expect(await spoken(lineage(manifest(['draft', 'released']), int, attaching('', 'u64')), CODE)).toEqual([
    `error must v1 v2: ${SAID('4 bytes here and 8 there')} | v2 uses them here`,
  ]);
  expect(await spoken(lineage(manifest(['draft', 'draft']), int, attaching('', 'u64')), CODE)).toEqual([
    `error must v2 v1: ${SAID('4 bytes there and 8 here')}${MADE}`,
  ]);
});

test('structs of headers that are not there may be the same', async () => {
  expect(await says(attaching('', 'struct acme'), attaching('', 'struct other'))).toEqual([
    `warning may v2 v1: ${SAID('struct acme there and struct other here', '0x7', 'have (it may be)')}${MADE}`,
  ]);
  expect(await says(attaching('', 'struct acme'), attaching('', 'struct acme'))).toEqual([]);
  expect(await says(attaching('', 'struct acme'), attaching(OLD, 'struct acme'))).toEqual([]);
  const pointer = attaching('', 'struct acme *');
  expect(await says(attaching('', 'struct acme'), pointer)).toHaveLength(1);
});

test.each([
  ['0x51', 1],
  ['ACME_ID', 1],
  ['acme.ID', 0],
  ['ACME->id', 0],
  ['acme_id', 0],
])('id %s', async (id, count) => {
  expect(await says(attaching('', 'int', '', id), attaching('', 'u64', '', id))).toHaveLength(count);
});

test('one that only looks it up makes none: what is compared are the makers', async () => {
  const looks = attaching('', 'u64', '', '7', 'klp_shadow_get');
  const head = manifest(['released', 'released', 'draft']);
  const said = await spoken(lineage(head, attaching('', 'int'), looks, attaching('', 'u64')), CODE);
  expect(said.map((text) => text.split(':')[0])).toEqual(['warning must v2 v1', 'error must v3 v1']);
});

/** v2 with another form, and callbacks that free. */
const freeing = (body: string, callbacks: string): string => {
  const parts: LivepatchParts = { body, callbacks };
  return livepatch(parts).replace(
    'static int klpp_acme_open(int n)\n{',
    'static int klpp_acme_open(int n)\n{\n  u64 *p = klp_shadow_get_or_alloc(acme, 7, sizeof(*p), GFP_KERNEL, NULL, NULL);\n',
  );
};
const ALL = 'klp_shadow_free_all(7, NULL);';

test.each([
  ['in pre_patch', `static int go(struct klp_object *obj) { ${ALL} return 0; }`, '.pre_patch = go,', 0],
  [
    'in a function that post_patch calls',
    `static void all(void) { ${ALL} }\nstatic void go(struct klp_object *obj) { all(); }`,
    '.post_patch = go,',
    0,
  ],
  ['when it goes', `static void go(struct klp_object *obj) { ${ALL} }`, '.post_unpatch = go,', 1],
  [
    'when it goes, beside another callback',
    `static void go(struct klp_object *obj) { ${ALL} }\nstatic void on(struct klp_object *obj) { acme_on(); }`,
    '.post_patch = on, .post_unpatch = go,',
    1,
  ],
  [
    'another id',
    'static void go(struct klp_object *obj) { klp_shadow_free_all(8, NULL); }',
    '.post_patch = go,',
    1,
  ],
  [
    'one of them',
    'static void go(struct klp_object *obj) { klp_shadow_free(acme, 7, NULL); }',
    '.post_patch = go,',
    1,
  ],
])('what is freed %s', async (_when, body, callbacks, count) => {
  expect(await says(attaching('', 'int'), freeing(body, `      ${callbacks}`))).toHaveLength(count);
});
