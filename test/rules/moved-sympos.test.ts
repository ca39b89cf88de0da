import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';

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
