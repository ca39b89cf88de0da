import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXAMPLE, klp } from './run';

/** The fields that scripts of other people rely on; more may be there, none of these may go. */
const PLACE = ['file', 'line', 'column', 'endLine', 'endColumn'];
const LEFTOVER = ['effect', 'key', 'hazard', 'certainty', 'version', ...PLACE];

/** Fails unless the value has these fields and they are not undefined; answers it as a map. */
function has(value: unknown, fields: readonly string[]): Record<string, unknown> {
  expect(value).toBeTypeOf('object');
  expect(Object.keys(value ?? {})).toEqual(expect.arrayContaining([...fields]));
  return value as Record<string, unknown>;
}

function each(value: unknown, fields: readonly string[]): Record<string, unknown>[] {
  expect(Array.isArray(value)).toBe(true);
  const list = (value as unknown[]).map((item) => has(item, fields));
  expect(list.length).toBeGreaterThan(0);
  return list;
}

function answer(...args: string[]): Record<string, unknown> {
  const { stdout } = klp([...args, '--format', 'json'], tmpdir());
  const value = has(JSON.parse(stdout), ['schema']);
  expect(value.schema).toBe(1);
  return value;
}

test('check', () => {
  const fields = ['code', 'severity', 'message', 'certainty', ...PLACE, 'versions', 'related', 'run'];
  for (const finding of each(answer('check', EXAMPLE).findings, fields)) {
    // Relative to the manifest, wherever the program was started.
    expect(finding.file).toMatch(/^v2\//);
    expect(['must', 'may']).toContain(finding.certainty);
    each(finding.related, ['message', ...PLACE]);
  }
});

test('facts', () => {
  const file = join(EXAMPLE, 'v2/livepatch_net_v2.c');
  const fields = ['file', 'dialect', 'replace', 'objects', 'states', 'shadow', 'init', 'exit'];
  for (const patch of each(answer('facts', file).livepatches, fields)) {
    for (const object of each(patch.objects, ['name', 'functions', 'callbacks'])) {
      each(object.functions, ['old', 'new', 'sympos']);
      for (const callback of Object.values(has(object.callbacks, ['pre_patch', 'post_unpatch'])))
        has(callback, ['function', 'line']);
    }
  }
});

test('simulate', () => {
  const fields = ['steps', 'enabled', 'modules', 'leftovers', 'verdict', 'certainty', 'unknown', 'warnings'];
  const run = has(answer('simulate', EXAMPLE, '--steps', 'load v2; stall; load v1'), fields);
  const step = ['step', 'result', 'log', 'called', 'skipped', 'transition'];
  const [load, , pending] = each(run.steps, step);
  each(load?.called, ['version', 'object', 'callback', 'function', 'certainty']);
  expect(load?.transition).toBeNull();
  expect(pending?.transition).toEqual({ version: 'v1', to: 'patched' });
  each(run.modules, ['name', 'references']);
  const done = answer('simulate', EXAMPLE, '--steps', 'load v2; load v1');
  each(each(done.steps, step)[1]?.skipped, ['version', 'object', 'callback', 'because']);
  each(done.leftovers, LEFTOVER);
});

test('matrix', () => {
  const matrix = has(answer('matrix', EXAMPLE), ['versions', 'verdicts']);
  const fields = ['from', 'to', 'verdict', 'certainty', 'leftovers', 'because', 'worst'];
  const rows = each(matrix.verdicts, fields);
  expect(rows[0]?.from).toBe('none');
  const back = rows.find((row) => row.from === 'v2' && row.to === 'v1');
  each(back?.leftovers, LEFTOVER);
  each([back?.worst], ['verdict', 'run']);
});

test('exit codes: --fail-on decides between 0 and 1', () => {
  const status = (...args: string[]): number | null => klp(args).status;
  const steps = ['simulate', EXAMPLE, '--steps', 'load v2; load v1; unload v2'];
  expect([status(...steps), status(...steps, '--fail-on', 'unsafe')]).toEqual([0, 1]);
  // Worst first: unsafe, refused, leaves, clean.
  const twice = ['simulate', EXAMPLE, '--steps', 'load v1; load v1', '--fail-on'];
  expect([status(...twice, 'unsafe'), status(...twice, 'refused'), status(...twice, 'leaves')]).toEqual([
    0, 1, 1,
  ]);
  expect(status('matrix', EXAMPLE, '--fail-on', 'clean')).toBe(2);
  const empty = mkdtempSync(join(tmpdir(), 'lineage-cli-'));
  try {
    expect(klp(['check'], empty).status).toBe(2);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
});
