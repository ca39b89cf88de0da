import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { KEY_DOCUMENTATION, VALUE_DOCUMENTATION } from '../../server/src/core/manifest/documentation';
import { expectAgreement, schema } from './agreement';

const HEAD = 'lineage: l\nkernel: "6.1"\n';
const VERSION = '{ version: v1, module: m1 }';

test.each([
  `versions: [${VERSION}]`,
  `schema: 1\n${HEAD}versions: [${VERSION}]`,
  `kernel: { release: "5.14.0-427.el9", has: [replace], lacks: states, arch: x86_64, config: /c, tree: /t }\nversions: [${VERSION}]`,
  `kernel: {}\nversions: [${VERSION}]`,
  `defaults: { dialect: auto, sources: [a.c], status: draft, note: n, replace: false, include: i, params: { a: 1 } }\nversions: [${VERSION}]`,
  `versions: [{ version: "1.0", module: "1", sources: "*.c", status: faulty, note: "n n", replace: true, built: a.ko, defines: { A: y, B: 1, C: true, D: "" }, include: [a, b], params: { x: 1.5 } }]`,
  `versions:\n  - ${VERSION}\n  - { version: v2, module: m2, restores: v1, cleans-up-after: v1, git: { revision: HEAD~1, path: a/b } }`,
  `versions: [{ version: v1, module: m1, keeps: [{ effect: e }, { effect: e, key: 7, reason: r }, { effect: e, key: k }] }]`,
  `versions: [${VERSION}]\ntargets: [a, { module: b }, { module: c, sources: [x.c] }]`,
  `versions: [${VERSION}]\neffects: [{ do: f, undo: g }, { do: f, undo: g, key: handle, argument: 3, fails: errptr }]`,
  `versions: [${VERSION}]\nscenarios: [{ name: s, steps: [load v1, ' stall ', "load v1 a=1 b=\\"x y\\"", 'set v1 a=', fail v1 f=-16, fail v1 f=EIO, fail v1 f, disable v1], expect: leaves }]`,
  `versions: [${VERSION}]\nrules: { lost-object: off, moved-sympos: hint }`,
  `versions: [{ version: "版本-\u{1F600}", module: m1 }]`,
  `versions: [{ version: v1, module: m1, sources: [] , keeps: [], cleans-up-after: [], include: [], defines: {}, params: {} }]\ntargets: []\neffects: []\nscenarios: []\nrules: {}`,
])('valid for both: %s', (text) => {
  expect(expectAgreement(text, parse(text))).toBe(true);
});

test.each([
  '',
  '[]',
  'hello',
  '1',
  '{}',
  `${HEAD}versions:`,
  'versions: []',
  'versions: {}',
  'versions: [v1]',
  'versions: [{}]',
  'versions: [{ version: v1 }]',
  'versions: [{ module: m1 }]',
  ...[
    'schema: 2',
    'schema: "1"',
    'schema: 1.5',
    'schema: null',
    'lineage: 1',
    'lineage: ""',
    'lineage: [a]',
    'lineage: ~',
    'kernel: 6.1',
    'kernel: ""',
    'kernel: []',
    'kernel: ["6.1"]',
    'kernel: true',
    'kernel: { release: 6.1 }',
    'kernel: { version: "6.1" }',
    'kernel: { has: 1 }',
    'kernel: { has: [1] }',
    'kernel: { has: {} }',
    'kernel: { arch: "" }',
    'kernel: { config: "a\\0" }',
    'defaults: []',
    'defaults: { version: v1 }',
    'defaults: { module: m }',
    'defaults: { restores: v1 }',
    'defaults: { cleans-up-after: [] }',
    'defaults: { status: x }',
    'targets: {}',
    'targets: [a-b]',
    'targets: [vmlinux]',
    'targets: [1]',
    'targets: [{ sources: a.c }]',
    'targets: [{ module: x.ko }]',
    'targets: [{ module: a, sources: /x }]',
    'targets: [{ module: a, more: 1 }]',
    'targets: [[]]',
    'effects: [f]',
    'effects: [{ do: f }]',
    'effects: [{ do: "f()", undo: g }]',
    'effects: [{ do: f, undo: g, key: thing }]',
    'effects: [{ do: f, undo: g, argument: 0 }]',
    'effects: [{ do: f, undo: g, argument: 13 }]',
    'effects: [{ do: f, undo: g, argument: "1" }]',
    'effects: [{ do: f, undo: g, fails: ~ }]',
    'effects: [{ do: f, undo: g, fails: maybe }]',
    'scenarios: [{ name: s, steps: [load v1] }]',
    'scenarios: [{ steps: [load v1], expect: clean }]',
    'scenarios: [{ name: s, expect: clean }]',
    'scenarios: [{ name: s, steps: [], expect: clean }]',
    'scenarios: [{ name: s, steps: load v1, expect: clean }]',
    'scenarios: [{ name: s, steps: [lod v1], expect: clean }]',
    'scenarios: [{ name: s, steps: [load], expect: clean }]',
    'scenarios: [{ name: s, steps: [stall v1], expect: clean }]',
    'scenarios: [{ name: s, steps: [load v1 x], expect: clean }]',
    'scenarios: [{ name: s, steps: ["load v1; load v2"], expect: clean }]',
    'scenarios: [{ name: s, steps: [fail v1], expect: clean }]',
    'scenarios: [{ name: s, steps: [fail v1 f=0], expect: clean }]',
    'scenarios: [{ name: s, steps: [fail v1 f=4096], expect: clean }]',
    'scenarios: [{ name: s, steps: [set v1 a=1 b=2], expect: clean }]',
    'scenarios: [{ name: s, steps: [1], expect: clean }]',
    'scenarios: [{ name: s, steps: ["load v1 a=\\"x"], expect: clean }]',
    'scenarios: [{ name: s, steps: [load v1], expect: fine }]',
    'scenarios: [{ name: s, steps: [load v1], expect: clean, more: 1 }]',
    'rules: []',
    'rules: { lost-object: loud }',
    'rules: { lost-object: 1 }',
    'rules: { lost-object: ~ }',
    'rules: { Lost Object: off }',
    'rules: { lost_object: off }',
    'extra: 1',
    '__proto__: {}',
    'constructor: 1',
  ].map((line) => `versions: [${VERSION}]\n${line}`),
  ...[
    'version: 1',
    'version: ""',
    'version: none',
    'version: "a b"',
    'version: "a;b"',
    'version: "a,b"',
    'version: -a',
    'version: "a=b"',
    `version: "${'v'.repeat(101)}"`,
    'version: "a\\u200bb"',
    'version: [a]',
  ].map((name) => `versions: [{ ${name}, module: m1 }]`),
  ...[
    'module: a-b',
    'module: a.ko',
    'module: ""',
    'module: 7',
    `module: ${'m'.repeat(56)}`,
    'module: vmlinux',
    'module: [a]',
  ].map((name) => `versions: [{ version: v1, ${name} }]`),
  ...[
    'sources: 1',
    'sources: ""',
    'sources: /abs.c',
    'sources: ["C:/x.c"]',
    "sources: '\\\\host\\x'",
    'sources: { a: b }',
    'sources: [""]',
    'sources: [[a]]',
    'sources: ~',
    'status: done',
    'status: ~',
    'note: 1',
    'note: []',
    'keeps: {}',
    'keeps: [e]',
    'keeps: [{ key: k }]',
    'keeps: [{ effect: 1 }]',
    'keeps: [{ effect: e, key: [] }]',
    'keeps: [{ effect: e, reason: "" }]',
    'keeps: [{ effect: e, why: r }]',
    'git: u1',
    'git: {}',
    'git: { path: . }',
    'git: { revision: 123 }',
    'git: { revision: -x }',
    'git: { revision: "a b" }',
    'git: { revision: a, path: /x }',
    'git: { revision: a, tag: b }',
    'restores: 1',
    'restores: []',
    'cleans-up-after: 1',
    'cleans-up-after: [1]',
    'cleans-up-after: {}',
    'cleans_up_after: []',
    'dialect: rpm',
    'replace: yes',
    'replace: "true"',
    'replace: 1',
    'built: /x.ko',
    'built: []',
    'defines: [A]',
    'defines: { 1A: y }',
    'defines: { A: [1] }',
    'defines: { A: ~ }',
    'defines: { A: .inf }',
    'include: 1',
    'include: [/usr/include]',
    'params: { a: {} }',
    'params: { a-b: 1 }',
    'sorces: a.c',
  ].map((setting) => `versions: [{ version: v1, module: m1, ${setting} }]`),
])('invalid for both: %s', (text) => {
  expect(expectAgreement(text, parse(text))).toBe(false);
});

test('the schema has the keys and words that are documented, each with a description', () => {
  interface Node {
    properties?: Record<string, Node>;
    items?: Node;
    oneOf?: Node[];
    enum?: string[];
    description?: string;
    $ref?: string;
    additionalProperties?: Node | boolean;
  }
  const resolve = (node: Node): Node => {
    if (node.$ref === undefined) return node;
    let found: unknown = schema;
    for (const word of node.$ref.slice(2).split('/')) found = (found as Record<string, unknown>)[word];
    return {
      ...resolve(found as Node),
      ...(node.description === undefined ? {} : { description: node.description }),
    };
  };
  const keys = new Set<string>();
  const undescribed: string[] = [];
  const words = new Map<string, string[]>();
  const walk = (raw: Node, path: string): void => {
    const node = resolve(raw);
    if (node.enum !== undefined) words.set(path, node.enum);
    for (const choice of node.oneOf ?? []) walk(choice, path);
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const at = path === '' ? key : `${path}.${key}`;
      keys.add(at);
      if (resolve(child).description === undefined) undescribed.push(at);
      walk(child, at);
    }
    if (node.items !== undefined) walk(node.items, `${path}.*`);
    if (typeof node.additionalProperties === 'object') walk(node.additionalProperties, `${path}.*`);
  };
  walk(schema, '');
  expect(undescribed.filter((key) => !key.startsWith('defaults.'))).toEqual([]);
  const documented = Object.keys(KEY_DOCUMENTATION).filter((key) => !key.endsWith('.*'));
  expect([...keys].filter((key) => !key.startsWith('defaults.')).sort()).toEqual(documented.sort());
  for (const [path, values] of words) {
    if (!path.startsWith('defaults.'))
      expect([path, Object.keys(VALUE_DOCUMENTATION[path] ?? {})]).toEqual([path, values]);
  }
});
