import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rehearse } from '../../server/src/host/rehearsal/rehearse';
import { kernelForTests } from '../rehearsal/kernels';
import { klp } from './run';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const kernel = await kernelForTests('6.1');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lineage-status-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A machine's sys and proc as files. */
function machine(files: Readonly<Record<string, string>>): void {
  mkdirSync(join(root, 'sys/kernel/livepatch'), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function livepatch(name: string, attributes: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(attributes).map(([key, value]) => [
    `sys/kernel/livepatch/${name}/${key}`,
    `${value}\n`,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

const V2 = { enabled: '1', transition: '0', replace: '1', stack_order: '1', 'vmlinux/patched': '1' };

test('the faulty version is installed: what is where, and every way from here', () => {
  machine({
    'proc/sys/kernel/osrelease': '6.1.0-18-amd64\n',
    'proc/modules':
      'livepatch_net_v2 16384 1 - Live 0x0 (OK)\nlivepatch_net_v1 16384 0 - Live 0x0 (OK)\next4 1 3 - Live 0x0\n',
    ...livepatch('livepatch_net_v2', V2),
  });
  const { status, stdout } = klp(['status', EXAMPLE, '--root', root, '--format', 'json']);
  expect(status).toBe(0);
  const answer = JSON.parse(stdout);
  expect(answer).toMatchObject({
    schema: 1,
    release: '6.1.0-18-amd64',
    current: 'v2',
    livepatches: [
      {
        name: 'livepatch_net_v2',
        version: 'v2',
        enabled: true,
        transition: false,
        replace: true,
        stackOrder: 1,
        objects: [{ name: 'vmlinux', patched: true }],
      },
    ],
    leftInMemory: [{ version: 'v1', module: 'livepatch_net_v1', references: 0 }],
    verdicts: [{ from: 'v2', to: 'v1', verdict: 'unsafe', certainty: 'must' }],
  });
  expect(answer.notes).toEqual(['v2 is faulty: klp-lineage runbook --from v2 tells the way out.']);
  const text = klp(['status', EXAMPLE, '--root', root]).stdout;
  expect(text).toContain('livepatch_net_v2: v2, enabled, replaces all others');
  expect(text).toContain('livepatch_net_v1: v1, in memory and not in use, rmmod can remove it');
  expect(text).toMatch(/to v1: unsafe, .*net_status/);
});

test('nothing installed: the verdicts are those from a clean kernel', () => {
  machine({ 'proc/sys/kernel/osrelease': '6.10.3\n', 'proc/modules': '' });
  const answer = JSON.parse(klp(['status', EXAMPLE, '--root', root, '--format', 'json']).stdout);
  expect(answer.current).toBeNull();
  expect(
    answer.verdicts.map((it: { from: null; to: string; verdict: string }) => [it.from, it.to, it.verdict]),
  ).toEqual([
    [null, 'v1', 'clean'],
    [null, 'v2', 'clean'],
  ]);
  expect(answer.notes).toEqual(['This machine runs 6.10.3; the lineage is for 6.1.']);
});

test('a pending transition, an older kernel without some attributes, and a stranger', () => {
  machine({
    'proc/modules': '',
    ...livepatch('livepatch_net_v1', { enabled: '1', transition: '0' }),
    ...livepatch('livepatch_net_v2', { enabled: '1', transition: '1' }),
    ...livepatch('kpatch_other', { enabled: '1', transition: '0' }),
  });
  const answer = JSON.parse(klp(['status', EXAMPLE, '--root', root, '--format', 'json']).stdout);
  expect(answer.current).toBe('v2');
  expect(answer.livepatches[0]).toMatchObject({ replace: null, stackOrder: null });
  expect(answer.notes.join('\n')).toMatch(/livepatch_net_v2 is being enabled: its transition is pending/);
  expect(answer.notes.join('\n')).toMatch(/kpatch_other is enabled and no version of this lineage/);
});

test('a kernel without livepatching is said in one line', () => {
  const { status, stderr } = klp(['status', EXAMPLE, '--root', root]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/sys\/kernel\/livepatch: there is no such file; this kernel has no livepatching/);
  expect(stderr.trimEnd()).not.toContain('\n');
});

test.skipIf(kernel === null)('what a real kernel shows after v2 has replaced v1', async () => {
  if (!kernel) return;
  const modules = ['v1', 'v2'].map((version) => {
    const name = `livepatch_net_${version}`;
    const text = readFileSync(join(EXAMPLE, version, `${name}.c`), 'utf8');
    return { name, sources: [{ file: `${name}.c`, text }] };
  });
  const v2 = 'sys/kernel/livepatch/livepatch_net_v2';
  const paths = ['proc/modules', 'proc/sys/kernel/osrelease', `${v2}/enabled`, `${v2}/transition`];
  paths.push(`${v2}/vmlinux/patched`);
  const load = (name: string) => ({ k: 'load', name, params: [] }) as const;
  const { scenarios } = await rehearse({
    kernel,
    modules,
    scenarios: [
      {
        steps: [
          load('livepatch_net_v1'),
          load('livepatch_net_v2'),
          ...paths.map((path) => ({ k: 'read', path: `/${path}` }) as const),
        ],
      },
    ],
  });
  const read = scenarios[0]?.steps.slice(2) ?? [];
  expect(read.map(({ result }) => result)).toEqual(paths.map(() => 0));
  // The folders that the guest listed are those that were read.
  expect(read.at(-1)?.patches.map(({ name }) => name)).toEqual(['livepatch_net_v2']);
  machine(Object.fromEntries(paths.map((path, i) => [path, read[i]?.content ?? ''])));
  const answer = JSON.parse(klp(['status', EXAMPLE, '--root', root, '--format', 'json']).stdout);
  expect(answer).toMatchObject({
    current: 'v2',
    livepatches: [{ version: 'v2', enabled: true, objects: [{ name: 'vmlinux', patched: true }] }],
    leftInMemory: [{ version: 'v1', references: 0 }],
  });
  expect(answer.release).toMatch(/^6\.1\./);
});
