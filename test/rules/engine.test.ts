import { expect, test } from 'vitest';
import { checkAll } from '../../server/src/rules/engine';
import { RULES } from '../../server/src/rules/registry';
import type { Finding, Fix, Rule } from '../../server/src/rules/rule';
import { FILE, FOLDER, marked, NOTIFIER, VALUE } from './effects';
import { check, expectMarked, lineage, livepatch, manifest } from './fixture';
import { contextOf } from './told';

const codes = (findings: readonly Finding[]): string[] => findings.map((finding) => finding.code);

function made(code: string, findings: readonly Partial<Finding>[], more: Partial<Rule> = {}): Rule {
  return {
    code,
    severity: 'error',
    kind: 'facts',
    replacement: false,
    summary: code,
    page: code,
    documentation: { page: 'livepatch/livepatch' },
    check: () =>
      findings.map((finding) => ({
        code,
        severity: 'error',
        message: code,
        certainty: 'must',
        place: { file: 'a.c', start: 0, end: 1 },
        versions: [],
        related: [],
        fixes: [],
        ...finding,
      })),
    ...more,
  };
}

test('a rule that throws takes nobody with it, and is told of', async () => {
  const context = await contextOf(lineage(manifest(['draft']), {}));
  const faults: string[] = [];
  const broken = made('broken-rule', [], {
    check: () => {
      throw new Error('no');
    },
  });
  const findings = checkAll(context, [broken, made('other-rule', [{}])], (code, error) => {
    faults.push(`${code}: ${String(error)}`);
  });
  expect(codes(findings)).toEqual(['manifest-invalid', 'other-rule']);
  expect(findings[0]).toMatchObject({
    severity: 'error',
    place: { start: 0, end: 0 },
    message: expect.stringMatching(/^broken-rule could not be checked.*Error: no/) as string,
  });
  expect(faults).toEqual(['broken-rule: Error: no']);
});

test('findings are ordered by file, offset and code, whatever the order of the rules', async () => {
  const context = await contextOf(lineage(manifest(['draft']), {}));
  const at = (file: string, start: number): Partial<Finding> => ({ place: { file, start, end: start + 1 } });
  const one = made('b-rule', [at('b.c', 5), at('a.c', 9), at('a.c', 2)]);
  const two = made('a-rule', [at('b.c', 5), at('a.c', 30)]);
  const order = (rules: readonly Rule[]): string[] =>
    checkAll(context, rules).map(({ code, place }) => `${place.file}:${place.start} ${code}`);
  const expected = ['a.c:2 b-rule', 'a.c:9 b-rule', 'a.c:30 a-rule', 'b.c:5 a-rule', 'b.c:5 b-rule'];
  expect(order([one, two])).toEqual(expected);
  expect(order([two, one])).toEqual(expected);
});

test('one cause, one finding: the first of the order speaks and the others are related', async () => {
  const context = await contextOf(lineage(manifest(['draft']), {}));
  const cause = 'v1:debugfs:net_status';
  const rules = [
    made('undo-only-in-own-unpatch', [{ cause, message: 'only in its own' }]),
    made('orphaned-side-effect', [
      { cause, message: 'orphan' },
      { cause: 'another', message: 'alone' },
    ]),
    made('dangling-module-pointer', [{ cause, message: 'dangles' }]),
    made('lost-object', [{ cause, message: 'not of that order' }]),
  ];
  const findings = checkAll(context, rules);
  expect(findings.map(({ message }) => message)).toEqual(['dangles', 'not of that order', 'alone']);
  expect(findings[0]?.related.map(({ message }) => message)).toEqual([
    'also undo-only-in-own-unpatch: only in its own',
    'also orphaned-side-effect: orphan',
  ]);
});

test('rules about replacement are silent where no version replaces', async () => {
  const rule = made('about-replacement', [{}], { replacement: true });
  const plain = await contextOf(lineage(manifest(['draft']), { replace: '' }));
  expect(checkAll(plain, [rule])).toEqual([]);
  const cumulative = await contextOf(lineage(manifest(['draft']), {}));
  expect(codes(checkAll(cumulative, [rule]))).toEqual(['about-replacement']);
});

test('the manifest sets severities, and switches rules off', async () => {
  const sources = [FOLDER, {}] as const;
  const with_ = async (setting: string): Promise<(readonly [string, string])[]> => {
    const rules = `rules:\n  orphaned-side-effect: ${setting}\n`;
    const { findings } = await check(lineage(manifest(['released', 'draft'], { end: rules }), ...sources));
    return findings.map(({ code, severity }) => [code, severity] as const);
  };
  expect(await with_('hint')).toEqual([['orphaned-side-effect', 'hint']]);
  expect(await with_('warning')).toEqual([['orphaned-side-effect', 'warning']]);
  expect(await with_('off')).toEqual([]);
});

test('a setting may make an error of what a released version can no longer answer', async () => {
  const rules = 'rules:\n  orphaned-side-effect: error\n';
  const { findings } = await check(lineage(manifest(['released', 'released'], { end: rules }), VALUE, {}));
  expect(findings.map(({ code, severity }) => [code, severity])).toEqual([['orphaned-side-effect', 'error']]);
});

test('a comment on the line, or on the line above, suppresses', async () => {
  const above = marked(
    VALUE,
    'saved = console_loglevel',
    '  /* livepatch-ignore orphaned-side-effect: wanted */',
  );
  await expectMarked(lineage(manifest(['draft', 'draft']), above, {}));
  const beside = {
    ...VALUE,
    body: (VALUE.body ?? '').replace(
      'console_loglevel = 15;',
      'console_loglevel = 15; // livepatch-ignore orphaned-side-effect: wanted',
    ),
  };
  await expectMarked(lineage(manifest(['draft', 'draft']), beside, {}));
});

test('a comment for another code, or two lines above, does not', async () => {
  const other = {
    ...VALUE,
    body: (VALUE.body ?? '').replace(
      '  console_loglevel = 15;',
      '  /* livepatch-ignore lost-object: wanted */\n  //~ unused-suppression: There is no lost-object here\n  console_loglevel = 15;\n  //~ orphaned-side-effect',
    ),
  };
  await expectMarked(lineage(manifest(['draft', 'draft']), other, {}));
});

test('suppressing the one that speaks silences the cause, not the others of it', async () => {
  const quiet = marked(NOTIFIER, 'static int hook', '//~ unused-suppression');
  const text = lineage(manifest(['draft', 'draft']), quiet, {})
    .replace('static int hook', '/* livepatch-ignore orphaned-side-effect: no */\nstatic int hook')
    .replace(
      '  return register_reboot',
      '  // livepatch-ignore dangling-module-pointer: pinned\n  return register_reboot',
    );
  const { findings } = await check(text);
  expect(codes(findings)).toEqual(['unused-suppression']);
});

test('in the manifest', async () => {
  const head = manifest(['draft']).replace(
    'kernel: "6.1"',
    'kernel: "6.1"\n# livepatch-ignore manifest-invalid: our own note\nowner: me',
  );
  await expectMarked(lineage(head, {}));
  const beside = manifest(['draft']).replace(
    'kernel: "6.1"',
    'kernel: "6.1"\nowner: me # livepatch-ignore manifest-invalid: our own note',
  );
  await expectMarked(lineage(beside, {}));
});

test('the same question twice gives the same answer', async () => {
  const text = lineage(manifest(['released', 'faulty', 'draft']), NOTIFIER, FILE, {});
  const [first, second] = [await check(text), await check(text)];
  expect(first.findings.length).toBeGreaterThan(0);
  expect(second.findings).toEqual(first.findings);
});

test('every finding says which versions it is about and stands in a file of the lineage', async () => {
  const { fixture, findings } = await check(
    lineage(
      manifest(['released', 'draft', 'draft']),
      { ...NOTIFIER, functions: ['a_lock', 'a_unlock'] },
      FILE,
      VALUE,
    ),
  );
  expect(findings.length).toBeGreaterThan(3);
  for (const finding of findings) {
    const text = fixture.files.get(finding.place.file.replace('/lineage/', '')) ?? '';
    expect(finding.place.start, finding.code).toBeLessThan(finding.place.end);
    expect(finding.place.end, finding.code).toBeLessThanOrEqual(text.length);
    expect(finding.versions.length, finding.code).toBeGreaterThan(0);
    expect(finding.message, finding.code).toMatch(/\.$/);
    const rule = RULES.find((item) => item.code === finding.code);
    if (rule?.kind === 'run') expect(finding.run?.length, finding.code).toBeGreaterThan(0);
  }
});

test('of several rules that throw it is told once, with the first reason', async () => {
  const context = await contextOf(lineage(manifest(['draft']), {}));
  const broken = (code: string, thrown: unknown): Rule =>
    made(code, [], {
      check: () => {
        throw thrown;
      },
    });
  expect(checkAll(context, [broken('a-rule', 'a word'), broken('b-rule', new Error('no'))])).toEqual([
    {
      code: 'manifest-invalid',
      severity: 'error',
      message:
        'a-rule, b-rule could not be checked, for this program failed there (a word). The rest was. Please report it.',
      certainty: 'must',
      place: { file: '/lineage/livepatch.yaml', start: 0, end: 0 },
      versions: [],
      related: [],
      fixes: [],
    },
  ]);
});

test('one version that replaces is enough for the rules about replacement', async () => {
  const rule = made('about-replacement', [{}], { replacement: true });
  const texts = async (...versions: Parameters<typeof lineage>[1][]): Promise<string[]> =>
    codes(checkAll(await contextOf(lineage(manifest(versions.map(() => 'draft')), ...versions)), [rule]));
  expect(await texts({ replace: '' }, {}, 'static int nothing;\n')).toEqual(['about-replacement']);
  expect(await texts('static int nothing;\n', { replace: '' })).toEqual([]);
});

const TWO = manifest(['released', 'draft']);
const at = (file: string, start = 0, end = start + 1): Pick<Finding, 'place'> => ({
  place: { file: `/lineage/${file}`, start, end },
});
const edit = (file: string, text: string, start: number, end = start): Fix['edits'][number] => ({
  ...at(file, start, end),
  text,
});
const offer = (title: string, ...edits: Fix['edits'][number][]): Fix => ({ title, preferred: true, edits });

test('what cannot be changed is a warning at most, and its fixes change nothing in it', async () => {
  const context = await contextOf(lineage(TWO, {}, {}));
  const fixes = [offer('edits', edit('v1/a.c', 'x', 0)), offer('runs a command')];
  const of = (finding: Partial<Finding>): (readonly [string, readonly string[]])[] =>
    checkAll(context, [made('a-rule', [{ fixes, ...finding }])]).map(({ severity, fixes: left }) => [
      severity,
      left.map(({ title }) => title),
    ]);
  const all = ['edits', 'runs a command'];
  expect(of({ versions: ['v1'], ...at('v1/a.c') })).toEqual([['warning', ['runs a command']]]);
  expect(of({ versions: ['v1'], severity: 'hint', ...at('v1/a.c') })).toEqual([['hint', ['runs a command']]]);
  expect(of({ versions: ['v2'], ...at('v2/a.c') })).toEqual([['error', all]]);
  // The manifest can be changed, whatever it says of a released version.
  expect(of({ versions: ['v1'], ...at('livepatch.yaml') })).toEqual([['error', all]]);
  expect(of({ versions: [], ...at('v1/a.c') })).toEqual([['error', all]]);
});

test('a setting makes what is said of the manifest milder, and of the rest what it says', async () => {
  const context = await contextOf(lineage(TWO, {}, {}));
  const of = (wanted: Finding['severity'], severity: Finding['severity'], kind: Rule['kind']) =>
    checkAll({ ...context, severity: () => wanted }, [made('a-rule', [{ severity }], { kind })])[0]?.severity;
  expect(of('error', 'information', 'manifest')).toBe('information');
  expect(of('hint', 'information', 'manifest')).toBe('hint');
  expect(of('error', 'information', 'facts')).toBe('error');
  expect(of('error', 'warning', 'run')).toBe('error');
});

test('a diff keeps its hunks whole, and a revision is as it is', async () => {
  const diff = '--- a/f.c\n+++ b/f.c\n@@ -1,1 +1,2 @@\n context\n+added line\n';
  const context = await contextOf(`${lineage(TWO, {}, {})}//- v2/0.patch\n${diff}`);
  const left = (...edits: Fix['edits'][number][]): number =>
    checkAll(context, [made('a-rule', [{ fixes: [offer('it', ...edits)] }])])[0]?.fixes.length ?? -1;
  const [context_, added] = [diff.indexOf('context'), diff.indexOf('added')];
  expect(left(edit('v2/0.patch', 'changed', added, added + 5))).toBe(1);
  expect(left(edit('v2/0.patch', 'two\nlines', added, added + 5))).toBe(0);
  expect(left(edit('v2/0.patch', 'changed', context_, context_ + 7))).toBe(0);
  expect(left(edit('v2/0.patch', '', added - 1, added))).toBe(0);
  expect(left(edit('v2/0.patch', '', added, diff.length))).toBe(0);
  expect(left(edit('v2/a.c', 'two\nlines', 3))).toBe(1);
  expect(left(edit('v2/a.c', 'x', 3), edit('v2/0.patch', 'x', context_))).toBe(0);
  const { place, text } = edit('v2/a.c', 'x', 3);
  expect(left({ place: { ...place, revision: 'v6' }, text })).toBe(0);
});

test('what has no cause is nobody else, and what tells it in the same words has told it', async () => {
  const context = await contextOf(lineage(manifest(['draft']), {}));
  const cause = 'c';
  const findings = checkAll(context, [
    made('orphaned-side-effect', [{ message: 'one' }, { message: 'two' }, { message: 'same', cause }]),
    made('cleanup-impossible', [{ message: 'same', cause }, { message: 'three' }]),
    made('lost-object', [{ message: 'beside', cause }]),
  ]);
  expect(findings.map(({ message, related }) => [message, related.map((it) => it.message)])).toEqual([
    ['three', []],
    ['beside', []],
    ['one', []],
    ['same', ['also cleanup-impossible']],
    ['two', []],
  ]);
});

test('a comment suppresses on its own lines, of its own file and revision', async () => {
  const comment = '/* livepatch-ignore a-rule: wanted */\nint x;\n';
  const text = `${lineage(TWO, {}, {})}//- v1/0.c\n${comment}//- v2/0.c\n${comment.replaceAll(/[^\n]/g, ' ')}`;
  const context = await contextOf(text);
  const where = comment.indexOf('int x');
  const rule = made('a-rule', [
    at('v1/0.c', where),
    at('v2/0.c', where),
    at('v1/0.c', comment.length - 1),
    { place: { ...at('v1/0.c', where).place, revision: 'v6' } },
  ]);
  const left = (rules: readonly Rule[]): string[] =>
    checkAll(context, rules).map(({ code, place }) => `${code} ${place.file} ${place.revision ?? ''}`.trim());
  expect(left([rule])).toEqual(['a-rule /lineage/v1/0.c v6', 'a-rule /lineage/v2/0.c']);
});

test('comments that suppress nothing are told by their own rule, if that is asked and not off', async () => {
  const text = `${lineage(TWO, {}, {})}//- v2/0.c\n/* livepatch-ignore a-rule: wanted */\nint x;\n`;
  const context = await contextOf(text);
  const unused = RULES.find(({ code }) => code === 'unused-suppression') as Rule;
  const quiet = made('a-rule', []);
  expect(codes(checkAll(context, [quiet]))).toEqual([]);
  expect(codes(checkAll(context, [quiet, unused]))).toEqual(['unused-suppression']);
  const off = { ...context, severity: (code: string) => (code === 'a-rule' ? ('error' as const) : null) };
  expect(codes(checkAll(off, [quiet, unused]))).toEqual([]);
});

test('equal places are ordered by their end, code and message', async () => {
  const context = await contextOf(lineage(manifest(['draft']), {}));
  const order = checkAll(context, [
    made('b-rule', [
      { ...at('a.c', 1, 9), message: 'late' },
      { ...at('a.c', 1, 5), message: 'b' },
    ]),
    made('a-rule', [
      { ...at('a.c', 1, 5), message: 'z' },
      { ...at('a.c', 1, 5), message: 'a' },
    ]),
  ]).map(({ code, message }) => `${code} ${message}`);
  expect(order).toEqual(['a-rule a', 'a-rule z', 'b-rule b', 'b-rule late']);
});

/** As many versions as there are texts; those without one are names only. */
function among(...sources: readonly (string | null)[]): string {
  const entries = sources.map((source, i) => {
    const name = `v${i + 1}`;
    const read = source === null ? '' : `    sources: ${name}/*.c\n`;
    return `  - version: ${name}\n    module: m_${name}\n    status: ${i === sources.length - 1 ? 'draft' : 'released'}\n${read}`;
  });
  const files = sources.map((source, i) => (source === null ? '' : `//- v${i + 1}/a.c\n${source}`));
  return `//- livepatch.yaml\nlineage: l\nkernel: "6.1"\nversions:\n${entries.join('')}${files.join('')}`;
}

test('no rule stumbles over a version of which only the name is known, or without objects', async () => {
  const full = livepatch({ ...VALUE, states: '  { .id = 7, .version = 1 },' });
  const empty = livepatch().replace('  .objs = objs,\n', '');
  const helper = '#include <linux/module.h>\nstatic int acme_level;\n';
  // What throws is told, and refused by `check`.
  for (const other of [null, empty, helper])
    for (const text of [among(other, full), among(full, other), among(full, other, full)])
      expect((await check(text)).findings.every(({ message }) => message !== '')).toBe(true);
});
