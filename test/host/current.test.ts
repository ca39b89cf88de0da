import { beforeAll, expect, test } from 'vitest';
import { because } from '../../server/src/core/lineage/transitions';
import { quickFixes } from '../../server/src/features/code-actions';
import { codeLenses } from '../../server/src/features/code-lens';
import { completions } from '../../server/src/features/completion';
import { hover } from '../../server/src/features/hover';
import { inlayHints } from '../../server/src/features/inlay-hints';
import { definition, references } from '../../server/src/features/navigation';
import { panelModel } from '../../server/src/features/panel';
import { panelTransition } from '../../server/src/features/panel-transition';
import { runbookDocument } from '../../server/src/features/runbook-answer';
import { scaffoldAnswer } from '../../server/src/features/scaffold-answer';
import { signatureHelp } from '../../server/src/features/signature-help';
import { explainAnswer, simulateAnswer } from '../../server/src/features/simulate-answer';
import { lineageSymbols, manifestSymbols } from '../../server/src/features/symbols';
import { Overlay } from '../../server/src/host/files';
import { placesOf } from '../../server/src/host/places-of';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { Workspace } from '../../server/src/host/workspace';
import { changed } from '../dialects/diff-text';
import { Random } from '../execution/random';
import { livepatch } from '../features/fixture';
import { builtLivepatch } from '../fuzz/targets/elf-writer';
import { told } from '../fuzz/targets/whole';
import { MemoryFiles } from '../support/memory-files';
import { made } from '../support/soak';

/**
 * A lineage that nothing has happened to is not put together again. Whether something has is seen by looking at stamps:
 * a project that lives on says the same as one that starts afresh, whatever happens to whichever file.
 */
const MANIFEST = `lineage: l
kernel: { release: "6.1", tree: linux, config: linux/.config }
versions:
  - { version: c, module: c_v1, sources: c/*.c, include: headers }
  - { version: d, module: d_v1, sources: d/a.patch }
  - { version: b, module: b_v1, built: b/b.ko }
targets:
  - { module: acme, sources: acme.c }
`;
const C = livepatch(1).replace('#define LOUD_STATE 7', '#include "state.h"\n#include "../more.h"\n');
const built = (seed: number): string =>
  Buffer.from(
    builtLivepatch(new Random(seed), { objects: 1 + (seed % 2), functions: 2, shared: false }),
  ).toString('latin1');

/** What each file may be; null: not there. */
const TEXTS: Readonly<Record<string, readonly (string | null)[]>> = {
  'livepatch.yaml': [
    MANIFEST,
    MANIFEST.replace('"6.1"', '"5.14"'),
    MANIFEST.replace(', include: headers', ''),
    MANIFEST.replace('- { version: d', '- { version: d0'),
  ],
  'c/main.c': [
    C,
    C.replace('LOUD_STATE)', '8)'),
    C.replace('debugfs_remove(file);', ''),
    `\n\n${C}`,
    '',
    null,
  ],
  'c/other.c': [null, 'int other(void) { return 0; }\n', '#include "../more.h"\n'],
  // In turn beside the source, in the manifest's folder and not at all.
  'c/state.h': [null, '#define LOUD_STATE 3\n'],
  'headers/state.h': ['#define LOUD_STATE 7\n', '#define LOUD_STATE 9\n', null],
  'more.h': [null, '#define MORE 1\n', '#if IS_ENABLED(CONFIG_NF_TABLES)\n#define NOTE_ID 5\n#endif\n'],
  'd/a.patch': [
    changed('net/netfilter/nf_tables_api.c', 'nft_delchain'),
    changed('net/netfilter/nf_tables_core.c', 'nft_do_chain'),
    'no diff',
    null,
  ],
  'linux/.config': ['CONFIG_NF_TABLES=m\n', 'CONFIG_NF_TABLES=y\n', '# none\n', null],
  'linux/net/netfilter/Makefile': [
    'nf_tables-objs := nf_tables_core.o nf_tables_api.o\nobj-$(CONFIG_NF_TABLES) += nf_tables.o\n',
    'nft-objs := nf_tables_core.o nf_tables_api.o\nobj-$(CONFIG_NF_TABLES) += nft.o\n',
    null,
  ],
  'b/b.ko': [built(1), built(2), 'no module', null],
  'acme.c': ['int acme(void) { return 0; }\n', 'int acme;\n', null],
};

/** One version of another lineage: what its callbacks do, and whether they undo it. */
function version(does: string, undoes: string, states = '', more = ''): string {
  return `#include <linux/livepatch.h>
#include <linux/debugfs.h>
static struct dentry *file;
static int mode;
module_param(mode, int, 0644);
static struct klp_patch patch;
${more}
static int before(struct klp_object *obj) { if (klp_get_prev_state(4)) return 0; ${does} return mode; }
static void after(struct klp_object *obj) { ${undoes} }
static struct klp_func funcs[] = { { } };
static struct klp_state states[] = { ${states}{ } };
static struct klp_object objs[] = { { .funcs = funcs, .callbacks = { .pre_patch = before, .post_unpatch = after } }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = true };
static int v_init(void) { return klp_enable_patch(&patch); }
static void v_exit(void) { }
module_init(v_init);
module_exit(v_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

const MAKES = 'file = debugfs_create_file("acme", 0444, NULL, NULL, NULL);';
const REMOVE = 'debugfs_remove(file);';
const VERSIONS = [
  version('', ''),
  `/* one\n * two */\n${version(MAKES, REMOVE)}`,
  version(`if (!mode)\n\t\t${MAKES}`, `\n\tif (file) {\n\t${REMOVE}}`),
  version('begin();', 'end();', '', '#include "shared.h"'),
  version(MAKES, REMOVE),
  version(MAKES, ''),
  version('acme_register(&mode);', 'acme_unregister(&mode);', '{ .id = 4, .version = 1 }, '),
  version('acme_register(&mode);', '', '{ .id = 4, .version = 2 }, '),
  version(
    'static_branch_enable(&acme_key);',
    'static_branch_disable(&acme_key);',
    '',
    'extern struct static_key_false acme_key;',
  ),
  version(MAKES, REMOVE).replace('.replace = true', '.replace = false'),
  version('', 'debugfs_remove(debugfs_lookup("acme", NULL));'),
];

function lineage(change: (text: string) => string = (text) => text): string {
  const text = `lineage: l
kernel: "6.1"
versions:
  - version: v1
    module: m_v1
    sources: v1.c
    status: released
  - version: v2
    module: m_v2
    sources: v2.c
    status: faulty
  - version: v3
    module: m_v3
    sources: v3.c
    restores: v1
    cleans-up-after: [v2]
targets: [acme]
effects:
  - { do: acme_register, undo: acme_unregister, key: pointer, argument: 1, fails: errno }
scenarios:
  - { name: back, steps: [load v1, load v2, load v3, unload v2], expect: clean }
rules:
  reverted-function: warning
`;
  const changed = change(text);
  if (change !== same && changed === text) throw new Error('that changes nothing');
  return changed;
}
const same = (text: string): string => text;

/** A person at the manifest: every key that says how versions run, or how they are judged. */
const MANIFESTS = [
  lineage(same),
  ...(
    [
      [/^effects:\n.*\n/m, ''],
      ['fails: errno', 'fails: never'],
      ['undo: acme_unregister', 'undo: acme_put'],
      ['"6.1"', '"5.14"'],
      ['"6.1"', '{ release: "6.1", lacks: [states] }'],
      ['version: v2', 'version: two'],
      ['module: m_v2', 'module: m_two'],
      ['status: faulty', 'status: faulty\n    params: { mode: -22 }'],
      [
        'status: faulty',
        'status: faulty\n    keeps: [{ effect: debugfs_create_file, key: acme, reason: stays }]',
      ],
      [/sources: v.\.c/g, '$&\n    keeps: [{ effect: debugfs_create_file, key: acme, reason: stays }]'],
      [/sources: v[12]\.c/g, '$&\n    keeps: [{ effect: debugfs_create_file, key: acme, reason: stays }]'],
      ['status: faulty', 'status: draft'],
      ['status: faulty', 'status: withdrawn'],
      ['    restores: v1\n    cleans-up-after: [v2]\n', ''],
      ['sources: v3.c', 'sources: v2.c'],
      ['targets: [acme]', ''],
      ['targets: [acme]', 'targets: [acme, other]'],
      ['expect: clean', 'expect: unsafe'],
      ['warning', 'off'],
      ['  - version: v1\n    module: m_v1\n    sources: v1.c\n    status: released\n', ''],
      ['versions:\n', 'defaults: { params: { mode: -12 } }\nversions:\n'],
    ] as const
  ).map(([from, to]) => lineage((text) => text.replace(from, to))),
  'lineage: [',
];
const JUDGED: typeof TEXTS = {
  'livepatch.yaml': MANIFESTS,
  'shared.h': [
    `static void begin(void) { ${MAKES} }\nstatic void end(void) { }\n`,
    `static void begin(void) { ${MAKES} }\nstatic void end(void) { ${REMOVE} }\n`,
    `\n\nstatic void end(void) { ${REMOVE} }\nstatic void begin(void) { ${MAKES} }\n`,
    'static void begin(void) { static_branch_enable(&acme_key); }\n',
    null,
  ],
  'v1.c': VERSIONS,
  'v2.c': VERSIONS.toReversed(),
  'v3.c': VERSIONS,
};

beforeAll(() => startParser());

/** What the features of the editor and the commands say of it, as text; `at` are offsets of its files. */
function shownBy(project: Project, names: readonly string[], at: readonly number[]): unknown {
  const analysis = project.analyse();
  const places = placesOf(project);
  const inFile = (file: string, end: number): unknown => [
    codeLenses(analysis, file),
    inlayHints(analysis, file, { start: 0, end }),
    quickFixes(analysis, file, { start: 0, end }).map((it) => [it.title, it.kind, it.edits]),
    at
      .map((share) => Math.floor(share * end))
      .map((offset) => [
        hover(analysis, file, offset),
        definition(analysis, file, offset),
        references(analysis, file, offset, true),
        signatureHelp(analysis, file, offset),
        completions(analysis, file, offset).map((it) => it.label),
      ]),
  ];
  const { versions } = analysis.lineage;
  const [from, to] = versions.slice(-2).map((it) => it.name);
  const answers =
    from !== undefined && to !== undefined
      ? [
          explainAnswer(analysis, from, to, places),
          runbookDocument(analysis, to, from, places),
          simulateAnswer(analysis, `load ${from}; load ${to}; unload ${from}`, places),
          panelTransition(
            analysis,
            from,
            to,
            (file) => file,
            () => null,
          ),
          scaffoldAnswer(analysis, from, [to], 'v9'),
        ]
      : [];
  return [
    names.map((name) => inFile(`/lineage/${name}`, analysis.text(`/lineage/${name}`).length)),
    versions.map((version) => analysis.filesOf(version)),
    manifestSymbols(analysis),
    lineageSymbols(analysis, 'v'),
    panelModel(analysis, (file) => file),
    answers,
  ];
}

/** All that a project says of its lineage. */
function said(project: Project, names: readonly string[], at: readonly number[]): string {
  const analysis = project.analyse();
  const versions = analysis.lineage.versions.map(({ name, dialect, facts, unread }) =>
    JSON.stringify([name, dialect, facts?.patches, unread]),
  );
  const hovers = names.flatMap((name) => {
    const file = `/lineage/${name}`;
    const at = analysis.text(file).indexOf('.pre_patch =');
    return at < 0 ? [] : (hover(analysis, file, at + 1)?.markdown ?? 'nothing');
  });
  const verdicts = analysis.transitions
    .all()
    .map((it) => `${it.from?.name ?? 'none'} → ${it.to.name}: ${it.run.verdict.word}, ${because(it)}`);
  const shown = JSON.stringify(shownBy(project, names, at), null, 1).replaceAll('\\n', '\n');
  return [...versions, ...hovers, ...verdicts, told(analysis.findings()), shown].join('\n');
}

/** Lives through `rounds` of random changes; how many different answers there were, and how many rounds changed nothing. */
function live(
  random: Random,
  texts: typeof TEXTS,
  again: string,
  rounds: number,
): { seen: number; unchanged: number } {
  const names = Object.keys(texts);
  const disk = new MemoryFiles('/lineage', { 'again.livepatch.yaml': again });
  const workspace = new Workspace(disk);
  /** Editors tell what comes and goes; that a text has become another one is seen without. */
  const put = (path: string, text: string | null): void => {
    const there = disk.real(path) !== null;
    if (text === null) disk.remove(path);
    else disk.write(path, text);
    if (there !== (text !== null)) workspace.diskChanged(path, text === null);
  };
  for (const [name, [text = null]] of Object.entries(texts)) put(`/lineage/${name}`, text);
  workspace.addFolder('/lineage');
  const project = workspace.project('/lineage/livepatch.yaml');
  // Two lineages of an editor share what they have read: this one asks in between.
  const other = workspace.project('/lineage/again.livepatch.yaml');
  if (!project || !other) throw new Error('the manifests are not found');
  const seen = new Set<string>();
  let unchanged = 0;
  for (let round = 0; round < rounds; round++) {
    for (let edits = random.below(3); edits > 0; edits--) {
      const name = random.pick(names);
      const path = `/lineage/${name}`;
      const text = random.pick(texts[name] ?? []);
      // An editor counts each document from 1, and again when it opens it once more; it opens no modules.
      if (random.below(3) === 0 && !name.endsWith('.ko')) workspace.open(path, 1, text ?? '');
      else if (random.below(3) === 0) workspace.close(path);
      else put(path, text);
    }
    if (random.below(3) === 0) other.analyse();
    const at = Array.from({ length: 4 }, () => random.below(1_000) / 1_000);
    const fresh = said(new Project('/lineage/livepatch.yaml', '/lineage', workspace.files), names, at);
    const before = project.work.assemblies;
    expect(said(project, names, at)).toBe(fresh);
    if (project.work.assemblies === before) unchanged++;
    seen.add(fresh);
  }
  workspace.dispose();
  return { seen: seen.size, unchanged };
}

const RANDOM = made(4, 200, (random) => ({ random }));

test.each(RANDOM)('whatever is read, a fresh start says the same (%#)', ({ random }) => {
  const again = MANIFEST.replace('include: headers', 'defines: { NOTE_ID: 9 }');
  const { seen, unchanged } = live(random, TEXTS, again, 80);
  expect(seen).toBeGreaterThan(20);
  expect(unchanged).toBeGreaterThan(20);
});

test.each(RANDOM)('whatever is judged, a fresh start says the same (%#)', ({ random }) => {
  const { seen, unchanged } = live(random, JUDGED, lineage(same), 60);
  expect(seen).toBeGreaterThan(12);
  expect(unchanged).toBeGreaterThan(10);
});

test('a document that is closed and opened again with the same number may hold another text', () => {
  const files = new Overlay(new MemoryFiles('/lineage', { 'livepatch.yaml': MANIFEST, 'c/main.c': C }));
  const project = new Project('/lineage/livepatch.yaml', '/lineage', files);
  const states = (): unknown =>
    project.analyse().lineage.versions[0]?.facts?.patch?.states.map((state) => String(state.id));
  files.set('/lineage/c/main.c', 1, C.replace('.id = LOUD_STATE', '.id = 4'));
  expect(states()).toEqual(['4']);
  files.delete('/lineage/c/main.c');
  files.set('/lineage/c/main.c', 1, C.replace('.id = LOUD_STATE', '.id = 5'));
  expect(states()).toEqual(['5']);
});

test('a hover asked for again is made once, and anew after an edit', () => {
  const disk = new MemoryFiles('/lineage', { 'livepatch.yaml': MANIFEST, 'c/main.c': C });
  const project = new Project('/lineage/livepatch.yaml', '/lineage', disk);
  const asked = (at: number): string | undefined =>
    hover(project.analyse(), '/lineage/c/main.c', at)?.markdown;
  const at = C.indexOf('.pre_patch =');
  const first = asked(at + 1);
  expect(first).toContain('`demo_pre_patch`');
  const { ran } = project.analyse().transitions;
  expect(asked(at + 5)).toBe(first);
  expect(project.analyse().transitions.ran).toBe(ran);
  disk.write('/lineage/c/main.c', C.replaceAll('demo_pre_patch', 'demo_pre_paint'));
  expect(asked(at + 1)).toBe(
    first?.replaceAll('demo\\_pre\\_patch', 'demo_pre_paint').replaceAll('demo_pre_patch', 'demo_pre_paint'),
  );
});
