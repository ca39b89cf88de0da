import { expect, test } from 'vitest';
import type { Finding } from '../../server/src/rules/rule';
import { projectOfTexts } from '../support/project';
import { fix, manifest, replacement, sharedCount, TEMPLATE } from './tree';

const ALL = ['released', 'released', 'draft'];

/** All findings of a lineage whose versions have this fix beside a plain one. */
async function found(
  bodies: readonly string[],
  statuses: readonly string[] = ALL,
): Promise<readonly Finding[]> {
  const files: Record<string, string> = { 'livepatch.yaml': manifest(statuses.slice(0, bodies.length)) };
  bodies.forEach((body, i) => {
    const folder = `v${i + 1}/`;
    Object.assign(files, {
      [`${folder}livepatch_main.c`]: TEMPLATE,
      ...fix(folder, 'bsc1', { rows: 'vmlinux do_one klpp_do_one\n', body: replacement('do_one') }),
      ...fix(folder, 'bsc2', {
        rows: 'vmlinux do_two klpp_do_two\n',
        body: replacement('do_two') + body,
        init: true,
      }),
    });
  });
  const { project } = await projectOfTexts(files);
  const analysis = project.analyse();
  expect(analysis.lineage.versions.every((version) => version.facts?.enables === true)).toBe(true);
  return analysis.findings();
}

const codes = (findings: readonly Finding[]): string[] =>
  [...new Set(findings.map(({ code }) => code))].sort();
const three = <T>(item: T): T[] => [item, item, item];

const MAKE = '\t\tproc_mkdir("acme", NULL);\n';
const REMOVE = '\t\tremove_proc_entry("acme", NULL);\n';

test('a count in a shadow variable, shared by init and cleanup of all versions, is right', async () => {
  expect(await found(three(sharedCount('bsc2', 77)))).toEqual([]);
  expect(await found([sharedCount('bsc2', 77)], ['draft'])).toEqual([]);
});

test('so is what the first init does and the last cleanup undoes', async () => {
  expect(await found(three(sharedCount('bsc2', 77, MAKE, REMOVE)))).toEqual([]);
});

test('a later version without the fix is fine: the last exit of those that have it frees', async () => {
  const none = 'int livepatch_bsc2_init(void) { return 0; }\nvoid livepatch_bsc2_cleanup(void) {}\n';
  const shared = sharedCount('bsc2', 77);
  expect(await found([shared, shared, none])).toEqual([]);
});

test('freed without counting', async () => {
  const wrong = sharedCount('bsc2', 77).replace('if (!bsc2_shared->users) {\n\t\tklp', 'if (1) {\n\t\tklp');
  expect(wrong).not.toBe(sharedCount('bsc2', 77));
  const findings = await found(three(wrong));
  expect(codes(findings)).toContain('shadow-free-in-exit');
});

test('the last version frees without counting what the others count', async () => {
  const right = sharedCount('bsc2', 77);
  const wrong = right.replace('if (!bsc2_shared->users) {\n\t\tklp', 'if (1) {\n\t\tklp');
  const findings = await found([right, right, wrong]);
  expect(codes(findings)).toContain('shadow-free-in-exit');
});

test('work of init without a count', async () => {
  const body = `int livepatch_bsc2_init(void)\n{\n${MAKE}\treturn 0;\n}\n\nvoid livepatch_bsc2_cleanup(void)\n{\n${REMOVE}}\n`;
  const findings = await found(three(body));
  expect(codes(findings)).toContain('side-effect-in-init-exit');
  expect(findings.every(({ place }) => /livepatch_bsc2\.c$|livepatch\.yaml$/.test(place.file))).toBe(true);
});

test('a count of the module itself is no shared one', async () => {
  const body = `static int users;\n\nint livepatch_bsc2_init(void)\n{\n\tif (!users++)\n${MAKE}\treturn 0;\n}\n\nvoid livepatch_bsc2_cleanup(void)\n{\n\tif (!--users)\n${REMOVE}}\n`;
  expect(codes(await found(three(body)))).toContain('side-effect-in-init-exit');
});

test('what is registered under a count points into the module that came first', async () => {
  const callback = `#include <linux/reboot.h>\n\nstatic int bsc2_call(struct notifier_block *nb, unsigned long event, void *data)\n{\n\treturn 0;\n}\n\nstatic struct notifier_block bsc2_block = { .notifier_call = bsc2_call };\n\n`;
  const body =
    callback +
    sharedCount(
      'bsc2',
      77,
      '\t\tregister_reboot_notifier(&bsc2_block);\n',
      '\t\tunregister_reboot_notifier(&bsc2_block);\n',
    );
  expect(codes(await found(three(body)))).toContain('dangling-module-pointer');
});

test('an init that fails half-way takes back what the fixes before it did', async () => {
  const failing = (undo: string): Record<string, string> => ({
    'v1/livepatch_main.c': TEMPLATE.replace('@@KLP_PATCHES_INIT_ERR_HANDLERS@@;', undo),
    ...fix('v1/', 'bsc2', {
      rows: 'vmlinux do_two klpp_do_two\n',
      body: replacement('do_two') + sharedCount('bsc2', 77, MAKE, REMOVE),
      init: true,
    }),
    ...fix('v1/', 'bsc3', {
      rows: 'vmlinux do_three klpp_do_three\n',
      body: `${replacement('do_three')}static void *table;\n\nint livepatch_bsc3_init(void)\n{\n\ttable = kzalloc(64, GFP_KERNEL);\n\treturn table ? 0 : -ENOMEM;\n}\n\nvoid livepatch_bsc3_cleanup(void)\n{\n\tkfree(table);\n}\n`,
      init: true,
    }),
  });
  const check = async (undo: string): Promise<string[]> => {
    const { project } = await projectOfTexts({ 'livepatch.yaml': manifest(['draft']), ...failing(undo) });
    return codes(project.analyse().findings());
  };
  expect(await check('@@KLP_PATCHES_INIT_ERR_HANDLERS@@;')).toEqual([]);
  expect(await check('err_bsc2: err_bsc3:;')).toContain('init-leaks-on-error');
});
