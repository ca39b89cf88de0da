import { expect, test } from 'vitest';
import type { Located } from '../../server/src/core/manifest/manifest';
import { parseManifest } from '../../server/src/core/manifest/parse';
import type { Span } from '../../server/src/core/place';

const FULL = `schema: 1
lineage: net-fixes
kernel: { release: "5.14.0-427.el9", has: [replace, states], lacks: callbacks, arch: x86_64, config: k/.config, tree: /usr/src/linux }
defaults: { dialect: auto, include: [inc], defines: { CONFIG_A: y, CONFIG_B: 1 }, note: "d" }
versions:                          # oldest first
  - version: v1
    module: livepatch_net_v1       # name as in lsmod
    sources: v1/*.c
    status: released
    defines: { CONFIG_B: 2.50 }
  - version: v2
    module: livepatch_net_v2
    sources: [v2/main.c, 'v2/fix.c']
    status: faulty
    note: hangs under load
    keeps:
      - { effect: static_branch_enable, key: net_key, reason: stays on by decision }
  - version: v3
    module: livepatch_net_v3
    git: { revision: u3, path: . }
    sources: "*.c"
    restores: v1
    cleans-up-after: [v2]
    replace: true
    built: out/v3.ko
    include: []
    params: { debug: on, level: 3, quiet: false }
targets:
  - nf_tables
  - { module: acme, sources: acme.c }
effects:
  - { do: acme_register, undo: acme_unregister, key: pointer, argument: 1, fails: errno }
scenarios:
  - name: roll back the faulty v2
    steps: [load v1, "load v2 a=1", load v3, unload v2]
    expect: clean
rules:
  orphaned-side-effect: error
  lost-object: off
`;

const { manifest, problems } = parseManifest('net/livepatch.yaml', FULL);
const at = (place: Span | null | undefined): string => (place ? FULL.slice(place.start, place.end) : '');
/** A value beside the text at its place. */
const both = <T>(located: Located<T> | null | undefined): [T | undefined, string] => [
  located?.value,
  at(located?.place),
];

test('every key is read, and every place holds its text', () => {
  expect(problems.filter((p) => p.notYet !== true)).toEqual([]);
  expect(manifest.file).toBe('net/livepatch.yaml');
  expect(both(manifest.schema)).toEqual([1, '1']);
  expect(both(manifest.lineage)).toEqual(['net-fixes', 'net-fixes']);
  const { kernel } = manifest;
  expect(both(kernel.release)).toEqual(['5.14.0-427.el9', '"5.14.0-427.el9"']);
  expect(kernel.has.map(both)).toEqual([
    ['replace', 'replace'],
    ['states', 'states'],
  ]);
  expect(kernel.lacks.map(both)).toEqual([['callbacks', 'callbacks']]);
  expect(both(kernel.arch)).toEqual(['x86_64', 'x86_64']);
  expect(both(kernel.config)).toEqual(['k/.config', 'k/.config']);
  expect(both(kernel.tree)).toEqual(['/usr/src/linux', '/usr/src/linux']);
  expect(at(kernel.place)).toMatch(/^\{ release:.*linux \}$/);
});

test('versions stand oldest first, with sources as written', () => {
  const [v1, v2, v3] = manifest.versions;
  expect(manifest.versions.map((v) => both(v.version)[1])).toEqual(['v1', 'v2', 'v3']);
  expect(v1?.sources.map(both)).toEqual([['v1/*.c', 'v1/*.c']]);
  expect(v2?.sources.map(both)).toEqual([
    ['v2/main.c', 'v2/main.c'],
    ['v2/fix.c', "'v2/fix.c'"],
  ]);
  expect(v3?.sources.map(both)).toEqual([['*.c', '"*.c"']]);
  expect(both(v2?.status)).toEqual(['faulty', 'faulty']);
  expect(both(v2?.note)).toEqual(['hangs under load', 'hangs under load']);
  expect(both(v3?.restores)).toEqual(['v1', 'v1']);
  expect(v3?.cleansUpAfter.map(both)).toEqual([['v2', 'v2']]);
  expect(both(v3?.replace)).toEqual([true, 'true']);
  expect(both(v3?.built)).toEqual(['out/v3.ko', 'out/v3.ko']);
  expect(both(v3?.git?.revision)).toEqual(['u3', 'u3']);
  expect(both(v3?.git?.path)).toEqual(['.', '.']);
  expect([...(v3?.params.values() ?? [])].map((p) => [p.name, p.value])).toEqual([
    ['debug', 'on'],
    ['level', '3'],
    ['quiet', 'false'],
  ]);
  const kept = v2?.keeps[0];
  expect([both(kept?.effect)[0], both(kept?.key)[0], both(kept?.reason)[0]]).toEqual([
    'static_branch_enable',
    'net_key',
    'stays on by decision',
  ]);
  expect(at(v1?.place)).toMatch(/^version: v1\n[^]*CONFIG_B: 2.50 \}$/);
  expect(at(v1?.keyPlace)).toBe('version');
  expect(at(v3?.keyPlaces.get('cleans-up-after'))).toBe('cleans-up-after');
});

test('defaults fill what a version does not say, and are marked', () => {
  const [v1, v2, v3] = manifest.versions;
  expect(both(v1?.note)).toEqual(['d', '"d"']);
  expect(v1?.inherited).toEqual(new Set(['note', 'dialect', 'include', 'defines']));
  expect(v2?.inherited.has('note')).toBe(false);
  expect([...(v1?.defines.values() ?? [])].map((d) => [d.name, d.value])).toEqual([
    ['CONFIG_A', 'y'],
    ['CONFIG_B', '2.50'],
  ]);
  expect(v2?.defines.get('CONFIG_B')?.value).toBe('1');
  expect(v3?.include).toEqual([]);
  expect(v3?.inherited.has('include')).toBe(false);
  // Nothing says the status of v3: it is a draft, and the place to say so is its name.
  expect(v3?.status.value).toBe('draft');
  expect(at(v3?.status.place)).toBe('v3');
  expect(v3?.inherited.has('status')).toBe(false);
});

test('targets, effects, scenarios and rules', () => {
  expect(manifest.targets.map((t) => [t.module.value, t.sources.map((s) => s.value), at(t.place)])).toEqual([
    ['nf_tables', [], 'nf_tables'],
    ['acme', ['acme.c'], '{ module: acme, sources: acme.c }'],
  ]);
  const [pair] = manifest.effects;
  expect([
    both(pair?.do),
    both(pair?.undo),
    both(pair?.key),
    both(pair?.argument),
    both(pair?.fails),
  ]).toEqual([
    ['acme_register', 'acme_register'],
    ['acme_unregister', 'acme_unregister'],
    ['pointer', 'pointer'],
    [1, '1'],
    ['errno', 'errno'],
  ]);
  const [scenario] = manifest.scenarios;
  expect(scenario?.complete).toBe(true);
  expect(both(scenario?.expect)).toEqual(['clean', 'clean']);
  expect(scenario?.steps.map((s) => [s.value.k, at(s.place), at(s.namePlace)])).toEqual([
    ['load', 'load v1', 'v1'],
    ['load', 'load v2 a=1', 'v2'],
    ['load', 'load v3', 'v3'],
    ['unload', 'unload v2', 'v2'],
  ]);
  expect([...manifest.rules].map(([code, s]) => [code, s.value, at(s.place), at(s.keyPlace)])).toEqual([
    ['orphaned-side-effect', 'error', 'error', 'orphaned-side-effect'],
    ['lost-object', 'off', 'off', 'lost-object'],
  ]);
});

test('the same manifest with CRLF, a byte order mark and astral characters has the same values at shifted places', () => {
  for (const change of [
    (text: string): string => text.replaceAll('\n', '\r\n'),
    (text: string): string => `\uFEFF${text}`,
    (text: string): string =>
      `# \u{1F600}\u{1F600}\n${text.replace('hangs under load', 'hangs \u{1F4A5} under load')}`,
  ]) {
    const text = change(FULL);
    const other = parseManifest('f', text);
    expect(other.problems.filter((p) => p.notYet !== true)).toEqual([]);
    const cut = (place: Span): string => text.slice(place.start, place.end);
    expect(other.manifest.versions.map((v) => cut(v.version.place))).toEqual(['v1', 'v2', 'v3']);
    expect(other.manifest.versions.map((v) => cut(v.sources[0]?.place ?? { start: 0, end: 0 }))).toEqual([
      'v1/*.c',
      'v2/main.c',
      '"*.c"',
    ]);
    expect(cut(other.manifest.versions[1]?.note?.place ?? { start: 0, end: 0 })).toMatch(
      /^hangs (\u{1F4A5} )?under load$/u,
    );
    expect(cut(other.manifest.rules.get('lost-object')?.place ?? { start: 0, end: 0 })).toBe('off');
    expect(other.manifest.scenarios[0]?.steps.map((s) => cut(s.place))).toContain('load v2 a=1');
  }
});

test('a byte order mark in front of the first key belongs to no place', () => {
  const text = '\uFEFFlineage: 7\n';
  const problem = parseManifest('f', text).problems.find((p) => p.message.includes('must be text'));
  expect(problem?.place).toEqual({ start: 10, end: 11 });
});

test('values in block style, folded over lines and quoted', () => {
  const text =
    'lineage: two\n  lines\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m1\n    note: |\n      first\n      second\n\n    status: "relea\\x73ed"\n';
  const read = parseManifest('f', text);
  expect(read.problems).toEqual([]);
  const [v1] = read.manifest.versions;
  expect(read.manifest.lineage?.value).toBe('two lines');
  expect(v1?.note?.value).toBe('first\nsecond\n');
  expect(text.slice(v1?.note?.place.start, v1?.note?.place.end)).toBe('|\n      first\n      second');
  expect(v1?.status.value).toBe('released');
});

test('a step whose text is escaped stands at the whole value', () => {
  const text =
    'lineage: l\nkernel: "6.1"\nversions: [{ version: v1, module: m1 }]\nscenarios: [{ name: s, steps: ["lo\\x61d v1"], expect: clean }]\n';
  const [step] = parseManifest('f', text).manifest.scenarios[0]?.steps ?? [];
  expect(step?.value).toEqual({ k: 'load', name: 'v1', params: [] });
  expect(text.slice(step?.place.start, step?.place.end)).toBe('"lo\\x61d v1"');
});

test('a scenario with a step that cannot be read is marked as incomplete', () => {
  const text =
    'lineage: l\nkernel: "6.1"\nversions: [{ version: v1, module: m1 }]\nscenarios: [{ name: s, steps: [load v1, explode], expect: clean }]\n';
  const [scenario] = parseManifest('f', text).manifest.scenarios;
  expect([scenario?.complete, scenario?.steps.length]).toEqual([false, 1]);
});

test('an entry with one name is known by it, one without names is left out', () => {
  const text = 'lineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n  - module: m2\n  - status: draft\n';
  const read = parseManifest('f', text);
  expect(read.manifest.versions.map((v) => [v.version.value, v.module.value])).toEqual([
    ['v1', 'v1'],
    ['m2', 'm2'],
  ]);
  expect(read.problems.filter((p) => p.severity === 'error').length).toBe(4);
});
