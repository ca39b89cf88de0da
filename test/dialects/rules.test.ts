import { expect, test } from 'vitest';
import type { Finding } from '../../server/src/rules/rule';
import { analyseTexts } from '../support/project';
import { appended, changed } from './diff-text';

const NOTIFIER = `static int acme_event(struct notifier_block *nb, unsigned long event, void *data)
{
	return NOTIFY_OK;
}

static struct notifier_block acme_nb = {
	.notifier_call = acme_event,
};

static int acme_pre_patch(patch_object *obj)
{
	return register_netdevice_notifier(&acme_nb);
}
KPATCH_PRE_PATCH_CALLBACK(acme_pre_patch);

static void acme_post_unpatch(patch_object *obj)
{
	unregister_netdevice_notifier(&acme_nb);
}
KPATCH_POST_UNPATCH_CALLBACK(acme_post_unpatch);`;

/** Findings of a lineage of two diffs; `second` is the entry of v2 beyond its names. */
async function findings(kernel: string, second = ''): Promise<readonly Finding[]> {
  const head = `lineage: l\nkernel: "${kernel}"\nversions:\n  - version: v1\n    module: m_v1\n    sources: v1.patch\n`;
  const analysis = await analyseTexts({
    'livepatch.yaml': `${head}  - version: v2\n    module: m_v2\n    sources: v2.patch\n    dialect: kpatch\n${second}`,
    'v1.patch': changed('kernel/acme.c', 'acme'),
    'v2.patch': `${changed('kernel/acme.c', 'acme')}${appended('kernel/more.c', NOTIFIER)}`,
  });
  return analysis.findings();
}

test('what the tool writes itself lacks nothing and fits every kernel', async () => {
  for (const kernel of ['4.19', '5.4', '6.1']) {
    const codes = (await findings(kernel)).map(({ code }) => code);
    expect(codes).not.toContain('not-a-livepatch');
    expect(codes).not.toContain('not-in-this-kernel');
    expect(codes).not.toContain('side-effect-in-init-exit');
    expect(codes).not.toContain('init-leaks-on-error');
  }
});

test('callbacks are not in a kernel before 4.15, and that stands at the macro', async () => {
  const found = (await findings('4.14')).filter(({ code }) => code === 'not-in-this-kernel');
  expect(found.map(({ message, place }) => [message, place.file])).toEqual([
    [expect.stringContaining('There are no callbacks in kernel 4.14'), '/lineage/v2.patch'],
  ]);
});

test('a build without replace is said at the key of the manifest', async () => {
  const [found] = (await findings('6.1', '    replace: false\n')).filter(
    ({ code }) => code === 'missing-replace',
  );
  expect(found?.place.file).toBe('/lineage/livepatch.yaml');
  expect(found?.message).toBe(
    'v2 is built not to replace, unlike v1: the kernel stacks it on what is installed instead of replacing that. Build it without that flag.',
  );
  expect(found?.fixes).toEqual([]);
});

test('no advice speaks of states, which a diff cannot have', async () => {
  const found = await findings('6.1');
  expect(found.map(({ code }) => code)).toContain('cleanup-impossible');
  for (const { message, related } of found) {
    expect(message).not.toMatch(/\ba state\b|klp_state/);
    for (const other of related) expect(other.message).not.toMatch(/\ba state\b|klp_state/);
  }
});
