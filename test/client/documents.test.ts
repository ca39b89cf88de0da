import picomatch from 'picomatch';
import { expect, test, vi } from 'vitest';
import {
  DOCUMENT_SELECTOR,
  includesLivepatch,
  isManifestPath,
  MANIFEST_GLOB,
} from '../../client/src/documents';
import { ruleOfPath } from '../../client/src/rule-pages';

vi.mock('vscode', async () => (await import('./fake-vscode')).fakeVscode());

test.each([
  ['#include <linux/livepatch.h>\n', true],
  ['/* GPL */\r\n#include <linux/module.h>\r\n#include <linux/livepatch.h>\r\n', true],
  ['#  include   "linux/livepatch.h"', true],
  ['\t#include <linux/livepatch.h>', true],
  ['// see linux/livepatch.h\n#include <linux/kernel.h>', false],
  ['// see linux/livepatch.h\n#include <linux/livepatch.h>', true],
  ['#include <linux/livepatch_sched.h>', false],
  ['#include <asm/livepatch.h>', false],
  ['int x;', false],
  ['', false],
])('is %j a livepatch: %s', (text, expected) => {
  expect(includesLivepatch(text)).toBe(expected);
});

test('a huge file is looked at only at its top', () => {
  expect(includesLivepatch(`${' '.repeat(300_000)}\n#include <linux/livepatch.h>`)).toBe(false);
});

test.each([
  ['/a/livepatch.yaml', true],
  ['/a/livepatch.yml', true],
  ['/a/net.livepatch.yaml', true],
  ['C:\\a\\livepatch.yaml', true],
  ['/a/net.livepatch.yml', false],
  ['/a/mylivepatch.yaml', false],
  ['/a/livepatch.yaml/x', false],
])('%s is a manifest: %s', (path, expected) => {
  expect(isManifestPath(path)).toBe(expected);
  if (!path.includes('\\')) expect(picomatch(MANIFEST_GLOB)(path.slice(1))).toBe(expected);
});

test('the server hears of manifests by name, whatever language they are held as, and of C and diffs', () => {
  const files = DOCUMENT_SELECTOR.filter((filter) => filter.scheme === 'file');
  const languages = files.map((filter) => filter.language ?? filter.pattern);
  expect(languages).toEqual(['livepatch-manifest', MANIFEST_GLOB, 'c', '**/*.{c,h,patch,diff}']);
  // Beside files of the work tree only those of revisions, which the server itself hands out.
  const others = DOCUMENT_SELECTOR.filter((filter) => filter.scheme !== 'file');
  expect(others).toEqual([{ scheme: 'livepatch-revision' }]);
});

test('the path of a rule page names one rule', () => {
  expect(ruleOfPath('/orphaned-side-effect.md')).toBe('orphaned-side-effect');
  for (const path of ['/', '/x', '/../x.md', '/a/b.md', '/X.md', `/${'a'.repeat(61)}.md`])
    expect(ruleOfPath(path)).toBeNull();
});
