import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../server/src/cli/program';
import { captureOutput } from '../support/captured';
import { fix, manifest, replacement, TEMPLATE } from './tree';

/** Commands that need modules in C say so, and what to do, for a version in another form. */

const HUNK = `--- a/fs/proc/cmdline.c
+++ b/fs/proc/cmdline.c
@@ -7,4 +7,5 @@
 static int cmdline_proc_show(struct seq_file *m, void *v)
 {
+	seq_puts(m, "patched ");
 	seq_puts(m, saved_command_line);
 	return 0;
`;
const ONE = { rows: 'vmlinux do_one klpp_do_one\n', body: replacement('do_one') };
const LINEAGES: Readonly<Record<string, Record<string, string>>> = {
  suse: {
    'livepatch.yaml': manifest(['released']),
    'v1/livepatch_main.c': TEMPLATE,
    ...fix('v1/', 'bsc1', ONE),
  },
  kpatch: {
    'livepatch.yaml':
      'lineage: diffs\nkernel: "6.1"\nversions:\n  - { version: v1, module: klp_v1, dialect: kpatch, sources: [v1/a.patch], status: released }\n',
    'v1/a.patch': HUNK,
  },
};

let folder = '';
const printed = captureOutput();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-refused-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function said(dialect: string, command: string, ...args: string[]): Promise<readonly [number, string]> {
  for (const [name, text] of Object.entries(LINEAGES[dialect] ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return [await runCommand(command, [folder, ...args]), printed.err];
}

test.each([
  ['suse', 'the same tree with one more fix folder and a raised `Version:`'],
  ['kpatch', 'the same diffs and one more'],
])('new-version of a version in the dialect %s', async (dialect, what) => {
  const [code, why] = await said(dialect, 'new-version', '--from', 'v1', '--as', 'v2');
  expect(code).toBe(1);
  expect(why).toContain(
    `livepatch.yaml:4: v1 is written in the dialect ${dialect}: only livepatch modules in C can be continued. Its next version is ${what}: add that to the manifest.`,
  );
});

test.each([
  ['suse', 'v1 is written as a tree of suse, which is not built here: only modules in C are rehearsed'],
  ['kpatch', 'v1 is written as diffs for kpatch, which is not built here: only modules in C are rehearsed'],
])('rehearse of a version in the dialect %s', async (dialect, why) => {
  await expect(said(dialect, 'rehearse', '--steps', 'load v1')).rejects.toMatchObject({
    exit: 2,
    message: why,
  });
});
