import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reasonOf } from '../../server/src/host/files';
import { CLI, klp, type Result, withFolder } from './run';

/**
 * Everything a person can get wrong is answered by a finding at its place, or by one line on stderr with exit code 2:
 * never a stack trace, never silence.
 */
const V1 = `#include <linux/livepatch.h>
static int f(void) { return 0; }
static struct klp_func funcs[] = { { .old_name = "f_old", .new_func = f }, { } };
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int v_init(void) { return klp_enable_patch(&patch); }
static void v_exit(void) { }
module_init(v_init);
module_exit(v_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;

const MANIFEST = `lineage: a
kernel: "6.1"
versions:
  - version: v1
    module: lp_v1
    sources: v1.c
`;

function oneLine(result: Result): void {
  expect(result.status).toBe(2);
  expect(result.stderr.trim().split('\n')).toHaveLength(1);
  expect(result.stderr).not.toMatch(/\bat .*:\d+:\d+/);
}

/** `check --format json` on these files: the findings as "file:line code". */
function check(
  files: Readonly<Record<string, string | Buffer>>,
  prepare?: (folder: string) => void,
): { text: string; messages: string; status: number | null } {
  return withFolder(files, (folder) => {
    prepare?.(folder);
    const result = klp(['check', '--format', 'json'], folder);
    expect(result.stderr).toBe('');
    const { findings } = JSON.parse(result.stdout) as {
      findings: { file: string; line: number; code: string; message: string }[];
    };
    return {
      text: findings.map((it) => `${it.file}:${it.line} ${it.code}`).join('\n'),
      messages: findings.map((it) => it.message).join('\n'),
      status: result.status,
    };
  });
}

test('a sound lineage has no findings', () => {
  expect(check({ 'livepatch.yaml': MANIFEST, 'v1.c': V1 })).toMatchObject({ text: '', status: 0 });
});

test('usage errors are one line and exit code 2', () => {
  oneLine(klp(['frobnicate']));
  oneLine(klp(['check', '--no-such-option']));
  oneLine(klp(['check', '--format', 'xml', '.']));
  oneLine(klp(['check', '/no/such/folder']));
  oneLine(klp(['simulate', '.', '--steps']));
  oneLine(klp(['facts']));
  oneLine(klp(['facts', '/no/such/file.c']));
  oneLine(klp(['graph', '.']));
  oneLine(klp(['lsp']));
  withFolder({ 'a.txt': '' }, (folder) => oneLine(klp(['check', folder])));
  withFolder({ 'livepatch.yaml': MANIFEST, 'b.livepatch.yaml': MANIFEST }, (folder) =>
    oneLine(klp(['check', folder])),
  );
});

test('unknown names in steps are one line and exit code 2', () => {
  withFolder({ 'livepatch.yaml': MANIFEST, 'v1.c': V1 }, (folder) => {
    const result = klp(['simulate', '--steps', 'load v9'], folder);
    oneLine(result);
    expect(result.stderr).toContain('v9');
    oneLine(klp(['simulate', '--steps', 'lode v1'], folder));
    oneLine(klp(['simulate', '--steps', ' ; '], folder));
    oneLine(klp(['explain', 'v1', 'v9'], folder));
    oneLine(klp(['check', '--new-in', 'v9'], folder));
    oneLine(klp(['check', '--baseline', 'nothing.json'], folder));
  });
});

test('a missing source is a finding where it is named', () => {
  const found = check({ 'livepatch.yaml': MANIFEST });
  expect(found.text).toContain('livepatch.yaml:6 manifest-invalid');
  expect(found.status).toBe(1);
});

test('a glob that matches nothing is a finding', () => {
  expect(check({ 'livepatch.yaml': MANIFEST.replace('v1.c', '"v1/*.c"') }).text).toContain(
    'livepatch.yaml:6 manifest-invalid',
  );
});

test.each(['../v1.c', '../../etc/passwd', 'a/../../v1.c', '/etc/passwd'])(
  '%s may not be a source',
  (path) => {
    const found = check({ 'livepatch.yaml': MANIFEST.replace('v1.c', path), 'v1.c': V1 });
    expect(found.text).toContain('livepatch.yaml:6 manifest-invalid');
  },
);

test('a link out of the folder is not followed', () => {
  withFolder({ 'secret.c': V1 }, (outside) => {
    const found = check({ 'livepatch.yaml': MANIFEST }, (folder) =>
      symlinkSync(join(outside, 'secret.c'), join(folder, 'v1.c')),
    );
    expect(found.text).toContain('livepatch.yaml:6 manifest-invalid');
    expect(found.messages).toMatch(/outside/);
  });
});

test('links that go round in a circle end', () => {
  const found = check({ 'livepatch.yaml': MANIFEST.replace('v1.c', '"**/*.c"'), 'a/v1.c': V1 }, (folder) => {
    symlinkSync(folder, join(folder, 'a', 'again'));
    symlinkSync('loop', join(folder, 'loop'));
  });
  expect(found).toMatchObject({ text: '', status: 0 });
  const direct = check({ 'livepatch.yaml': MANIFEST.replace('v1.c', 'loop.c') }, (folder) =>
    symlinkSync('loop.c', join(folder, 'loop.c')),
  );
  expect(direct.text).toContain('livepatch.yaml:6 manifest-invalid');
});

test('a folder as a source is a finding', () => {
  const found = check({ 'livepatch.yaml': MANIFEST }, (folder) => mkdirSync(join(folder, 'v1.c')));
  expect(found.messages).toMatch(/folder/);
});

test.each([
  ['broken YAML', 'versions: [\n  - a: }'],
  ['a tab', 'lineage: a\n\tkernel: "6.1"\n'],
  ['an anchor', 'lineage: &a b\nkernel: *a\nversions: []\n'],
  ['a duplicate key', `${MANIFEST}lineage: b\n`],
  ['a list', '- a\n- b\n'],
  ['an empty file', ''],
  ['a number', '42\n'],
  ['two documents', `${MANIFEST}---\n${MANIFEST}`],
  ['control characters', 'lineage: "a\u0000b"\n'],
])('%s in the manifest is a finding', (_name, text) => {
  const found = check({ 'livepatch.yaml': text, 'v1.c': V1 });
  expect(found.text).toContain('manifest-invalid');
  expect(found.status).toBe(1);
});

test('a bomb of aliases is refused at once', () => {
  const lines = ['a0: &a0 [x, x]'];
  for (let i = 1; i < 40; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
  expect(check({ 'livepatch.yaml': lines.join('\n') }).text).toContain('manifest-invalid');
});

test('a manifest of 5 MB is refused', () => {
  const found = check({ 'livepatch.yaml': MANIFEST + '# x\n'.repeat(1_300_000) });
  expect(found.text).toContain('manifest-invalid');
});

test('a manifest that is no text is refused', () => {
  expect(check({ 'livepatch.yaml': Buffer.from([0, 1, 2, 255, 254, 0, 7]) }).text).toContain(
    'manifest-invalid',
  );
});

test('C that does not parse still gives what can be read', () => {
  const broken = V1.replace(
    'static int f(void) { return 0; }',
    'static int f(void) { if (((( return ;; 0 }\n#if\n@@@ $$$ `',
  );
  withFolder({ 'livepatch.yaml': MANIFEST, 'v1.c': broken }, (folder) => {
    const result = klp(['facts', 'v1.c', '--format', 'json'], folder);
    expect(result.status).toBe(0);
    const { livepatches } = JSON.parse(result.stdout) as {
      livepatches: { replace: boolean; objects: { functions: { old: string }[] }[] }[];
    };
    expect(livepatches[0]?.replace).toBe(true);
    expect(livepatches[0]?.objects[0]?.functions[0]?.old).toBe('f_old');
    expect(klp(['check'], folder).stderr).toBe('');
  });
});

test('a line of 5 MB ends', () => {
  const found = check({ 'livepatch.yaml': MANIFEST, 'v1.c': `${V1}int x = ${'1+'.repeat(2_500_000)}1;\n` });
  expect(found.messages).toBe('v1.c is not read: it is too large.');
});

test('a binary source is a finding', () => {
  const found = check({
    'livepatch.yaml': MANIFEST,
    'v1.c': Buffer.concat([Buffer.from('\u007fELF'), Buffer.alloc(4000)]),
  });
  expect(found.text).toContain('livepatch.yaml:6 manifest-invalid');
  expect(found.messages).toBe('v1.c is not read: it is not a text file.');
  withFolder({ 'v1.c': Buffer.alloc(4000) }, (folder) => {
    const result = klp(['facts', 'v1.c'], folder);
    oneLine(result);
    expect(result.stderr).toContain('v1.c: it is not a text file');
  });
});

test('CR LF, a byte-order mark and characters beyond the BMP change nothing and move nothing', () => {
  const broken = V1.replace('.replace = true', '').replace('MODULE_INFO(livepatch, "Y");', '');
  const plain = withFolder(
    { 'livepatch.yaml': MANIFEST, 'v1.c': broken },
    (folder) => klp(['check', '--format', 'json'], folder).stdout,
  );
  const dressed = withFolder(
    {
      'livepatch.yaml': `\ufeff${MANIFEST.replaceAll('\n', '\r\n')}`,
      'v1.c': `\ufeff${broken.replaceAll('\n', '\r\n')}/* 𝒻𝓊𝓃 */\r\n`,
    },
    (folder) => klp(['check', '--format', 'json'], folder).stdout,
  );
  const places = (json: string): string[] =>
    (JSON.parse(json) as { findings: { code: string; line: number }[] }).findings.map(
      (it) => `${it.code}:${it.line}`,
    );
  expect(places(plain).length).toBeGreaterThan(0);
  expect(places(dressed)).toEqual(places(plain));
});

test('hostile names do not reach the terminal as they are', () => {
  const evil = 'v\u001b[31m\u202e1';
  withFolder(
    { 'livepatch.yaml': MANIFEST.replace('version: v1', `version: "${evil}"`), 'v1.c': V1 },
    (folder) => {
      for (const command of [['check'], ['matrix'], ['simulate', '--steps', 'load lp_v1']]) {
        const { stdout, stderr } = klp(command, folder);
        for (const c of ['\u001b', '\u202e']) expect(stdout + stderr).not.toContain(c);
      }
    },
  );
});

test('an unreadable folder among the sources is said', () => {
  const found = check({ 'livepatch.yaml': MANIFEST.replace('v1.c', 'none/v1.c') }, (folder) =>
    writeFileSync(join(folder, 'none'), ''),
  );
  expect(found.text).toContain('livepatch.yaml:6 manifest-invalid');
});

test.each([
  ['outside', '../elsewhere', /lies outside/],
  ['missing', 'headers', /no such folder/],
])('a folder of headers that is %s is a finding, once', (_name, folder, message) => {
  const version = (name: string): string =>
    `  - { version: ${name}, module: lp_${name}, sources: ${name}.c }\n`;
  const manifest = `lineage: a\nkernel: "6.1"\ndefaults: { include: [${folder}] }\nversions:\n${version('v1')}${version('v2')}`;
  const found = check({ 'livepatch.yaml': manifest, 'v1.c': V1, 'v2.c': V1 });
  expect(found.text).toBe('livepatch.yaml:3 manifest-invalid');
  expect(found.messages).toMatch(message);
});

test('folders of headers are relative to the manifest, not to the repository', () => {
  const source = V1.replace('livepatch.h>', 'livepatch.h>\n#include "names.h"').replace(
    'return klp_enable_patch',
    'pr_info(WHERE "\\n"); return klp_enable_patch',
  );
  withFolder(
    {
      '.git/HEAD': 'ref: refs/heads/main\n',
      'patches/livepatch.yaml': `${MANIFEST}    include: [headers]\n`,
      'patches/v1.c': source,
      'patches/headers/names.h': '#define WHERE "beside the manifest"\n',
      'headers/names.h': '#define WHERE "in the repository"\n',
    },
    (folder) => {
      const { stdout } = klp(['simulate', 'patches', '--steps', 'load v1', '--format', 'log'], folder);
      expect(stdout.split('\n')[0]).toMatch(/beside the manifest$/);
    },
  );
});

test('a baseline of any shape is answered', () => {
  for (const findings of ['[null]', '[1, "a", [], {}]']) {
    const files = { 'livepatch.yaml': MANIFEST, 'v1.c': V1, 'base.json': `{ "findings": ${findings} }` };
    withFolder(files, (folder) => {
      const result = klp(['check', '--baseline', 'base.json'], folder);
      expect([result.status, result.stderr]).toEqual([0, '']);
    });
  }
  for (const text of ['', '[]', 'null', '{ "findings": 1 }', '\u0000']) {
    withFolder({ 'livepatch.yaml': MANIFEST, 'v1.c': V1, 'base.json': text }, (folder) =>
      oneLine(klp(['check', '--baseline', 'base.json'], folder)),
    );
  }
});

test('what may not be read says so', () => {
  // The tests may run as root, who may read everything.
  expect(reasonOf(Object.assign(new Error('EACCES: ...'), { code: 'EACCES' }))).toBe('permission denied');
});

test('Ctrl-C ends a long analysis at once', async () => {
  const versions = Array.from(
    { length: 300 },
    (_, i) => `  - { version: v${i}, module: lp_${i}, sources: v1.c }\n`,
  ).join('');
  const folder = mkdtempSync(join(tmpdir(), 'lineage-cli-'));
  try {
    writeFileSync(join(folder, 'livepatch.yaml'), `lineage: a\nkernel: "6.1"\nversions:\n${versions}`);
    writeFileSync(join(folder, 'v1.c'), V1);
    // The shell's word for a program that an interrupt ended is 130.
    const script = `'${process.execPath}' '${CLI}' matrix & echo $!; wait $!; echo "exit $?"`;
    const shell = spawn('bash', ['-m', '-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    let sent = 0;
    shell.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const pid = Number(/^\d+/.exec(printed)?.[0] ?? 0);
      if (sent > 0 || pid === 0) return;
      // By then it computes; a run of its length takes minutes.
      setTimeout(() => (process.kill(pid, 'SIGINT'), (sent = Date.now())), 4_000);
      sent = 1;
    });
    await once(shell, 'close');
    expect(printed).toMatch(/exit 130\n$/);
    expect(Date.now() - sent).toBeLessThan(5_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
