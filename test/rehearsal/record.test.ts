import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rehearsalSteps } from '../../server/src/core/lineage/run';
import { panelModel } from '../../server/src/features/panel';
import { panelTransition } from '../../server/src/features/panel-transition';
import { keepRecord, recordsOf } from '../../server/src/host/rehearsal/record';
import { klp } from '../cli/run';
import { analyseFolder } from '../support/project';
import { kernelForTests } from './kernels';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const SEEN = { release: '6.1.0-1', when: '2026-01-02T03:04:05.000Z', same: true, crash: null };
const kernel = await kernelForTests('6.1');
let folder: string;
let manifest: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-record-'));
  cpSync(EXAMPLE, join(folder, 'sources'), { recursive: true });
  manifest = join(folder, 'sources', 'livepatch.yaml');
  process.env['LIVEPATCH_LINEAGE_STATE'] = join(folder, 'state');
});

afterEach(() => {
  delete process.env['LIVEPATCH_LINEAGE_STATE'];
  rmSync(folder, { recursive: true, force: true });
});

test('a record holds for the same steps and the same sources, and for nothing else', async () => {
  const analysis = await analyseFolder(manifest, join(folder, 'sources'));
  const steps = rehearsalSteps(analysis.lineage, 'v2', 'v1');
  expect(recordsOf(analysis)(steps)).toBeNull();
  keepRecord(analysis, steps, SEEN);
  expect(recordsOf(analysis)(steps)).toEqual(SEEN);
  expect(recordsOf(analysis)(steps.slice(1))).toBeNull();
  const shown = panelTransition(analysis, 'v2', 'v1', String, recordsOf(analysis));
  expect(shown?.rehearsed).toEqual(SEEN);
  expect(panelTransition(analysis, 'v1', 'v2', String)?.rehearsed).toBeNull();
  // Every transition of the stack says it, not only the one that is looked at.
  const { matrix } = panelModel(analysis, String, null, recordsOf(analysis));
  expect(matrix.filter((cell) => cell.rehearsed)).toEqual([
    expect.objectContaining({ from: 'v2', to: 'v1', rehearsed: SEEN }),
  ]);
  expect(panelModel(analysis, String).matrix.some((cell) => cell.rehearsed)).toBe(false);
  // A function that no callback reaches is built as well.
  const file = join(folder, 'sources/v2/livepatch_net_v2.c');
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nint another(void) { return 1; }\n`);
  expect(recordsOf(await analyseFolder(manifest, join(folder, 'sources')))(steps)).toBeNull();
});

test('a later rehearsal takes the place of an earlier one, and damage is nothing known', async () => {
  const analysis = await analyseFolder(manifest, join(folder, 'sources'));
  const steps = rehearsalSteps(analysis.lineage, null, 'v1');
  keepRecord(analysis, steps, SEEN);
  keepRecord(analysis, steps, { ...SEEN, same: false, crash: 'Kernel panic (panic)' });
  expect(recordsOf(analysis)(steps)).toMatchObject({ same: false, crash: 'Kernel panic (panic)' });
  const state = join(folder, 'state');
  const [file = ''] = readdirSync(state);
  expect(JSON.parse(readFileSync(join(state, file), 'utf8'))).toHaveLength(1);
  writeFileSync(join(state, file), '[{"steps": 3}, 7]');
  expect(recordsOf(analysis)(steps)).toBeNull();
  writeFileSync(join(state, file), 'no json');
  expect(recordsOf(analysis)(steps)).toBeNull();
});

test.skipIf(kernel === null)('klp-lineage rehearse keeps what it saw', async () => {
  const { status, stdout } = klp(['rehearse', manifest, '--steps', 'load v1', '--kernel', '6.1']);
  expect(stdout).toContain('equal: every line was predicted');
  expect(status).toBe(0);
  const analysis = await analyseFolder(manifest, join(folder, 'sources'));
  const seen = recordsOf(analysis)(rehearsalSteps(analysis.lineage, null, 'v1'));
  expect(seen).toMatchObject({ same: true, crash: null });
  expect(seen?.release).toMatch(/^6\.1\./);
  expect(Math.abs(Date.now() - Date.parse(seen?.when ?? ''))).toBeLessThan(10 * 60_000);
});
