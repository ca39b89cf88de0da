import { expect, test } from 'vitest';
import { appendVersion, type NewVersion } from '../../server/src/core/manifest/edit';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { yamlText } from '../../server/src/core/manifest/quoting';
import { applyEdits } from './marked';

const V9: NewVersion = { version: 'v9', module: 'm9' };
const FULL: NewVersion = {
  'cleans-up-after': ['v1'],
  note: 'was: "x" # y',
  sources: ['*.c', 'v9/a.c'],
  module: 'm9',
  version: '1.0',
  restores: 'v1',
  status: 'draft',
};

function append(text: string, entry: NewVersion): string {
  const result = appendVersion(text, entry);
  return result.ok ? applyEdits(text, result.edits) : `refused: ${result.reason}`;
}

test.each([
  [
    'indented',
    'versions:\n  - version: v1\n    module: m1\n',
    'versions:\n  - version: v1\n    module: m1\n  - version: v9\n    module: m9\n',
  ],
  [
    'not indented',
    'versions:\n- version: v1\n  module: m1\ntargets: []\n',
    'versions:\n- version: v1\n  module: m1\n- version: v9\n  module: m9\ntargets: []\n',
  ],
  [
    'wide dashes',
    'versions:\n    -   version: v1\n        module: m1\n',
    'versions:\n    -   version: v1\n        module: m1\n    -   version: v9\n        module: m9\n',
  ],
  [
    'dash alone',
    'versions:\n  -\n    version: v1\n    module: m1\n',
    'versions:\n  -\n    version: v1\n    module: m1\n  - version: v9\n    module: m9\n',
  ],
  [
    'CRLF',
    'versions:\r\n  - version: v1\r\n    module: m1\r\n\r\ntargets: []\r\n',
    'versions:\r\n  - version: v1\r\n    module: m1\r\n  - version: v9\r\n    module: m9\r\n\r\ntargets: []\r\n',
  ],
  [
    'no line end',
    'versions:\n  - version: v1\n    module: m1',
    'versions:\n  - version: v1\n    module: m1\n  - version: v9\n    module: m9',
  ],
  [
    'comments',
    'versions:\n  - version: v1\n    module: m1 # last\n    # of v1\n  # of the list\n\n# of targets\ntargets: []\n',
    'versions:\n  - version: v1\n    module: m1 # last\n    # of v1\n  - version: v9\n    module: m9\n  # of the list\n\n# of targets\ntargets: []\n',
  ],
  [
    'block scalar last',
    'versions:\n  - version: v1\n    module: m1\n    note: |\n      a\n      b\n\ntargets: []\n',
    'versions:\n  - version: v1\n    module: m1\n    note: |\n      a\n      b\n  - version: v9\n    module: m9\n\ntargets: []\n',
  ],
  [
    'entries in braces',
    'versions:\n  - { version: v1, module: m1 }\n',
    'versions:\n  - { version: v1, module: m1 }\n  - version: v9\n    module: m9\n',
  ],
  [
    'list in brackets',
    'versions: [{ version: v1, module: m1 }] # c\n',
    'versions: [{ version: v1, module: m1 }, { version: v9, module: m9 }] # c\n',
  ],
  [
    'list in brackets with a last comma',
    'versions: [\n  { version: v1, module: m1 },\n]\n',
    'versions: [\n  { version: v1, module: m1 }, { version: v9, module: m9 },\n]\n',
  ],
  ['empty brackets', 'lineage: l\nversions: []\n', 'lineage: l\nversions: [{ version: v9, module: m9 }]\n'],
  [
    'no value',
    'versions: # none yet\ntargets: []\n',
    'versions: # none yet\n  - version: v9\n    module: m9\ntargets: []\n',
  ],
  ['no versions', 'lineage: l', 'lineage: l\nversions:\n  - version: v9\n    module: m9\n'],
  ['an empty text', '', 'versions:\n  - version: v9\n    module: m9\n'],
  ['only a byte order mark', '\uFEFF', '\uFEFFversions:\n  - version: v9\n    module: m9\n'],
])('a version is appended: %s', (_, before, after) => {
  expect(append(before, V9)).toBe(after);
});

test('keys stand in the order of the format, and values are quoted where YAML could take them for something else', () => {
  const before = 'versions:\n  - version: v1\n    module: m1\n';
  expect(append(before, FULL)).toBe(
    `${before}  - version: "1.0"\n    module: m9\n    sources: ["*.c", v9/a.c]\n    status: draft\n    note: "was: \\"x\\" # y"\n    restores: v1\n    cleans-up-after: [v1]\n`,
  );
  const read = parseManifest(
    'f',
    append(before, {
      ...V9,
      git: { revision: '0012', path: '.' },
      params: { a: 1, b: true, c: 'on' },
      replace: false,
    }),
  );
  const added = read.manifest.versions[1];
  expect([added?.git?.revision.value, added?.replace?.value, added?.params.get('c')?.value]).toEqual([
    '0012',
    false,
    'on',
  ]);
});

test.each([
  [
    'a version of that name',
    'versions: [{ version: v9, module: m1 }]\n',
    V9,
    'The manifest has "v9" already.',
  ],
  [
    'a module of that name',
    'versions: [{ version: v1, module: m9 }]\n',
    V9,
    'The manifest has "m9" already.',
  ],
  [
    'a target of that name',
    'versions: [{ version: v1, module: m1 }]\ntargets: [m9]\n',
    V9,
    'The manifest has "m9" already.',
  ],
  ['one name for both', 'versions: []\n', { version: 'a', module: 'a' }, 'both be called "a"'],
  ['broken YAML', 'versions: [\n', V9, 'not valid YAML'],
  ['no map', '- a\n', V9, 'no map of keys'],
  ['versions that are none', 'versions: text\n', V9, '`versions` must be a list'],
  ['braces without versions', '{ lineage: l }\n', V9, 'by hand'],
  [
    'a name that no version may have',
    'versions: []\n',
    { version: 'none', module: 'm9' },
    'No version may be called "none"',
  ],
  ['a module that cannot be', 'versions: []\n', { version: 'v9', module: 'm-9' }, 'turns "-" into "_"'],
  ['something unknown to restore', 'versions: []\n', { ...V9, restores: 'v1' }, 'no version is called "v1"'],
])('refused: %s', (_, text, entry, reason) => {
  const result = appendVersion(text, entry);
  expect(result.ok ? 'accepted' : result.reason).toContain(reason);
});

test.each([
  ['v1', 'v1'],
  ['hangs under load', 'hangs under load'],
  ['v1/a-b_c.c', 'v1/a-b_c.c'],
  ['', '""'],
  ['yes', '"yes"'],
  ['No', '"No"'],
  ['off', '"off"'],
  ['y', '"y"'],
  ['null', '"null"'],
  ['~', '"~"'],
  ['1.0', '"1.0"'],
  ['0x1f', '"0x1f"'],
  ['6', '"6"'],
  ['-x', '"-x"'],
  ['*.c', '"*.c"'],
  ['&a', '"&a"'],
  ['!t', '"!t"'],
  ['a: b', '"a: b"'],
  ['a #b', '"a #b"'],
  ['a ', '"a "'],
  ['[a]', '"[a]"'],
  ['a,b', '"a,b"'],
  ['"', '"\\""'],
  ['\\', '"\\\\"'],
  ['a\nb', '"a\\nb"'],
  ['\0', '"\\u0000"'],
  ['\u007f\u0085\u2028\uFEFF', '"\\u007f\\u0085\\u2028\\ufeff"'],
  ['\u{1F600}', '"\u{1F600}"'],
])('as YAML text: %j', (text, yaml) => {
  expect(yamlText(text)).toBe(yaml);
});
