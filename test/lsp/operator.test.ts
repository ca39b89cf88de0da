import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Range } from 'vscode-languageserver/node';
import { TestClient } from './client';
import { applied, LineageFolder } from './lineage-folder';

let folder: LineageFolder;
let client: TestClient;
let manifest: string;

beforeEach(async () => {
  folder = new LineageFolder();
  client = new TestClient(folder.path);
  await client.initialized;
  manifest = folder.uri('livepatch.yaml');
});

afterEach(() => {
  if (client.process.exitCode === null && !client.process.killed) client.process.kill();
  folder.remove();
});

const ask = <R>(method: string, params: object): Promise<R> =>
  client.connection.sendRequest(`livepatch/${method}`, { manifest, ...params });

test('the runbook is a document of numbered commands with checks', async () => {
  const { text } = await ask<{ text: string }>('runbook', { from: 'v2', to: 'v1' });
  expect(text).toMatch(/^# net-fixes: v2 → v1\n/);
  expect(text).toContain('echo 0 > /sys/kernel/livepatch/livepatch_net_v2/enabled');
  expect(text).toContain('insmod ');
  // The window in which nothing is patched.
  expect(text).toContain('## While nothing is patched');
  expect(await ask('runbook', { from: 'v9', to: 'v1' })).toEqual({
    problem: 'The lineage has no version "v9".',
  });
});

test('the next version comes as new files and an edit of the manifest, and the server writes nothing', async () => {
  const answer = await ask<{
    ok: boolean;
    files: { uri: string; text: string }[];
    manifestEdits: { newText: string }[];
  }>('newVersion', { from: 'v2', as: 'v3' });
  expect(answer.ok).toBe(true);
  expect(answer.files.map((file) => file.uri.slice(folder.uri('').length))).toContain('/v3/Kbuild');
  expect(answer.manifestEdits.map((edit) => edit.newText).join()).toContain('version: v3');
  expect(() => folder.read('v3/Kbuild')).toThrow(/ENOENT/);
});

test('no new file is offered behind a link that leads out, over a dangling one, or over what is there', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'lineage-outside-'));
  try {
    symlinkSync(outside, folder.file('v3'));
    mkdirSync(folder.file('v4'));
    symlinkSync(join(outside, 'none'), folder.file('v4/Kbuild'));
    mkdirSync(folder.file('v5'));
    writeFileSync(folder.file('v5/Kbuild'), '');
    for (const as of ['v3', 'v4', 'v5'])
      for (const answer of [
        await ask<{ ok: boolean; reasons: string[] }>('newVersion', { from: 'v2', as }),
        await ask<{ ok: boolean; reasons: string[] }>('scaffold', { restore: 'v1', after: ['v2'], as }),
      ]) {
        expect(answer.ok, as).toBe(false);
        expect(answer.reasons.join()).toMatch(/already|leads outside/);
      }
    expect(await ask('newVersion', { from: 'v2', as: 'v7' })).toMatchObject({ ok: true });
  } finally {
    rmSync(outside, { recursive: true });
  }
});

test('what is rehearsed of a transition are the steps behind its verdict', async () => {
  expect(await ask('rehearsal', { from: 'v2', to: 'v1' })).toEqual({
    steps: 'load v2; load v1; unload v2',
  });
  expect(await ask('rehearsal', { from: 'none', to: 'v1' })).toEqual({ steps: 'load v1' });
  expect(await ask('rehearsal', { from: 'v1', to: 'v1' })).toMatchObject({
    problem: expect.stringContaining('no transition'),
  });
});

test('a draft that nobody could replace is made replaceable by edits', async () => {
  const example = join(import.meta.dirname, '../../examples/module-watch/v2/livepatch_watch_v2.c');
  const text = readFileSync(example, 'utf8');
  folder.write('v2/livepatch_net_v2.c', text);
  const wish = { version: 'v2' };
  expect(await ask('replaceable', wish)).toEqual({ edits: [], reasons: ['v2 is no draft any more.'] });
  folder.change('livepatch.yaml', (was) => was.replace('status: faulty', 'status: draft'));
  await client.open(folder.file('livepatch.yaml'), 'livepatch-manifest', folder.read('livepatch.yaml'));
  const answer = await ask<{ edits: { uri: string; range: Range; newText: string }[]; reasons: string[] }>(
    'replaceable',
    wish,
  );
  expect(answer.reasons).toEqual([]);
  expect(new Set(answer.edits.map(({ uri }) => uri))).toEqual(new Set([folder.uri('v2/livepatch_net_v2.c')]));
  const done = applied(text, answer.edits);
  expect(done).toContain('\t.states = livepatch_net_v2_states,\n};');
  expect(done).toContain('\tklp_get_state(&patch, 1)->data = &watch_nb;\n');
});
