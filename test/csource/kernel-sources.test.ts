import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import type { SourceProvider, Unit } from '../../server/src/core/csource/unit';
import { linuxSource } from '../support/linux-source';
import { OPTIONS, startParser, unknowns } from './reader';

beforeAll(startParser);

const disk: SourceProvider = {
  text: (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined),
  resolve: (name, from) => {
    const file = join(dirname(from), name);
    return existsSync(file) ? file : undefined;
  },
};

function everyUnknown(unit: Unit): string[] {
  const functions = [...unit.functions.keys()].flatMap((name) => unknowns(unit.lower(name)));
  const variables = [...unit.variables.keys()].flatMap((name) => unknowns(unit.variable(name)));
  return [...functions, ...variables];
}

test('the selftest modules and samples are understood to the last expression', async ({ skip }) => {
  const source = await linuxSource();
  if (source === null) return skip('needs the kernel sources');
  const seen: string[] = [];
  for (const folder of ['lib/livepatch', 'samples/livepatch']) {
    for (const name of readdirSync(join(source, folder))) {
      if (!name.endsWith('.c')) continue;
      const unit = openUnit(join(source, folder, name), disk, OPTIONS, new CSource());
      expect([name, unit.complete, everyUnknown(unit)]).toEqual([name, true, []]);
      expect(unit.moduleInit).not.toBeNull();
      expect(unit.functions.has(unit.moduleInit?.function ?? '')).toBe(true);
      seen.push(name);
    }
  }
  expect(seen.length).toBeGreaterThanOrEqual(17);
});

test('test_klp_state3.c is test_klp_state2.c, whose text stands elsewhere', async ({ skip }) => {
  const source = await linuxSource();
  if (source === null) return skip('needs the kernel sources');
  const source3 = join(source, 'lib/livepatch/test_klp_state3.c');
  const source2 = join(source, 'lib/livepatch/test_klp_state2.c');
  const unit = openUnit(source3, disk, OPTIONS, new CSource());
  expect(unit.files).toEqual([source3, source2]);
  const names = [...unit.functions.keys()];
  const other = openUnit(source2, disk, OPTIONS, new CSource());
  expect(unit.fingerprint(names)).toBe(other.fingerprint(names));
});

test('the known layouts have the members of livepatch.h, in its order', async ({ skip }) => {
  const source = await linuxSource();
  if (source === null) return skip('needs the kernel sources');
  // The header itself, read as a source: its structs against the built-in ones.
  const header = readFileSync(join(source, 'include/linux/livepatch.h'), 'utf8').replace(
    '#if IS_ENABLED(CONFIG_LIVEPATCH)',
    '',
  );
  const provider: SourceProvider = {
    text: (file) => (file === 'livepatch.h' ? header : ''),
    resolve: () => undefined,
  };
  const theirs = openUnit('livepatch.h', provider, OPTIONS, new CSource());
  const ours = openUnit('empty.c', provider, OPTIONS, new CSource());
  for (const tag of ['klp_func', 'klp_callbacks', 'klp_object', 'klp_state', 'klp_patch']) {
    const names = (unit: Unit): (string | undefined)[] | undefined =>
      unit.struct(tag)?.fields.map(({ name }) => name);
    expect([tag, names(ours)]).toEqual([tag, names(theirs)]);
  }
});
