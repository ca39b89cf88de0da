import { expect, test } from 'vitest';
import { identity } from '../../server/src/core/lineage/left-behind';
import type { Lineage, LineageVersion } from '../../server/src/core/lineage/lineage';
import { Search } from '../../server/src/core/lineage/search';
import { Transitions } from '../../server/src/core/lineage/transitions';
import type { SearchResult } from '../../server/src/core/lineage/trial';
import { formatStep } from '../../server/src/core/manifest/steps';
import { takeoverVersion } from '../bench/lineages';
import { Random } from '../execution/random';
import { analyseTexts } from '../support/project';

/** Pieces of callbacks: some take everything over, some leave something, some are refused, some look at names. */
const IDIOMS = {
  level: {
    pre: 'if (klp_get_prev_state(1)) return 0; own = klp_get_state(&patch, 1); if (!own) return -EINVAL; own->data = kzalloc(8, GFP_KERNEL); if (!own->data) return -ENOMEM;',
    post: 'own = klp_get_state(&patch, 1); prev = klp_get_prev_state(1); if (own && prev) { own->data = prev->data; } else if (own) { *(int *)own->data = subsys_level; subsys_level = 7; }',
    preUn:
      'own = klp_get_state(&patch, 1); if (own && !klp_get_prev_state(1)) subsys_level = *(int *)own->data;',
    postUn: 'own = klp_get_state(&patch, 1); if (own && !klp_get_prev_state(1)) kfree(own->data);',
  },
  forgetful: {
    post: 'saved = subsys_level; subsys_level = 9;',
    preUn: 'subsys_level = saved;',
  },
  guarded: {
    post: 'if (klp_get_state(&patch, 1) && !klp_get_prev_state(1)) register_reboot_notifier(&nb);',
    preUn: 'if (klp_get_state(&patch, 1) && !klp_get_prev_state(1)) unregister_reboot_notifier(&nb);',
  },
  notifier: {
    post: 'if (!klp_get_prev_state(2)) register_reboot_notifier(&nb);',
    preUn: 'if (!klp_get_prev_state(2)) unregister_reboot_notifier(&nb);',
  },
  file: {
    post: 'if (!klp_get_prev_state(1)) debugfs_create_file("level", 0444, NULL, NULL, NULL);',
    postUn: 'debugfs_lookup_and_remove("level", NULL);',
  },
  ownFile: {
    post: 'dir = debugfs_create_dir(KBUILD_MODNAME, NULL);',
    postUn: 'debugfs_remove(dir);',
  },
  askedFor: { post: 'if (find_module("lp_v2")) counter++;' },
  ownName: { post: "if (THIS_MODULE->name[4] == '3') subsys_level = 3;" },
  timer: {
    pre: 'if (!prepare_it()) return -ENODEV;',
    post: 'mod_timer(&late, jiffies + HZ);',
    preUn: 'del_timer_sync(&late);',
  },
  prints: { pre: 'pr_info("before\\n");', post: 'pr_info("%s is in\\n", KBUILD_MODNAME);' },
  shadow: {
    post: 'klp_shadow_get_or_alloc(&subsys_level, 5, 4, GFP_KERNEL, NULL, NULL);',
    postUn: 'klp_shadow_free_all(5, NULL);',
  },
} as const;

type Idiom = Partial<Record<'pre' | 'post' | 'preUn' | 'postUn', string>>;

function source(random: Random): string {
  const { level, guarded, prints, ...others } = IDIOMS;
  const careful: Idiom[] = [level, guarded, prints];
  const among: Idiom[] = random.below(2) === 0 ? careful : [...careful, ...Object.values(others)];
  const chosen = among.filter(() => random.below(among.length) < 2);
  const body = (part: keyof Idiom): string => chosen.map((idiom) => idiom[part] ?? '').join('\n\t');
  const object = random.below(10) < 3 ? '.name = "e1000", ' : '';
  const replace = random.below(10) < 9;
  const states = [1, 2]
    .filter(() => random.below(10) < 7)
    .map((id) => `{ .id = ${id}, .version = ${1 + random.below(2)} }, `);
  return `#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/debugfs.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/timer.h>
extern int subsys_level;
int prepare_it(void);
static int saved, counter;
static struct dentry *dir;
static struct klp_patch patch;
static void later(struct timer_list *t) { counter++; }
static DEFINE_TIMER(late, later);
static int on_reboot(struct notifier_block *n, unsigned long code, void *p) { return 0; }
static struct notifier_block nb = { .notifier_call = on_reboot };
static int fixed(void) { return 1; }
static int pre_patch(struct klp_object *obj)
{
	struct klp_state *own, *prev;
	${body('pre')}
	return 0;
}
static void post_patch(struct klp_object *obj)
{
	struct klp_state *own, *prev;
	${body('post')}
}
static void pre_unpatch(struct klp_object *obj)
{
	struct klp_state *own, *prev;
	${body('preUn')}
}
static void post_unpatch(struct klp_object *obj)
{
	struct klp_state *own, *prev;
	${body('postUn')}
}
static struct klp_func funcs[] = { { .old_name = "subsys_show", .new_func = fixed }, { } };
static struct klp_object objs[] = { { ${object}.funcs = funcs, .callbacks = { .pre_patch = pre_patch, .post_patch = post_patch, .pre_unpatch = pre_unpatch, .post_unpatch = post_unpatch } }, { } };
static struct klp_state states[] = { ${states.join('')}{ } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = ${replace} };
static int __init lp_init(void) { return klp_enable_patch(&patch); }
static void __exit lp_exit(void) { }
module_init(lp_init);
module_exit(lp_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

/** Versions that share few sources: most have a twin. */
function lineageTexts(sources: readonly string[]): Record<string, string> {
  const entries = sources.map(
    (_, i) =>
      `  - { version: v${i + 1}, module: lp_v${i + 1}, sources: v${i + 1}.c${i === sources.length - 1 ? ', status: draft' : ''} }\n`,
  );
  return {
    'livepatch.yaml': `lineage: twins\nkernel: "6.1"\nversions:\n${entries.join('')}`,
    ...Object.fromEntries(sources.map((text, i) => [`v${i + 1}.c`, text])),
  };
}

/** The same lineage, in which no version is known to do what another does. */
const strangers = (versions: readonly LineageVersion[]): LineageVersion[] =>
  versions.map((version) => ({ ...version, nameless: null }));

/** Everything that a search says, without the objects that it was made of. */
function told(result: SearchResult): unknown {
  const trials = result.trials.map((trial) => ({
    way: trial.way,
    from: trial.from?.name,
    version: trial.version?.name,
    steps: trial.steps.map(formatStep),
    own: trial.own,
    word: trial.word,
    dangers: trial.dangers.map(({ text, certainty, place, version, step }) => [
      text,
      certainty,
      place,
      version?.name,
      step,
    ]),
    leftovers: trial.leftovers.map(({ effect, hazard, certainty, version, place }) => [
      identity(effect),
      hazard,
      certainty,
      version?.name,
      place,
    ]),
    unknown: trial.unknown,
    fallible: trial.fallible,
  }));
  return { trials, states: result.states, exhausted: result.exhausted };
}

/** Lineages that are searched both ways; a soak takes more. */
const SEEDS = process.env.LIVEPATCH_LINEAGE_SOAK === 'true' ? 2_000 : 40;

test('a search that knows twins says what one says that does not, and so do the rules', async () => {
  let spared = 0;
  const words = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed);
    const sources = Array.from({ length: 2 }, () => source(random));
    const order = Array.from({ length: 3 + random.below(2) }, () => random.pick(sources));
    const analysis = await analyseTexts(lineageTexts(order));
    const { lineage } = analysis;
    const apart: Lineage = { ...lineage, versions: strangers(lineage.versions) };
    const [knowing, plain] = [new Search(), new Search()];
    const found = plain.run(apart);
    expect(told(knowing.run(lineage)), `seed ${seed}`).toEqual(told(found));
    spared += plain.tried - knowing.tried;
    for (const { word } of found.trials) words.add(word);
    expect(analysis.findingsAmong(lineage.versions), `seed ${seed}`).toEqual(
      analysis.findingsAmong(apart.versions),
    );
    const [one, other] = [new Transitions(lineage), new Transitions(apart)];
    for (const [from, to] of one.pairs()) {
      const stranger = apart.versions.find(({ name }) => name === to.name) as LineageVersion;
      const before = apart.versions.find(({ name }) => name === from?.name) ?? null;
      const { word, certainty, refusals } = other.verdict(before, stranger);
      expect(one.verdict(from, to), `seed ${seed}`).toMatchObject({ word, certainty, refusals });
    }
  }
  expect([...words].sort()).toEqual(['clean', 'leaves', 'refused', 'unsafe']);
  expect(spared).toBeGreaterThan(1_000);
}, 3_600_000);

/** How many ways a search has to try for these sources, and how many it tells of. */
async function triedFor(sources: readonly string[]): Promise<{ tried: number; told: number }> {
  const search = new Search();
  const { trials } = search.run((await analyseTexts(lineageTexts(sources))).lineage);
  return { tried: search.tried, told: trials.length };
}

test('what a way costs grows with the states, where all versions do the same', async () => {
  const tried = async (n: number): Promise<number> =>
    (await triedFor(Array.from({ length: n }, (_, i) => takeoverVersion(i, 2)))).tried;
  const [five, ten, twenty] = [await tried(5), await tried(10), await tried(20)];
  // Each version makes two states; everything else is one way of each kind.
  expect(ten - five).toBe(2 * 5);
  expect(twenty - ten).toBe(2 * 10);
});

const VERSION = takeoverVersion(1, 1);
const inPrePatch = (code: string): string =>
  VERSION.replace('if (klp_get_prev_state(LEVEL_STATE))\n\t\treturn 0;', `${code}\n$&`);

test.each([
  ['is found by name', 'if (find_module("lp_v2")) return -EBUSY;'],
  ['asks for a letter of its name', "if (THIS_MODULE->name[4] == '2') return -EBUSY;"],
  ['knows a letter of its name', "if (KBUILD_MODNAME[4] == '2') return -EBUSY;"],
  ['puts its name together', 'if (("a " KBUILD_MODNAME)[6] == \'2\') return -EBUSY;'],
  ['hangs on something unknown', 'if (weather_is_bad()) return -EBUSY;'],
])('a version that %s is tried by itself', async (_, code) => {
  const text = inPrePatch(code);
  expect(text).toContain(code);
  const analysis = await analyseTexts(lineageTexts([text, text, text]));
  const apart = { ...analysis.lineage, versions: strangers(analysis.lineage.versions) };
  const found = new Search().run(apart);
  expect(told(new Search().run(analysis.lineage))).toEqual(told(found));
  // It matters: versions of one source do not all fare alike.
  const fates = (name: string): string =>
    found.trials
      .filter((trial) => trial.version?.name === name && trial.way === 'load')
      .map(({ word, unknown }) => `${word} ${unknown.map(({ place }) => place?.file).join()}`)
      .sort()
      .join();
  expect(fates('v2')).not.toBe(fates('v3'));
});

test('a version that is an object of another is tried by itself', async () => {
  const other = VERSION.replace('\t{\n\t\t.funcs = funcs,', '\t{ .name = "lp_v2", .funcs = funcs },\n$&');
  const analysis = await analyseTexts(lineageTexts([other, VERSION, other, VERSION]));
  const { lineage } = analysis;
  const apart = { ...lineage, versions: strangers(lineage.versions) };
  expect(told(new Search().run(lineage))).toEqual(told(new Search().run(apart)));
  const transitions = new Transitions(lineage);
  const [first, second, third, fourth] = lineage.versions as [
    LineageVersion,
    LineageVersion,
    LineageVersion,
    LineageVersion,
  ];
  expect(transitions.twinsOf(null, first)).toBe(transitions.twinsOf(null, third));
  expect(transitions.twinsOf(null, second)).toBeNull();
  expect(transitions.twinsOf(null, fourth)).toBeNull();
});
