import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newVersion } from '../../server/src/cli/commands/new-version';
import { runbook } from '../../server/src/cli/commands/runbook';
import { scaffold } from '../../server/src/cli/commands/scaffold';
import { Failure } from '../../server/src/cli/failure';
import { helpOf } from '../../server/src/cli/program';
import { captureOutput } from '../support/captured';

const EXAMPLE = join(import.meta.dirname, '../../examples/net-fixes');

let folder = '';
const printed = captureOutput();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-runbook-'));
  cpSync(EXAMPLE, folder, { recursive: true });
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('runbook: text, JSON and Markdown of the example', async () => {
  expect(await runbook.run([folder], { from: 'v2', to: 'v1' })).toBe(0);
  expect(printed.out).toContain('3. Disable v2');
  printed.begin();
  expect(await runbook.run([folder], { from: 'v2', to: 'v1', format: 'json' })).toBe(0);
  expect(JSON.parse(printed.out)).toMatchObject({ schema: 1, path: 'disable', from: 'v2', to: 'v1' });
  printed.begin();
  expect(await runbook.run([folder], { from: 'livepatch_net_v2', to: 'v1', format: 'markdown' })).toBe(0);
  expect(printed.out).toContain('# net-fixes: v2 → v1\n');
  expect(printed.err).toBe('');
});

test('runbook: with the generated v3 the path ends there', async () => {
  expect(await scaffold.run([folder], { restore: 'v1', after: 'v2', as: 'v3' })).toBe(0);
  printed.begin();
  expect(await runbook.run([folder], { from: 'v2', to: 'v1', format: 'json' })).toBe(0);
  expect(JSON.parse(printed.out)).toMatchObject({ path: 'cleanup', destination: 'v3', window: null });
});

test('runbook: no way to a faulty version, exit code 1', async () => {
  expect(await runbook.run([folder], { from: 'v1', to: 'v2' })).toBe(1);
  expect(printed.out).toBe('');
  expect(printed.err).toContain('v2 is faulty (hangs under load)');
  expect(await runbook.run([folder], { from: 'v1', to: 'v2', format: 'json' })).toBe(1);
  expect(JSON.parse(printed.out)).toMatchObject({ schema: 1, path: null });
});

test.each([
  [{ to: 'v1' }, '--from is missing'],
  [{ from: 'v2' }, '--to is missing'],
  [{ from: 'v2', to: 'v9' }, 'no version is called "v9"'],
  [{ from: 'v9', to: 'v1' }, 'no version is called "v9"'],
  [{ from: 'v1', to: 'livepatch_net_v1' }, 'the same'],
  [{ from: 'v2', to: 'v1', format: 'html' }, '--format is text, json or markdown'],
])('runbook: wrong usage %j', async (options, message) => {
  const failure = await Promise.resolve(runbook.run([folder], options as Record<string, string>)).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Failure);
  expect((failure as Failure).exit).toBe(2);
  expect((failure as Failure).message).toContain(message);
});

test('new-version: writes the copy and the entry, and will not do it twice', async () => {
  expect(await newVersion.run([folder], { from: 'v2', as: 'v3' })).toBe(0);
  expect(readFileSync(join(folder, 'v3/livepatch_net_v3.c'))).toEqual(
    readFileSync(join(folder, 'v2/livepatch_net_v2.c')),
  );
  expect(readdirSync(join(folder, 'v3')).sort()).toEqual(['Kbuild', 'livepatch_net_v3.c']);
  const manifest = readFileSync(join(folder, 'livepatch.yaml'), 'utf8');
  expect(manifest).toContain('  - version: v3\n    module: livepatch_net_v3\n');
  expect(printed.out).toContain('note: v2 does not take over from itself');
  expect(await newVersion.run([folder], { from: 'v2', as: 'v3' })).toBe(1);
  expect(readFileSync(join(folder, 'livepatch.yaml'), 'utf8')).toBe(manifest);
});

test('new-version: --dry-run writes nothing', async () => {
  const before = readFileSync(join(folder, 'livepatch.yaml'), 'utf8');
  expect(await newVersion.run([folder], { from: 'v1', as: 'v3', 'dry-run': true })).toBe(0);
  expect(existsSync(join(folder, 'v3'))).toBe(false);
  expect(readFileSync(join(folder, 'livepatch.yaml'), 'utf8')).toBe(before);
  expect(printed.out).toContain('obj-m := livepatch_net_v3.o');
  expect(printed.out).toContain('- version: v3');
});

test('new-version: --out inside the folder of the lineage only', async () => {
  expect(await newVersion.run([folder], { from: 'v1', as: 'v3', out: join(folder, 'next') })).toBe(0);
  expect(existsSync(join(folder, 'next/livepatch_net_v3.c'))).toBe(true);
  await expect(
    Promise.resolve(newVersion.run([folder], { from: 'v1', as: 'v4', out: tmpdir() })),
  ).rejects.toThrow('lies outside');
});

test('both commands are registered with their usage', () => {
  expect(helpOf('runbook')).toContain('runbook [PATH] --from v2 --to v1');
  expect(helpOf('new-version')).toContain('new-version [PATH] --from v2 --as v3');
});
