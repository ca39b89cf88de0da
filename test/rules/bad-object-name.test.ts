import { expect, test } from 'vitest';
import { check, expectMarked, fixed, lineage, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

const named = (line: string, rest = '    .funcs = funcs,'): string =>
  lineage(manifest(['draft']), {
    objects: `  {\n    ${line}\n${rest}\n  },\n  {\n    .funcs = funcs,\n  },`,
  });

test.each([
  ['vmlinux', 'The kernel itself is the object without `.name`'],
  ['nf_tables.ko', 'lsmod shows that module as nf_tables'],
  ['snd-hda-intel', 'lsmod shows that module as snd_hda_intel'],
  ['net/netfilter/nf_tables.ko.xz', 'lsmod shows that module as nf_tables'],
  ['', 'refused with -EINVAL'],
  ['a_name_with_more_characters_than_any_module_may_ever_have_x', 'at most 55'],
])('"%s" is no name of an object', async (name, words) => {
  await expectMarked(named(`.name = "${name}",\n    //~ bad-object-name: ${words}`));
});

test.each(['ext4', 'nf_tables', 'snd_hda_codec_hdmi', 'x86_pkg_temp_thermal', 'SoundCore'])(
  '"%s" is one',
  async (name) => {
    await expectMarked(named(`.name = "${name}",`));
  },
);

test('the kernel itself has no name, or NULL', async () => {
  await expectMarked(
    lineage(manifest(['draft']), { objects: '  {\n    .name = NULL,\n    .funcs = funcs,\n  },' }),
  );
});

test.each([
  ['.name = "vmlinux",', ''],
  ['.name = "nf_tables.ko",', '    .name = "nf_tables",\n'],
  ['.name = "snd-hda-intel",', '    .name = "snd_hda_intel",\n'],
])('the fix of %s', async (line, right) => {
  const { fixture, findings } = await check(named(line));
  expect(findings.map((finding) => finding.code)).toEqual(['bad-object-name']);
  const fix = findings[0]?.fixes[0];
  expect(fix?.preferred).toBe(true);
  const before = fixture.files.get('v1/a.c') ?? '';
  expect(fix && fixed(fixture, fix).get('v1/a.c')).toBe(before.replace(`    ${line}\n`, right));
});

test('a released version cannot be changed: a warning at most, and nothing is offered', async () => {
  const { findings } = await check(named('.name = "vmlinux",').replace('status: draft', 'status: released'));
  expect(findings.map(({ code, severity, fixes }) => ({ code, severity, fixes: fixes.length }))).toEqual([
    { code: 'bad-object-name', severity: 'warning', fixes: 0 },
  ]);
});

const LONG = 'a_name_with_more_characters_than_any_module_may_ever_have';
const NEVER = 'so nothing of this object is ever patched.';

test.each([
  [
    'vmlinux',
    `No module is called vmlinux, ${NEVER} The kernel itself is the object without \`.name\`.`,
    'Remove the name: this is the kernel itself',
  ],
  [
    '',
    'An object with an empty name is refused with -EINVAL. Leave `.name` away for the kernel itself.',
    'Remove the name: this is the kernel itself',
  ],
  [
    'nf-tables.ko.gz',
    `No module is called nf-tables.ko.gz, ${NEVER} lsmod shows that module as nf_tables.`,
    'Change to "nf_tables"',
  ],
  // Nobody can tell which module is meant.
  [
    'nf tables',
    `No module is called "nf tables", ${NEVER} A name has no blanks: write it as lsmod shows it.`,
    null,
  ],
  [
    LONG,
    `The name has 57 characters, and a module's name at most 55: the kernel refuses the livepatch with -EINVAL. ` +
      'Write the name that lsmod shows.',
    null,
  ],
])('what is told of "%s"', async (name, message, fix) => {
  expect(await told(named(`.name = "${name}",`), 'bad-object-name')).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message,
      versions: ['v1'],
      on: `v1/a.c: .name = "${name}"`,
      related: [],
      run: [],
      fixes: fix === null ? [] : [fix],
    },
  ]);
});

test.each([
  ['{ "vmlinux", funcs },', '{ NULL, funcs },', 'Change to NULL: the kernel itself'],
  ['{ "nf-tables", funcs },', '{ "nf_tables", funcs },', 'Change to "nf_tables"'],
  [
    '{ .name="vmlinux", .funcs = funcs },',
    '{ .funcs = funcs },',
    'Remove the name: this is the kernel itself',
  ],
])('%s becomes %s', async (line, right, title) => {
  const { fixture, findings } = await check(lineage(manifest(['draft']), { objects: `  ${line}` }));
  const fix = findings.find(({ code }) => code === 'bad-object-name')?.fixes[0];
  expect(fix?.title).toBe(title);
  const before = fixture.files.get('v1/a.c') ?? '';
  expect(fix && fixed(fixture, fix).get('v1/a.c')).toBe(before.replace(line, right));
});

precision(
  'bad-object-name',
  [
    {
      what: 'a macro with the name',
      lineage: lineage(manifest(['draft']), {
        body: '#define TARGET "kvm-intel"',
        objects: '  { .name = TARGET, .funcs = funcs },',
      }),
      says: 'lsmod shows that module as kvm_intel',
    },
    {
      what: 'made of tokens',
      lineage: lineage(manifest(['draft']), {
        body: '#define STR(x) #x\n#define XSTR(x) STR(x)\n#define TARGET nf-tables',
        objects: '  { .name = XSTR(TARGET), .funcs = funcs },',
      }),
      says: 'nf_tables',
    },
    { what: 'a blank behind it', lineage: named('.name = "ext4 ",'), says: 'A name has no blanks' },
    {
      what: 'set in init',
      lineage: lineage(manifest(['draft']), {
        objects: '  { .funcs = funcs },',
        init: '  objs[0].name = "vmlinux";\n  return klp_enable_patch(&patch);',
      }),
      says: 'object without `.name`',
    },
  ],
  [
    { why: 'no ending, but a part of the name', lineage: named('.name = "acme.kobjects",') },
    { why: 'joined strings', lineage: named('.name = "nf" "_tables",') },
    { why: 'a name that only a header knows', lineage: named('.name = LP_TARGET,') },
    { why: 'an entry that is not compiled', lineage: named('#if 0\n    .name = "vmlinux",\n#endif') },
    {
      why: 'a positional entry without a name',
      lineage: lineage(manifest(['draft']), { objects: '  { NULL, funcs },' }),
    },
    { why: 'exactly as long as a name may be', lineage: named(`.name = "${'a'.repeat(55)}",`) },
  ],
);
