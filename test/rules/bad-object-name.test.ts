import { expect, test } from 'vitest';
import { check, expectMarked, fixed, lineage, manifest } from './fixture';

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
