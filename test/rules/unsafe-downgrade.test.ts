import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FILE, FOLDER, marked, NOTIFIER, VALUE } from './effects';
import { check, expectMarked, lineage, manifest } from './fixture';

const EXAMPLE = join(import.meta.dirname, '../../examples/net-fixes');

test('the example: v1 cannot take over from the faulty v2', async () => {
  const read = (file: string): string => readFileSync(join(EXAMPLE, file), 'utf8');
  const files = ['livepatch.yaml', 'v1/livepatch_net_v1.c', 'v2/livepatch_net_v2.c'];
  const { fixture, findings } = await check(files.map((file) => `//- ${file}\n${read(file)}`).join(''));
  expect(findings.map((finding) => finding.code)).toEqual(['unsafe-downgrade']);
  const [finding] = findings;
  expect(finding?.severity).toBe('warning');
  expect(finding?.certainty).toBe('must');
  expect(finding?.message).toContain('use-after-free');
  expect(finding?.message).toContain('debugfs file net_status');
  expect(finding?.message).toContain('post_unpatch');
  expect(finding?.versions).toEqual(['v2', 'v1']);
  expect(finding?.run).toEqual(['load v2', 'load v1', 'unload v2']);
  const text = fixture.files.get('v2/livepatch_net_v2.c') ?? '';
  expect(text.slice(finding?.place.start)).toMatch(/^debugfs_create_file\(/);
  expect(finding?.fixes.map((fix) => fix.command)).toEqual([
    { id: 'livepatch.generateCleanupPatch', arguments: ['v1', 'v2'] },
  ]);
});

test('one finding for all older versions', async () => {
  const findings = await expectMarked(
    lineage(
      manifest(['released', 'released', 'draft']),
      {},
      {},
      marked(
        VALUE,
        'console_loglevel = 15',
        '  //~ unsafe-downgrade: v1 and v2 cannot safely replace v3\n  //~ cleanup-impossible: original value',
      ),
    ),
  );
  const down = findings.find((finding) => finding.code === 'unsafe-downgrade');
  expect(down?.versions).toEqual(['v3', 'v1', 'v2']);
  expect(down?.fixes[0]?.command?.arguments).toEqual(['v2', 'v3']);
});

test('one finding for each side effect', async () => {
  const both = {
    body: `${marked(NOTIFIER, 'return register_reboot', '  //~ unsafe-downgrade: use-after-free').body}\n${
      marked(FOLDER, 'debugfs_create_dir', '  //~ unsafe-downgrade: doing it again fails').body
    }
static int all(struct klp_object *obj)
{
  make(obj);
  return hook(obj);
}
static void none(struct klp_object *obj)
{
  unhook(obj);
  drop(obj);
}`,
    callbacks: '      .pre_patch = all,\n      .post_unpatch = none,',
  };
  await expectMarked(lineage(manifest(['released', 'draft']), {}, both), 'unsafe-downgrade');
});

test('nobody wants to go back to a withdrawn or faulty version', async () => {
  await expectMarked(lineage(manifest(['withdrawn', 'faulty', 'draft']), {}, {}, FILE));
});

test('a newer version already is the way out', async () => {
  const cleanup = {
    body: 'static void clean(struct klp_object *obj)\n{\n  debugfs_lookup_and_remove("acme", NULL);\n}',
    callbacks: '      .post_patch = clean,',
  };
  await expectMarked(lineage(manifest(['released', 'faulty', 'draft']), {}, FILE, cleanup));
});

test('the kernel refuses the way back: v1 lacks the state', async () => {
  await expectMarked(
    lineage(manifest(['released', 'draft']), {}, { ...FILE, states: '  { .id = 7, .version = 1 },' }),
  );
});

test('nothing stays where callbacks only print', async () => {
  const printing = {
    body: 'static int say(struct klp_object *obj)\n{\n  pr_info("hello\\n");\n  return 0;\n}',
    callbacks: '      .pre_patch = say,',
  };
  await expectMarked(lineage(manifest(['released', 'draft']), {}, printing));
});
