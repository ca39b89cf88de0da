import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { MAX_LENGTH } from '../../server/src/core/manifest/yaml-tree';
import { expectProblem, HEAD, realProblems, unmark, V1 } from './marked';

describe('YAML that a manifest has not', () => {
  test.each([
    ['anchor', `${HEAD}versions:\n  - version: «&name» v1\n    module: m1\n`, 'Anchors'],
    ['anchor on a map', `${HEAD}defaults: «&d» { status: draft }\n${V1}`, 'Anchors'],
    ['tag', `lineage: «!!str» l\nkernel: "6.1"\n${V1}`, 'Tags'],
    ['unknown tag', `lineage: «!evil» l\nkernel: "6.1"\n${V1}`, 'Tags'],
    ['glob without quotes', `${HEAD}${V1}    sources: «*.c»\n`, 'A glob needs quotes: "*.c".'],
    ['alias in a list', `${HEAD}${V1}    sources: [a.c, «*x»]\n`, 'Aliases'],
    ['merge key', `${HEAD}${V1}    «<<»: { status: draft }\n`, 'Merge keys'],
    ['second document', `${HEAD}${V1}«---»\nlineage: other\n`, 'A second YAML document'],
    ['directive', `«%YAML 1.1»\n---\n${HEAD}${V1}`, 'YAML directives'],
    ['tab as indentation', `${HEAD}versions:\n  - version: v1\n«\t  »module: m1\n`, 'does not allow tabs'],
    ['nested key in a value', `lineage: «l»: m\nkernel: "6.1"\n${V1}`, 'put the value in quotes'],
    ['key without a colon', `${HEAD}${V1}«targets»\n`, 'A colon is missing'],
    ['key that is a list', `${HEAD}${V1}? «[a]»\n: b\n`, 'A key must be a single word'],
    ['no key', `${HEAD}${V1}«»: b\n`, 'A key is missing'],
    ['unknown escape', `lineage: "«\\q»l"\nkernel: "6.1"\n${V1}`, 'Unknown escape'],
  ])('%s', (_, marked, message) => {
    const { text, spans } = unmark(marked);
    const problems = realProblems(parseManifest('f', text));
    const found = problems.find((p) => p.message.includes(message));
    expect(found?.message).toContain(message);
    expect(found?.place).toEqual(spans[0]);
    expect(found?.severity).toBe('error');
  });

  test('an unclosed quote and an unclosed bracket are reported inside the text', () => {
    for (const [text, message] of [
      [`${HEAD}${V1}    note: "open\n`, 'closing double quote'],
      [`${HEAD}${V1}    note: 'open\n`, 'closing single quote'],
      [`${HEAD}${V1}    sources: [a.c, b.c\n`, ']'],
    ] as const) {
      const [problem] = realProblems(parseManifest('f', text));
      expect(problem?.message).toContain(message);
      expect(problem?.place.end).toBeLessThanOrEqual(text.length);
    }
  });
});

test('what stands before and after a fault is still understood', () => {
  const text = `${HEAD}versions:\n  - version: v1\n    module: m1\n    note: a: b\n  - version: v2\n    module: m2\n    status: released\ntargets\n`;
  const { manifest } = parseManifest('f', text);
  expect(manifest.lineage?.value).toBe('l');
  expect(manifest.versions.map((v) => [v.version.value, v.module.value, v.status.value])).toEqual([
    ['v1', 'm1', 'draft'],
    ['v2', 'm2', 'released'],
  ]);
});

test('names of Object.prototype are words like any other', () => {
  const text = `${HEAD}versions:\n  - version: __proto__\n    module: constructor\n    defines: { __proto__: y, constructor: x }\n    params: { toString: 1 }\n  - { version: hasOwnProperty, module: valueOf, restores: __proto__ }\n`;
  const { manifest, problems } = parseManifest('f', text);
  expect(problems).toEqual([]);
  expect([...(manifest.versions[0]?.defines.keys() ?? [])]).toEqual(['__proto__', 'constructor']);
  expect(manifest.versions[0]?.params.get('toString')?.value).toBe('1');
  expect(Object.prototype).not.toHaveProperty('status');
  expectProblem(`${HEAD}${V1}«__proto__»: { status: draft }\n`, '`__proto__` is not a key of a manifest');
  expectProblem(`${HEAD}${V1}    «constructor»: x\n`, '`constructor` is not a key of a version');
});

test('an alias bomb costs nothing', () => {
  const lines = ['a0: &a0 [x, x]'];
  for (let i = 1; i < 40; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}*a${i - 1}]`);
  const { problems } = parseManifest('f', `${HEAD}${V1}${lines.join('\n')}\n`);
  expect(problems.some((p) => p.message.startsWith('Anchors'))).toBe(true);
});

test('a text over the limit is refused at once, with one problem', () => {
  const text = `${HEAD}${V1}${'# five million characters\n'.repeat(200_000)}`;
  expect(text.length).toBeGreaterThan(5_000_000);
  const { problems, manifest } = parseManifest('f', text);
  expect(problems.map((p) => p.message)).toEqual([expect.stringContaining(`the limit is ${MAX_LENGTH}`)]);
  expect(manifest.versions).toEqual([]);
});

test.each([
  ['brackets', '['.repeat(100_000)],
  ['braces', '{a: '.repeat(50_000)],
  ['dashes', '- '.repeat(100_000)],
  ['question marks', '? '.repeat(100_000)],
  ['closed brackets', `a: ${'['.repeat(5000)}${']'.repeat(5000)}`],
])('nesting without end is refused: %s', (_, text) => {
  const { problems } = parseManifest('f', text);
  expect(problems.map((p) => p.message)).toEqual([expect.stringContaining('levels deep')]);
});

test('a manifest of as many versions as are read is read in time that grows with its length', () => {
  const manifest = (n: number): string =>
    `${HEAD}versions:\n${Array.from({ length: n }, (_, i) => `  - version: v${i}\n    module: m${i}\n    sources: v${i}/*.c\n`).join('')}`;
  const { manifest: read, problems } = parseManifest('f', manifest(500));
  expect(problems).toEqual([]);
  expect(read.versions.length).toBe(500);
  expect(read.versions[499]?.sources[0]?.value).toBe('v499/*.c');
});
