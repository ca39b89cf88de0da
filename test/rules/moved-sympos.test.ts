import { expect, test } from 'vitest';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

const TWO = manifest(['released', 'draft']);
/** Functions of vmlinux as `name` or `name,position`. */
const patching = (object: string | null, ...functions: readonly string[]): LivepatchParts => {
  const entries = functions.map((text, i) => {
    const [name = '', position] = text.split(',');
    return `  { .old_name = "${name}", .new_func = klpp_${i}${position ? `, .old_sympos = ${position}` : ''} },`;
  });
  return {
    functions: [],
    body: `${functions.map((_, i) => `static int klpp_${i}(int n)\n{\n  return n;\n}`).join('\n')}
static struct klp_func own[] = {
${entries.join('\n')}
  { }
};`,
    objects: `  {\n${object === null ? '' : `    .name = "${object}",\n`}    .funcs = own,\n  },`,
  };
};

precision(
  'moved-sympos',
  [
    {
      what: 'from the second to the third of that name',
      lineage: lineage(TWO, patching(null, 'get_next,2'), patching(null, 'get_next,3')),
      says: 'v2 patches get_next() at position 3, v1 at position 2: number 2 returns to the original',
      on: '{ .old_name = "get_next"',
      run: ['load v1', 'load v2'],
      severity: 'warning',
    },
    {
      what: 'in a module',
      lineage: lineage(TWO, patching('ext4', 'get_next,1'), patching('ext4', 'get_next,2')),
      says: 'get_next() of ext4 at position 2',
    },
    {
      what: 'among others that stay',
      lineage: lineage(TWO, patching(null, 'a', 'b,2', 'c'), patching(null, 'a', 'b,4', 'c')),
      says: 'b() at position 4',
    },
    {
      what: 'to 0, which says that the name is unique',
      lineage: lineage(TWO, patching(null, 'get_next,2'), patching(null, 'get_next')),
      says: 'to the kernel these are two functions',
    },
    {
      what: '0 and 1, which an old kernel takes for two',
      lineage: lineage(
        manifest(['released', 'draft'], { kernel: '"5.9"' }),
        patching(null, 'get_next'),
        patching(null, 'get_next,1'),
      ),
      says: 'two functions',
    },
    {
      what: 'in a third version, once, against the version before',
      lineage: lineage(
        manifest(['released', 'released', 'draft']),
        patching(null, 'f,2'),
        patching(null, 'f,2'),
        patching(null, 'f,3'),
      ),
      says: 'v3 patches f() at position 3, v2 at position 2',
    },
  ],
  [
    { why: 'the same position', lineage: lineage(TWO, patching(null, 'f,2'), patching(null, 'f,2')) },
    {
      why: '0 and 1 are the same in this kernel',
      lineage: lineage(TWO, patching(null, 'f'), patching(null, 'f,1')),
    },
    {
      why: 'one more of that name is patched',
      lineage: lineage(TWO, patching(null, 'f,2'), patching(null, 'f,2', 'f,3')),
    },
    {
      why: 'one fewer of that name is patched',
      lineage: lineage(TWO, patching(null, 'f,2', 'f,3'), patching(null, 'f,3')),
    },
    {
      why: 'another object has its own functions',
      lineage: lineage(TWO, patching('ext4', 'f,2'), patching('xfs', 'f,3')),
    },
    {
      why: 'it is not patched any more: another rule',
      lineage: lineage(TWO, patching(null, 'f,2', 'g'), patching(null, 'g')),
    },
    {
      why: 'nothing is replaced',
      lineage: lineage(
        TWO,
        { ...patching(null, 'f,2'), replace: '' },
        { ...patching(null, 'f,3'), replace: '' },
      ),
    },
    {
      why: 'it came back to where a version between had put it',
      lineage: lineage(
        manifest(['released', 'released', 'draft']),
        patching(null, 'f,2'),
        patching(null, 'f,3'),
        patching(null, 'f,3'),
      ),
    },
  ],
);

const CODE = 'moved-sympos';
const ADVICE = 'Use the position that it has in this kernel in every version.';

test('what is told', async () => {
  expect(await told(lineage(TWO, patching(null, 'f,2'), patching(null, 'f,3')), CODE)).toEqual([
    {
      severity: 'warning',
      certainty: 'must',
      message: `v2 patches f() at position 3, v1 at position 2: number 2 returns to the original when v2 replaces v1. ${ADVICE}`,
      versions: ['v2', 'v1'],
      on: 'v2/a.c: { .old_name = "f", .new_func = klpp_0, .old_sympos = 3 }',
      related: ['v1/a.c: { .old_name = "f", .new_func = klpp_0, .old_sympos = 2 }: v1 has old_sympos 2 here'],
      run: ['load v1', 'load v2'],
      fixes: [],
    },
  ]);
});

test('what is told where the kernel refuses it, for two entries of one name', async () => {
  const message = async (kernel: string, before: string, now: string) =>
    (
      await told(
        lineage(manifest(['released', 'draft'], { kernel }), patching(null, before), patching(null, now)),
        CODE,
      )
    ).map((one) => one.message);
  expect(await message('"5.9"', 'f', 'f,1')).toEqual([
    `v2 patches f() at position 1, v1 at position 0: to the kernel these are two functions, and it refuses v2 with -EEXIST. ${ADVICE}`,
  ]);
  expect(await message('"6.1"', 'f', 'f,2')).toEqual([
    `v2 patches f() at position 2, v1 at position 0: to the kernel these are two functions. ${ADVICE}`,
  ]);
});

test('a version that is refused for something else replaces nothing', async () => {
  const refusing = patching(null, 'f,3');
  const text = lineage(TWO, patching(null, 'f,2'), {
    ...refusing,
    body: `${refusing.body}\nstatic int no(struct klp_object *obj)\n{\n  return -ENODEV;\n}`,
    objects: '  { .funcs = own, .callbacks = { .pre_patch = no } },',
  });
  expect(await told(text, CODE)).toEqual([]);
});

test('a version that cannot be changed is told as long as no draft can answer, and a faulty one never', async () => {
  const versions = async (...status: readonly string[]) =>
    (
      await told(
        lineage(
          manifest(status),
          ...[2, 3, 3].slice(0, status.length).map((position) => patching(null, `f,${position}`)),
        ),
        CODE,
      )
    ).map((one) => one.versions);
  expect(await versions('released', 'released')).toEqual([['v2', 'v1']]);
  expect(await versions('released', 'released', 'released')).toEqual([['v2', 'v1']]);
  expect(await versions('released', 'released', 'draft')).toEqual([]);
  expect(await versions('draft', 'released', 'released')).toEqual([['v2', 'v1']]);
  expect(await versions('released', 'draft', 'draft')).toEqual([['v2', 'v1']]);
  expect(await versions('released', 'faulty')).toEqual([]);
});

test('functions of one name in several objects, and several names, are told apart', async () => {
  const two = (a: number, b: number, c: number): LivepatchParts => ({
    ...patching(null, `f,${a}`),
    body: `static int klpp_0(int n)\n{\n  return n;\n}
static struct klp_func own[] = {
  { .old_name = "f", .new_func = klpp_0, .old_sympos = ${a} },
  { .old_name = "g", .new_func = klpp_0, .old_sympos = ${b} },
  { }
};
static struct klp_func others[] = { { .old_name = "f", .new_func = klpp_0, .old_sympos = ${c} }, { } };`,
    objects: '  { .funcs = own },\n  { .name = "ext4", .funcs = others },',
  });
  const messages = (await told(lineage(TWO, two(2, 4, 6), two(3, 5, 7)), CODE)).map(({ message }) => message);
  expect(messages.map((message) => message.split(':')[0])).toEqual([
    'v2 patches f() at position 3, v1 at position 2',
    'v2 patches g() at position 5, v1 at position 4',
    'v2 patches f() of ext4 at position 7, v1 at position 6',
  ]);
});

test('each function is compared with the last version that has it', async () => {
  const text = lineage(
    manifest(['released', 'released', 'draft']),
    patching(null, 'f,2', 'g,4'),
    patching(null, 'f,3'),
    patching(null, 'f,3', 'g,5'),
  );
  const found = (await told(text, CODE)).filter(({ versions }) => versions[0] === 'v3');
  expect(found.map(({ message }) => message.split(':')[0])).toEqual([
    'v3 patches g() at position 5, v1 at position 4',
  ]);
});
