import { beforeEach, describe, expect, test, vi } from 'vitest';
import { pictureName } from '../../client/src/panel/picture-name';

import type { PanelUpdate } from '../../server/src/features/panel-model';
import { PANEL_REQUEST, TRANSITION_REQUEST, type TransitionParams } from '../../server/src/lsp/protocol';
import { DOWNGRADE, MANIFEST, MODEL } from '../panel/fixture';
import { fakePanel, fakeVscode } from './fake-vscode';

const vscode = fakeVscode();
vi.mock('vscode', () => vscode);

/** Answers after `delay` turns of the event loop; writes down what was asked. */
function fakeServer() {
  const asked: [string, TransitionParams][] = [];
  const changed = new vscode.EventEmitter<string>();
  const server = {
    asked,
    changed,
    model: MODEL as typeof MODEL | null,
    delays: [] as number[],
    onChanged: changed.event,
    async request(method: string, params: TransitionParams): Promise<unknown> {
      asked.push([method, params]);
      for (let i = server.delays.shift() ?? 0; i > 0; i--) await new Promise((done) => setImmediate(done));
      if (method === PANEL_REQUEST) return server.model === null ? null : { model: server.model };
      const unknown = { command: 'livepatch.unknown', title: 'x', arguments: [] };
      const actions = [...DOWNGRADE.actions, unknown];
      return { transition: { ...DOWNGRADE, from: params.from, to: params.to, actions } };
    },
  };
  return server;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done));
}

async function opened(pair: { from: string; to: string } | null = null) {
  const { StackPanel } = await import('../../client/src/panel/stack-panel');
  const panel = fakePanel();
  const server = fakeServer();
  const stack = new StackPanel(panel as never, MANIFEST, pair, {
    extensionUri: vscode.Uri.parse('file:///extension') as never,
    server: server as never,
    log: vscode.channel as never,
  });
  return { panel, server, stack, posted: panel.posted as PanelUpdate[] };
}

beforeEach(() => {
  vscode.executed.length = 0;
  vscode.shown.length = 0;
  vscode.warnings.length = 0;
  vscode.written.length = 0;
  vscode.window.visibleTextEditors = [];
});

describe("the panel's extension side", () => {
  test('sends nothing before the page is ready, then the model with the worst step', async () => {
    const { panel, server, posted } = await opened();
    server.changed.fire(MANIFEST);
    await settle();
    expect(posted).toEqual([]);
    panel.receive({ type: 'ready' });
    await settle();
    expect(posted).toHaveLength(1);
    expect(posted[0]).toMatchObject({ type: 'model', model: MODEL, transition: { from: 'v2', to: 'v1' } });
    expect(panel.title).toBe('Stack: net-fixes');
  });

  test('restores the transition it was given', async () => {
    const { panel, posted } = await opened({ from: 'none', to: 'v3' });
    panel.receive({ type: 'ready' });
    await settle();
    expect(posted[0]).toMatchObject({ transition: { from: 'none', to: 'v3' } });
  });

  test('offers only actions that it has a command for', async () => {
    const { panel, posted } = await opened();
    panel.receive({ type: 'ready' });
    await settle();
    const [update] = posted;
    const commands =
      update?.type === 'model' ? update.transition?.actions.map((action) => action.command) : [];
    expect(commands).toEqual(['livepatch.generateCleanupPatch', 'livepatch.runbook']);
  });

  test('drops the answer to a question that a newer one has overtaken', async () => {
    const { panel, server, posted } = await opened();
    panel.receive({ type: 'ready' });
    await settle();
    server.delays = [6, 0];
    panel.receive({ type: 'select', from: 'v1', to: 'v2' });
    panel.receive({ type: 'select', from: 'v1', to: 'v3' });
    await settle();
    expect(posted.slice(1)).toHaveLength(1);
    expect(posted[1]).toMatchObject({ type: 'transition', transition: { from: 'v1', to: 'v3' } });
  });

  test('follows edits of its own manifest, once for a burst, and keeps the chosen pair', async () => {
    const { panel, server, posted } = await opened();
    panel.receive({ type: 'ready' });
    await settle();
    panel.receive({ type: 'select', from: 'v1', to: 'v3' });
    await settle();
    server.asked.length = 0;
    for (let i = 0; i < 5; i++) server.changed.fire(MANIFEST);
    server.changed.fire('file:///another/livepatch.yaml');
    await new Promise((done) => setTimeout(done, 220));
    await settle();
    expect(server.asked.map(([method]) => method)).toEqual([PANEL_REQUEST, TRANSITION_REQUEST]);
    expect(posted[posted.length - 1]).toMatchObject({ type: 'model', transition: { from: 'v1', to: 'v3' } });
  });

  test('asks for nothing while it is hidden or closed', async () => {
    const { panel, server } = await opened();
    panel.receive({ type: 'ready' });
    await settle();
    server.asked.length = 0;
    panel.setVisible(false);
    server.changed.fire(MANIFEST);
    await new Promise((done) => setTimeout(done, 220));
    expect(server.asked).toEqual([]);
    panel.close();
    server.changed.fire(MANIFEST);
    await new Promise((done) => setTimeout(done, 220));
    expect(server.asked).toEqual([]);
  });

  test('says so when the lineage is gone', async () => {
    const { panel, server, posted } = await opened();
    server.model = null;
    panel.receive({ type: 'ready' });
    await settle();
    expect(posted).toEqual([{ type: 'trouble', message: 'There is no lineage at /lineage/livepatch.yaml.' }]);
  });

  test('opens sources in the column of texts, never over itself', async () => {
    const { panel } = await opened();
    const source = { uri: 'file:///lineage/v2/main.c', line: 84, column: 3 };
    panel.receive({ type: 'open', source });
    await settle();
    vscode.window.visibleTextEditors = [{ viewColumn: 2 }, { viewColumn: 3 }];
    panel.receive({ type: 'open', source });
    await settle();
    expect(vscode.shown.map((one) => one.uri)).toEqual([source.uri, source.uri]);
    expect(vscode.shown[0]?.options).toMatchObject({
      viewColumn: 1,
      selection: { parts: [{ line: 83, character: 2 }, {}] },
    });
    expect(vscode.shown[1]?.options).toMatchObject({ viewColumn: 3 });
    // As it is in a git revision.
    const old = { uri: 'livepatch-revision:///lineage/u1/main.c', line: 1, column: 1 };
    panel.receive({ type: 'open', source: old });
    await settle();
    expect(vscode.shown[2]?.uri).toBe(old.uri);
  });

  test('runs its own commands with the manifest, and no other command or scheme', async () => {
    const { panel } = await opened();
    panel.receive({ type: 'action', command: 'livepatch.generateCleanupPatch', arguments: ['v1', 'v2'] });
    panel.receive({ type: 'action', command: 'workbench.action.terminal.sendSequence', arguments: ['x'] });
    panel.receive({ type: 'open', source: { uri: 'command:evil', line: 1, column: 1 } });
    panel.receive({ type: 'evaluate', code: '1' });
    await settle();
    expect(vscode.executed).toEqual([
      ['livepatch.generateCleanupPatch', { manifest: MANIFEST, restore: 'v1', after: ['v2'] }],
    ]);
    expect(vscode.shown).toEqual([]);
    expect(vscode.warnings).toHaveLength(3);
  });
});

describe('an export', () => {
  const svg = { type: 'exported', format: 'svg', data: '<svg>ä</svg>' };

  test('waits for the page, then saves what the page drew where the person says', async () => {
    const { panel, stack, posted } = await opened();
    stack.export('svg');
    await settle();
    expect(posted).toEqual([]);
    panel.receive({ type: 'ready' });
    await settle();
    expect(posted.map((one) => one.type)).toEqual(['model', 'export']);
    let asked: unknown;
    vscode.answers.saveAs = ({ defaultUri, filters }) => {
      asked = [defaultUri.path, filters];
      return vscode.Uri.file('/lineage/picture.svg');
    };
    panel.receive(svg);
    await settle();
    expect(asked).toEqual(['/lineage/livepatch.yaml/../net-fixes-v2-to-v1.svg', { SVG: ['svg'] }]);
    expect(vscode.written.map(([path, bytes]) => [path, Buffer.from(bytes).toString()])).toEqual([
      ['/lineage/picture.svg', '<svg>ä</svg>'],
    ]);
    // A second answer was not asked for.
    panel.receive(svg);
    await settle();
    expect(vscode.written).toHaveLength(1);
  });

  test('decodes a PNG, and writes nothing where the person gives up', async () => {
    const { panel, stack, posted } = await opened();
    panel.receive({ type: 'ready' });
    await settle();
    stack.export('png');
    await settle();
    expect(posted.at(-1)).toEqual({ type: 'export', format: 'png' });
    vscode.answers.saveAs = () => undefined;
    panel.receive({ type: 'exported', format: 'png', data: 'iVBORw==' });
    await settle();
    expect(vscode.written).toEqual([]);
    stack.export('png');
    await settle();
    vscode.answers.saveAs = () => vscode.Uri.file('/lineage/x.png');
    panel.receive({ type: 'exported', format: 'png', data: 'iVBORw==' });
    await settle();
    expect(vscode.written.map(([path, bytes]) => [path, [...bytes]])).toEqual([
      ['/lineage/x.png', [0x89, 0x50, 0x4e, 0x47]],
    ]);
  });

  test('says in one line what went wrong', async () => {
    const { panel, stack, posted } = await opened();
    panel.receive({ type: 'ready' });
    await settle();
    stack.export('png');
    panel.receive({ type: 'exported', format: 'png', data: null });
    await settle();
    expect(vscode.warnings).toEqual(['The picture is too large for a PNG. Export it as SVG.']);
    stack.export('svg');
    await settle();
    vscode.answers.saveAs = () => vscode.Uri.file('/full/x.svg');
    panel.receive(svg);
    await settle();
    expect(posted.at(-1)).toEqual({ type: 'trouble', message: 'no space left' });
  });

  test('is named after the transition, in characters that any file system takes', () => {
    expect(pictureName('net fixes', { from: 'none', to: 'v1' }, 'png')).toBe('net-fixes-none-to-v1.png');
    expect(pictureName('../../etc/passwd', null, 'svg')).toBe('etc-passwd.svg');
    expect(pictureName('\u202E漢', null, 'svg')).toBe('stack.svg');
    expect(pictureName('x'.repeat(10_000), { from: 'a/b', to: 'c\\d' }, 'svg')).toBe(
      `${'x'.repeat(40)}-a-b-to-c-d.svg`,
    );
  });
});

test('the edit of a cleanup version asks for one look and creates files before it writes them', async () => {
  const { cleanupEdit } = await import('../../client/src/commands/cleanup-edit');
  const manifest = vscode.Uri.parse(MANIFEST);
  const at = { line: 3, character: 0 };
  const edit = cleanupEdit(
    manifest as never,
    {
      ok: true,
      files: [
        { uri: 'file:///lineage/v3/a.c', text: 'A' },
        { uri: 'file:///lineage/v3/Kbuild', text: 'K' },
      ],
      manifestEdits: [{ range: { start: at, end: at }, newText: 'M' }],
      manifestVersion: 1,
      notes: [],
    },
    'v3 = v1 + cleanup after v2',
  ) as unknown as InstanceType<typeof vscode.WorkspaceEdit>;
  expect(edit.entries.map(({ what, uri, text, asks }) => [what, uri.split('/').pop(), text, asks])).toEqual([
    ['create', 'a.c', '{"overwrite":false,"ignoreIfExists":false}', false],
    ['create', 'Kbuild', '{"overwrite":false,"ignoreIfExists":false}', false],
    ['insert', 'a.c', 'A', false],
    ['insert', 'Kbuild', 'K', false],
    ['replace', 'livepatch.yaml', 'M', false],
    // What asks is a part that changes nothing: the editor leaves it unticked.
    ['insert', 'livepatch.yaml', '', true],
  ]);
});
