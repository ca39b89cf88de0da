import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  createConnection,
  createProtocolConnection,
  type Diagnostic,
  ProposedFeatures,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import type { openUnit } from '../../server/src/core/csource/build-unit';
import type { livepatchFacts } from '../../server/src/core/execution/facts';
import { Server } from '../../server/src/lsp/server';
import { LineageFolder } from './lineage-folder';

/** One file that breaks the program: it is left out with a notice, and everything else is there as before. */

vi.mock('../../server/src/core/csource/build-unit', async (importOriginal) => {
  const original = await importOriginal<{ openUnit: typeof openUnit }>();
  return {
    ...original,
    openUnit: (...args: Parameters<typeof openUnit>) => {
      if (args[1].text(args[0])?.includes('POISON-READING')) throw new TypeError('poisoned reading');
      return original.openUnit(...args);
    },
  };
});
vi.mock('../../server/src/core/execution/facts', async (importOriginal) => {
  const original = await importOriginal<{ livepatchFacts: typeof livepatchFacts }>();
  return {
    ...original,
    livepatchFacts: (program: Parameters<typeof livepatchFacts>[0]) => {
      const facts = original.livepatchFacts(program);
      if (program.units.some((unit) => unit.macro('POISON_FACTS'))) throw new Error('poisoned facts');
      if (!program.units.some((unit) => unit.macro('POISON_RULES'))) return facts;
      // Whoever looks at the objects of this one falls over.
      return new Proxy(facts, {
        get: (it, key) => {
          if (key === 'initFunction' || key === 'patch') throw new RangeError('poisoned rules');
          return Reflect.get(it, key) as unknown;
        },
      });
    },
  };
});

let folder: LineageFolder;
let client: ProtocolConnection;
const published = new Map<string, readonly Diagnostic[]>();

beforeEach(async () => {
  folder = new LineageFolder();
  mkdirSync(folder.file('other'));
  for (const name of ['livepatch.yaml', 'v1', 'v2'])
    cpSync(folder.file(name), folder.file(`other/${name}`), { recursive: true });
  published.clear();
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  new Server(
    createConnection(
      ProposedFeatures.all,
      new StreamMessageReader(toServer),
      new StreamMessageWriter(toClient),
    ),
  ).listen();
  client = createProtocolConnection(new StreamMessageReader(toClient), new StreamMessageWriter(toServer));
  client.onNotification(
    'textDocument/publishDiagnostics',
    (it: { uri: string; diagnostics: Diagnostic[] }) => {
      published.set(it.uri, it.diagnostics);
    },
  );
  client.listen();
  await client.sendRequest('initialize', { processId: null, rootUri: folder.uri(''), capabilities: {} });
  await client.sendNotification('initialized', {});
});

afterEach(async () => {
  await client.sendRequest('shutdown');
  client.dispose();
  folder.remove();
});

async function open(name: string, text: string): Promise<void> {
  await client.sendNotification('textDocument/didOpen', {
    textDocument: { uri: folder.uri(name), languageId: 'c', version: 1, text },
  });
}

function said(name: string): string[] {
  return (published.get(folder.uri(name)) ?? []).map(({ message }) => String(message));
}

test.each([
  ['reading', '/* POISON-READING */\n', /^livepatch_net_v2 could not be read, .*TypeError: poisoned reading/],
  ['facts', '#define POISON_FACTS 1\n', /^livepatch_net_v2 could not be read, .*Error: poisoned facts/],
])(
  'a file that breaks the %s is left out, said, and taken back when it is mended',
  async (_, poison, notice) => {
    await vi.waitFor(() => expect(said('other/v2/livepatch_net_v2.c').length).toBeGreaterThan(0), 20_000);
    await vi.waitFor(() => expect(said('v2/livepatch_net_v2.c').length).toBeGreaterThan(0), 20_000);
    const before = said('v2/livepatch_net_v2.c');
    const elsewhere = said('other/v2/livepatch_net_v2.c');
    const text = folder.read('v2/livepatch_net_v2.c');
    await open('v2/livepatch_net_v2.c', poison + text);
    await vi.waitFor(() => expect(said('livepatch.yaml')).toEqual([expect.stringMatching(notice)]), 20_000);
    expect(said('v2/livepatch_net_v2.c')).toEqual([]);
    expect(said('other/v2/livepatch_net_v2.c')).toEqual(elsewhere);
    // Requests about the other version, and about the other lineage, are answered.
    const { lineages } = await client.sendRequest<{ lineages: object[] }>('livepatch/lineages', {});
    expect(lineages).toHaveLength(2);
    const simulated = await client.sendRequest<{ text?: string }>('livepatch/simulate', {
      manifest: folder.uri('livepatch.yaml'),
      steps: 'load v1',
    });
    expect(simulated.text).toContain('load v1');
    await client.sendNotification('textDocument/didChange', {
      textDocument: { uri: folder.uri('v2/livepatch_net_v2.c'), version: 2 },
      contentChanges: [{ text }],
    });
    await vi.waitFor(() => expect(said('v2/livepatch_net_v2.c')).toEqual(before), 20_000);
    expect(said('livepatch.yaml')).toEqual([]);
  },
  90_000,
);

test('facts that break the rules: one notice names them, the other lineage is checked', async () => {
  await vi.waitFor(() => expect(said('other/v2/livepatch_net_v2.c').length).toBeGreaterThan(0), 20_000);
  const elsewhere = said('other/v2/livepatch_net_v2.c');
  writeFileSync(
    folder.file('v2/livepatch_net_v2.c'),
    `#define POISON_RULES 1\n${folder.read('v2/livepatch_net_v2.c')}`,
  );
  await client.sendNotification('workspace/didChangeWatchedFiles', {
    changes: [{ uri: pathToFileURL(folder.file('v2/livepatch_net_v2.c')).toString(), type: 2 }],
  });
  await vi.waitFor(
    () => expect(said('livepatch.yaml').join('\n')).toMatch(/RangeError: poisoned rules/),
    20_000,
  );
  expect(said('livepatch.yaml')).toHaveLength(1);
  expect(said('other/v2/livepatch_net_v2.c')).toEqual(elsewhere);
}, 90_000);
