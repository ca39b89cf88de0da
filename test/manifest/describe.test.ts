import { expect, test } from 'vitest';
import { describeKey, describeValue, keysAt, valuesAt } from '../../server/src/core/manifest/describe';
import {
  DIALECTS,
  EFFECT_KEY_KINDS,
  FAILURES,
  RULE_SEVERITIES,
  STATUSES,
  VERDICTS,
} from '../../server/src/core/manifest/names';
import { containerAt, nodeAt } from '../../server/src/core/manifest/node-at';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { STEP_VERBS } from '../../server/src/core/manifest/steps';

/** The text without the `|`, and where it stood. */
function cursor(marked: string): { text: string; offset: number } {
  const offset = marked.indexOf('|');
  return { text: marked.slice(0, offset) + marked.slice(offset + 1), offset };
}

test('every key that a map may have is described, at any position of a list and in defaults', () => {
  for (const path of [
    [],
    ['kernel'],
    ['defaults'],
    ['versions', '3'],
    ['versions', '3', 'git'],
    ['versions', '3', 'keeps', '0'],
    ['targets', '1'],
    ['effects', '0'],
    ['scenarios', '0'],
  ]) {
    const keys = keysAt(path);
    expect(keys.length, path.join('.')).toBeGreaterThan(1);
    for (const key of keys)
      expect(describeKey([...path, key]), [...path, key].join('.')).toMatch(/\w{3}.*\.$/s);
  }
  expect(keysAt(['defaults'])).not.toContain('version');
  expect(keysAt(['versions', '0', 'params'])).toEqual([]);
  expect(describeKey(['constructor'])).toBeNull();
  expect(describeKey(['versions', '0', 'colour'])).toBeNull();
});

test('every enumerated value is described', () => {
  const rows: [string[], readonly string[]][] = [
    [['versions', '0', 'status'], STATUSES],
    [['defaults', 'dialect'], DIALECTS],
    [['effects', '0', 'key'], EFFECT_KEY_KINDS],
    [['effects', '0', 'fails'], FAILURES],
    [['scenarios', '0', 'expect'], VERDICTS],
    [['rules', 'lost-object'], RULE_SEVERITIES],
    [['scenarios', '0', 'steps', '2'], STEP_VERBS],
  ];
  for (const [path, values] of rows) {
    expect([...valuesAt(path)].sort()).toEqual([...values].sort());
    for (const value of values) expect(describeValue(path, value), value).toMatch(/\w{3}.*\.$/s);
  }
  expect(describeValue(['scenarios', '0', 'steps', '0'], 'load v1 a=1')).toContain('insmod');
  expect(describeValue(['versions', '0', 'status'], 'toString')).toBeNull();
  expect(describeValue(['lineage'], 'x')).toBeNull();
});

test.each([
  ['lin|eage: net\n', ['lineage'], 'key', 'lineage'],
  ['lineage: |net\n', ['lineage'], 'value', 'net'],
  ['lineage: net|\n', ['lineage'], 'value', 'net'],
  ['versions:\n  - version: v1\n    status: dra|ft\n', ['versions', '0', 'status'], 'value', 'draft'],
  ['versions:\n  - version: v1\n  - |version: v2\n', ['versions', '1', 'version'], 'key', 'version'],
  ['versions: [{ sources: [a, "b|"] }]\n', ['versions', '0', 'sources', '1'], 'value', '"b"'],
  ['scenarios:\n  - steps: [load v1, st|all]\n', ['scenarios', '0', 'steps', '1'], 'value', 'stall'],
  ['\uFEFFrules: { lost-obj|ect: off }\n', ['rules', 'lost-object'], 'key', 'lost-object'],
])('the node at %j', (marked, path, kind, at) => {
  const { text, offset } = cursor(marked);
  const node = nodeAt(parseManifest('f', text), offset);
  expect(node === null ? null : [node.path, node.kind, text.slice(node.place.start, node.place.end)]).toEqual(
    [path, kind, at],
  );
});

test('there is no node between values, in comments and behind the end', () => {
  for (const marked of [
    'lineage: a\n|\nkernel: "6.1"\n',
    'lineage: a # co|mment\n',
    'lineage:   |   \n',
    '|',
    'lineage: a\n\n|',
  ]) {
    const { text, offset } = cursor(marked);
    expect(nodeAt(parseManifest('f', text), offset), JSON.stringify(marked)).toBeNull();
  }
});

const LIST = 'lineage: l\nversions:\n  - version: v1\n    module: m1\n';
test.each([
  ['|', []],
  ['lineage: l\n|', []],
  ['lineage: l\nver|', []],
  ['kernel:\n  |', ['kernel']],
  ['kernel:\n  release: "6.1"\n  ha|', ['kernel']],
  [`${LIST}    |`, ['versions', '0']],
  [`${LIST}    sta|`, ['versions', '0']],
  [`${LIST}    sta|\ntargets: []\n`, ['versions', '0']],
  [`${LIST}    status: |`, ['versions', '0', 'status']],
  [`${LIST}    status: dr|aft\n`, ['versions', '0', 'status']],
  [`${LIST}    git:\n      |\n`, ['versions', '0', 'git']],
  [`${LIST}    git: { | }\n`, ['versions', '0', 'git']],
  [`${LIST}    git: { revision: r, | }\n`, ['versions', '0', 'git']],
  [`${LIST}  |`, ['versions']],
  [`${LIST}|`, []],
  [`${LIST}  - ver|`, ['versions', '1']],
  ['scenarios:\n  - name: s\n    steps: [load v1, |]\n', ['scenarios', '0', 'steps']],
  ['scenarios:\n  - name: s\n    steps: [lo|]\n', ['scenarios', '0', 'steps', '0']],
])('what is written at %j goes into %j', (marked, path) => {
  const { text, offset } = cursor(marked);
  expect(containerAt(parseManifest('f', text), text, offset)).toEqual(path);
});
