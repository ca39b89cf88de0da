import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readArchive, writeArchive } from '../../scripts/zip-archive.mjs';

/** Archives are held against Python's zipfile, a reader and writer that knows nothing of this one. */
const MODE = 0o100644 * 0x10000;
const ENTRIES = [
  { name: 'empty', bytes: Buffer.alloc(0), attributes: MODE },
  {
    name: 'folder/täxt.json',
    bytes: Buffer.from('{"a":"bbbbbbbbbbbbbbbbbbbbbbbbbb"}'.repeat(50)),
    attributes: MODE,
  },
  // Nothing becomes smaller of what looks random.
  {
    name: 'packed.br',
    bytes: Buffer.from(Array.from({ length: 900 }, (_, i) => (i * i * 7919 + i * 31) >> 3)),
    attributes: 0o100755 * 0x10000,
  },
];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'livepatch-zip-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function python(script: string, ...args: string[]): string {
  return execFileSync('python3', ['-c', script, ...args], { encoding: 'utf8' });
}

test('another program reads every entry of an archive', () => {
  const file = join(folder, 'ours.zip');
  writeFileSync(file, writeArchive(ENTRIES));
  const script = `
import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(json.dumps([[it.filename, archive.read(it).hex(), it.external_attr, it.compress_type] for it in archive.infolist()]))`;
  expect(JSON.parse(python(script, file))).toEqual(
    ENTRIES.map(({ name, bytes, attributes }) => [
      name,
      bytes.toString('hex'),
      attributes,
      name.endsWith('.json') ? 8 : 0,
    ]),
  );
});

test('an archive of another program is read, and the same content makes the same archive', () => {
  const file = join(folder, 'theirs.zip');
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr('a/b.txt', 'words ' * 99)
    archive.writestr(zipfile.ZipInfo('c', (2001, 2, 3, 4, 5, 6)), b'\\x00\\xff')
    archive.comment = b'of no interest'`;
  python(script, file);
  const bytes = execFileSync('cat', [file]);
  const entries = readArchive(bytes);
  expect(entries.map(({ name, bytes }) => [name, bytes.toString('latin1')])).toEqual([
    ['a/b.txt', 'words '.repeat(99)],
    ['c', '\x00\xff'],
  ]);
  const again = writeArchive(entries);
  expect(readArchive(again)).toEqual(entries);
  expect(writeArchive(readArchive(again))).toEqual(again);
});

test('what is damaged is not handed on', () => {
  const archive = writeArchive(ENTRIES);
  expect(() => readArchive(Buffer.from('no archive'))).toThrow('this is no zip archive');
  const at = archive.indexOf(ENTRIES[2]?.bytes.subarray(0, 40) ?? '');
  expect(at).toBeGreaterThan(0);
  archive[at] = (archive[at] ?? 0) ^ 1;
  expect(() => readArchive(archive)).toThrow('packed.br is damaged');
});
