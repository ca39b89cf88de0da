import { expect, test } from 'vitest';
import { applyChanges } from '../../server/src/core/scaffold/merge';
import { type NextVersion, nextVersion } from '../../server/src/core/scaffold/next-version';
import { HOME, InMemory, MANIFEST, netFixes } from '../scaffold/in-memory';
import { livepatch, notifierV2, SHADOW_V2, STATE_V2 } from '../scaffold/sources';
import { lineageOf, PLAIN, PROC } from './lineages';

type Granted = Extract<NextVersion, { readonly ok: true }>;

function next(lineage: InMemory, from: string, as: string, out: string | null = null): Granted {
  const answer = nextVersion(lineage, { from, as, out });
  if (!answer.ok) throw new Error(answer.reasons.join('\n'));
  return answer;
}

function reasons(lineage: InMemory, from: string, as: string, out: string | null = null): string {
  const answer = nextVersion(lineage, { from, as, out });
  if (answer.ok) throw new Error('granted');
  return answer.reasons.join('\n');
}

function written(lineage: InMemory, answer: Granted): InMemory {
  const files = Object.fromEntries(
    [...lineage.files].map(([path, text]) => [path.slice(HOME.length + 1), text]),
  );
  for (const file of answer.files) files[file.path.slice(HOME.length + 1)] = file.text;
  files['livepatch.yaml'] = applyChanges(lineage.text(MANIFEST), answer.manifestEdits);
  return new InMemory(files);
}

test('the sources are copied byte for byte under the new name', () => {
  const lineage = netFixes();
  const { files } = next(lineage, 'v1', 'v3');
  expect(files.map((file) => file.path)).toEqual(['/lineage/v3/livepatch_net_v3.c', '/lineage/v3/Kbuild']);
  expect(files[0]?.text).toBe(lineage.text('/lineage/v1/livepatch_net_v1.c'));
  expect(files[1]?.text).toContain('\nobj-m := livepatch_net_v3.o\n');
});

test('line ends, byte order mark and missing last line end stay as they are', () => {
  const source = `\ufeff${PLAIN.replaceAll('\n', '\r\n').trimEnd()}`;
  const { files } = next(lineageOf({ v1: { source } }), 'v1', 'v2');
  expect(files[0]?.text).toBe(source);
});

test('the entry is a draft at the end of the manifest with the settings of its predecessor', () => {
  const lineage = lineageOf({
    v1: {
      source: PLAIN,
      more: 'defines: { ACME: 1 }, params: { mode: fast }, keeps: [{ effect: proc_create, key: acme, reason: by decision }]',
    },
  });
  const after = written(lineage, next(lineage, 'v1', 'v2'));
  const { entry, module } = after.version('v2');
  expect(module).toBe('klp_v2');
  expect(entry.status.value).toBe('draft');
  expect(entry.defines.get('ACME')?.value).toBe('1');
  expect(entry.params.get('mode')?.value).toBe('fast');
  expect(entry.keeps.map((kept) => kept.reason?.value)).toEqual(['by decision']);
  expect(entry.restores).toBeNull();
  expect(after.lineage.versions.map((version) => version.name)).toEqual(['v1', 'v2']);
});

test('states are carried with the same ids and versions, so the kernel takes it', () => {
  const lineage = lineageOf({ v1: { source: STATE_V2 } });
  const answer = next(lineage, 'v1', 'v2');
  const after = written(lineage, answer);
  const states = (name: string) =>
    after.version(name).facts?.patch?.states.map((state) => [state.id, state.version]);
  expect(states('v2')).toEqual([[1, 1]]);
  expect(states('v2')).toEqual(states('v1'));
  expect(after.run('load v1', 'load v2').outcomes.at(-1)?.result).toBe(0);
  expect(answer.notes.join('\n')).toContain('carries the states of v1: 1 (version 1)');
});

test('a version that does nothing but patch needs no words', () => {
  expect(next(lineageOf({ v1: { source: PLAIN } }), 'v1', 'v2').notes).toEqual([]);
});

test('what would be repeated is told first, at both places', () => {
  const lineage = netFixes();
  const { notes } = next(lineage, 'v2', 'v3');
  // debugfs refuses a second file of one name with EEXIST, and pre_patch hands that on.
  expect(notes[0]).toContain('v2 does not take over from itself');
  expect(notes[0]).toContain('refused');
  const line =
    lineage
      .text('/lineage/v2/livepatch_net_v2.c')
      .split('\n')
      .findIndex((text) => text.includes('debugfs_create_file(')) + 1;
  expect(notes[1]).toContain(`v2/livepatch_net_v2.c:${line}`);
  expect(notes[1]).toContain(`v3/livepatch_net_v3.c:${line}`);
  expect(notes[1]).toContain('fails with -17');
  expect(notes[1]).toContain("v2's post_unpatch");
  expect(notes.join('\n')).toContain('v2 is faulty (hangs under load)');
});

test('with a state, the note names the id to ask for', () => {
  const { notes } = next(lineageOf({ v1: { source: notifierV2(true) } }), 'v1', 'v2');
  expect(notes[0]).toContain('unsafe');
  expect(notes[1]).toContain('notifier acme_nb');
  expect(notes[1]).toContain('klp_get_prev_state(7)');
});

test('without a state, a pointer that nobody else knows needs another way out and a free id', () => {
  const { notes } = next(lineageOf({ v1: { source: notifierV2(false) } }), 'v1', 'v2');
  expect(notes[1]).toContain('klp-lineage runbook');
  expect(notes[1]).toContain('id 1 is free');
});

test('a value whose original is lost is told', () => {
  const { notes } = next(lineageOf({ v1: { source: STATE_V2 } }), 'v1', 'v2');
  expect(notes.slice(1).find((note) => note.includes('console_loglevel'))).toContain('not restored any more');
});

test('a shadow variable that is there already is told', () => {
  const { notes } = next(lineageOf({ v1: { source: SHADOW_V2 } }), 'v1', 'v2');
  expect(
    notes.find((note) => note.includes('<NULL, 0x51>') && note.includes('klp_shadow_get()')),
  ).toBeDefined();
});

test('another version that it cannot clean up after is told', () => {
  const lineage = lineageOf({ v1: { source: PROC }, v2: { source: PLAIN } });
  expect(next(lineage, 'v2', 'v3').notes.join('\n')).toContain(
    'Over v1, without v2 in between, it is unsafe',
  );
});

test('no note asks to fill something in', () => {
  for (const source of [STATE_V2, SHADOW_V2, PROC, notifierV2(true), notifierV2(false)]) {
    const answer = next(lineageOf({ v1: { source } }), 'v1', 'v2');
    expect([...answer.notes, ...answer.files.map((file) => file.text)].join('\n')).not.toMatch(
      /TODO|FIXME|XXX/,
    );
  }
});

test.each([
  ['a name that is taken', 'v1', 'v2', 'v2'],
  ['a version that is not there', 'v9', 'v3', 'No version is called "v9"'],
  ['a name with blanks', 'v1', 'v 3', 'cannot be a version'],
])('refused: %s', (_what, from, as, reason) => {
  expect(reasons(netFixes(), from, as)).toContain(reason);
});

test('refused: files that exist', () => {
  const base = netFixes();
  const files = Object.fromEntries(
    [...base.files].map(([path, text]) => [path.slice(HOME.length + 1), text]),
  );
  files['v3/Kbuild'] = 'obj-m := other.o\n';
  expect(reasons(new InMemory(files), 'v1', 'v3')).toContain('v3/Kbuild');
});

test('refused: a version that does not replace', () => {
  const source = PLAIN.replace('\t.replace = true,\n', '');
  expect(reasons(lineageOf({ v1: { source } }), 'v1', 'v2')).toContain('does not set .replace');
});

test('refused: no livepatch, unread sources, a kernel without cumulative livepatches', () => {
  expect(reasons(lineageOf({ v1: { source: 'int x;\n' } }), 'v1', 'v2')).toContain('no livepatch');
  const absent = new InMemory({
    'livepatch.yaml':
      'lineage: t\nkernel: "6.1"\nversions:\n  - { version: v1, module: klp_v1, sources: [v1/a.c] }\n',
  });
  expect(reasons(absent, 'v1', 'v2')).toContain('could not be read');
  const old = new InMemory({
    'livepatch.yaml':
      'lineage: t\nkernel: "4.19"\nversions:\n  - { version: v1, module: klp_v1, sources: [v1/a.c] }\n',
    'v1/a.c': PLAIN,
  });
  expect(reasons(old, 'v1', 'v2')).toContain('no cumulative livepatches');
});

test('refused: a folder from which an include is not found', () => {
  const lineage = new InMemory({
    'livepatch.yaml':
      'lineage: t\nkernel: "6.1"\nversions:\n  - { version: v1, module: klp_v1, sources: [v1/klp_v1.c] }\n',
    'v1/klp_v1.c': livepatch({}).replace('static struct klp_patch patch;', '#include "../common.h"'),
    'common.h': '#define ACME 1\n',
  });
  expect(next(lineage, 'v1', 'v2').files).toHaveLength(2);
  expect(reasons(lineage, 'v1', 'v2', '/lineage/deep/er/v2')).toContain('../common.h');
});

test('refused: bytes that are no UTF-8', () => {
  const source = PLAIN.replace('cmdline_proc_show', 'cmdline_proc_show /* \ufffd */');
  expect(reasons(lineageOf({ v1: { source } }), 'v1', 'v2')).toContain('not UTF-8');
});
