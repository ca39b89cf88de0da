import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { MAX_PROBLEMS } from '../../server/src/core/manifest/problem';
import { expectProblem, HEAD, realProblems, V1 } from './marked';

const RULES = { ruleCodes: ['orphaned-side-effect', 'manifest-invalid'] };
const CAPABILITIES = { capabilities: ['replace', 'states', 'callbacks'] };

describe('one problem, at the place it is about', () => {
  test.each([
    ['unknown key without a likeness', `${HEAD}${V1}«colour»: red\n`, 'Known keys: schema, lineage'],
    [
      'unknown key of a version whose likeness is there',
      `${HEAD}${V1}    «sorces»: a.c\n    sources: b.c\n`,
      'Did you mean `sources`?',
    ],
    ['key without a value', `«lineage»:\nkernel: "6.1"\n${V1}`, '`lineage` has no value'],
    ['null', `lineage: «~»\nkernel: "6.1"\n${V1}`, '`lineage` must be text, not null'],
    ['empty text', `lineage: «""»\nkernel: "6.1"\n${V1}`, '`lineage` is empty'],
    ['list for text', `lineage: «[a]»\nkernel: "6.1"\n${V1}`, '`lineage` must be text, not a list'],
    ['map for text', `lineage:\n  «a»: b\nkernel: "6.1"\n${V1}`, '`lineage` must be text, not a map'],
    ['key written twice', `${HEAD}${V1}«lineage»: again\n`, 'written twice in a manifest'],
    ['no lineage', `«kernel»: "6.1"\n${V1}`, '`lineage` is missing'],
    ['no kernel', `«lineage»: l\n${V1}`, '`kernel` is missing'],
    ['no versions', `«lineage»: l\nkernel: "6.1"\n`, '`versions` is missing'],
    ['empty versions', `${HEAD}«versions»: []\n`, '`versions` is empty'],
    ['versions without a value', `${HEAD}«versions»:\n`, '`versions` has no value'],
    ['versions as a map', `${HEAD}versions:\n  «v1»: m1\n`, '`versions` must be a list, not a map'],
    [
      'a version as text',
      `${HEAD}versions:\n  - «v1»\n  - { version: v2, module: m2 }\n`,
      'A version must be a map, not text',
    ],
    ['version without a name', `${HEAD}versions:\n  - «module»: m1\n`, 'A version needs `version`'],
    ['version without a module', `${HEAD}versions:\n  - «version»: v1\n`, 'A version needs `module`'],
    [
      'two versions of a name',
      `${HEAD}${V1}  - version: «v1»\n    module: m2\n`,
      'Two versions are called "v1"',
    ],
    [
      'two modules of a name',
      `${HEAD}${V1}  - version: v2\n    module: «m1»\n`,
      'Two modules are called "m1"',
    ],
    [
      "a version called as another's module",
      `${HEAD}${V1}  - version: «m1»\n    module: m2\n`,
      'name of a version here and of a module',
    ],
    [
      'a version called as its own module',
      `${HEAD}versions:\n  - version: v1\n    module: «v1»\n`,
      'name of a module here and of a version',
    ],
    [
      'a target called as a version',
      `${HEAD}${V1}targets: [«v1»]\n`,
      'name of a target here and of a version',
    ],
    ['two targets of a name', `${HEAD}${V1}targets: [t, «t»]\n`, 'Two targets are called "t"'],
    [
      'the reserved name',
      `${HEAD}versions:\n  - version: «none»\n    module: m1\n`,
      'No version may be called "none"',
    ],
    [
      'a name longer than 100',
      `${HEAD}versions:\n  - version: «${'v'.repeat(101)}»\n    module: m1\n`,
      'at most 100 characters',
    ],
    [
      'a module name longer than lsmod shows',
      `${HEAD}versions:\n  - version: v1\n    module: «${'m'.repeat(56)}»\n`,
      'has 56 characters; the kernel takes at most 55',
    ],
    ['vmlinux as a target', `${HEAD}${V1}targets: [«vmlinux»]\n`, 'vmlinux is the kernel itself'],
    [
      'a module name in another script',
      `${HEAD}versions:\n  - version: v1\n    module: «mödul»\n`,
      "is no module's name",
    ],
    [
      'absolute source',
      `${HEAD}${V1}    sources: [a.c, «/etc/passwd»]\n`,
      'must be relative to the manifest',
    ],
    ['source on a drive', `${HEAD}${V1}    sources: «C:\\x.c»\n`, 'must be relative to the manifest'],
    ['source on a share', `${HEAD}${V1}    sources: «\\\\host\\x.c»\n`, 'must be relative to the manifest'],
    ['NUL in a source', `${HEAD}${V1}    sources: «"a\\0.c"»\n`, 'holds a NUL character'],
    [
      'NUL in a config path',
      `lineage: l\nkernel: { release: "6.1", config: «"a\\0"» }\n${V1}`,
      '`config` holds a NUL character',
    ],
    [
      'a number among the sources',
      `${HEAD}${V1}    sources: [a.c, «7»]\n`,
      'An entry of `sources` must be text',
    ],
    [
      'unknown status',
      `${HEAD}${V1}    status: «final»\n`,
      '`status` must be one of draft, released, faulty, withdrawn',
    ],
    [
      'restores the version itself',
      `${HEAD}${V1}    restores: «v1»\n`,
      '`restores` names the version itself',
    ],
    [
      'restores a newer one',
      `${HEAD}${V1}    restores: «v2»\n  - { version: v2, module: m2 }\n`,
      '`restores` names a newer version',
    ],
    ['restores nothing known', `${HEAD}${V1}    restores: «zzzzzz»\n`, 'There is no older version'],
    [
      'cleans up after a newer one',
      `${HEAD}${V1}    cleans-up-after: [«v2»]\n  - { version: v2, module: m2 }\n`,
      '`cleans-up-after` names a newer version',
    ],
    [
      'cleans up twice',
      `${HEAD}${V1}  - { version: v2, module: m2, cleans-up-after: [v1, «v1»] }\n`,
      'listed twice',
    ],
    [
      'version in defaults',
      `${HEAD}defaults: { «version»: v }\n${V1}`,
      '`version` cannot be the same for all',
    ],
    [
      'restores in defaults',
      `${HEAD}defaults: { «restores»: v1 }\n${V1}`,
      '`restores` cannot be the same for all',
    ],
    [
      'replace where the source says it',
      `${HEAD}${V1}    dialect: module\n    «replace»: true\n`,
      '`replace` has no effect with dialect module',
    ],
    [
      'replace as text',
      `${HEAD}${V1}    replace: «maybe»\n`,
      '`replace` must be true or false, not the text "maybe"',
    ],
    ['git as text', `${HEAD}${V1}    git: «u3»\n`, '`git` must be a map'],
    ['git without a revision', `${HEAD}${V1}    git: «{» path: . }\n`, '`git` needs a `revision`'],
    [
      'a revision that git would take for an option',
      `${HEAD}${V1}    git: { revision: «--output=x» }\n`,
      'no dash in front',
    ],
    [
      'an absolute path in git',
      `${HEAD}${V1}    git: { revision: r, path: «/x» }\n`,
      '`path` must be relative',
    ],
    ['keeps without an effect', `${HEAD}${V1}    keeps:\n      - «k»ey: a\n`, 'needs an `effect`'],
    ['an impossible macro', `${HEAD}${V1}    defines: { «9X»: y }\n`, 'cannot be the name of a macro'],
    ['a macro without a value', `${HEAD}${V1}    defines: { «X» }\n`, '`X` has no value'],
    [
      'a parameter that is a list',
      `${HEAD}${V1}    params: { a: «[1]» }\n`,
      '`a` must be text, a number or a boolean, not a list',
    ],
    ['a target without a module', `${HEAD}${V1}targets: [{ «sources»: a.c }]\n`, 'A target needs `module`'],
    ['an effect without undo', `${HEAD}${V1}effects: [{ «do»: f }]\n`, 'An entry of `effects` needs `undo`'],
    [
      'an effect that is no function',
      `${HEAD}${V1}effects: [{ do: «"f()"», undo: g }]\n`,
      '`do` is the name of a function or macro',
    ],
    [
      'an argument counted from 0',
      `${HEAD}${V1}effects: [{ do: f, undo: g, argument: «0» }]\n`,
      '`argument` must be from 1 to 12',
    ],
    [
      'an argument that is text',
      `${HEAD}${V1}effects: [{ do: f, undo: g, argument: «one» }]\n`,
      '`argument` must be a whole number',
    ],
    [
      'a scenario without expect',
      `${HEAD}${V1}scenarios: [{ «name»: s, steps: [load v1] }]\n`,
      'A scenario needs `expect`',
    ],
    [
      'a scenario without steps',
      `${HEAD}${V1}scenarios: [{ name: s, steps: «[]», expect: clean }]\n`,
      '`steps` is empty',
    ],
    [
      'two scenarios of a name',
      `${HEAD}${V1}scenarios:\n  - { name: s, steps: [load v1], expect: clean }\n  - { name: «s», steps: [load v1], expect: clean }\n`,
      'Two scenarios are called "s"',
    ],
    [
      'a step that is none',
      `${HEAD}${V1}scenarios: [{ name: s, steps: ["«insmod» v1"], expect: clean }]\n`,
      '"insmod" is not a step',
    ],
    [
      'two steps in one entry',
      `${HEAD}${V1}scenarios: [{ name: s, steps: [load v1 «; unload v1»], expect: clean }]\n`,
      'write one step per entry',
    ],
    [
      'an errno that is none',
      `${HEAD}${V1}scenarios: [{ name: s, steps: [fail v1 f=«EBUSSY»], expect: clean }]\n`,
      'Did you mean EBUSY?',
    ],
    [
      'an unknown name in a step, without sources',
      `${HEAD}${V1}scenarios: [{ name: s, steps: [load «w1»], expect: clean }]\n`,
      'No version, module or target is called "w1"',
    ],
    [
      "a rule's severity without a value",
      `${HEAD}${V1}rules: { «orphaned-side-effect» }\n`,
      'has no severity',
    ],
    [
      'a rule that cannot be one',
      `${HEAD}${V1}rules: { «Not A Rule»: off }\n`,
      'There is no rule `Not A Rule`',
    ],
    ['a later schema', `schema: «2»\n${HEAD}${V1}`, 'Schema 2 is not known here'],
    ['schema as text', `schema: «"1"»\n${HEAD}${V1}`, '`schema` must be a whole number, not the text "1"'],
    ['schema as a fraction', `schema: «1.5»\n${HEAD}${V1}`, '`schema` must be a whole number'],
    ['kernel as a list', `lineage: l\nkernel: «["6.1"]»\n${V1}`, '`kernel` must be text, not a list'],
    [
      'kernel without a release',
      `lineage: l\nkernel: «{» arch: x86_64 }\n${V1}`,
      '`kernel` has no `release`',
    ],
    [
      'a release that is none',
      `lineage: l\nkernel: «mainline»\n${V1}`,
      'does not begin with a kernel release',
    ],
    [
      'a capability had and lacked',
      `lineage: l\nkernel: { release: "6.1", has: [states], lacks: [«states»] }\n${V1}`,
      'stands in `has` and in `lacks`',
    ],
    ['a manifest that is a list', '- «a»\n- b\n', 'A manifest must be a map, not a list'],
    ['a manifest that is text', '«hello»\n', 'A manifest must be a map, not text'],
    ['a control character', `lineage: "«\u0001»l"\nkernel: "6.1"\n${V1}`, 'Control character U+0001'],
  ])('%s', (_, marked, message) => {
    // The first entry of a list stands for the list.
    const text = marked.startsWith('- «a»') ? '- «a»\n- b\n' : marked;
    expectProblem(text, message);
  });

  test('a rule that the caller does not know', () => {
    expectProblem(`${HEAD}${V1}rules: { «no-such-rule»: off }\n`, 'There is no rule `no-such-rule`', RULES);
    expectProblem(
      `${HEAD}${V1}rules: { orphaned-side-effect: «loud» }\n`,
      'must be one of error, warning',
      RULES,
    );
  });

  test('a capability that the caller does not know', () => {
    expectProblem(
      `lineage: l\nkernel: { release: "6.1", has: [«teleport»] }\n${V1}`,
      'Known: replace, states',
      CAPABILITIES,
    );
  });

  test('an unknown name in a step is left to the caller while objects of sources could be meant', () => {
    const scenario = (name: string): string =>
      `${HEAD}${V1}    sources: a.c\nscenarios: [{ name: s, steps: [load ${name}], expect: clean }]\n`;
    expect(realProblems(parseManifest('f', scenario('nf_tables')))).toEqual([]);
    expect(realProblems(parseManifest('f', scenario('nf_tables'), { objects: ['nf_tables'] }))).toEqual([]);
    expectProblem(scenario('«ext4»'), 'is called "ext4"', { objects: ['nf_tables'] });
    expectProblem(scenario('«v1.2»'), 'is called "v1.2"');
  });
});

test('what is written twice points at the first one', () => {
  const problem = expectProblem(`${HEAD}${V1}  - version: «v1»\n    module: m2\n`, 'Two versions');
  const first = `${HEAD}versions:\n  - version: `.length;
  expect(problem.related).toEqual([
    { message: 'The other one is here.', place: { start: first, end: first + 2 } },
  ]);
});

test('an empty text, blanks and comments are one problem at the start', () => {
  for (const text of ['', '\n\n', '# only this\n', '---\n']) {
    const parsed = parseManifest('f', text);
    expect(parsed.problems.map((p) => [p.severity, p.place.start])).toEqual([['error', 0]]);
    expect(parsed.problems[0]?.message).toContain('The manifest is empty');
    expect(parsed.manifest.versions).toEqual([]);
  }
});

test('keys that have no effect yet are information at the key, and are read all the same', () => {
  const text = `${HEAD}${V1}    git: { revision: u3 }\n    built: a.ko\n    dialect: kpatch\n    keeps: [{ effect: f, key: k, reason: r }]\neffects: [{ do: f, undo: g }]\nscenarios: [{ name: s, steps: [load v1], expect: clean }]\n`;
  const { manifest, problems } = parseManifest('f', text);
  expect(problems.every((p) => p.notYet === true && p.severity === 'information')).toBe(true);
  const at = problems.map((p) => text.slice(p.place.start, p.place.end));
  // Not all of these need be left: each that is, is said at its key.
  for (const key of at) expect(['git', 'built', 'dialect', 'keeps', 'effects', 'scenarios']).toContain(key);
  expect(manifest.versions[0]?.git?.revision.value).toBe('u3');
  expect(manifest.versions[0]?.keeps[0]?.effect.value).toBe('f');
  expect(manifest.versions[0]?.dialect.value).toBe('kpatch');
  expect(manifest.effects[0]?.do.value).toBe('f');
});

test('many problems are cut off with a count', () => {
  const text = `${HEAD}${V1}${Array.from({ length: MAX_PROBLEMS + 10 }, (_, i) => `zz${i}: 1\n`).join('')}`;
  const { problems } = parseManifest('f', text);
  expect(problems.length).toBe(MAX_PROBLEMS + 1);
  expect(problems[MAX_PROBLEMS]?.message).toBe('10 more problems in this manifest are not listed.');
});
