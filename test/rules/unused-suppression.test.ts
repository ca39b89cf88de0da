import { expect, test } from 'vitest';
import { VALUE } from './effects';
import { check, expectMarked, fixed, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

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

const CODE = 'unused-suppression';
const says = (comment: string): Promise<string[]> => spoken(body(comment), CODE);
const NONE = (code: string): string => `warning must v1: There is no ${code} here to suppress.`;

test('the whole sentences', async () => {
  expect(await says('/* livepatch-ignore lost-object: x */')).toEqual([NONE('lost-object')]);
  expect(await says('/* livepatch-ignore lost-objekt: x */')).toEqual([
    'warning must v1: No rule is called lost-objekt. Did you mean lost-object?',
  ]);
  expect(await says('/* livepatch-ignore something-else-altogether: x */')).toEqual([
    'warning must v1: No rule is called something-else-altogether.',
  ]);
  expect(await says('/* livepatch-ignore */')).toEqual([
    'warning must v1: This comment names no rule, so it suppresses nothing: write `livepatch-ignore code: reason`.',
  ]);
  expect(await says('/* livepatch-ignore lost-object, moved-sympos: x */')).toEqual([
    NONE('lost-object'),
    NONE('moved-sympos'),
  ]);
});

test('a comment may speak for this very rule', async () => {
  expect(await says('/* livepatch-ignore unused-suppression, lost-object: x */')).toEqual([]);
  expect(await says('/* livepatch-ignore unused-suppression: x */')).toEqual([]);
});

test('the fixes: none where only one of two is spare', async () => {
  const titles = async (comment: string): Promise<string[][]> =>
    (await check(body(comment))).findings.map(({ fixes }) => fixes.map(({ title }) => title));
  expect(await titles('/* livepatch-ignore lost-object: x */')).toEqual([['Remove this comment']]);
  expect(await titles('int a; /* livepatch-ignore lost-objekt: x */')).toEqual([['Remove this comment']]);
  expect(await titles('/* livepatch-ignore */')).toEqual([['Remove this comment']]);
  expect(await titles('/* livepatch-ignore lost-object, lost-objekt: x */')).toEqual([[], []]);
});

test.each([
  ['/* livepatch-ignore lost-object: x */\nint a;', 'int a;'],
  ['int a;\n\t/* livepatch-ignore lost-object: x */  ', 'int a;'],
  ['int a;\t/* livepatch-ignore lost-object: x */  \nint b;', 'int a;  \nint b;'],
  ['  /* livepatch-ignore lost-object: x */ int b;', '   int b;'],
  ['int a; /* livepatch-ignore lost-object: x */', 'int a;'],
])('at the end and the beginning of a file: %j', async (comment, after) => {
  const rest = '#include <linux/livepatch.h>\n';
  const head = manifest(['draft']).replace('v1/*.c', '[v1/a.c, v1/b.c, v1/c.c]');
  for (const [name, text, wanted] of [
    ['v1/b.c', `${comment}\n${rest}`, `${after}\n${rest}`],
    ['v1/c.c', `${rest}${comment}\n`, `${rest}${after}\n`],
  ] as const) {
    const other = name === 'v1/b.c' ? 'v1/c.c' : 'v1/b.c';
    const { fixture, findings } = await check(
      `//- livepatch.yaml\n${head}//- v1/a.c\n${livepatch()}//- ${name}\n${text}//- ${other}\n${rest}`,
    );
    const [fix] = findings.filter(({ code }) => code === CODE).flatMap(({ fixes }) => fixes);
    expect(fix && fixed(fixture, fix).get(name)).toBe(wanted);
  }
});

/** A manifest in which v1 has two problems of the manifest, at `objects`, under a comment. */
const inManifest = (before: string, behind = ''): string =>
  lineage(
    `${manifest(['draft'])}${before}scenarios:\n  - name: way${behind}\n    steps: [load v9]\n    expect: clean\n`,
    {},
  );

test.each([
  ['      # livepatch-ignore scenario-failed: x\n', ['scenario-failed']],
  ['#livepatch-ignore scenario-failed,  lost-object : x\n', ['scenario-failed', 'lost-object']],
  ['#   livepatch-ignore scenario-failed lost-object\n', ['scenario-failed', 'lost-object']],
  ['# livepatch-ignored scenario-failed: x\n', []],
  ['# no livepatch-ignore scenario-failed: x\n', []],
])('in the manifest: %j', async (before, codes) => {
  expect((await spoken(inManifest(before), CODE)).sort()).toEqual(
    [...codes].sort().map((code) => `warning must : There is no ${code} here to suppress.`),
  );
});

test('in the manifest: its own line, and the next one where it stands alone', async () => {
  const found = async (text: string): Promise<string[]> =>
    (await check(text)).findings.map(({ code }) => code).sort();
  const invalid = lineage(`${manifest(['draft'])}colour: red\n`, {});
  expect(await found(invalid)).toEqual(['manifest-invalid']);
  const comment = '# livepatch-ignore manifest-invalid: x';
  expect(await found(invalid.replace('red', `red ${comment}`))).toEqual([]);
  expect(await found(invalid.replace('colour', `${comment}\ncolour`))).toEqual([]);
  expect(await found(invalid.replace('colour', `${comment}\n\ncolour`))).toEqual(['manifest-invalid', CODE]);
  expect(await found(invalid.replace('lineage: l', `lineage: l ${comment}`))).toEqual([
    'manifest-invalid',
    CODE,
  ]);
  // Not alone: the next line is another's.
  const behind = invalid.replace('colour: red', `rules: {} ${comment}\ncolour: red`);
  expect(await found(behind)).toEqual(['manifest-invalid', CODE]);
});

test('one file of two versions, of which one does not compile what stands there', async () => {
  const head = manifest(['draft', 'draft']).replaceAll(/v[12]\/\*\.c/g, 'common/a.c');
  const versions = head.replace('module: m_v2', 'module: m_v2\n    defines: { LP_TWO: y }');
  const comment = '/* livepatch-ignore lost-object: x */';
  for (const [condition, names] of [
    ['LP_TWO', ['v1 v2']],
    ['LP_THREE', []],
  ] as const) {
    const text = `//- livepatch.yaml\n${versions}//- common/a.c\n${livepatch({ body: `#ifdef ${condition}\nint a; ${comment}\n#endif` })}`;
    expect((await spoken(text, CODE)).map((said) => said.split(':')[0])).toEqual(
      names.map((name) => `warning must ${name}`),
    );
  }
});
