import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { actionWish } from '../../client/src/panel/action-wish';
import { addressParts, readAddress } from '../../client/src/run-address';
import {
  LINEAGES_REQUEST,
  NEW_VERSION_REQUEST,
  REHEARSAL_REQUEST,
  REPLACEABLE_REQUEST,
  RUNBOOK_REQUEST,
} from '../../server/src/lsp/protocol';
import { type FakeInput, fakeVscode } from './fake-vscode';

const vscode = fakeVscode();
vi.mock('vscode', () => vscode);

const MANIFEST = 'file:///net/livepatch.yaml';
const versions = [
  { version: 'v1', module: 'lp_v1', status: 'released' },
  { version: 'v2', module: 'lp_v2', status: 'faulty' },
];

/** Knows one lineage; what it answers to the request under test is given. */
function server(answer: unknown) {
  const asked: [string, unknown][] = [];
  const changed = new vscode.EventEmitter<string>();
  return {
    asked,
    onChanged: changed.event,
    async request(method: string, params: unknown): Promise<unknown> {
      if (method === LINEAGES_REQUEST)
        return { lineages: [{ manifest: MANIFEST, lineage: 'net', versions }] };
      asked.push([method, params]);
      return answer;
    },
  };
}

/** A folder on the PATH that holds the program. */
const folder = mkdtempSync(join(tmpdir(), 'lineage-path-'));
writeFileSync(join(folder, 'klp-lineage'), '#!/bin/sh\n');
chmodSync(join(folder, 'klp-lineage'), 0o755);
const path = process.env['PATH'];

afterAll(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  process.env['PATH'] = folder;
  for (const list of [vscode.shown, vscode.warnings, vscode.tasks.executed, vscode.edits]) list.length = 0;
  vscode.workspace.isTrusted = true;
  vscode.answers.quickPick = () => undefined;
  vscode.answers.input = () => undefined;
});

test('a runbook is asked for two versions and opens as a document of its own', async () => {
  const { RunDocuments } = await import('../../client/src/run-documents');
  const { runbook } = await import('../../client/src/commands/runbook');
  const known = server({ text: '# how' });
  const documents = new RunDocuments(known as never);
  const picks = [1, 0];
  vscode.answers.quickPick = (items) => items[picks.shift() ?? 0];
  await runbook(known as never, documents);
  const uri = vscode.shown[0]?.uri ?? '';
  const query = decodeURIComponent(uri.slice(uri.indexOf('?') + 1));
  expect(readAddress(query)).toEqual({ k: 'runbook', manifest: MANIFEST, from: 'v1', to: 'v2' });
  expect(addressParts('net', { k: 'runbook', manifest: MANIFEST, from: 'v1', to: 'v2' }).path).toBe(
    '/net runbook v1 to v2.md',
  );
  const address = vscode.Uri.from({ scheme: 'livepatch-run', path: '/x', query });
  expect(await documents.provideTextDocumentContent(address as never)).toBe('# how');
  expect(known.asked).toEqual([[RUNBOOK_REQUEST, { manifest: MANIFEST, from: 'v1', to: 'v2' }]]);
});

test('a draft is made replaceable by the edits of the server, and what is left is told', async () => {
  const { makeReplaceable } = await import('../../client/src/commands/make-replaceable');
  const at = { line: 3, character: 0 };
  const answer = {
    edits: [{ uri: 'file:///net/v2/a.c', range: { start: at, end: at }, newText: 'int x;\n' }],
    reasons: ['memory b is to be published by hand: so.'],
  };
  const known = server(answer);
  let offered: readonly unknown[] | undefined;
  vscode.answers.quickPick = (items) => {
    offered = items;
    return undefined;
  };
  await makeReplaceable(known as never);
  expect(offered).toEqual([]);
  expect(known.asked).toEqual([]);
  await makeReplaceable(known as never, { manifest: MANIFEST, to: 'v2' });
  expect(known.asked).toEqual([[REPLACEABLE_REQUEST, { manifest: MANIFEST, version: 'v2' }]]);
  expect(vscode.edits[0]?.entries).toMatchObject([
    { what: 'replace', uri: 'file:///net/v2/a.c', text: 'int x;\n' },
  ]);
  expect(vscode.warnings.join()).toContain('memory b is to be published by hand: so.');
});

test('a new version goes on from the newest, under the next free name, as one previewed edit', async () => {
  const { newVersion } = await import('../../client/src/commands/new-version');
  const known = server({
    ok: true,
    files: [{ uri: 'file:///net/v3/main.c', text: 'int x;\n' }],
    manifestEdits: [
      {
        range: { start: { line: 1, character: 0 }, end: { line: 1, character: 0 } },
        newText: '  - version: v3\n',
      },
    ],
    manifestVersion: null,
    notes: [],
  });
  let box: FakeInput | undefined;
  vscode.answers.quickPick = (items) => items[0];
  vscode.answers.input = (given) => {
    box = given;
    return given.value;
  };
  await newVersion(known as never);
  expect(box?.value).toBe('v3');
  expect(known.asked).toEqual([[NEW_VERSION_REQUEST, { manifest: MANIFEST, from: 'v2', as: 'v3' }]]);
  expect(vscode.edits).toHaveLength(1);
  expect(vscode.edits[0]?.entries.map(({ what, uri }) => [what, uri])).toEqual([
    ['create', 'file:///net/v3/main.c'],
    ['insert', 'file:///net/v3/main.c'],
    ['replace', MANIFEST],
    ['insert', MANIFEST],
  ]);
  expect(vscode.shown[0]?.uri).toBe('file:///net/v3/main.c');
});

test('a new version that cannot be made says why and changes nothing', async () => {
  const { newVersion } = await import('../../client/src/commands/new-version');
  const known = server({ ok: false, reasons: ['The sources of v2 could not be read.'] });
  vscode.answers.input = () => 'v3';
  await newVersion(known as never, { manifest: MANIFEST, from: 'v2' });
  expect(vscode.warnings.join()).toContain('The sources of v2 could not be read.');
  expect(vscode.edits).toEqual([]);
});

test('a rehearsal is a task that runs the packaged program, and the lineage follows when it ends', async () => {
  const { rehearse } = await import('../../client/src/commands/rehearse');
  const known = server({ steps: 'load v2; load v1; unload v2' });
  const ended: string[] = [];
  await rehearse(known as never, (manifest) => ended.push(manifest), {
    manifest: MANIFEST,
    from: 'v2',
    to: 'v1',
  });
  expect(known.asked).toEqual([[REHEARSAL_REQUEST, { manifest: MANIFEST, from: 'v2', to: 'v1' }]]);
  const task = vscode.tasks.executed[0];
  expect(task?.name).toBe('rehearse net: v2 to v1');
  expect(task?.execution).toEqual({
    process: join(folder, 'klp-lineage'),
    args: ['rehearse', '/net/livepatch.yaml', '--steps', 'load v2; load v1; unload v2'],
    options: undefined,
  });
  expect(ended).toEqual([]);
  vscode.tasks.end({});
  expect(ended).toEqual([]);
  vscode.tasks.end(task);
  await vi.waitFor(() => expect(ended).toEqual([MANIFEST]));
});

test('without the command line program a rehearsal says what to install, and a relative PATH is not followed', async () => {
  const { rehearse } = await import('../../client/src/commands/rehearse');
  process.env['PATH'] = `${delimiter}.${delimiter}${relative(process.cwd(), folder)}`;
  const { commandLineProgram } = await import('../../client/src/command-line');
  expect(commandLineProgram()).toBeNull();
  const known = server({ steps: 'load v1' });
  await rehearse(known as never, () => undefined, { manifest: MANIFEST, from: 'v2', to: 'v1' });
  expect(vscode.warnings.join()).toMatch(/klp-lineage is not on the PATH.*package livepatch-lineage/);
  expect(vscode.tasks.executed).toEqual([]);
});

test('nothing is built or run in a workspace that is not trusted', async () => {
  const { rehearse } = await import('../../client/src/commands/rehearse');
  vscode.workspace.isTrusted = false;
  const known = server({ steps: 'load v1' });
  await rehearse(known as never, () => undefined, { manifest: MANIFEST, from: 'v2', to: 'v1' });
  expect(vscode.tasks.executed).toEqual([]);
  expect(known.asked).toEqual([]);
  expect(vscode.warnings.join()).toContain('trust the workspace first');
});

test("a button's versions reach the command that it is of", () => {
  expect(actionWish('livepatch.showStack', MANIFEST, [])).toBe(MANIFEST);
  expect(actionWish('livepatch.generateCleanupPatch', MANIFEST, ['v1', 'v2', 'v3'])).toEqual({
    manifest: MANIFEST,
    restore: 'v1',
    after: ['v2', 'v3'],
  });
  for (const command of ['livepatch.runbook', 'livepatch.rehearse'] as const)
    expect(actionWish(command, MANIFEST, ['v2', 'v1'])).toEqual({ manifest: MANIFEST, from: 'v2', to: 'v1' });
});
