import { expect, test } from 'vitest';
import { renamedCallback } from '../../server/src/rules/callback-table';
import { fixed, lineage, manifest, parseFixture } from './fixture';
import { contextOf } from './told';

const BODY = 'static void f(struct klp_object *obj) { }\nstatic void g(struct klp_object *obj) { }';

/** The objects after f() was registered as post_unpatch instead of pre_unpatch; null where that is not offered. */
async function renamed(objects: string): Promise<string | null> {
  const text = lineage(manifest(['draft']), { body: BODY, objects });
  const context = await contextOf(text);
  const [version] = context.lineage.versions;
  if (!version) throw new Error('no version');
  const [fix, ...others] = renamedCallback(context, version, 'f', 'pre_unpatch', 'post_unpatch');
  expect(others).toEqual([]);
  if (!fix) return null;
  expect({ title: fix.title, preferred: fix.preferred }).toEqual({
    title: 'Call f() as post_unpatch',
    preferred: false,
  });
  const after = fixed(parseFixture(text), fix).get('v1/a.c') ?? '';
  return after.slice(
    after.indexOf('objs[] = {\n') + 11,
    after.indexOf('\n  { }\n};\nstatic struct klp_patch'),
  );
}

const object = (callbacks: string, name = ''): string =>
  `  { ${name ? `.name = "${name}", ` : ''}.funcs = funcs, .callbacks = { ${callbacks} } },`;

test.each([
  ['.pre_unpatch = f', '.post_unpatch = f'],
  ['.pre_patch = NULL, .pre_unpatch =  f,', '.pre_patch = NULL, .post_unpatch =  f,'],
  ['.post_patch = f, .pre_unpatch = f', '.post_patch = f, .post_unpatch = f'],
  ['.pre_unpatch = f, .post_patch = g', '.post_unpatch = f, .post_patch = g'],
])('{ %s } becomes { %s }', async (before, after) => {
  expect(await renamed(object(before))).toBe(object(after));
});

test('in every object that has it, and in no other', async () => {
  const objects = (kind: string): string =>
    [
      object(`.${kind} = f`),
      object(`.${kind} = f`, 'ext4'),
      object('.pre_unpatch = g, .post_unpatch = g', 'xfs'),
    ].join('\n');
  expect(await renamed(objects('pre_unpatch'))).toBe(objects('post_unpatch'));
});

test.each([
  ['nobody has it', object('.pre_unpatch = g')],
  ['it has it as another kind', object('.post_patch = f')],
  ['the other kind is taken', object('.pre_unpatch = f, .post_unpatch = g')],
  [
    'it is taken in one of two',
    `${object('.pre_unpatch = f')}\n${object('.pre_unpatch = f, .post_unpatch = g', 'ext4')}`,
  ],
  ['it is written by position', object('NULL, NULL, f, NULL')],
  [
    'one of two is written by position',
    `${object('.pre_unpatch = f')}\n${object('NULL, NULL, f, NULL', 'ext4')}`,
  ],
])('not offered where %s', async (_why, objects) => {
  expect(await renamed(objects)).toBeNull();
});
