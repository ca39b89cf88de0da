import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ScenarioTests } from '../../client/src/scenario-tests';
import { fakeVscode, testControllers } from './fake-vscode';

const vscode = await vi.hoisted(async () => (await import('./fake-vscode')).fakeVscode());
vi.mock('vscode', () => vscode);

const MANIFEST = 'file:///w/livepatch.yaml';
const RANGE = { start: { line: 9, character: 4 }, end: { line: 11, character: 20 } };
const UPGRADE = {
  name: 'upgrade',
  range: RANGE,
  steps: 'load v1; load v2',
  passed: true,
  text: 'ends clean',
};
const BACK = {
  name: 'back',
  range: RANGE,
  steps: 'load v2; load v1',
  passed: false,
  text: 'it ends **unsafe**',
};
const OPEN = { name: 'open', range: RANGE, steps: null, passed: false, text: 'is not run' };

const NEVER = { isCancellationRequested: false, onCancellationRequested: () => ({ dispose() {} }) };

let scenarios: object[];
let changed: (manifest: string) => void;
let folder: string;
const told: string[] = [];
const before = process.env['PATH'];

const server = {
  onChanged: (listener: (manifest: string) => void) => {
    changed = listener;
    return { dispose() {} };
  },
  changed: (manifest: string) => told.push(manifest),
  request: async (method: string, { steps }: { steps?: string }) => {
    if (method === 'livepatch/lineages')
      return { lineages: [{ manifest: MANIFEST, lineage: 'net-fixes', versions: [] }] };
    if (method === 'livepatch/scenarios') return { scenarios };
    if (method === 'livepatch/simulate') return { text: `steps: ${steps}\nverdict` };
    throw new Error(`unexpected ${method}`);
  },
};

/** The explorer's controller with its entries made. */
async function shown() {
  new ScenarioTests(server as never);
  const controller = testControllers[testControllers.length - 1];
  if (controller === undefined) throw new Error('no controller was made');
  await controller.resolveHandler?.(undefined);
  const [root] = controller.items.all;
  return { controller, root };
}

/** The program is on the PATH; nothing runs it here. */
function installed(): void {
  const file = join(folder, 'klp-lineage');
  writeFileSync(file, '');
  chmodSync(file, 0o755);
  process.env['PATH'] = `${folder}${delimiter}${before ?? ''}`;
}

beforeEach(() => {
  scenarios = [UPGRADE, BACK, OPEN];
  told.length = 0;
  vscode.tasks.executed.length = 0;
  vscode.workspace.isTrusted = true;
  folder = mkdtempSync(join(tmpdir(), 'livepatch-tests-'));
});

afterEach(() => {
  process.env['PATH'] = before;
  rmSync(folder, { recursive: true, force: true });
});

test('every scenario is an entry of its lineage, and once more below the rehearsals', async () => {
  const { root } = await shown();
  expect(root?.label).toBe('net-fixes');
  const labels = root?.children.all.map((item) => item.label);
  expect(labels).toEqual(['upgrade', 'back', 'open', 'Rehearsals']);
  const rehearsals = root?.children.all[3];
  expect(rehearsals?.children.all.map((item) => item.label)).toEqual(['upgrade', 'back', 'open']);
  expect(rehearsals?.children.all[0]?.range).toEqual(new (fakeVscode().Range)(9, 4, 11, 20));
});

test('a manifest without scenarios is no entry; entries follow the manifest', async () => {
  scenarios = [];
  const { controller } = await shown();
  expect(controller.items.all).toEqual([]);
  scenarios = [UPGRADE];
  changed(MANIFEST);
  await vi.waitFor(() => expect(controller.items.all).toHaveLength(1));
});

test('running all predicts, and rehearses nothing', async () => {
  const { controller } = await shown();
  const [predict] = controller.profiles;
  expect(controller.profiles.map(({ label, isDefault }) => [label, isDefault])).toEqual([
    ['Predict', true],
    ['Rehearse in a real kernel', false],
  ]);
  await predict?.run({}, NEVER);
  expect(
    controller.log.filter(({ what }) => what !== 'started').map(({ what, label }) => [what, label]),
  ).toEqual([
    ['output', 'upgrade'],
    ['passed', 'upgrade'],
    ['output', 'back'],
    ['failed', 'back'],
    ['errored', 'open'],
    ['end', ''],
  ]);
  const output = controller.log.find(({ what }) => what === 'output');
  expect(output?.message).toBe('steps: load v1; load v2\r\nverdict\r\n');
});

test('a failed scenario leads to its run, and no other command can be called from it', async () => {
  const { controller } = await shown();
  await controller.profiles[0]?.run({}, NEVER);
  const failed = controller.log.find(({ what }) => what === 'failed')?.message as {
    message: { value: string; isTrusted: unknown };
  };
  const link = /\(command:livepatch\.simulate\?([^)]+)\)/.exec(failed.message.value)?.[1] ?? '';
  expect(JSON.parse(decodeURIComponent(link))).toEqual([{ manifest: MANIFEST, steps: 'load v2; load v1' }]);
  expect(failed.message.value).toContain('it ends **unsafe**');
  expect(failed.message.isTrusted).toEqual({ enabledCommands: ['livepatch.simulate'] });
});

test.each([
  [0, 'passed'],
  [1, 'failed'],
  [2, 'errored'],
  [undefined, 'skipped'],
])('a rehearsal that ends with %s has %s, and the lineage follows', async (code, outcome) => {
  installed();
  const { controller, root } = await shown();
  const item = root?.children.all[3]?.children.all[0];
  const running = controller.profiles[1]?.run({ include: [item] }, NEVER);
  await vi.waitFor(() => expect(vscode.tasks.executed).toHaveLength(1));
  const task = vscode.tasks.executed[0];
  expect(task?.execution).toMatchObject({
    process: join(folder, 'klp-lineage'),
    args: ['rehearse', '/w/livepatch.yaml', '--steps', 'load v1; load v2'],
  });
  // Another task's end says nothing.
  vscode.tasks.end({}, 0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(controller.log.map(({ what }) => what)).toEqual(['started']);
  vscode.tasks.end(task, code);
  await running;
  expect(controller.log.map(({ what }) => what)).toEqual(['started', outcome, 'end']);
  expect(told).toEqual([MANIFEST]);
});

test('running all rehearsals stops where the person stops it', async () => {
  installed();
  const { controller } = await shown();
  let cancel = (): void => undefined;
  const token = {
    isCancellationRequested: false,
    onCancellationRequested: (listener: () => void) => {
      cancel = () => {
        token.isCancellationRequested = true;
        listener();
      };
      return { dispose() {} };
    },
  };
  const running = controller.profiles[1]?.run({}, token);
  await vi.waitFor(() => expect(vscode.tasks.executed).toHaveLength(1));
  await new Promise((resolve) => setImmediate(resolve));
  cancel();
  await running;
  expect(controller.log.map(({ what, label }) => [what, label])).toEqual([
    ['started', 'upgrade'],
    ['skipped', 'upgrade'],
    ['end', ''],
  ]);
});

test('without trust nothing is started, and the entry says why', async () => {
  installed();
  vscode.workspace.isTrusted = false;
  const { controller, root } = await shown();
  await controller.profiles[1]?.run({ include: [root?.children.all[3]?.children.all[0]] }, NEVER);
  expect(controller.log.map(({ what }) => what)).toEqual(['started', 'errored', 'end']);
  expect(JSON.stringify(controller.log[1])).toContain('trust the workspace first');
  expect(vscode.tasks.executed).toEqual([]);
});

test('a missing program is named', async () => {
  process.env['PATH'] = folder;
  const { controller, root } = await shown();
  await controller.profiles[1]?.run({ include: [root?.children.all[3]?.children.all[0]] }, NEVER);
  expect(JSON.stringify(controller.log[1])).toContain('klp-lineage is not on the PATH');
});
