import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ScenariosResult } from '../../server/src/lsp/protocol';
import { TestClient } from './client';
import { LineageFolder } from './lineage-folder';

let folder: LineageFolder;
let client: TestClient;

beforeEach(async () => {
  folder = new LineageFolder();
  client = new TestClient(folder.path);
  await client.initialized;
});

afterEach(() => {
  if (client.process.exitCode === null && !client.process.killed) client.process.kill();
  folder.remove();
});

const SCENARIOS = `scenarios:
  - name: forward
    steps: [load v1, load v2, unload v1]
    expect: clean
  - name: back
    steps:
      - load v2
      - load v1
      - unload v2
    expect: clean
  - name: never loaded
    steps: [disable v1]
    expect: unsafe
  - name: not finished
    steps: [load v9]
    expect: clean
`;

async function hovers(): Promise<(needle: string, scenario: string) => Promise<string>> {
  const text = `${folder.read('livepatch.yaml').trimEnd()}\n${SCENARIOS}`;
  const uri = await client.open(folder.file('livepatch.yaml'), 'livepatch-manifest', text);
  const lines = text.split('\n');
  return async (needle, scenario) => {
    const from = lines.findIndex((line) => line.includes(`name: ${scenario}`));
    const line = lines.findIndex((it, i) => i >= from && it.includes(needle));
    const answer = await client.hover(uri, line, (lines[line] ?? '').indexOf(needle) + 1);
    return answer && typeof answer.contents === 'object' && 'value' in answer.contents
      ? answer.contents.value
      : '';
  };
}

test('a scenario that holds says so, with its steps', async () => {
  const hover = await hovers();
  for (const needle of ['forward', 'load v2', 'clean']) {
    const text = await hover(needle, 'forward');
    expect(text).toMatch(/^Scenario `forward` ends \*\*clean\*\*.* as expected/);
    expect(text).toContain('| 1 | `load v1` | 0 |  |');
    expect(text).toContain('| 2 | `load v2` | 0 | `v2 vmlinux pre_patch` |');
    expect(text).not.toContain('differs');
  }
});

test('one that fails names the first step that differs', async () => {
  const hover = await hovers();
  const text = await hover('back', 'back');
  expect(text).toMatch(/^Scenario `back` \*\*fails\*\*: it ends \*\*unsafe\*\*, expected was \*\*clean\*\*/);
  // v2's module can be removed as soon as v1 has replaced it; nothing is wrong before.
  expect(text).toContain('First step that differs: 2. `load v1`: ');
  expect(text).toContain('| ✗ 2 | `load v1` | 0 |');
  expect(await hover('unload v2', 'back')).toBe(text);
});

test('one that ends better than it says fails at no step', async () => {
  const text = await (await hovers())('unsafe', 'never loaded');
  expect(text).toContain('ends **clean**');
  expect(text).toContain('No step makes it unsafe.');
  expect(text).toContain('| 1 | `disable v1` | -2 (ENOENT) |  |');
});

test('one that names nobody is not run, and keys keep their meaning', async () => {
  const hover = await hovers();
  expect(await hover('not finished', 'not finished')).toMatch(/is not run/);
  expect(await hover('expect', 'forward')).not.toMatch(/^Scenario `/);
  expect(await hover('expect', 'forward')).not.toBe('');
});

test('all of them are answered at once: steps, end and place', async () => {
  const text = `${folder.read('livepatch.yaml').trimEnd()}\n${SCENARIOS}`;
  const uri = await client.open(folder.file('livepatch.yaml'), 'livepatch-manifest', text);
  const { scenarios } = await client.connection.sendRequest<ScenariosResult>('livepatch/scenarios', {
    manifest: uri,
  });
  expect(scenarios.map(({ name, steps, passed }) => [name, steps, passed])).toEqual([
    ['forward', 'load v1; load v2; unload v1', true],
    ['back', 'load v2; load v1; unload v2', false],
    ['never loaded', 'disable v1', false],
    ['not finished', null, false],
  ]);
  expect(scenarios[1]?.text).toContain('First step that differs: 2. `load v1`: ');
  const lines = text.split('\n');
  for (const { name, range } of scenarios) expect(lines[range.start.line]).toBe(`  - name: ${name}`);
  const unknown = await client.connection.sendRequest('livepatch/scenarios', { manifest: 'file:///nowhere' });
  expect(unknown).toEqual({ scenarios: [] });
});
