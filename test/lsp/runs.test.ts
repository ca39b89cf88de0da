import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestClient } from './client';
import { LineageFolder } from './lineage-folder';

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

interface Answer {
  readonly text?: string;
  readonly problem?: string;
  readonly start?: number;
  readonly end?: number;
}

const ask = (method: string, params: object): Promise<Answer | null> =>
  client.connection.sendRequest(`livepatch/${method}`, { manifest, ...params });

test('typed steps are run and told with the predicted log', async () => {
  const { text = '' } = (await ask('simulate', { steps: 'load v1; load v2; unload v1' })) ?? {};
  expect(text).toMatch(/^net-fixes on kernel 6\.1\nsteps: load v1; load v2; unload v1\nverdict: clean/);
  expect(text).toContain('% load v2\n');
  expect(text).toContain('  + v2 vmlinux pre_patch\n');
  const log = text.slice(text.indexOf('predicted kernel log'));
  const lines = [
    "livepatch: enabling patch 'livepatch_net_v1'",
    "livepatch: 'livepatch_net_v1': patching complete",
    "livepatch: enabling patch 'livepatch_net_v2'",
    'livepatch_net_v2: debugfs file net_status made',
    "livepatch: 'livepatch_net_v2': patching complete",
  ];
  const places = lines.map((line) => log.indexOf(`\n${line}\n`));
  expect(places.every((at) => at >= 0)).toBe(true);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

test('the way back is unsafe, and says where', async () => {
  const { text = '' } = (await ask('simulate', { steps: 'load v2\nload v1' })) ?? {};
  expect(text).toContain('\nverdict: unsafe');
  expect(text).toContain('  - v2 vmlinux post_unpatch is skipped: replaced by v1\n');
  expect(text).toMatch(/net_status.*\(v2\/livepatch_net_v2\.c:\d+\)/);
});

test('refused steps tell the errno by name', async () => {
  // -ENOENT without its sysfs folder.
  const { text = '' } = (await ask('simulate', { steps: 'disable v1' })) ?? {};
  expect(text).toContain('% disable v1  -> -2 (ENOENT)\n');
});

test.each([
  ['load v9', /v9/, 5, 7],
  ['load v1; lod v2', /Did you mean "load"/, 9, 12],
  ['load v1; load', /lacks a name/, 9, 13],
  ['   ', /Type steps/, 0, 3],
  ['stall;'.repeat(501), /More than 500/, 3000, 3006],
])('%j is not run', async (steps, words, start, end) => {
  for (const method of ['steps', 'simulate']) {
    const answer = await ask(method, { steps });
    expect(answer?.problem).toMatch(words);
    expect([answer?.start, answer?.end]).toEqual([start, end]);
    expect(answer?.text).toBeUndefined();
  }
});

test('good steps are only looked at while they are typed', async () => {
  expect(
    await ask('steps', { steps: 'load v1; fail livepatch_net_v2 debugfs_create_file; load v2' }),
  ).toBeNull();
});

test('steps of lineages that nobody knows, and no steps at all, are answered', async () => {
  const lost = await client.connection.sendRequest<Answer>('livepatch/simulate', {
    manifest: 'file:///no/such.yaml',
    steps: 'load v1',
  });
  expect(lost).toMatchObject({ start: 0, end: 7 });
  expect(lost.problem).toContain('no/such.yaml');
  for (const params of [{}, { steps: 3 }, { manifest: 7, steps: 'load v1' }, { manifest: null }]) {
    expect((await client.connection.sendRequest<Answer>('livepatch/simulate', params)).problem).toBeDefined();
  }
  expect(await ask('simulate', { steps: 'load v1' })).toHaveProperty('text');
});

test('a manifest with errors is not run', async () => {
  const text = folder.read('livepatch.yaml').replace('module: livepatch_net_v1', 'module: livepatch_net_v2');
  await client.open(folder.file('livepatch.yaml'), 'livepatch-manifest', text);
  const answer = await ask('simulate', { steps: 'load v1' });
  expect(answer?.problem).toMatch(/errors/);
});

test('a transition is explained as Markdown', async () => {
  const { text = '' } = (await ask('explain', { from: 'v2', to: 'v1' })) ?? {};
  expect(text).toMatch(/^# v2 → v1: unsafe\n/);
  const part = (title: string): string => text.split('\n## ').find((it) => it.startsWith(title)) ?? '';
  expect(part('Callbacks that run')).toContain('None.');
  expect(part('Callbacks that do not run')).toContain('`v2 vmlinux post_unpatch`: replaced');
  expect(part('Danger')).toContain('net_status');
  expect(part('What to do')).toContain('disable v2');
  expect(part('Steps')).toContain('1. `load v2`\n1. `load v1`\n1. `unload v2`');
  const clean = await ask('explain', { from: 'none', to: 'v2' });
  expect(clean?.text).toMatch(/^# clean kernel → v2: clean/);
  expect(clean?.text).toContain('1. `v2 vmlinux pre_patch`');
});

test.each([
  [{ from: 'v9', to: 'v1' }, 'v9'],
  [{ from: 'v1', to: 'v9' }, 'v9'],
  [{ from: 'v1', to: 'none' }, 'none'],
  [{ from: 'v1', to: 'livepatch_net_v1' }, 'the same'],
  [{ from: 'v1' }, ''],
  [{}, ''],
])('%j is not explained', async (pair, words) => {
  const answer = await ask('explain', pair);
  expect(answer?.problem).toContain(words);
  expect(answer?.text).toBeUndefined();
});

test('both follow what is being typed', async () => {
  const before = await ask('explain', { from: 'v2', to: 'v1' });
  expect(before?.text).toContain('unsafe');
  const text = folder.read('v2/livepatch_net_v2.c');
  await client.open(
    folder.file('v2/livepatch_net_v2.c'),
    'c',
    text.replace(/\t\t\t\.(pre_patch|post_unpatch) = .*\n/g, ''),
  );
  expect((await ask('explain', { from: 'v2', to: 'v1' }))?.text).toMatch(/^# v2 → v1: clean/);
  expect((await ask('simulate', { steps: 'load v2; load v1' }))?.text).toContain('\nverdict: clean');
});

test('lines are those of the text as it is now', async () => {
  const name = 'v2/livepatch_net_v2.c';
  const text = folder.read(name);
  const made = text.split('\n').findIndex((line) => line.includes('debugfs_create_file(')) + 1;
  expect((await ask('explain', { from: 'v2', to: 'v1' }))?.text).toContain(`(${name}:${made})`);
  await client.open(folder.file(name), 'c', `/* one */\n/* two */\n${text}`);
  for (const [method, params] of [
    ['explain', { from: 'v2', to: 'v1' }],
    ['simulate', { steps: 'load v2; load v1' }],
  ] as const) {
    expect((await ask(method, params))?.text, method).toContain(`(${name}:${made + 2})`);
  }
});
