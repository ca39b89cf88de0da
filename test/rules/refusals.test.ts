import { expect, test } from 'vitest';
import type { MissingKind } from '../../server/src/core/kernel/types';
import { run, steps, targetsLoaded } from '../../server/src/core/lineage/run';
import { check, type LivepatchParts, lineage, livepatch, manifest } from './fixture';

/**
 * Whoever only reads findings must hear of a livepatch that the kernel never lets in: everything for which
 * klp_enable_patch() and what it calls refuse one on a clean kernel (kernel/livepatch/core.c and patch.c of 6.1).
 */

interface Loaded {
  /** What insmod gets; null where something about it is not known. */
  readonly result: number | null;
  readonly said: readonly string[];
}

/** Loads the only version of a lineage over all its target modules. */
async function loaded(text: string): Promise<Loaded> {
  const { project, findings } = await check(text);
  const { lineage: it } = project.analyse();
  const load = run(it, [...targetsLoaded(it), ...steps('load v1')]);
  const known = load.unknown.length === 0 && load.verdict.certainty === 'must';
  const said = findings.filter(({ severity }) => severity === 'error' || severity === 'warning');
  return {
    result: known ? (load.outcomes.at(-1)?.result ?? null) : null,
    said: said.map(({ code }) => code),
  };
}

const alone = (source: string | LivepatchParts): string => lineage(manifest(['draft']), source);
const without = (part: string, by = ''): string => alone(livepatch().replace(part, by));
const ENTRY = '{ .old_name = "acme_open", .new_func = klpp_acme_open }';
const entries = (...list: readonly string[]): string =>
  without(`${ENTRY},`, list.map((it) => `${it},`).join('\n'));
const pre = (result: string): LivepatchParts => ({
  body: `static int hook(struct klp_object *obj)\n{\n  return ${result};\n}`,
});
const objects = (...list: readonly string[]): LivepatchParts => ({
  objects: list.map((it) => `  { ${it} },`).join('\n'),
});

const TARGETS = 'targets:\n  - { module: acme, sources: acme.c }\n';
const inTarget = (target: string, entry = ENTRY): string =>
  `${lineage(
    manifest(['draft'], { end: TARGETS }),
    livepatch(objects('.name = "acme", .funcs = funcs')).replace(ENTRY, entry),
  )}//- acme.c\n#include <linux/module.h>\n${target}\nMODULE_LICENSE("GPL");\n`;

/** In the order in which the kernel asks. */
const REFUSED: Readonly<Record<string, readonly [text: string, errno: number]>> = {
  'no patch': [alone({ init: '  return klp_enable_patch(NULL);' }), -22],
  'no .mod': [without('  .mod = THIS_MODULE,\n'), -22],
  'no .objs': [without('  .objs = objs,\n'), -22],
  'no .funcs': [alone(objects('.name = "ext4"')), -22],
  'no MODULE_INFO': [without('MODULE_INFO(livepatch, "Y");\n'), -22],
  'two patches of a module': [
    alone({
      body: 'static struct klp_object more[];\nstatic struct klp_patch other = { .mod = THIS_MODULE, .objs = more };',
      init: '  int ret = klp_enable_patch(&patch);\n\n  return ret ? ret : klp_enable_patch(&other);',
    }).replace('static struct klp_patch patch', 'static struct klp_object more[] = { { } };\n$&'),
    -17,
  ],
  'a long name of an object': [alone(objects(`.name = "${'a'.repeat(56)}", .funcs = funcs`)), -22],
  'an empty name of an object': [alone(objects('.name = "", .funcs = funcs')), -22],
  'an object twice': [
    alone(objects('.name = "ext4", .funcs = funcs', '.name = "ext4", .funcs = funcs')),
    -17,
  ],
  'vmlinux twice': [alone(objects('.funcs = funcs', '.funcs = funcs')), -17],
  'vmlinux twice, once by name': [alone(objects('.funcs = funcs', '.name = "vmlinux", .funcs = funcs')), -17],
  'an object twice, with a callback of a kind': [
    alone({
      ...pre('0'),
      ...objects(
        '.funcs = funcs, .callbacks = { .pre_patch = hook }',
        '.funcs = funcs, .callbacks = { .pre_patch = hook }',
      ),
    }),
    -17,
  ],
  'no .old_name': [entries('{ .new_func = klpp_acme_open }'), -22],
  'an empty .old_name': [entries('{ .old_name = "", .new_func = klpp_acme_open }'), -22],
  'no .old_name and no .new_func': [entries('{ .old_sympos = 1 }'), -22],
  'no .new_func': [entries('{ .old_name = "acme_open" }'), -22],
  'a .new_func of NULL': [entries('{ .old_name = "acme_open", .new_func = NULL }'), -22],
  'a long .old_name': [entries(`{ .old_name = "${'a'.repeat(512)}", .new_func = klpp_acme_open }`), -22],
  'a function twice': [entries(ENTRY, ENTRY), -17],
  'a function twice, sympos 0 and 1': [entries(ENTRY, ENTRY.replace(' }', ', .old_sympos = 1 }')), -17],
  'pre_patch of vmlinux': [alone({ ...pre('-EBUSY'), callbacks: '.pre_patch = hook,' }), -16],
  'pre_patch of a module': [
    lineage(manifest(['draft'], { end: 'targets: [ext4]\n' }), {
      ...pre('-EPERM'),
      ...objects('.name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = hook }'),
    }),
    -1,
  ],
  'init, before enabling': [alone({ init: '  return patch.mod ? -ENODEV : klp_enable_patch(&patch);' }), -19],
  'init, after enabling': [alone({ init: '  klp_enable_patch(&patch);\n  return -ENODEV;' }), -19],
};

/** Why a function of a target cannot be patched, as far as sources show it. */
const MISSING: Readonly<Record<Exclude<MissingKind, 'ftrace-busy'>, readonly [string, number]>> = {
  init: [inTarget(''), -22],
  ambiguous: [
    inTarget('static noinline int acme_open(int n) { return n; }').replace(
      'sources: acme.c',
      'sources: [acme.c, b.c]',
    ) + '//- b.c\nnoinline static int acme_open(int n) { return -n; }\n',
    -22,
  ],
  position: [inTarget('int acme_open(int n) { return n; }', ENTRY.replace(' }', ', .old_sympos = 2 }')), -22],
  ftrace: [inTarget('notrace int acme_open(int n) { return n; }'), -22],
};

test.for([...Object.entries(REFUSED), ...Object.entries(MISSING)])(
  'refused, and said: %s',
  async ([, [text, errno]]) => {
    const { result, said } = await loaded(text);
    expect(result).toBe(errno);
    expect(said).not.toEqual([]);
  },
);

// Whatever is left out of a livepatch that works, alone or with what is beside it.
test('nothing that is left out is refused in silence', async () => {
  const whole = livepatch({
    functions: ['acme_open', 'acme_close'],
    objects: '  {\n    .name = "ext4",\n    .funcs = ext4_funcs,\n  },\n  {\n    .funcs = funcs,\n  },',
    body: 'static struct klp_func ext4_funcs[] = {\n  {\n    .old_name = "ext4_open",\n    .new_func = klpp_acme_open,\n  },\n  { }\n};',
    states: '  {\n    .id = 7,\n    .version = 1,\n  },',
  });
  expect(await loaded(alone(whole))).toEqual({ result: 0, said: [] });
  const pieces = [/^.*\n/gm, /\.\w+ = [^,{}\n]+,?/g, /\{ [^{}]*\},?/g].flatMap((it) => [
    ...whole.matchAll(it),
  ]);
  const silent: string[] = [];
  let refused = 0;
  for (const { 0: piece, index } of pieces) {
    const text = whole.slice(0, index) + whole.slice(index + piece.length);
    const { result, said } = await loaded(alone(text));
    if (result === null || result >= 0) continue;
    refused++;
    if (said.length === 0) silent.push(piece);
  }
  expect(silent).toEqual([]);
  expect(refused).toBeGreaterThan(15);
});
