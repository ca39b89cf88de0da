import { expect, test } from 'vitest';
import { checkAll } from '../../server/src/rules/engine';
import { RULES } from '../../server/src/rules/registry';
import type { Finding, Rule } from '../../server/src/rules/rule';
import { FILE, FOLDER, marked, NOTIFIER, VALUE } from './effects';
import { check, expectMarked, lineage, manifest } from './fixture';
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
