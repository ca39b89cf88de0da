import { describe, expect, test } from 'vitest';
import { type Run, run, steps } from '../../server/src/core/lineage/run';
import { runText } from '../../server/src/features/run-text';
import { placesOf } from '../../server/src/host/places-of';
import { analyseTexts, projectOfTexts } from '../support/project';

/** Every reason for which the kernel refuses a livepatch, from what a person can write in a manifest or a step. */

const livepatch = (functions: string, object = 'NULL'): string => `
#include <linux/module.h>
#include <linux/livepatch.h>
static int klpp_one(void) { return 1; }
static int klpp_two(void) { return 2; }
static int pre_patch(struct klp_object *obj) { pr_info("pre\\n"); return 0; }
static void post_unpatch(struct klp_object *obj) { pr_info("undone\\n"); }
static struct klp_func funcs[] = { ${functions} { } };
static struct klp_object objs[] = {
	{ .name = ${object}, .funcs = funcs, .callbacks = { .pre_patch = pre_patch, .post_unpatch = post_unpatch } }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int one_init(void) { return klp_enable_patch(&patch); }
static void one_exit(void) { }
module_init(one_init);
module_exit(one_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;

const ONE = '{ .old_name = "one", .new_func = klpp_one },';
const TWO = '{ .old_name = "two", .new_func = klpp_two },';

function texts(more: Record<string, string> = {}, kernel = '"6.1"', targets = ''): Record<string, string> {
  return {
    'livepatch.yaml': `lineage: l
kernel: ${kernel}
versions:
  - { version: v1, module: lp_v1, sources: v1.c }
  - { version: v2, module: lp_v2, sources: v2.c }
${targets}`,
    'v1.c': livepatch(`${ONE} ${TWO}`),
    'v2.c': livepatch(ONE),
    ...more,
  };
}

const runOf = async (given: Record<string, string>, ...words: string[]): Promise<Run> =>
  run((await analyseTexts(given)).lineage, steps(...words));

/** Result and what the kernel and the module print in the last step. */
function last({ outcomes }: Run): [number | undefined, string[]] {
  const outcome = outcomes.at(-1);
  return [
    outcome?.result,
    outcome?.happenings.flatMap((it) => (it.k === 'log' && !it.debug ? [it.text] : [])) ?? [],
  ];
}

describe('fail NAME with a call of the livepatch core', () => {
  test.each([
    ['klp_initialized', -19, []],
    ['klp_alloc_func_nop', -12, []],
    ['klp_find_object_symbol=ENOMEM', -22, ["livepatch: symbol 'one' not found in symbol table"]],
    ['kallsyms_lookup_size_offset', -2, ["livepatch: kallsyms size lookup failed for 'one'"]],
    ['kallsyms_lookup_size_offset#2', -2, ["livepatch: kallsyms size lookup failed for 'one' replacement"]],
  ])('%s: no callback', async (call, errno, lines) => {
    const refused = await runOf(texts(), 'load v1', `fail v2 ${call}`, 'load v2');
    expect(last(refused)).toEqual([errno, lines]);
    expect(refused.verdict.word).toBe('refused');
    const again = await runOf(texts(), 'load v1', `fail v2 ${call}`, 'load v2', 'load v2');
    expect(last(again)[0]).toBe(0);
  });

  test.each([
    ['ftrace_location', -22, ["livepatch: failed to find location for function 'one'"]],
    ['klp_patch_func', -12, []],
    [
      'register_ftrace_function=EBUSY',
      -16,
      ["livepatch: failed to register ftrace handler for function 'one' (-16)"],
    ],
    [
      'register_ftrace_function#2=EBUSY',
      -16,
      ["livepatch: failed to register ftrace handler for function 'two' (-16)"],
    ],
  ])('%s: pre_patch and post_unpatch', async (call, errno, lines) => {
    expect(last(await runOf(texts(), `fail v1 ${call}`, 'load v1'))).toEqual([
      errno,
      [
        "livepatch: enabling patch 'lp_v1'",
        'pre',
        ...lines,
        "livepatch: failed to patch object 'vmlinux'",
        "livepatch: failed to enable patch 'lp_v1'",
        'undone',
        "livepatch: 'lp_v1': unpatching complete",
      ],
    ]);
  });

  test('NULL for the livepatch', async () => {
    const source = livepatch(ONE).replace('klp_enable_patch(&patch)', 'klp_enable_patch(NULL)');
    expect(last(await runOf(texts({ 'v1.c': source }), 'load v1'))).toEqual([-22, []]);
  });

  test('a target that comes is refused', async () => {
    const given = texts({ 'v1.c': livepatch(ONE, '"acme"') });
    const refused = await runOf(given, 'load v1', 'fail v1 kallsyms_lookup_size_offset', 'load acme');
    expect(last(refused)[0]).toBe(-2);
  });
});

test('the object of a callback is told of a livepatch that is gone, too', async () => {
  const given = texts({ 'v1.c': livepatch(ONE, '"acme"') }, '"6.1"', 'targets: [acme]\n');
  const replaced = await runOf(given, 'load acme', 'load v1', 'load v2', 'unload v1');
  const calls = runText(replaced, placesOf((await projectOfTexts(given)).project))
    .split('\n')
    .filter((line) => /^ {2}[+-] v1/.test(line));
  expect(calls).toEqual(['  + v1 acme pre_patch', '  - v1 acme post_unpatch is skipped: replaced by v2']);
});

describe('a target with its sources', () => {
  const TARGETS = 'targets:\n  - { module: acme, sources: [acme/*.c] }\n';
  const loaded = async (functions: string, a: string, b: string): Promise<[number | undefined, string[]]> =>
    last(
      await runOf(
        texts({ 'v1.c': livepatch(functions, '"acme"'), 'acme/a.c': a, 'acme/b.c': b }, '"6.1"', TARGETS),
        'load acme',
        'load v1',
      ),
    );

  test('two symbols of a name are ambiguous without sympos', async () => {
    const twice = 'static noinline int one(void) { return 0; }\n';
    expect(await loaded(ONE, twice, twice)).toEqual([
      -22,
      ["livepatch: unresolvable ambiguity for symbol 'one' in object 'acme'"],
    ]);
    expect((await loaded(ONE.replace('.new', '.old_sympos = 2, .new'), twice, twice))[0]).toBe(0);
    expect(await loaded(ONE.replace('.new', '.old_sympos = 3, .new'), twice, twice)).toEqual([
      -22,
      ["livepatch: symbol position 3 for symbol 'one' in object 'acme' not found"],
    ]);
  });

  test('what a file that could not be read may define is not missing', async () => {
    const other = 'int two(void) { return 2; }\n';
    expect(await loaded(ONE, other, other)).toEqual([
      -22,
      ["livepatch: symbol 'one' not found in symbol table"],
    ]);
    const partly = TARGETS.replace('[acme/*.c]', '[acme/*.c, one.c]');
    const given = texts({ 'v1.c': livepatch(ONE, '"acme"'), 'acme/a.c': other }, '"6.1"', partly);
    expect(last(await runOf(given, 'load acme', 'load v1'))[0]).toBe(0);
  });

  test('a static function that may be inlined everywhere makes nothing ambiguous', async () => {
    const shared = 'int one(void) { return 0; }\n';
    const maybe = 'static int one(void) { return 0; }\n';
    expect((await loaded(ONE, shared, maybe))[0]).toBe(0);
    expect((await loaded(ONE, maybe, maybe))[0]).toBe(0);
  });

  test('ftrace does not know a function that is marked so', async () => {
    const [result, lines] = await loaded(ONE, 'notrace int one(void) { return 0; }\n', 'int x;\n');
    expect(result).toBe(-22);
    expect(lines).toContain("livepatch: failed to find location for function 'one'");
    expect(lines).toContain('undone');
  });
});

describe('kernel.arch', () => {
  const WARNING = 'livepatch: The livepatch transition may never complete.';

  test('without reliable stack traces the kernel warns, and what ends clean only may do so', async () => {
    const there = await runOf(texts({}, '{ release: "6.1", arch: aarch64 }'), 'load v1', 'load v2');
    expect(last(there)[1]).toContain(WARNING);
    expect([there.verdict.word, there.verdict.certainty]).toEqual(['clean', 'may']);
    expect(there.unknown.map((reason) => reason.text)).toContain(
      'aarch64 has no reliable stack traces: a transition may never complete',
    );
    const here = await runOf(texts({}, '{ release: "6.1", arch: x86_64 }'), 'load v1', 'load v2');
    expect(last(here)[1]).not.toContain(WARNING);
    expect(here.verdict.certainty).toBe('must');
  });

  test('a manifest that changes the kernel is answered anew', async () => {
    const { project, files } = await projectOfTexts(texts());
    const certainty = (): string | undefined => project.analyse().transitions.all()[0]?.run.verdict.certainty;
    expect(certainty()).toBe('must');
    files.write(
      '/lineage/livepatch.yaml',
      texts({}, '{ release: "6.1", lacks: [reliable-stack] }')['livepatch.yaml'] ?? '',
    );
    expect(certainty()).toBe('may');
  });
});

test('a failure that was asked for and did not come is said, and one that came is not', async () => {
  const { project } = await projectOfTexts(texts());
  const { lineage } = project.analyse();
  const places = placesOf(project);
  const said = (...given: string[]): string[] =>
    runText(run(lineage, steps(...given)), places)
      .split('\n')
      .filter((line) => line.includes('did not happen'));
  expect(said('load v1', 'fail v2 klp_alloc_func_nop', 'load v2')).toEqual([]);
  expect(said('load v1', 'fail v2 klp_alloc_func_npo', 'load v2')).toEqual([
    '  did not happen: fail v2 klp_alloc_func_npo (after that step v2 made no such call)',
  ]);
  // v2 gives one function back, so there is one nop.
  expect(said('load v1', 'fail v2 klp_alloc_func_nop#9', 'load v2')).toEqual([
    '  did not happen: fail v2 klp_alloc_func_nop (after that step v2 did not call it that often)',
  ]);
  // Asked for before the module is there, and asked of one that never comes.
  expect(said('fail v2 init', 'load v1').join()).toMatch(/fail v2 init /);
});
