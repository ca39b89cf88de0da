import { expect, test } from 'vitest';
import { VALUE } from './effects';
import { check, expectMarked, fixed, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';

const body = (text: string): string => lineage(manifest(['draft']), { body: text });

test('nothing is there to suppress', async () => {
  const findings = await expectMarked(
    body(
      '/* livepatch-ignore orphaned-side-effect: it shall stay */\n//~ unused-suppression: no orphaned-side-effect here',
    ),
  );
  expect(findings[0]?.severity).toBe('warning');
});

test('a code that no rule has', async () => {
  await expectMarked(
    body(
      '// livepatch-ignore orphaned-side-efect: typo\n//~ unused-suppression: Did you mean orphaned-side-effect?',
    ),
  );
});

test('no code at all', async () => {
  await expectMarked(body('/* livepatch-ignore */\n//~ unused-suppression: names no rule'));
});

test('of two codes one is spare', async () => {
  const callbacks = '      .post_patch = after,';
  const { findings } = await check(
    lineage(manifest(['draft']), {
      body: '/* livepatch-ignore wrong-callback-signature, lost-object: on purpose */\nstatic int after(struct klp_object *obj)\n{\n  return 0;\n}',
      callbacks,
    }),
  );
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    'unused-suppression: There is no lost-object here to suppress.',
  ]);
});

test('one that does its work is not spare', async () => {
  const text = livepatch({
    ...VALUE,
    body: (VALUE.body ?? '').replace(
      '  console_loglevel = 15;',
      '  /* livepatch-ignore unsafe-downgrade, cleanup-impossible: known */\n  console_loglevel = 15;',
    ),
  });
  await expectMarked(lineage(manifest(['released', 'draft']), {}, text));
});

test('one for a rule that is off is left alone', async () => {
  const end = 'rules:\n  orphaned-side-effect: off\n';
  await expectMarked(
    lineage(manifest(['draft'], { end }), { body: '/* livepatch-ignore orphaned-side-effect: not now */' }),
  );
});

test('words in a string are no comment', async () => {
  await expectMarked(body('static const char *s = "livepatch-ignore lost-object";'));
  await expectMarked(
    lineage(manifest([{ more: '    note: "see # livepatch-ignore lost-object: x"\n' }]), {}),
  );
});

test('in the manifest', async () => {
  await expectMarked(
    lineage(
      manifest(['draft']).replace(
        'versions:',
        '# livepatch-ignore manifest-invalid: old\n#~ unused-suppression\nversions:',
      ),
      {},
    ),
  );
});

test('the fix takes the comment away, and its line where nothing else stands there', async () => {
  for (const [before, after] of [
    ['static int a;\n/* livepatch-ignore lost-object: x */\nstatic int b;', 'static int a;\nstatic int b;'],
    ['static int a; // livepatch-ignore lost-object: x\nstatic int b;', 'static int a;\nstatic int b;'],
    ['static int a; /* livepatch-ignore lost-object: x */ static int b;', 'static int a;  static int b;'],
  ] as const) {
    const { fixture, findings } = await check(body(before));
    expect(findings.map((finding) => finding.code)).toEqual(['unused-suppression']);
    const fix = findings[0]?.fixes[0];
    expect(fix && fixed(fixture, fix).get('v1/a.c')).toBe(livepatch({ body: after }));
  }
});

test('a file that two versions share is looked at once', async () => {
  const head = manifest(['draft', 'draft']).replaceAll(/v[12]\/\*\.c/g, 'common/a.c');
  const source = livepatch({ body: '/* livepatch-ignore lost-object: x */\n//~ unused-suppression' });
  const findings = await expectMarked(`//- livepatch.yaml\n${head}//- common/a.c\n${source}`);
  expect(findings[0]?.versions).toEqual(['v1', 'v2']);
});

const NOISY = (comment: string, line: string): string =>
  lineage(manifest(['draft']), { objects: `  {\n${comment}\n    ${line}\n    .funcs = funcs,\n  },` });
precision(
  'unused-suppression',
  [
    {
      what: 'the finding is two lines below',
      lineage: NOISY(
        '    /* livepatch-ignore bad-object-name: x */\n    .patched = false,',
        '.name = "vmlinux",',
      ),
      says: 'There is no bad-object-name here to suppress',
    },
    {
      what: 'the code was put right',
      lineage: NOISY('    /* livepatch-ignore bad-object-name: x */', '.name = "ext4",'),
      says: 'There is no bad-object-name here to suppress',
    },
  ],
  [
    {
      why: 'on the line above',
      lineage: NOISY('    /* livepatch-ignore bad-object-name: x */', '.name = "vmlinux",'),
    },
    {
      why: 'on the line itself',
      lineage: NOISY('', '.name = "vmlinux", // livepatch-ignore bad-object-name: x'),
    },
    {
      why: 'a comment of several lines',
      lineage: NOISY(
        '    /*\n     * livepatch-ignore bad-object-name: a reason\n     * over two lines\n     */',
        '.name = "vmlinux",',
      ),
    },
    {
      why: 'code that is not compiled is not looked at',
      lineage: NOISY(
        '#ifdef LP_OLD\n    .name = "vmlinux", /* livepatch-ignore bad-object-name: x */\n#endif',
        '.name = "ext4",',
      ),
    },
  ],
);
