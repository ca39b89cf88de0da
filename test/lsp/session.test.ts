import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestClient } from './client';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
let folder: string;
let client: TestClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-lsp-'));
  cpSync(EXAMPLE, folder, { recursive: true });
  client = new TestClient(folder);
  await client.initialized;
});

afterEach(async () => {
  if (client.process.exitCode === null && !client.process.killed) client.process.kill();
  rmSync(folder, { recursive: true, force: true });
});

const uriOf = (name: string): string => pathToFileURL(join(folder, name)).toString();

test('files of a lineage get their findings without being opened', async () => {
  const found = await client.until(uriOf('v2/livepatch_net_v2.c'), (list) => list.length > 0);
  expect(found.map((it) => it.code)).toEqual(['unsafe-downgrade']);
  expect(found[0]?.message).toContain('net_status');
  expect(found[0]?.message).toContain('post_unpatch');
  expect(found[0]?.relatedInformation?.some((it) => it.location.uri === uriOf('v1/livepatch_net_v1.c'))).toBe(
    true,
  );
  expect(await client.close()).toBe(0);
});

test('findings follow edits that were not saved, and name the version they are for', async () => {
  const path = join(folder, 'v2/livepatch_net_v2.c');
  const text = readFileSync(path, 'utf8');
  const uri = await client.open(path, 'c', text);
  await client.until(uri, (list) => list.length === 1);
  const line = text.split('\n').findIndex((it) => it.includes('.pre_patch = livepatch_net_pre_patch'));
  const removed = text.split('\n')[line] ?? '';
  const version = await client.change(uri, [
    { range: { start: { line, character: 0 }, end: { line, character: removed.length } }, text: '' },
  ]);
  await client.until(uri, (list, at) => list.length === 0 && (at === undefined || at === version));
  const back = await client.change(uri, [
    { range: { start: { line, character: 0 }, end: { line, character: 0 } }, text: removed },
  ]);
  await client.until(uri, (list, at) => list.length === 1 && at === back);
  for (const { published } of client.history.filter((it) => it.uri === uri)) {
    expect(published.version === undefined || published.version <= back).toBe(true);
  }
});

test('the manifest is checked as it is typed, whatever language it is opened as', async () => {
  const path = join(folder, 'livepatch.yaml');
  const text = readFileSync(path, 'utf8');
  const uri = await client.open(path, 'yaml', text.replace('kernel: "6.1"', 'kernel: 6.1'));
  const found = await client.until(uri, (list) => list.some((it) => it.code === 'manifest-invalid'));
  expect(found[0]?.range.start.line).toBe(2);
  await client.change(uri, [{ text }]);
  await client.until(uri, (list) => list.length === 0);
});

test('hovers answer in both kinds of file, and nothing off livepatch entities', async () => {
  const path = join(folder, 'v2/livepatch_net_v2.c');
  const text = readFileSync(path, 'utf8');
  const uri = await client.open(path, 'c', text);
  await client.until(uri, (list) => list.length === 1);
  const lines = text.split('\n');
  const at = async (needle: string): Promise<string> => {
    const line = lines.findIndex((it) => it.includes(needle));
    const answer = await client.hover(uri, line, (lines[line] ?? '').indexOf(needle) + 1);
    return answer && typeof answer.contents === 'object' && 'value' in answer.contents
      ? answer.contents.value
      : '';
  };
  expect(await at('.replace = true')).toMatch(/none of their callbacks is called/);
  expect(await at('.post_unpatch =')).toMatch(/never when another livepatch replaces it/);
  expect(await at('livepatch_net_post_unpatch(struct')).toMatch(/replaced by v1 \| does not run/);
  expect(await at('ether_addr_copy')).toBe('');
  const manifest = join(folder, 'livepatch.yaml');
  const manifestUri = await client.open(manifest, 'livepatch-manifest', readFileSync(manifest, 'utf8'));
  const hover = await client.hover(manifestUri, 8, 15);
  expect(JSON.stringify(hover?.contents)).toMatch(/unsafe/);
});

test('a request that cannot be answered is answered empty and the server lives on', async () => {
  const uri = uriOf('nowhere.c');
  expect(await client.hover(uri, 5, 5)).toBeNull();
  expect(
    await client.connection.sendRequest('livepatch/panel', { manifest: 'file:///no/such.yaml' }),
  ).toBeNull();
  expect(await client.connection.sendRequest('livepatch/panel', { manifest: '%%%' })).toBeNull();
  const lineages = await client.connection.sendRequest<{ lineages: { lineage: string }[] }>(
    'livepatch/lineages',
    {},
  );
  expect(lineages.lineages.map((it) => it.lineage)).toEqual(['net-fixes']);
});
