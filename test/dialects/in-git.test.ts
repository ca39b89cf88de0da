import { expect, test } from 'vitest';
import { readBlobName } from '../../server/src/core/blob-names';
import { Disk } from '../../server/src/host/files';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { GitRepository } from '../support/git-repository';
import { appended, changed } from './diff-text';

const CALLBACK = `static void acme_pre(patch_object *obj)
{
}
KPATCH_PRE_PATCH_CALLBACK(acme_pre);`;

test('diffs of a revision are read as those of the work tree, and places lead into the revision', async () => {
  await startParser();
  await GitRepository.with((repository) => {
    const first = `${changed('kernel/a.c', 'acme')}${appended('kernel/b.c', CALLBACK)}`;
    repository.write({ 'fixes/a.patch': first });
    repository.commit('r1');
    repository.write({
      'fixes/a.patch': changed('kernel/a.c', 'other'),
      'livepatch.yaml':
        'lineage: l\nkernel: "6.1"\ndefaults: { dialect: kpatch, sources: fixes/*.patch }\nversions:\n  - version: v1\n    module: m_v1\n    git: { revision: r1 }\n  - version: v2\n    module: m_v2\n',
    });
    const analysis = new Project(repository.path('livepatch.yaml'), repository.folder, new Disk()).analyse();
    const old = analysis.lineage.versions.map(({ facts }) =>
      facts?.patch?.objects?.flatMap(({ functions }) => (functions ?? []).map((it) => it.old)),
    );
    expect(old).toEqual([['acme'], ['other']]);
    const [finding] = analysis.findings().filter(({ code }) => code === 'wrong-callback-signature');
    expect(readBlobName(finding?.place.file ?? '')?.path).toBe(repository.path('fixes/a.patch'));
    expect(first.slice(finding?.place.start, finding?.place.end)).toBe('acme_pre');
  });
});
