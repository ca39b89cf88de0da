import { expect, test } from 'vitest';
import { runJson } from '../../server/src/cli/json';
import type { LineageVersion } from '../../server/src/core/lineage/lineage';
import { run, steps } from '../../server/src/core/lineage/run';
import { because } from '../../server/src/core/lineage/transitions';
import { Places } from '../../server/src/core/places';
import { transitionSentence } from '../../server/src/features/sentence';
import { lineage, livepatch, manifest, parseFixture } from '../rules/fixture';
import { analyseTexts } from '../support/project';

/** Whether a call of a callback is sure: what an unknown value decides on the way to it makes it a "may". */

const CALLBACKS = `      .pre_patch = pre,
      .post_patch = post,
      .pre_unpatch = unpre,
      .post_unpatch = unpost,`;

/** A livepatch of vmlinux and acme whose pre_patch callbacks have this body. */
function source(body: string): string {
  const object = (name: string): string =>
    `  {\n${name}    .funcs = funcs,\n    .callbacks = {\n${CALLBACKS}\n    },\n  },\n`;
  return livepatch({
    body: `static int pre(struct klp_object *obj)
{
${body}
}
static void post(struct klp_object *obj) { }
static void unpre(struct klp_object *obj) { }
static void unpost(struct klp_object *obj) { }`,
    objects: `${object('')}${object('    .name = "acme",\n')}`,
  });
}

interface Answer {
  readonly steps: readonly {
    readonly called: readonly {
      version: string;
      object: string | null;
      callback: string;
      certainty: string;
    }[];
  }[];
}

/** "v1 vmlinux pre_patch" of every call in each step, with a "?" where it only may be made. */
async function calls(text: string, ...words: string[]): Promise<string[][]> {
  const analysis = await analyseTexts(Object.fromEntries(parseFixture(text).files));
  const places = new Places(
    (path) => path,
    () => '',
  );
  const answer = runJson(run(analysis.lineage, steps(...words)), places) as Answer;
  return answer.steps.map((step) =>
    step.called.map(
      ({ version, object, callback, certainty }) =>
        `${version} ${object ?? 'vmlinux'} ${callback}${certainty === 'may' ? '?' : ''}`,
    ),
  );
}

const both = (version: string, callback: string, unsure: '' | '?'): string[] => [
  `${version} vmlinux ${callback}${unsure}`,
  `${version} acme ${callback}${unsure}`,
];

test('where everything is known, every call is sure', async () => {
  const text = lineage(manifest(['draft']), source('  return 0;'));
  expect(await calls(text, 'load acme', 'load v1', 'disable v1')).toEqual([
    [],
    [...both('v1', 'pre_patch', ''), ...both('v1', 'post_patch', '')],
    [...both('v1', 'pre_unpatch', ''), ...both('v1', 'post_unpatch', '')],
  ]);
});

test.each([
  ['what pre_patch answers', '  return acme_ready(obj);'],
  ['a branch on it', '  if (acme_ready(obj))\n    return -EINVAL;\n  return 0;'],
])('%s: the first pre_patch is sure and what comes after it is not', async (_, body) => {
  const text = lineage(manifest(['draft', 'draft']), source(body), source('  return 0;'));
  expect(await calls(text, 'load acme', 'load v1', 'load v2')).toEqual([
    [],
    ['v1 vmlinux pre_patch', 'v1 acme pre_patch?', ...both('v1', 'post_patch', '?')],
    // v2 comes whether v1 is there or not.
    [...both('v2', 'pre_patch', ''), ...both('v2', 'post_patch', '')],
  ]);
  expect((await calls(text, 'load v1', 'disable v1'))[1]).toEqual([
    'v1 vmlinux pre_unpatch?',
    'v1 vmlinux post_unpatch?',
  ]);
});

test('an unknown value that decides nothing of it leaves the calls sure', async () => {
  const text = lineage(manifest(['draft']), source('  if (acme_loud(obj))\n    pr_info("x");\n  return 0;'));
  expect((await calls(text, 'load v1'))[0]).toEqual(['v1 vmlinux pre_patch', 'v1 vmlinux post_patch']);
});

test('a target whose own init may fail: its callbacks are sure while it comes, not after', async () => {
  const head = manifest(['draft'], { end: 'targets:\n  - { module: acme, sources: acme.c }\n' });
  const target = `//- acme.c
#include <linux/module.h>
int acme_open(int n) { return n; }
static int a_init(void) { return acme_probe(); }
static void a_exit(void) { }
module_init(a_init);
module_exit(a_exit);
`;
  const text = `${lineage(head, source('  return 0;'))}${target}`;
  expect(await calls(text, 'load v1', 'load acme', 'disable v1')).toEqual([
    ['v1 vmlinux pre_patch', 'v1 vmlinux post_patch'],
    ['v1 acme pre_patch', 'v1 acme post_patch'],
    ['v1 vmlinux pre_unpatch', 'v1 acme pre_unpatch?', 'v1 vmlinux post_unpatch', 'v1 acme post_unpatch?'],
  ]);
});

test('a state whose version cannot be evaluated may refuse the livepatch', async () => {
  const versioned = (version: string): string =>
    source('  return 0;')
      .replace(
        'static struct klp_patch patch',
        `static struct klp_state states[] = { { .id = 1, .version = ${version} }, { } };\n$&`,
      )
      .replace('.objs = objs,', '.objs = objs,\n  .states = states,');
  const found = (first: string, second: string): Promise<string[][]> =>
    calls(lineage(manifest(['draft', 'draft']), versioned(first), versioned(second)), 'load v1', 'load v2');
  const sure = ['v2 vmlinux pre_patch', 'v2 vmlinux post_patch'];
  expect((await found('1', '2'))[1]).toEqual(sure);
  expect((await found('acme_number()', '2'))[1]).toEqual(sure.map((call) => `${call}?`));
  const text = lineage(manifest(['draft', 'draft']), versioned('1'), versioned('acme_number()'));
  const { lineage: read } = await analyseTexts(Object.fromEntries(parseFixture(text).files));
  const { verdict, unknown } = run(read, steps('load v1', 'load v2'));
  expect([verdict.word, verdict.certainty]).toEqual(['clean', 'may']);
  expect(unknown.map((reason) => reason.text)).toContain(
    'the version of state 1 is not known, and the load may be refused for it',
  );
  expect((await found('1', 'acme_number()'))[1]).toEqual(sure.map((call) => `${call}?`));
});

test('of two calls in one step only the one that an unknown decides is unsure', async () => {
  // The reversed disabling runs post_patch again; whether v1 is there at all is not known.
  const text = lineage(manifest(['draft']), source('  return acme_ready(obj);'));
  const found = await calls(text, 'load v1', 'stall', 'disable v1', 'enable v1');
  expect(found[0]).toEqual(['v1 vmlinux pre_patch', 'v1 vmlinux post_patch?']);
  expect(found[3]).toEqual(['v1 vmlinux post_patch?']);
});

/** The refusals of a run of these steps: what is certain, what only may be, and the sentence about the last load. */
async function refusals(text: string, ...words: string[]): Promise<[string[], string[], string]> {
  const { lineage: it } = await analyseTexts(Object.fromEntries(parseFixture(text).files));
  const done = run(it, steps(...words));
  const to = it.versions.at(-1);
  const told = ({ step, result }: { step: number; result: number }): string => `${words[step]} ${result}`;
  return [
    done.verdict.refusals.map(told),
    done.verdict.mayRefuse.map(told),
    to ? transitionSentence({ from: null, to, run: done }) : '',
  ];
}

test('a load that is refused on another way only is one that may be refused', async () => {
  const may = (body: string): string => lineage(manifest(['draft']), source(body));
  expect(await refusals(may('  return acme_busy() ? -EBUSY : 0;'), 'load v1')).toEqual([
    [],
    ['load v1 -16'],
    'When v1 is loaded on a clean kernel, the kernel refuses it: load v1 answers -16. (may: something unknown stands in between)',
  ]);
  // Each errno once, in the order of the decisions.
  const [certain, possible] = await refusals(
    may(
      '  if (acme_busy())\n    return -EBUSY;\n  if (acme_old())\n    return -EPERM;\n  return acme_late() ? -EBUSY : 0;',
    ),
    'load v1',
  );
  expect([certain, possible]).toEqual([[], ['load v1 -16', 'load v1 -1']]);
  const [sure, other] = await refusals(may('  return acme_busy() ? -EBUSY : -EPERM;'), 'load v1');
  expect([sure, other]).toEqual([['load v1 -1'], ['load v1 -16']]);
});

test('why a load may be refused is told as a may', async () => {
  const why = async (body: string): Promise<string> => {
    const text = lineage(manifest(['draft']), source(body));
    const { lineage: it } = await analyseTexts(Object.fromEntries(parseFixture(text).files));
    const to = it.versions.at(-1) as LineageVersion;
    return because({ from: null, to, run: run(it, steps('load v1')) });
  };
  expect(await why('  return acme_busy() ? -EBUSY : 0;')).toBe('load v1 may answer -16');
  expect(await why('  return -EBUSY;')).toBe('load v1 answers -16');
});
