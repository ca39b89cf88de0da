import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  defaultSteps,
  destinations,
  MOST_REMEMBERED,
  origins,
  readPairWish,
  readRunWish,
  remember,
  troubleText,
} from '../../client/src/commands/run-choice';
import { addressParts, type RunAddress, readAddress } from '../../client/src/run-address';
import {
  EXPLAIN_REQUEST,
  LINEAGES_REQUEST,
  SIMULATE_REQUEST,
  STEPS_REQUEST,
} from '../../server/src/lsp/protocol';
import { type FakeInput, fakeVscode } from './fake-vscode';

const vscode = fakeVscode();
vi.mock('vscode', () => vscode);

const MANIFEST = 'file:///net/livepatch.yaml';
const V = (version: string, status = 'released'): { version: string; module: string; status: string } => ({
  version,
  module: `lp_${version}`,
  status,
});

/** Knows one lineage; the word "bad" is trouble. */
function fakeServer(versions = [V('v1'), V('v2', 'faulty')]) {
  const asked: [string, Record<string, unknown>][] = [];
  const changed = new vscode.EventEmitter<string>();
  return {
    asked,
    changed,
    onChanged: changed.event,
    async request(method: string, params: Record<string, unknown>): Promise<unknown> {
      asked.push([method, params]);
      if (method === LINEAGES_REQUEST)
        return { lineages: [{ manifest: MANIFEST, lineage: 'net', versions }] };
      if (method === STEPS_REQUEST) {
        const start = String(params.steps).indexOf('bad');
        return start < 0 ? null : { problem: 'Nobody is called so.', start, end: start + 3 };
      }
      if (method === SIMULATE_REQUEST && String(params.steps).includes('bad'))
        return { problem: 'Nobody is called so.', start: 0, end: 3 };
      return { text: `${method} ${JSON.stringify(params)}` };
    },
  };
}

function fakeMemento() {
  const kept = new Map<string, unknown>();
  return {
    kept,
    get: (key: string) => kept.get(key),
    update: async (key: string, value: unknown) => void kept.set(key, value),
  };
}

async function parts(server: ReturnType<typeof fakeServer>) {
  const { RunDocuments } = await import('../../client/src/run-documents');
  const { simulate } = await import('../../client/src/commands/simulate');
  const { explainTransition } = await import('../../client/src/commands/explain-transition');
  const documents = new RunDocuments(server as never);
  const state = fakeMemento();
  return {
    documents,
    state,
    simulate: (wish?: unknown) => simulate(server as never, documents, state as never, wish),
    explain: (wish?: unknown) => explainTransition(server as never, documents, wish),
  };
}

/** The address behind the only document that was shown. */
function shownAddress(): RunAddress | null {
  expect(vscode.shown).toHaveLength(1);
  const uri = vscode.shown[0]?.uri ?? '';
  expect(uri.startsWith('livepatch-run:')).toBe(true);
  return readAddress(decodeURIComponent(uri.slice(uri.indexOf('?') + 1)));
}

beforeEach(() => {
  vscode.shown.length = 0;
  vscode.warnings.length = 0;
  vscode.workspace.textDocuments = [];
  vscode.answers.quickPick = () => undefined;
  vscode.answers.input = () => undefined;
});

describe('what is offered', () => {
  test('the steps of the newest upgrade stand in the box', () => {
    expect(defaultSteps([V('v1'), V('v2'), V('v3')])).toBe('load v2; load v3; unload v2');
    expect(defaultSteps([V('v1')])).toBe('load v1');
    expect(defaultSteps([])).toBe('');
  });

  test('a run is remembered once, newest first, and not without end', () => {
    expect(remember(undefined, 'load v1')).toEqual(['load v1']);
    expect(remember(['load v2', 'load v1'], ' load v1 ')).toEqual(['load v1', 'load v2']);
    expect(remember(['a', 3, null], 'b')).toEqual(['b', 'a']);
    expect(remember('x', '  ')).toEqual([]);
    expect(remember([], 'x'.repeat(5_000))).toEqual([]);
    const many = Array.from({ length: 50 }, (_, i) => `load v${i}`);
    expect(remember(many, 'stall')).toHaveLength(MOST_REMEMBERED);
    expect(remember(many, 'stall')[0]).toBe('stall');
  });

  test('one goes from any version or the clean kernel, to any other version', () => {
    const versions = [V('v1'), V('v2')];
    expect(origins(versions).map((one) => one?.version ?? null)).toEqual(['v2', 'v1', null]);
    expect(destinations(versions, 'v2').map((one) => one.version)).toEqual(['v1']);
    expect(destinations(versions, 'none').map((one) => one.version)).toEqual(['v2', 'v1']);
  });

  test('trouble names the words it is about, unless it does so itself', () => {
    expect(troubleText('load v1; load v9', { problem: 'Unknown.', start: 14, end: 16 })).toBe('v9: Unknown.');
    expect(troubleText('load v9', { problem: 'No "v9".', start: 5, end: 7 })).toBe('No "v9".');
    expect(troubleText('load', { problem: 'A name is missing.', start: 0, end: 4 })).toBe(
      'A name is missing.',
    );
  });

  test('arguments are read field by field', () => {
    expect(readRunWish({ manifest: 'm', steps: 'load v1', from: 'x' })).toEqual({
      manifest: 'm',
      steps: 'load v1',
    });
    expect(readPairWish({ from: 'none', to: 'v1', steps: 3 })).toEqual({ from: 'none', to: 'v1' });
    for (const value of [undefined, null, 3, 'x', [], { manifest: 1, steps: {}, from: [], to: null }]) {
      expect(readRunWish(value)).toEqual({});
      expect(readPairWish(value)).toEqual({});
    }
  });
});

describe('addresses', () => {
  test('say all that the document is made from', () => {
    const run: RunAddress = { k: 'simulate', manifest: MANIFEST, steps: 'load v1; set v1 a="x#?y"' };
    const pair: RunAddress = { k: 'explain', manifest: MANIFEST, from: 'none', to: 'v/1' };
    for (const address of [run, pair])
      expect(readAddress(addressParts('net', address).query)).toEqual(address);
    expect(addressParts('net', run).path).toBe('/net run.log');
    expect(addressParts('a/b', pair).path).toBe('/a-b none to v-1.md');
  });

  test.each([
    '',
    '{',
    'null',
    '[]',
    '{"k":"simulate"}',
    '{"k":"simulate","manifest":"m"}',
    '{"k":"x","manifest":"m"}',
  ])('%j is none', (query) => expect(readAddress(query)).toBeNull());
});

describe('simulate', () => {
  test('asks with the default, checks what is typed with the server and shows the run', async () => {
    const server = fakeServer();
    const { simulate, state } = await parts(server);
    let box: FakeInput | undefined;
    vscode.answers.input = (given) => {
      box = given;
      return 'load v1; load v2';
    };
    await simulate();
    expect(box?.value).toBe('load v1; load v2; unload v1');
    expect(await box?.validateInput('load v1')).toBeNull();
    expect(await box?.validateInput('load bad')).toBe('bad: Nobody is called so.');
    expect(shownAddress()).toEqual({ k: 'simulate', manifest: MANIFEST, steps: 'load v1; load v2' });
    expect([...state.kept.values()]).toEqual([['load v1; load v2']]);
  });

  test('offers earlier runs of this lineage, to be changed', async () => {
    const server = fakeServer();
    const { simulate, state } = await parts(server);
    await state.update(`livepatch.runs ${MANIFEST}`, ['load v2', 'load v1']);
    let labels: string[] = [];
    vscode.answers.quickPick = (items) => {
      labels = items.map((item) => item.label);
      return items[2];
    };
    vscode.answers.input = (box) => box.value;
    await simulate();
    expect(labels.slice(1)).toEqual(['load v2', 'load v1']);
    expect(shownAddress()).toMatchObject({ steps: 'load v1' });
    expect([...state.kept.values()]).toEqual([['load v1', 'load v2']]);
  });

  test('does nothing when the person gives up', async () => {
    const { simulate, state } = await parts(fakeServer());
    await simulate();
    expect(vscode.shown).toEqual([]);
    expect(state.kept.size).toBe(0);
  });

  test('steps that come with the call are not asked for', async () => {
    const { simulate } = await parts(fakeServer());
    vscode.answers.input = () => {
      throw new Error('asked');
    };
    await simulate({ manifest: MANIFEST, steps: 'load v2' });
    expect(shownAddress()).toMatchObject({ steps: 'load v2' });
  });

  test('a manifest that nobody knows is told', async () => {
    const { simulate } = await parts(fakeServer());
    await simulate({ manifest: 'file:///other.yaml' });
    expect(vscode.shown).toEqual([]);
    expect(vscode.warnings.join()).toContain('livepatch.yaml');
  });
});

test('explain asks from where and to where', async () => {
  const { explain } = await parts(fakeServer());
  const asked: string[][] = [];
  vscode.answers.quickPick = (items) => {
    asked.push(items.map((item) => item.label));
    return items[0];
  };
  await explain();
  expect(asked).toEqual([['v2', 'v1', 'Clean kernel'], ['v1']]);
  expect(shownAddress()).toEqual({ k: 'explain', manifest: MANIFEST, from: 'v2', to: 'v1' });
});

describe('documents', () => {
  const uriOf = (address: RunAddress): never =>
    vscode.Uri.from({ scheme: 'livepatch-run', ...addressParts('net', address) }) as never;

  test('hold what the server tells', async () => {
    const server = fakeServer();
    const { documents } = await parts(server);
    const run = uriOf({ k: 'simulate', manifest: MANIFEST, steps: 'load v1' });
    const pair = uriOf({ k: 'explain', manifest: MANIFEST, from: 'v2', to: 'v1' });
    expect(await documents.provideTextDocumentContent(run)).toContain(SIMULATE_REQUEST);
    expect(await documents.provideTextDocumentContent(pair)).toContain(EXPLAIN_REQUEST);
    expect(server.asked).toEqual([
      [SIMULATE_REQUEST, { manifest: MANIFEST, steps: 'load v1' }],
      [EXPLAIN_REQUEST, { manifest: MANIFEST, from: 'v2', to: 'v1' }],
    ]);
  });

  test('say why there is no run', async () => {
    const { documents } = await parts(fakeServer());
    const bad = uriOf({ k: 'simulate', manifest: MANIFEST, steps: 'load bad' });
    expect(await documents.provideTextDocumentContent(bad)).toBe('Nobody is called so.\n');
    const made = vscode.Uri.from({ scheme: 'livepatch-run', path: '/x', query: '{}' });
    expect(await documents.provideTextDocumentContent(made as never)).toContain('no run');
  });

  test('are asked for anew when their lineage changes, and no others', async () => {
    const server = fakeServer();
    const { documents } = await parts(server);
    const mine = uriOf({ k: 'simulate', manifest: MANIFEST, steps: 'load v1' }) as { toString(): string };
    const other = uriOf({ k: 'simulate', manifest: 'file:///other.yaml', steps: 'load v1' });
    vscode.workspace.textDocuments = [
      { uri: mine },
      { uri: other },
      { uri: vscode.Uri.parse(MANIFEST) },
    ] as never;
    const fired: string[] = [];
    documents.onDidChange((uri) => fired.push(uri.toString()));
    server.changed.fire(MANIFEST);
    expect(fired).toEqual([mine.toString()]);
  });
});
