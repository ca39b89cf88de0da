import { beforeAll, expect, test } from 'vitest';
import { Disk } from '../../server/src/host/files';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { GitRepository } from '../support/git-repository';

beforeAll(() => startParser());

const MODULE = `#include <linux/livepatch.h>
#include "names.h"
#include "../common/more.h"
static struct klp_func funcs[] = {
	{ .old_name = NAME, .new_func = fixed },
#ifdef CONFIG_MORE
	{ .old_name = MORE, .new_func = fixed },
#endif
	{ }
};
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int start(void) { return klp_enable_patch(&patch); }
module_init(start);
`;

const manifest = (git: string): string => `lineage: l
kernel: "6.1"
versions:
  - version: v1
    module: lp_v1
    ${git}
    sources: "lp/*.c"
    include: headers
    defines: { CONFIG_MORE: y }
    status: released
`;

function patched(repository: GitRepository, git: string): string[] {
  repository.write({ 'sub/livepatch.yaml': manifest(git) });
  const project = new Project(repository.path('sub/livepatch.yaml'), repository.folder, new Disk());
  const patch = project.analyse().lineage.versions[0]?.facts?.patch;
  return (patch?.objects ?? []).flatMap((object) => (object.functions ?? []).map((it) => it.old ?? '?'));
}

test('include is relative to the manifest, in the work tree and at a revision alike', async () => {
  await GitRepository.with((repository) => {
    const at = (name: string): Record<string, string> => ({
      'sub/lp/main.c': MODULE,
      'sub/headers/names.h': `#define NAME "${name}"\nstatic void fixed(void) { }\n`,
      'sub/common/more.h': `#define MORE "${name}_more"\n`,
      // Not this one: it stands below the folder that sources may not leave, not below the manifest's.
      'headers/names.h': '#define NAME "wrong"\n',
    });
    repository.write(at('old'));
    repository.commit('u1');
    repository.write(at('new'));
    expect(patched(repository, 'note: work tree')).toEqual(['new', 'new_more']);
    expect(patched(repository, 'git: { revision: u1 }')).toEqual(['old', 'old_more']);
  });
});
