import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { klp, withFolder } from '../cli/run';
import { appended, changed } from './diff-text';

const DIFF = `${changed('fs/ext4/inode.c', 'ext4_open')}${appended(
  'kernel/acme.c',
  `#include "kpatch-macros.h"

static int acme_pre(patch_object *obj)
{
	return klp_shadow_alloc(NULL, 0x51, 4, GFP_KERNEL, NULL, NULL) ? 0 : -ENOMEM;
}
KPATCH_PRE_PATCH_CALLBACK(acme_pre);`,
)}`;

test('facts of a diff name its dialect', () => {
  withFolder({ 'x.patch': DIFF }, (folder) => {
    const { stdout, status } = klp(['facts', 'x.patch', '--format', 'json'], folder);
    expect(status).toBe(0);
    const line = (words: string): number => DIFF.slice(0, DIFF.indexOf(words)).split('\n').length;
    expect(JSON.parse(stdout)).toEqual({
      schema: 1,
      livepatches: [
        {
          file: 'x.patch',
          dialect: 'kpatch',
          replace: true,
          objects: [
            {
              name: null,
              functions: [],
              callbacks: { pre_patch: { function: 'acme_pre', line: line('static int acme_pre') } },
            },
            { name: 'ext4', functions: [{ old: 'ext4_open', new: 'ext4_open', sympos: 0 }], callbacks: {} },
          ],
          states: [],
          shadow: [
            {
              id: 0x51,
              api: 'klp_shadow_alloc',
              function: 'acme_pre',
              line: line('return klp_shadow_alloc'),
            },
          ],
          init: 'patch_init',
          exit: 'patch_exit',
          complete: true,
        },
      ],
    });
    expect(klp(['facts', 'x.patch'], folder).stdout).toContain(
      'fs/ext4/inode.c is taken to be part of the module ext4: no Kbuild file tells.',
    );
  });
});

test('check, matrix and simulate work on diffs; a rehearsal says that it does not', () => {
  const manifest =
    'lineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m_v1\n    sources: a.patch\n  - version: v2\n    module: m_v2\n    sources: b.patch\n';
  const files = { 'livepatch.yaml': manifest, 'a.patch': DIFF, 'b.patch': changed('kernel/acme.c', 'acme') };
  withFolder(files, (folder) => {
    const check = klp(['check', '.'], folder);
    expect(check.stdout).toContain('a.patch:');
    expect(klp(['matrix', '.'], folder).status).toBe(0);
    expect(klp(['simulate', '.', '--steps', 'load v1; load v2'], folder).stdout).toContain('pre_patch');
    const rehearse = klp(['rehearse', '.', '--steps', 'load v1'], folder);
    expect(rehearse.status).toBe(2);
    expect(rehearse.stderr).toMatch(/v1 is written as diffs for kpatch/);
  });
});

test('the manifests that the README shows for both are right', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  for (const [title, dialect] of [
    ['### Diffs for kpatch-build', 'kpatch'],
    ['### Diffs for klp-build', 'klp-build'],
  ] as const) {
    const section = readme.slice(readme.indexOf(title));
    const text = /```yaml\n([^`]*)```/.exec(section)?.[1] ?? '';
    const { manifest, problems } = parseManifest('livepatch.yaml', text);
    expect(problems).toEqual([]);
    expect(manifest.versions.map((version) => version.dialect.value)).toEqual([dialect, dialect]);
  }
});
