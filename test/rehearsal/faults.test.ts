import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build as bundle } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Step } from '../../server/src/core/manifest/steps';
import { failureOf, RehearsalFailure } from '../../server/src/host/rehearsal/failure';
import {
  debianKernel,
  kernelFromFiles,
  missingRehearsalTools,
} from '../../server/src/host/rehearsal/kernel-packages';
import { buildModules } from '../../server/src/host/rehearsal/modules';
import { cannotRehearse, type RehearsalStep, rehearse } from '../../server/src/host/rehearsal/rehearse';
import { broken, hanging, leaving, panicking, plainModule, unresolved, warned } from './fault-modules';
import { kernelForTests } from './kernels';
import { descendants, isRunning } from './processes';

/** What goes wrong is told clearly, and nothing is left behind. */

const LONG_MS = 3 * 60_000;
const load = (name: string): Step => ({ k: 'load', name, params: [] });
const unload = (name: string): Step => ({ k: 'unload', name });

const kernel = await kernelForTests('6.1');

let folder = '';
let before: string | undefined;

beforeEach(() => {
  before = process.env['TMPDIR'];
  folder = mkdtempSync(join(tmpdir(), 'klp-fault-'));
  process.env['TMPDIR'] = folder;
});

afterEach(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  const left = existsSync(folder) ? readdirSync(folder) : [];
  rmSync(folder, { recursive: true, force: true });
  expect(left, 'temporary files').toEqual([]);
  // A zombie has ended: it only waits for somebody to take note.
  expect(
    descendants(process.pid).filter(({ name, state }) => state !== 'Z' && /qemu|^make$|^cc1$/.test(name)),
  ).toEqual([]);
});

async function failure(promise: Promise<unknown>): Promise<RehearsalFailure> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RehearsalFailure);
  const failed = error as RehearsalFailure;
  expect(failed.message).not.toContain('\n');
  return failed;
}

describe.skipIf(!kernel)('a guest that ends badly', () => {
  test(
    'panic and oops are results, and what comes later has a boot of its own',
    async () => {
      if (!kernel) return;
      const file = '/sys/kernel/debug/fm_value';
      const rehearsal = await rehearse({
        kernel,
        modules: [panicking, leaving, plainModule('fm_plain')],
        scenarios: [
          { steps: [load('fm_plain'), load('fm_panic'), unload('fm_plain')] },
          {
            steps: [
              load('fm_leave'),
              { k: 'read', path: file },
              unload('fm_leave'),
              { k: 'read', path: '/nowhere' },
              { k: 'read', path: file },
            ],
          },
          { steps: [load('fm_plain'), unload('fm_plain')] },
        ],
      });
      expect(rehearsal.boots).toBe(3);
      const [panicked, oopsed, fine] = rehearsal.scenarios;
      expect(panicked?.steps.map(({ result }) => result)).toEqual([0]);
      expect(panicked?.crash).toMatchObject({
        kind: 'panic',
        headline: 'Kernel panic - not syncing: asked for',
      });
      // What the module said before it went down is not lost.
      expect(panicked?.crash?.console).toContain('fm_panic: init');
      expect(oopsed?.steps.map(({ result }) => result)).toEqual([0, 0, 0, -2]);
      expect(oopsed?.steps[1]?.content).toBe('value\n');
      expect(oopsed?.crash?.kind).toBe('oops');
      expect(oopsed?.crash?.headline).toMatch(/^BUG: unable to handle page fault/);
      expect(fine).toMatchObject({ crash: null, steps: [{ result: 0 }, { result: 0 }] });
      expect(fine?.steps[0]?.modules).toEqual([{ name: 'fm_plain', references: 0 }]);
    },
    LONG_MS,
  );

  test(
    'a guest that hangs is ended',
    async () => {
      if (!kernel) return;
      const rehearsal = await rehearse({
        kernel,
        modules: [hanging],
        scenarios: [{ steps: [load('fm_hang')] }],
        silence: 4,
      });
      const [hung] = rehearsal.scenarios;
      expect(hung?.steps).toEqual([]);
      expect(hung?.crash).toMatchObject({ kind: 'hang', headline: 'the guest did not answer any more' });
      expect(hung?.crash?.console).toContain('fm_hang: init');
    },
    LONG_MS,
  );

  test(
    'a kernel that does not come up',
    async () => {
      if (!kernel) return;
      const wrong = { ...kernel, image: join(kernel.headers, 'Makefile') };
      const failed = await failure(
        rehearse({
          kernel: wrong,
          modules: [plainModule('fm_plain')],
          scenarios: [{ steps: [load('fm_plain')] }],
        }),
      );
      expect(failed.kind).toBe('boot');
      expect(failed.message).toMatch(/did not come up in qemu: \S/);
    },
    LONG_MS,
  );
});

describe.skipIf(!kernel)('a build that fails', () => {
  test(
    'names the line and what the compiler says',
    async () => {
      if (!kernel) return;
      const failed = await failure(buildModules(kernel, [broken, plainModule('fm_plain')]));
      expect(failed.kind).toBe('build');
      expect(failed.message).toMatch(/fm_broken\/fm_broken\.c:\d+:\d+: error: .*nothing.* undeclared/);
    },
    LONG_MS,
  );

  test(
    'names the symbol that nobody has',
    async () => {
      if (!kernel) return;
      const failed = await failure(buildModules(kernel, [unresolved]));
      expect(failed.message).toContain('"nowhere_defined"');
    },
    LONG_MS,
  );

  test(
    'warnings are handed over, from the cache as well',
    async () => {
      if (!kernel) return;
      for (let time = 0; time < 2; time++) {
        const built = await buildModules(kernel, [warned], { extraWarnings: true });
        expect(built.warnings.length).toBe(1);
        expect(built.warnings[0]).toMatch(/fm_warned\/fm_warned\.c:\d+:\d+: warning: no previous prototype/);
      }
      expect((await buildModules(kernel, [warned])).warnings).toEqual([]);
    },
    LONG_MS,
  );

  test(
    'several files, headers, an included .c and a file called like its module',
    async () => {
      if (!kernel) return;
      const main = plainModule('fm_parts').sources[0]?.text ?? '';
      const sources = [
        { file: 'fm_parts.c', text: `#include "inner/part.h"\n${main}` },
        { file: 'inner/part.h', text: 'int part(int value);\n' },
        {
          file: 'inner/part.c',
          text: '#include "part.h"\n#include "body.c"\nint part(int value)\n{\n\treturn body(value);\n}\n',
        },
        { file: 'inner/body.c', text: 'static int body(int value)\n{\n\treturn value + ADDED;\n}\n' },
      ];
      const built = await buildModules(kernel, [{ name: 'fm_parts', sources, defines: { ADDED: '3' } }]);
      expect(existsSync(built.files.get('fm_parts') ?? '')).toBe(true);
      expect(built.warnings).toEqual([]);
    },
    LONG_MS,
  );
});

describe.skipIf(!kernel)('an interrupted rehearsal', () => {
  test.each(['building', 'booting', 'load fm_hang'])(
    'at "%s" leaves nothing behind',
    async (moment) => {
      if (!kernel) return;
      const stop = new AbortController();
      // A text of its own, so that the build does not come from the cache.
      const text = `${hanging.sources[0]?.text ?? ''}/* ${Date.now()} ${moment} */\n`;
      const steps = [load('fm_hang')];
      const failed = await failure(
        rehearse({
          kernel,
          modules: [{ name: 'fm_hang', sources: [{ file: 'fm_hang.c', text }] }],
          scenarios: [{ steps }, { steps }],
          parallel: 2,
          signal: stop.signal,
          progress: (said) => {
            if (said.includes(moment)) setTimeout(() => stop.abort(), 300);
          },
        }),
      );
      expect(failed.kind).toBe('interrupted');
    },
    LONG_MS,
  );

  test(
    'and one whose process is killed takes its guest with it',
    async () => {
      if (!kernel) return;
      const built = await buildModules(kernel, [hanging]);
      const file = join(folder, 'killed.mjs');
      const run = `import { runGuest } from './server/src/host/rehearsal/guest';
      await runGuest({
        kernel: ${JSON.stringify(kernel)},
        modules: new Map(${JSON.stringify([...built.files])}),
        script: [{ verb: 'scenario', wait: 0, words: [] }, { verb: 'load', wait: 0, words: ['fm_hang', ''] }],
        silence: 100,
        limit: 100,
        onLine: (line) => console.log(line),
      });`;
      await bundle({
        stdin: { contents: run, resolveDir: resolve(import.meta.dirname, '../..') },
        bundle: true,
        platform: 'node',
        format: 'esm',
        outfile: file,
        logLevel: 'error',
      });
      const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
      await new Promise<void>((begun) => {
        child.stdout.on('data', (chunk: Buffer) => {
          if (chunk.includes('@step')) begun();
        });
      });
      const guests = descendants(child.pid ?? 0).filter(({ name }) => name.startsWith('qemu'));
      expect(guests.length).toBe(1);
      child.kill('SIGKILL');
      for (let tries = 0; tries < 100 && guests.some(({ pid }) => isRunning(pid)); tries++) await sleep(50);
      expect(guests.filter(({ pid }) => isRunning(pid))).toEqual([]);
      // Nobody is left to take its folder away.
      rmSync(folder, { recursive: true });
    },
    LONG_MS,
  );

  test('does not even begin where it was interrupted before', async () => {
    if (!kernel) return;
    const failed = await failure(
      rehearse({
        kernel,
        modules: [plainModule('fm_never')],
        scenarios: [{ steps: [load('fm_never')] }],
        signal: AbortSignal.abort(),
      }),
    );
    expect(failed.kind).toBe('interrupted');
  });
});

describe('refused before anything is built', () => {
  const nowhere = { release: '0', headers: '/nowhere', image: '/nowhere', compiler: 'gcc' };
  const steps: readonly (readonly [RehearsalStep, RegExp])[] = [
    [{ k: 'hold' }, /"hold" cannot be produced/],
    [
      { k: 'fail', name: 'v1', function: 'kzalloc', errno: -12 },
      /"fail v1 kzalloc=ENOMEM" cannot be produced/,
    ],
    [{ k: 'load', name: '../v1', params: [] }, /not the name of a module/],
    [{ k: 'load', name: 'v1', params: [{ name: 'a', value: '1\nload\t0\tv2' }] }, /line end/],
    [{ k: 'set', name: 'v1', param: 'a', value: 'x\ty' }, /TAB/],
    [{ k: 'read', path: 'relative' }, /not an absolute path/],
  ];
  test.each(steps)('%j', async (step, message) => {
    expect(cannotRehearse([{ k: 'stall' }, step])).toMatch(message);
    const rehearsal = rehearse({
      kernel: nowhere,
      modules: [plainModule('v1')],
      scenarios: [{ steps: [step] }],
    });
    const failed = await failure(rehearsal);
    expect(failed.kind).toBe('refused');
    expect(failed.message).toMatch(message);
  });

  test('steps that can be produced', () => {
    const able: Step[] = [
      load('v1'),
      { k: 'stall' },
      { k: 'disable', name: 'v1' },
      { k: 'resume' },
      unload('a-b'),
    ];
    expect(cannotRehearse(able)).toBeNull();
  });

  test.each([
    ['no source', [{ name: 'v1', sources: [] }], /no \.c file/],
    ['a bad name', [{ ...plainModule('v1'), name: '../v1' }], /not the name of a module/],
    ['one name twice', [plainModule('v1'), plainModule('v1')], /two modules are called v1/],
    [
      'a source that reaches out',
      [{ name: 'v1', sources: [{ file: 'a.c', text: '\n#include "/etc/passwd"\n' }] }],
      /v1: a\.c:2 .*not built/,
    ],
    ['a macro that is none', [{ ...plainModule('v1'), defines: { A: '$(shell id)' } }], /cannot be given/],
  ])('%s', async (_, modules, message) => {
    const failed = await failure(buildModules(nowhere, modules));
    expect(failed.kind).toBe('refused');
    expect(failed.message).toMatch(message);
  });
});

describe('what is missing is named', () => {
  test('tools', () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      expect(missingRehearsalTools('gcc-12')).toBe(
        'rehearsing needs qemu-system-x86, make, binutils, gcc-12: install with "apt-get install --no-install-recommends qemu-system-x86 make binutils gcc-12"',
      );
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('a kernel that the user names', async () => {
    const image = join(folder, 'vmlinuz');
    expect((await failure(kernelFromFiles(folder, image))).message).toContain('no folder of kernel headers');
    if (!kernel) return;
    expect((await failure(kernelFromFiles(kernel.headers, image))).message).toContain(
      `${image} is not there`,
    );
    const named = await kernelFromFiles(kernel.headers, kernel.image);
    expect(named).toEqual(kernel);
    expect(named.release).toMatch(/^6\.1\..*-cloud-amd64$/);
  });

  test('a series that apt does not know', async () => {
    const cache = process.env['LIVEPATCH_LINEAGE_CACHE'];
    process.env['LIVEPATCH_LINEAGE_CACHE'] = join(folder, 'cache');
    try {
      const failed = await failure(debianKernel({ series: '1.2' }));
      expect(failed.kind).toBe('missing');
      expect(failed.message).toContain('--headers DIR --image FILE');
      expect(readdirSync(join(folder, 'cache', 'rehearsal', 'kernels'))).toEqual([]);
    } finally {
      if (cache === undefined) delete process.env['LIVEPATCH_LINEAGE_CACHE'];
      else process.env['LIVEPATCH_LINEAGE_CACHE'] = cache;
      rmSync(join(folder, 'cache'), { recursive: true, force: true });
    }
  });

  test('room on the disk', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(failureOf(full, '/some/cache')).toMatchObject({
      kind: 'disk',
      message: 'no space left for /some/cache: free some and try again',
    });
    const other = new Error('something else');
    expect(failureOf(other, '/some/cache')).toBe(other);
  });

  test('a cache that cannot be written', async () => {
    if (!kernel) return;
    const cache = process.env['LIVEPATCH_LINEAGE_CACHE'];
    process.env['LIVEPATCH_LINEAGE_CACHE'] = '/dev/null';
    try {
      const failed = await failure(buildModules(kernel, [plainModule('fm_plain')]));
      expect(failed.kind).toBe('disk');
      expect(failed.message).toContain('LIVEPATCH_LINEAGE_CACHE');
    } finally {
      if (cache === undefined) delete process.env['LIVEPATCH_LINEAGE_CACHE'];
      else process.env['LIVEPATCH_LINEAGE_CACHE'] = cache;
    }
  });
});
