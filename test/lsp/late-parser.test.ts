import { afterEach, expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import { liveTrees, ParserMissing, promiseParser } from '../../server/src/core/csource/tree';
import { OPTIONS, startParser } from '../csource/reader';
import { TestClient } from './client';
import { LineageFolder } from './lineage-folder';

afterEach(() => promiseParser(false));

function read(text: string): readonly string[] {
  const source = new CSource();
  source.open('a.c');
  try {
    const provider = { text: () => text, resolve: () => undefined };
    return [...openUnit('a.c', provider, OPTIONS, source).functions.keys()];
  } finally {
    source.dispose();
  }
}

const SOUND = 'int a(void)\n{\n\treturn 0;\n}\n';
const BROKEN = 'int a(void)\n{\n\tif (1) {\n\treturn 0;\n}\n\nint b(void)\n{\n\treturn 1;\n}\n';

test('a text whose brackets match is read before there is a parser, another one asks for it', async () => {
  promiseParser(true);
  expect(read(SOUND)).toEqual(['a']);
  expect(() => read(BROKEN)).toThrow(ParserMissing);
  expect(liveTrees()).toBe(0);
  // Where it cannot be started, what the brackets tell has to do.
  promiseParser(false);
  expect(read(BROKEN)).toContain('a');
  promiseParser(true);
  await startParser();
  expect(read(BROKEN)).toContain('a');
  expect(liveTrees()).toBe(0);
});

test('a broken text that is open from the start has the findings it has later', async () => {
  const folder = new LineageFolder();
  const name = 'v2/livepatch_net_v2.c';
  const text = folder.read(name);
  const at = text.indexOf('static int livepatch_net_pre_patch');
  const broken = `${text.slice(0, at)}static int half(void)\n{\n\tif (1) {\n\n${text.slice(at)}`;
  expect(at).toBeGreaterThan(0);
  const sessions = [new TestClient(folder.path), new TestClient(folder.path)] as const;
  const [early, late] = sessions;
  await Promise.all(sessions.map((it) => it.initialized));
  const uri = await early.open(folder.file(name), 'c', broken);
  await late.open(folder.file(name), 'c', text);
  await late.until(uri, (list) => list.length > 0);
  const end = text.split('\n').length;
  const version = await late.change(uri, [
    { range: { start: { line: 0, character: 0 }, end: { line: end, character: 0 } }, text: broken },
  ]);
  // Lines came in above, so the finding has moved, and is published for this text.
  const now = await late.until(uri, (_, at) => at === version);
  // The look at the files on disk may have come before the document did.
  await early.until(uri, (list, at) => at === 1 && list.length === now.length);
  expect(now.length).toBeGreaterThan(0);
  expect(early.diagnostics(uri)).toEqual(now);
  for (const session of sessions) expect(await session.close()).toBe(0);
  folder.remove();
});
