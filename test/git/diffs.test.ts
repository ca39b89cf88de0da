import { beforeAll, expect, test } from 'vitest';
import { Disk } from '../../server/src/host/files';
import { placesOf } from '../../server/src/host/places-of';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { GitRepository } from '../support/git-repository';

beforeAll(() => startParser());

const DIFF = `--- a/net/core/dev.c
+++ b/net/core/dev.c
@@ -1,3 +1,12 @@
 #include <linux/netdevice.h>
+#include "kpatch-macros.h"
+
+static int net_pre(patch_object *obj)
+{
+	pr_info("patched\\n");
+	return 0;
+}
+KPATCH_PRE_PATCH_CALLBACK(net_pre);
+
 int dev_value(void)
 {
`;

test('a diff in a revision is read as one in the work tree, and its places stand in the revision', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'fix.patch': DIFF });
    repository.commit('u1');
    const facts = ['git: { revision: u1 }', 'note: work tree'].map((source) => {
      repository.write({
        'livepatch.yaml': `lineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: lp_v1\n    ${source}\n    sources: fix.patch\n    dialect: kpatch\n`,
      });
      const project = new Project(repository.path('livepatch.yaml'), repository.folder, new Disk());
      const patch = project.analyse().lineage.versions[0]?.facts?.patch;
      const object = patch?.objects?.[0];
      const callback = object?.callbacks.find((it) => it.callback === 'pre_patch');
      if (!callback?.place) throw new Error('the callback was not read');
      return { function: callback.function, ...placesOf(project).at(callback.place) };
    });
    expect(facts[1]).toMatchObject({ function: 'net_pre', file: 'fix.patch' });
    expect(facts[0]).toEqual({ ...facts[1], revision: 'u1' });
  });
});
