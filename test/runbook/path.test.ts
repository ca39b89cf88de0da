import { expect, test } from 'vitest';
import { findPath, type Path, reversalFaults } from '../../server/src/core/lineage/path';
import { formatStep } from '../../server/src/core/manifest/steps';
import { granted, type InMemory, netFixes } from '../scaffold/in-memory';
import { livepatch } from '../scaffold/sources';
import { CLEANER, FOREVER, LEAK, lineageOf, PLAIN, PROC, withoutExit } from './lineages';

function pathOf(lineage: InMemory, from: string | null, to: string): Path {
  const answer = findPath(
    lineage.transitions,
    from === null ? null : lineage.version(from),
    lineage.version(to),
  );
  if (!answer.ok) throw new Error(answer.because);
  return answer.path;
}

function refusal(lineage: InMemory, from: string | null, to: string): string {
  const answer = findPath(
    lineage.transitions,
    from === null ? null : lineage.version(from),
    lineage.version(to),
  );
  if (answer.ok) throw new Error(`a path was found: ${answer.path.kind}`);
  return answer.because;
}

const said = (path: Path): string[] => path.steps.map(formatStep);

test('without a cleanup version, v2 is disabled before v1 is loaded', () => {
  const lineage = netFixes();
  const path = pathOf(lineage, 'v2', 'v1');
  expect(path.kind).toBe('disable');
  expect(said(path)).toEqual(['disable v2', 'unload v2', 'load v1']);
  expect(path.rejected.map((item) => item.kind)).toEqual(['replace']);
  expect(path.rejected[0]?.because).toContain('net_status');
  expect(lineage.run('load v2', ...said(path)).verdict.word).toBe('clean');
  expect(lineage.run('load v1', 'load v2', 'unload v1', ...said(path)).verdict.word).toBe('clean');
});

test('a cleanup version that restores v1 is where one stays', () => {
  const { after } = granted(netFixes(), 'v1', ['v2'], 'v3');
  const path = pathOf(after, 'v2', 'v1');
  expect(path.kind).toBe('cleanup');
  expect(path.destination.name).toBe('v3');
  expect(said(path)).toEqual(['load v3', 'unload v2']);
  expect(after.run('load v2', ...said(path)).verdict.word).toBe('clean');
  expect(
    after
      .run('load v2', ...said(path))
      .end.kernel.patches()
      .map((patch) => patch.name),
  ).toEqual(['livepatch_net_v3']);
});

test('a version in between cleans up where the wanted one cannot', () => {
  const lineage = lineageOf({ v1: { source: PROC }, v2: { source: CLEANER }, v3: { source: PLAIN } });
  const path = pathOf(lineage, 'v1', 'v3');
  expect(path.kind).toBe('through');
  expect(path.via?.name).toBe('v2');
  expect(said(path)).toEqual(['load v2', 'unload v1', 'load v3', 'unload v2']);
  expect(lineage.run('load v1', ...said(path)).verdict.word).toBe('clean');
});

test('no path leads through a version that is faulty', () => {
  const lineage = lineageOf({
    v1: { source: PROC },
    v2: { source: CLEANER, status: 'faulty' },
    v3: { source: PLAIN },
  });
  expect(pathOf(lineage, 'v1', 'v3').kind).toBe('disable');
});

test.each(['faulty', 'withdrawn'] as const)('no path leads to a version that is %s', (status) => {
  const lineage = lineageOf({ v1: { source: PLAIN, status }, v2: { source: PLAIN } });
  expect(refusal(lineage, 'v2', 'v1')).toContain(`v1 is ${status}`);
  expect(refusal(lineage, null, 'v1')).toContain(`v1 is ${status}`);
});

test('from an unpatched kernel the version is loaded', () => {
  const path = pathOf(netFixes(), null, 'v1');
  expect([path.kind, ...said(path)]).toEqual(['load', 'load v1']);
});

test('what stays on every way does not keep the direct one from being taken', () => {
  const path = pathOf(lineageOf({ v1: { source: PLAIN }, v2: { source: LEAK } }), 'v2', 'v1');
  expect(path.kind).toBe('replace');
  expect(path.stays.map(({ hazard, version }) => [hazard, version?.name])).toEqual([['leak', 'v2']]);
});

test('a pointer that even disabling leaves makes every way unsafe', () => {
  const because = refusal(lineageOf({ v1: { source: PLAIN }, v2: { source: FOREVER } }), 'v2', 'v1');
  expect(because).toContain('acme_nb');
});

test('a module without exit is not removed', () => {
  const path = pathOf(lineageOf({ v1: { source: withoutExit({}) }, v2: { source: PLAIN } }), 'v1', 'v2');
  expect(said(path)).toEqual(['load v2']);
  // delete_module() answers EBUSY to a module with init and no exit.
  expect(path.immovable).toEqual([{ module: 'klp_v1', result: -16 }]);
});

test('a history that makes the way worse is told', () => {
  const lineage = lineageOf({ v1: { source: PROC }, v2: { source: PLAIN } });
  const path = pathOf(lineage, 'v2', 'v1');
  expect(path.kind).toBe('replace');
  expect(path.certainty).toBe('may');
  expect(path.histories.map((item) => item.steps.map(formatStep))).toEqual([
    ['load v1', 'load v2', 'unload v1'],
  ]);
});

test('a livepatch that does not replace is disabled first', () => {
  const source = PLAIN.replace('\t.replace = true,\n', '');
  const path = pathOf(lineageOf({ v1: { source }, v2: { source } }), 'v1', 'v2');
  expect(path.kind).toBe('disable');
  expect(path.rejected[0]?.because).toContain('not the only one enabled');
});

test('a load that the kernel refuses is no way', () => {
  const failing = livepatch({
    code: 'static int acme_pre_patch(struct klp_object *obj)\n{\n\treturn -ENODEV;\n}\n',
    callbacks: { pre_patch: 'acme_pre_patch' },
  });
  const because = refusal(lineageOf({ v1: { source: PLAIN }, v2: { source: failing } }), 'v1', 'v2');
  expect(because).toContain('-19 (ENODEV)');
});

test('a reversed load leaves all as it was', () => {
  const lineage = netFixes();
  const path = pathOf(lineage, 'v2', 'v1');
  expect(path.steps.map((_, at) => reversalFaults(lineage.transitions, path, at))).toEqual([[], [], []]);
});

test('a reversed load that undoes too much is told', () => {
  // post_unpatch of a reversed load runs although post_patch never did: it takes the predecessor's entry away.
  const hasty = livepatch({
    includes: ['linux/proc_fs.h'],
    code: `static void acme_post_patch(struct klp_object *obj)
{
	remove_proc_entry("acme", NULL);
}

static void acme_post_unpatch(struct klp_object *obj)
{
	remove_proc_entry("acme", NULL);
}
`,
    callbacks: { post_patch: 'acme_post_patch', post_unpatch: 'acme_post_unpatch' },
  });
  const lineage = lineageOf({ v1: { source: PROC }, v2: { source: hasty } });
  const run = lineage.run('load v1', 'stall', 'load v2', 'disable v2', 'resume');
  expect(run.end.effects()).toEqual([]);
  const answer = findPath(lineage.transitions, lineage.version('v1'), lineage.version('v2'));
  // Disabling v2 later removes an entry that is not there any more: only the reversal matters here.
  const path = answer.ok ? answer.path : null;
  if (path?.kind !== 'replace') throw new Error('v2 does not replace v1');
  expect(reversalFaults(lineage.transitions, path, 0).join()).toContain('still needed');
});
