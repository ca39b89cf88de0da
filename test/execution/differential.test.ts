import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { generate } from './c-generator';
import { PRELUDE } from './c-prelude';
import { load, startParser } from './machine-kit';

const SHIM = `
#include <stdio.h>
#include <stdbool.h>
#include <stddef.h>
typedef unsigned char u8; typedef signed char s8; typedef unsigned short u16; typedef short s16;
typedef unsigned int u32; typedef int s32; typedef unsigned long long u64; typedef long long s64;
#define pr_info(...) printf(__VA_ARGS__)
#define pr_cont(...) printf(__VA_ARGS__)
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
`;

const hasCompiler = spawnSync('cc', ['--version']).status === 0;
if (!hasCompiler && process.env.CI !== undefined)
  throw new Error('the differential test needs a C compiler in CI');
if (!hasCompiler) console.warn('no cc on this machine: the interpreter is not compared with a compiler');

beforeAll(startParser);

/** What the compiled functions print, function by function. */
function compiled(functions: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'livepatch-differential-'));
  try {
    const calls = functions.map((_, i) => `\tprintf("@@%d\\n", ${i}); f${i}();`).join('\n');
    const text = `${SHIM}${PRELUDE}${functions.join('\n')}\nint main(void)\n{\n${calls}\n\treturn 0;\n}\n`;
    const source = join(folder, 'all.c');
    writeFileSync(source, text);
    const flags = ['-std=gnu11', '-O0', '-w', '-fwrapv', '-fno-strict-aliasing', '-fsigned-char'];
    execFileSync('cc', [...flags, '-o', join(folder, 'all'), source], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const out = join(folder, 'out');
    execFileSync('sh', ['-c', `"${join(folder, 'all')}" > "${out}"`]);
    return readFileSync(out, 'latin1')
      .split(/@@\d+\n/)
      .slice(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function interpreted(functions: readonly string[]): string[] {
  const { host, machine } = load(`${PRELUDE}${functions.join('\n')}`);
  return functions.map((_, i) => {
    host.lines.length = 0;
    machine.call(1, `f${i}`, [], 'init');
    return host.lines.map((line) => `${line}\n`).join('');
  });
}

const BATCHES = 8;
const PER_BATCH = 260;

for (let seed = 1; seed <= BATCHES; seed++) {
  test.skipIf(!hasCompiler)(
    `${PER_BATCH} functions of seed ${seed} print what the compiler's code prints`,
    () => {
      const functions = generate(seed, PER_BATCH);
      const expected = compiled(functions);
      const got = interpreted(functions);
      expect(expected.length).toBe(PER_BATCH);
      const wrong = functions.flatMap((text, i) =>
        expected[i] === got[i] ? [] : [{ text, expected: expected[i], got: got[i] }],
      );
      expect(wrong.slice(0, 1)).toEqual([]);
      expect(wrong.length).toBe(0);
    },
  );
}
