import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { scaffold } from '../../server/src/cli/commands/scaffold';
import { Failure } from '../../server/src/cli/failure';
import { writeNewFiles } from '../../server/src/cli/written-files';
import { captureOutput } from '../support/captured';

const EXAMPLE = join(import.meta.dirname, '../../examples/net-fixes');
const WISH = { restore: 'v1', after: 'v2', as: 'v3' };

let folder = '';
const printed = captureOutput();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-scaffold-'));
  cpSync(EXAMPLE, folder, { recursive: true });
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const manifest = (): string => readFileSync(join(folder, 'livepatch.yaml'), 'utf8');
const BEFORE = readFileSync(join(EXAMPLE, 'livepatch.yaml'), 'utf8');

async function failure(work: () => unknown): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

test('writes the files of v3 and names it in the manifest', async () => {
  chmodSync(join(folder, 'livepatch.yaml'), 0o640);
  expect(await scaffold.run([folder], WISH)).toBe(0);
  expect(readdirSync(join(folder, 'v3')).sort()).toEqual([
    'Kbuild',
    'livepatch_net_v3_cleanup.c',
    'livepatch_net_v3_cleanup.h',
    'livepatch_net_v3_main.c',
  ]);
  expect(manifest().startsWith(BEFORE)).toBe(true);
  expect(manifest()).toContain('  - version: v3\n    module: livepatch_net_v3\n');
  expect(statSync(join(folder, 'livepatch.yaml')).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder).sort()).toEqual(['livepatch.yaml', 'v1', 'v2', 'v3']);
  expect(printed.out).toContain('livepatch_net_v3_cleanup.c\n');
  expect(printed.err).toBe('');
});

test('with --dry-run prints them and writes nothing', async () => {
  expect(await scaffold.run([folder], { ...WISH, 'dry-run': true })).toBe(0);
  expect(printed.out).toContain('debugfs_lookup("net_status", NULL)');
  expect(printed.out).toContain('  - version: v3\n');
  expect(printed.out).toContain('obj-m := livepatch_net_v3.o');
  expect(readdirSync(folder).sort()).toEqual(['livepatch.yaml', 'v1', 'v2']);
  expect(manifest()).toBe(BEFORE);
});

test('where v1 cannot take over from itself, that is the first note', async () => {
  const file = join(folder, 'v1', 'livepatch_net_v1.c');
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text
      .replace(
        'static struct klp_object objs[]',
        `static struct notifier_block own_nb;

static int own_pre_patch(struct klp_object *obj)
{
	return register_netdevice_notifier(&own_nb);
}

static void own_post_unpatch(struct klp_object *obj)
{
	unregister_netdevice_notifier(&own_nb);
}

static struct klp_object objs[]`,
      )
      .replace(
        '\t\t.funcs = funcs,\n',
        '\t\t.funcs = funcs,\n\t\t.callbacks = { .pre_patch = own_pre_patch, .post_unpatch = own_post_unpatch },\n',
      ),
  );
  expect(await scaffold.run([folder], WISH)).toBe(0);
  const notes = printed.out.split('\n').filter((line) => line.startsWith('note: '));
  expect(notes.length).toBeGreaterThan(1);
  expect(notes[0]).toMatch(
    /^note: v1 does not take over from itself, and v3 inherits that: "load v1; load v3" is/,
  );
});

test('a second time it is refused, and nothing changes', async () => {
  await scaffold.run([folder], WISH);
  const after = manifest();
  expect(await scaffold.run([folder], WISH)).toBe(1);
  expect(printed.err).toContain('has "v3" already');
  expect(manifest()).toBe(after);
});

test('a file that is in the way stays as it is', async () => {
  mkdirSync(join(folder, 'v3'));
  writeFileSync(join(folder, 'v3', 'Kbuild'), 'mine\n');
  expect(await scaffold.run([folder], WISH)).toBe(1);
  expect(printed.err).toMatch(/v3\/Kbuild: exists already/);
  expect(readdirSync(join(folder, 'v3'))).toEqual(['Kbuild']);
  expect(readFileSync(join(folder, 'v3', 'Kbuild'), 'utf8')).toBe('mine\n');
  expect(manifest()).toBe(BEFORE);
});

test('a refused request has its reasons on stderr and exit code 1', async () => {
  expect(await scaffold.run([folder], { ...WISH, after: 'v7' })).toBe(1);
  expect(printed.err).toBe('klp-lineage: No version is called "v7".\n');
  expect(printed.out).toBe('');
});

test.each([
  ['no --restore', { after: 'v2', as: 'v3' }, '--restore is missing'],
  ['no --as', { restore: 'v1', after: 'v2' }, '--as is missing'],
  ['an empty name in --after', { ...WISH, after: 'v2,,v3' }, '--after is a list'],
  ['a folder outside', { ...WISH, out: '/etc' }, 'lies outside'],
])('%s is bad usage', async (_, options, message) => {
  const wrong = await failure(() => scaffold.run([folder], options));
  expect(wrong.exit).toBe(2);
  expect(wrong.message).toContain(message);
  expect(manifest()).toBe(BEFORE);
});

test('--out names another folder inside', async () => {
  expect(await scaffold.run([folder], { ...WISH, out: join(folder, 'next') })).toBe(0);
  expect(existsSync(join(folder, 'next', 'Kbuild'))).toBe(true);
  expect(manifest()).toContain('sources: "next/*.c"');
});

test('a folder that leads outside by a link is refused', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'lineage-outside-'));
  try {
    symlinkSync(outside, join(folder, 'v3'));
    const wrong = await failure(() => scaffold.run([folder], WISH));
    expect(wrong.message).toContain('leads outside');
    expect(readdirSync(outside)).toEqual([]);
    expect(manifest()).toBe(BEFORE);
  } finally {
    rmSync(outside, { recursive: true, force: true });
  }
});

test('a dangling link in the place of a file is not followed', async () => {
  mkdirSync(join(folder, 'v3'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'v3', 'Kbuild'));
  const wrong = await failure(() => scaffold.run([folder], WISH));
  expect(wrong.message).toContain('Kbuild: it exists already');
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  expect(readdirSync(join(folder, 'v3'))).toEqual(['Kbuild']);
  expect(lstatSync(join(folder, 'v3', 'Kbuild')).isSymbolicLink()).toBe(true);
});

test('a manifest with CRLF and a byte-order mark keeps both', async () => {
  const text = `\ufeff${BEFORE.replaceAll('\n', '\r\n')}`;
  writeFileSync(join(folder, 'livepatch.yaml'), text);
  expect(await scaffold.run([folder], WISH)).toBe(0);
  expect(manifest().startsWith(text)).toBe(true);
  expect(manifest().replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
});

test('if writing fails in the middle, everything is as it was', async () => {
  const files = [
    { path: join(folder, 'deep', 'er', 'a.c'), text: 'a' },
    { path: join(folder, 'v1', 'livepatch_net_v1.c', 'b.c'), text: 'b' },
  ];
  const change = { path: join(folder, 'livepatch.yaml'), before: BEFORE, after: 'changed' };
  const wrong = await failure(() => writeNewFiles(folder, files, change));
  expect(wrong.message).toContain('nothing was written');
  expect(readdirSync(folder).sort()).toEqual(['livepatch.yaml', 'v1', 'v2']);
  expect(manifest()).toBe(BEFORE);
});

test('a manifest that changed in the meantime is left alone, and so is the rest', async () => {
  const files = [{ path: join(folder, 'v3', 'a.c'), text: 'a' }];
  const change = { path: join(folder, 'livepatch.yaml'), before: 'something else', after: 'changed' };
  const wrong = await failure(() => writeNewFiles(folder, files, change));
  expect(wrong.message).toContain('changed in the meantime');
  expect(existsSync(join(folder, 'v3'))).toBe(false);
  expect(manifest()).toBe(BEFORE);
});
