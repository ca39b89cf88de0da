import { expect, test } from 'vitest';
import type { Analysis } from '../../server/src/features/analysis';
import { analyseTexts } from '../support/project';
import { asDiff, lineageIn, type VersionParts } from './three-ways';

/** v2 hangs a notifier into the kernel that no successor takes out, v3 writes a variable, v4 counts in a shadow variable. */
const VERSIONS: readonly VersionParts[] = [
  { limit: '\tif (n == 7)\n\t\tn = 6;\n' },
  {
    limit: '\tif (n == 7)\n\t\tn = 6;\n',
    open: '\tif (flags & 4)\n\t\treturn -EPERM;\n',
    sys: `static int acme_event(struct notifier_block *nb, unsigned long event, void *data)
{
	return NOTIFY_OK;
}

static struct notifier_block acme_nb = {
	.notifier_call = acme_event,
};

static int acme_pre_patch(OBJECT *obj)
{
	return register_netdevice_notifier(&acme_nb);
}

static void acme_post_unpatch(OBJECT *obj)
{
	unregister_netdevice_notifier(&acme_nb);
}
`,
    callbacks: { pre_patch: 'acme_pre_patch', post_unpatch: 'acme_post_unpatch' },
  },
  {
    open: '\tif (flags & 4)\n\t\treturn -EPERM;\n',
    sys: `static void acme_post_patch(OBJECT *obj)
{
	acme_calls = 99;
}
`,
    callbacks: { post_patch: 'acme_post_patch' },
  },
  {
    open: `	{
		int *count = klp_shadow_get_or_alloc(acme, 0x77, sizeof(*count), GFP_KERNEL, NULL, NULL);

		if (count)
			(*count)++;
	}
`,
    core: `static void acme_core_post_unpatch(OBJECT *obj)
{
	klp_shadow_free_all(0x77, NULL);
}
`,
    moduleCallbacks: { post_unpatch: 'acme_core_post_unpatch' },
  },
];

function factsOf({ lineage }: Analysis): unknown {
  return lineage.versions.map(({ name, facts }) => ({
    name,
    replace: facts?.patch?.replace,
    objects: (facts?.patch?.objects ?? [])
      .map((object) => ({
        name: object.name,
        functions: (object.functions ?? []).map(({ old, sympos }) => [old, sympos]),
        callbacks: object.callbacks.map(({ callback, function: fn }) => [callback, fn]),
      }))
      .sort((a, b) => String(a.name).localeCompare(String(b.name))),
    states: facts?.patch?.states,
    shadow: facts?.shadow.map(({ id, api, size, function: fn }) => [id, api, size, fn.replace('klpp_', '')]),
  }));
}

function verdictsOf({ lineage, transitions }: Analysis): string[] {
  return [null, ...lineage.versions].flatMap((from) =>
    lineage.versions.flatMap((to) => {
      if (from === to) return [];
      const { word, certainty } = transitions.transition(from, to).run.verdict;
      return [`${from?.name ?? 'none'} to ${to.name}: ${word} ${certainty}`];
    }),
  );
}

function findingsOf(analysis: Analysis): string[] {
  return analysis
    .findings()
    .map(({ code, versions, severity, certainty }) => `${code} ${versions.join()} ${severity} ${certainty}`)
    .sort();
}

test.for(['kpatch', 'klp-build'] as const)(
  'a lineage as diffs for %s says what it says as modules',
  async (dialect) => {
    const modules = await analyseTexts(
      lineageIn('module', VERSIONS, 3, dialect === 'kpatch' ? '6.1' : '6.19'),
    );
    for (const context of [3, 30]) {
      const diffs = await analyseTexts(lineageIn(dialect, VERSIONS, context));
      expect(diffs.lineage.versions.map((version) => version.dialect)).toEqual(VERSIONS.map(() => dialect));
      expect(factsOf(diffs)).toEqual(factsOf(modules));
      expect(verdictsOf(diffs)).toEqual(verdictsOf(modules));
      expect(findingsOf(diffs)).toEqual(findingsOf(modules));
    }
    expect(findingsOf(modules).join('\n')).toContain('dangling-module-pointer v2');
    expect(new Set(verdictsOf(modules).map((line) => line.split(': ')[1])).size).toBeGreaterThan(2);
  },
);

test('every finding stands on a line that the diff added, and on the code it speaks of', async () => {
  const files = lineageIn('kpatch', VERSIONS);
  const { findings } = await analyseTexts(files);
  const places = findings().filter(({ place }) => place.file.endsWith('.patch'));
  expect(places.length).toBeGreaterThan(3);
  for (const { place, code } of places) {
    const text = files[place.file.replace('/lineage/', '')] ?? '';
    const line = text.slice(text.lastIndexOf('\n', place.start) + 1, text.indexOf('\n', place.start));
    expect(line, code).toMatch(/^\+/);
    expect(place.end).toBeLessThanOrEqual(text.length);
  }
  const dangling = findings().find(({ code }) => code === 'dangling-module-pointer');
  const text = files['v2/a.patch'] ?? '';
  expect(text.slice(dangling?.place.start, dangling?.place.end)).toBe(
    'register_netdevice_notifier(&acme_nb)',
  );
});

test('objects stand in the reverse of the order of the diff for kpatch, in its order for klp-build', async () => {
  const both = VERSIONS.slice(1, 2);
  const names = async (dialect: 'kpatch' | 'klp-build'): Promise<unknown> => {
    const { lineage } = await analyseTexts(lineageIn(dialect, both));
    return lineage.versions[0]?.facts?.patch?.objects?.map(({ name }) => name);
  };
  // git sorts drivers/ in front of kernel/.
  expect(asDiff(both[0] as VersionParts, 'KPATCH').indexOf('drivers/')).toBeLessThan(
    asDiff(both[0] as VersionParts, 'KPATCH').indexOf('kernel/'),
  );
  expect(await names('kpatch')).toEqual([null, 'acme']);
  expect(await names('klp-build')).toEqual(['acme', null]);
});
