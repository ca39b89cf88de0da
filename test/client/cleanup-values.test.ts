import { beforeEach, describe, expect, test, vi } from 'vitest';
import { LINEAGES_REQUEST, SCAFFOLD_REQUEST } from '../../server/src/lsp/protocol';
import { fakeVscode } from './fake-vscode';

const vscode = fakeVscode();
vi.mock('vscode', () => vscode);

const MANIFEST = 'file:///net/livepatch.yaml';
const VERSIONS = [
  { version: 'v1', module: 'lp_v1', status: 'released' },
  { version: 'v2', module: 'lp_v2', status: 'faulty' },
];
const ANSWER = {
  ok: true,
  files: [
    { uri: 'file:///net/v3/Kbuild', text: 'obj-m := lp_v3.o\n' },
    { uri: 'file:///net/v3/lp_v3.c', text: 'int x;\n' },
  ],
  manifestEdits: [
    { range: { start: { line: 9, character: 0 }, end: { line: 9, character: 0 } }, newText: '  - v3\n' },
  ],
  manifestVersion: null,
  notes: ['Mind the state.'],
};

function fakeServer(answers: readonly unknown[] = [ANSWER]) {
  const asked: [string, Record<string, unknown>][] = [];
  const touched: string[] = [];
  const left = [...answers];
  return {
    asked,
    touched,
    onChanged: () => ({ dispose: () => undefined }),
    touch: (manifest: string) => void touched.push(manifest),
    async request(method: string, params: Record<string, unknown>): Promise<unknown> {
      asked.push([method, params]);
      if (method === LINEAGES_REQUEST)
        return { lineages: [{ manifest: MANIFEST, lineage: 'net', versions: VERSIONS }] };
      return left.shift();
    },
  };
}

beforeEach(() => {
  for (const list of [vscode.edits, vscode.warnings, vscode.shown]) list.length = 0;
  Object.assign(vscode.answers, {
    quickPick: () => undefined,
    input: () => undefined,
    button: () => undefined,
  });
});

describe('livepatch.generateCleanupPatch', () => {
  const wish = { manifest: MANIFEST, restore: 'v1', after: ['v2'] };
  const asks = {
    ok: false,
    reasons: ['v2/a.c:3: console_loglevel cannot be undone.'],
    asks: ['console_loglevel'],
  };

  test('asks for a value that nobody hands over, and tries again with it', async () => {
    const { generateCleanupPatch } = await import('../../client/src/commands/generate-cleanup-patch');
    const server = fakeServer([asks, ANSWER]);
    const inputs = ['v3', '7'];
    vscode.answers.input = () => inputs.shift();
    await generateCleanupPatch(server as never, wish);
    const sent = server.asked.filter(([method]) => method === SCAFFOLD_REQUEST).map(([, params]) => params);
    expect(sent).toEqual([
      { ...wish, as: 'v3' },
      { ...wish, as: 'v3', values: { console_loglevel: '7' } },
    ]);
    expect(vscode.edits).toHaveLength(1);
  });

  test('the first note stands in the preview, before anything is accepted', async () => {
    const { generateCleanupPatch } = await import('../../client/src/commands/generate-cleanup-patch');
    const notes = ['v1 does not take over from itself.', 'Mind the state.'];
    vscode.answers.input = () => 'v3';
    await generateCleanupPatch(fakeServer([{ ...ANSWER, notes }]) as never, wish);
    const shown = (vscode.edits[0]?.entries ?? []).filter((entry) => !entry.asks);
    expect(new Set(shown.map((entry) => entry.says))).toEqual(
      new Set(['v1 does not take over from itself.']),
    );
  });

  test('a refusal for a draft offers to make that one replaceable', async () => {
    const { generateCleanupPatch } = await import('../../client/src/commands/generate-cleanup-patch');
    const refusal = { ok: false, reasons: ['v2/a.c:3: notifier nb cannot be undone.'] };
    const offered: (readonly string[])[] = [];
    vscode.answers.input = () => 'v3';
    vscode.answers.button = (items) => {
      offered.push(items);
      return items[0];
    };
    await generateCleanupPatch(fakeServer([refusal]) as never, wish);
    expect(vscode.executed).toEqual([]);
    await generateCleanupPatch(fakeServer([{ ...refusal, draft: 'v2' }]) as never, wish);
    expect(offered).toEqual([[], ['Make v2 Replaceable']]);
    expect(vscode.executed).toEqual([['livepatch.makeReplaceable', { manifest: MANIFEST, to: 'v2' }]]);
    expect(vscode.warnings.join()).toContain('v3 cannot be generated. • v2/a.c:3: notifier nb');
  });

  test('without a value nothing happens', async () => {
    const { generateCleanupPatch } = await import('../../client/src/commands/generate-cleanup-patch');
    const inputs = ['v3'];
    vscode.answers.input = () => inputs.shift();
    await generateCleanupPatch(fakeServer([asks]) as never, wish);
    expect(vscode.edits).toEqual([]);
    expect(vscode.warnings).toEqual([]);
  });
});
