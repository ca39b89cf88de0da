import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readElf } from '../../server/src/core/built/elf';
import type { LivepatchFacts } from '../../server/src/core/execution/fact-types';
import { factsOfFile } from '../../server/src/host/facts-of-file';
import { Disk } from '../../server/src/host/files';
import { Project } from '../../server/src/host/project';
import { buildModules, type ModuleSource } from '../../server/src/host/rehearsal/modules';
import { startParser } from '../../server/src/host/start-parser';
import { kernelForTests } from '../rehearsal/kernels';
import { linuxSource } from '../support/linux-source';

/** Modules built from source: what their .ko says must be what their C says. */
const kernel = await kernelForTests('6.1');
const linux = await linuxSource();
const skip = kernel === null || linux === null;
const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');

/** Every way to lay out the tables that the readers of C know: several objects, names, literals, sympos, states. */
const SHAPES: Readonly<Record<string, string>> = {
  shapes_many: `
static int first(void) { return 1; }
static int second(void) { return 2; }
static int third(void) { return 3; }
static int before(struct klp_object *obj) { return 0; }
static void after(struct klp_object *obj) { }
static struct klp_func base[] = {
	{ .old_name = "cmdline_proc_show", .new_func = first, .old_sympos = 1 },
	{ .old_name = "version_proc_show", .new_func = second },
	{ .old_name = "uptime_proc_show", .new_func = third, .old_sympos = 3 }, { } };
static struct klp_func none[] = { { } };
static struct klp_object objs[] = {
	{ .name = "e1000", .funcs = none, .callbacks = { .pre_patch = before, .post_unpatch = after } },
	{ .funcs = base, .callbacks = { .post_patch = after } },
	{ .name = "xfs", .funcs = (struct klp_func[]) { { .old_name = "xfs_init", .new_func = third }, { } },
	  .callbacks = { .pre_unpatch = after } }, { } };
static struct klp_state states[] = { { .id = 7, .version = 2 }, { .id = 0x51 }, { } };
static struct klp_patch livepatch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = true };
`,
  shapes_vmlinux_twice: `
static int first(void) { return 1; }
static struct klp_func a[] = { { .old_name = "cmdline_proc_show", .new_func = first }, { } };
static struct klp_object objs[] = { { .funcs = a }, { .name = "ext4", .funcs = a }, { } };
static struct klp_patch livepatch = { .mod = THIS_MODULE, .objs = objs };
`,
  shapes_one: `
static int first(void) { return 1; }
static struct klp_patch livepatch = { .mod = THIS_MODULE, .replace = true, .objs = (struct klp_object[]) {
	{ .funcs = (struct klp_func[]) { { .old_name = "cmdline_proc_show", .new_func = first }, { } } }, { } } };
`,
  shapes_decided: `
static int first(void) { return 1; }
static bool all;
module_param(all, bool, 0644);
static struct klp_func a[] = { { .old_name = "cmdline_proc_show", .new_func = first }, { } };
static struct klp_object objs[] = { { .funcs = a }, { } };
static struct klp_patch livepatch = { .mod = THIS_MODULE, .objs = objs };
#define BEFORE livepatch.replace = all;
`,
};

function shape(name: string): ModuleSource {
  const text = `// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
${SHAPES[name]}
#ifndef BEFORE
#define BEFORE
#endif
static int __init begin(void) { BEFORE return klp_enable_patch(&livepatch); }
static void __exit finish(void) { }
module_init(begin);
module_exit(finish);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
  return { name, sources: [{ file: `${name}.c`, text }] };
}

function kernelModules(): ModuleSource[] {
  return ['lib/livepatch', 'samples/livepatch'].flatMap((folder) => {
    const path = join(linux ?? '', folder);
    return readdirSync(path)
      .filter((name) => name.endsWith('.c'))
      .map((file): ModuleSource => {
        const text = readFileSync(join(path, file), 'utf8');
        const include = /#include "(\w+\.c)"/.exec(text)?.[1];
        const sources = [{ file, text }];
        if (include) sources.push({ file: include, text: readFileSync(join(path, include), 'utf8') });
        return { name: file.slice(0, -2).replaceAll('-', '_'), sources };
      });
  });
}

function example(version: string): ModuleSource {
  const file = `livepatch_net_${version}.c`;
  return {
    name: file.slice(0, -2),
    sources: [{ file, text: readFileSync(join(EXAMPLE, version, file), 'utf8') }],
  };
}

/** What a .ko can say: no places, and no parameters. */
function comparable(facts: LivepatchFacts): unknown {
  return {
    patch: facts.patch && {
      variable: facts.patch.variable,
      replace: facts.patch.replace,
      objects: facts.patch.objects?.map((object) => ({
        name: object.name,
        functions: object.functions?.map((fn) => [fn.old, fn.new, fn.sympos]),
        callbacks: object.callbacks.map((callback) => [callback.callback, callback.function]),
      })),
      states: facts.patch.states.map(({ id, version }) => [id, version]),
      unterminated: facts.patch.unterminated.length,
    },
    init: facts.init?.name,
    exit: facts.exit?.name,
    licence: facts.license?.text,
    livepatch: facts.livepatchInfo !== null,
  };
}

let folder = '';
let built: ReadonlyMap<string, string> = new Map();
const modules = skip
  ? []
  : [...kernelModules(), example('v1'), example('v2'), ...Object.keys(SHAPES).map(shape)];

beforeAll(async () => {
  if (kernel === null || skip) return;
  await startParser();
  folder = mkdtempSync(join(tmpdir(), 'lineage-built-'));
  built = (await buildModules(kernel, modules)).files;
}, 600_000);

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

test.skipIf(skip)('the modules to compare are there', () => {
  expect(modules.length).toBeGreaterThan(15);
});

test.skipIf(skip).each(modules.map((module) => [module.name, module] as const))(
  '%s: the facts of the .ko are those of the C',
  (name, module) => {
    const path = join(folder, name);
    mkdirSync(path);
    for (const { file, text } of module.sources) writeFileSync(join(path, file), text);
    const disk = new Disk();
    const fromC = factsOfFile(join(path, module.sources[0]?.file ?? ''), disk);
    if (fromC.facts.livepatchInfo === null) return expect(fromC.facts.patch).toBeNull();
    const fromKo = factsOfFile(built.get(name) ?? '', disk);
    expect(fromKo.unreadable).toBeNull();
    expect(comparable(fromKo.facts)).toEqual(comparable(fromC.facts));
  },
);

test.skipIf(skip)('a released version of which only the .ko is left keeps its facts in the lineage', () => {
  const file = built.get('livepatch_net_v1') ?? '';
  writeFileSync(join(folder, 'v1.ko'), readFileSync(file));
  writeFileSync(join(folder, 'v1.ko.gz'), gzipSync(readFileSync(file)));
  writeFileSync(join(folder, 'livepatch_net_v2.c'), example('v2').sources[0]?.text ?? '');
  const analyses = ['v1.ko', 'v1.ko.gz'].map((name) => {
    const manifest = join(folder, `${name}.livepatch.yaml`);
    writeFileSync(
      manifest,
      `lineage: l\nkernel: "6.1"\nversions:\n  - { version: v1, module: livepatch_net_v1, built: ${name}, status: released }\n  - { version: v2, module: livepatch_net_v2, sources: livepatch_net_v2.c }\n`,
    );
    return new Project(manifest, folder, new Disk()).analyse();
  });
  for (const analysis of analyses) {
    const [v1, v2] = analysis.lineage.versions;
    expect(comparable(v1?.facts as LivepatchFacts)).toEqual(comparable(factsOfFile(file, new Disk()).facts));
    if (!v1 || !v2) throw new Error('two versions');
    // v1 has no callbacks, so nothing of it is unknown, and v2's file stays when v1 replaces it.
    expect(analysis.transitions.transition(null, v1).run.verdict.word).toBe('clean');
    expect(analysis.transitions.transition(v2, v1).run.verdict.word).toBe('unsafe');
    expect(analysis.findings().filter(({ code }) => code === 'manifest-invalid')).toEqual([]);
  }
});

test.skipIf(skip)('what is no module, damaged, packed or outside is said at its place', () => {
  const file = readFileSync(built.get('livepatch_net_v1') ?? '');
  const cases: readonly [string, Uint8Array, RegExp][] = [
    ['text.ko', Buffer.from('no module'), /not an ELF file/],
    ['cut.ko', file.subarray(0, 3000), /cut off or damaged/],
    ['packed.ko', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), /unpack it with xz/],
    ['program.ko', readFileSync(process.execPath).subarray(0, 1 << 20), /not a relocatable|cut off/],
    ['gone.ko', Buffer.alloc(0), /there is no such file/],
  ];
  for (const [name, bytes, expected] of cases) {
    if (name !== 'gone.ko') writeFileSync(join(folder, name), bytes);
    const manifest = join(folder, 'bad.livepatch.yaml');
    writeFileSync(
      manifest,
      `lineage: l\nkernel: "6.1"\nversions: [{ version: v1, module: m, built: ${name} }]\n`,
    );
    const findings = new Project(manifest, folder, new Disk()).analyse().findings();
    expect(findings.map(({ message }) => message).join('\n')).toMatch(expected);
  }
});

test.skipIf(skip)('a module damaged anywhere is read or refused, never more', () => {
  const file = readFileSync(built.get('shapes_many') ?? '');
  let refused = 0;
  let state = 1;
  for (let i = 0; i < 3000; i++) {
    const copy = Uint8Array.from(file);
    for (let k = 0; k < 4; k++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      copy[state % copy.length] = (state >>> 16) & 0xff;
    }
    if ('problem' in readElf(copy)) refused++;
    if (i % 10 !== 0) continue;
    writeFileSync(join(folder, 'fuzz.ko'), copy);
    factsOfFile(join(folder, 'fuzz.ko'), new Disk());
  }
  expect(refused).toBeGreaterThan(0);
});
