import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Lineage } from '../../server/src/core/lineage/lineage';
import { Transitions } from '../../server/src/core/lineage/transitions';
import { searchAhead } from '../../server/src/lsp/search-ahead';
import { takeoverLineage } from '../bench/lineages';
import { analyseTexts } from '../support/project';
import { TestClient } from './client';
import { LineageFolder } from './lineage-folder';

/** Versions that each set another value: who set it and who stands there now are told apart, so states are many. */
function manyStates(versions: number): Record<string, string> {
  return Object.fromEntries(
    Object.entries(takeoverLineage(versions, 1)).map(([name, text]) => [
      name,
      text.replace('subsys_level = 7', `subsys_level = ${name.replace(/\D/g, '')}`),
    ]),
  );
}

const lineageOf = async (versions: number): Promise<Lineage> =>
  (await analyseTexts(manyStates(versions))).lineage;

test('a search in slices comes to what one at a stretch comes to', async () => {
  const lineage = await lineageOf(4);
  const [sliced, whole] = [new Transitions(lineage), new Transitions(lineage)];
  let turns = 0;
  await searchAhead(
    sliced,
    () => {
      turns++;
      return false;
    },
    0,
  );
  const tried = sliced.tried;
  expect(sliced.search().trials).toEqual(whole.search().trials);
  // Messages were heard after every state, and nothing was walked twice.
  expect(turns).toBe(whole.search().states);
  expect(sliced.tried).toBe(tried);
});

test('a search that is over is not gone on with, and the next one is whole', async () => {
  const lineage = await lineageOf(4);
  const [ended, whole] = [new Transitions(lineage), new Transitions(lineage)];
  let turns = 0;
  await searchAhead(ended, () => ++turns === 3, 0);
  expect(turns).toBe(3);
  expect(ended.tried).toBeGreaterThan(0);
  expect(ended.tried).toBeLessThan(whole.search().trials.length / 2);
  expect(ended.search().trials).toEqual(whole.search().trials);
});

test('a search whose lineage is another one meanwhile ends, and leaves the new one alone', async () => {
  const [before, now] = [await lineageOf(4), await lineageOf(3)];
  const [transitions, whole] = [new Transitions(before), new Transitions(now)];
  let turns = 0;
  await searchAhead(
    transitions,
    () => {
      if (++turns === 2) transitions.use(now);
      return false;
    },
    0,
  );
  expect(turns).toBe(2);
  expect(transitions.search().trials).toEqual(whole.search().trials);
});

test('searches of two lineages of one document that overlap do not take each other for their own', async () => {
  const lineage = await lineageOf(3);
  const other: Lineage = {
    ...lineage,
    manifest: { ...lineage.manifest, kernel: { ...lineage.manifest.kernel, has: [] } },
  };
  const transitions = new Transitions(lineage);
  const first = transitions.searching();
  first.next();
  transitions.use(other);
  const expected = new Transitions(other).search();
  expect(transitions.search().trials).toEqual(expected.trials);
  expect(first.next().done).toBe(true);
  transitions.use(lineage);
  expect(transitions.search().trials).toEqual(new Transitions(lineage).search().trials);
});

let folder: LineageFolder | undefined;
let client: TestClient | undefined;

afterEach(() => {
  client?.process.kill();
  folder?.remove();
});

/** Versions whose states take some seconds to walk. */
const LONG = 11;

function longFolder(): LineageFolder {
  const made = new LineageFolder();
  for (const [name, text] of Object.entries(manyStates(LONG))) writeFileSync(join(made.path, name), text);
  return made;
}

test('requests are answered while a lineage is looked at for the first time, and that can be cancelled', async () => {
  const made = longFolder();
  folder = made;
  const heard: string[] = [];
  const over = new Promise<void>((resolve) => {
    const made = (folder as LineageFolder).path;
    client = new TestClient(made, { window: { workDoneProgress: true } }, null, (connection) => {
      connection.onRequest('window/workDoneProgress/create', () => null);
      connection.onNotification(
        '$/progress',
        ({ token, value }: { token: string; value: { kind: string } }) => {
          heard.push(value.kind);
          if (value.kind === 'report')
            void connection
              .sendRequest('livepatch/page', { code: 'missing-replace' })
              .then(() => heard.push('answer'))
              .then(() => connection.sendNotification('window/workDoneProgress/cancel', { token }));
          if (value.kind === 'end') resolve();
        },
      );
    });
  });
  await over;
  expect(heard).toEqual(['begin', 'report', 'answer', 'end']);
  expect(client?.history.filter(({ published }) => published.diagnostics.length > 0)).toEqual([]);
});
