import { expect, test } from 'vitest';
import { expectMarked, lineage, livepatch, manifest } from './fixture';

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
