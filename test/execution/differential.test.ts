import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { generate } from './c-generator';
import { IDIOMS } from './c-idioms';
import { PRELUDE } from './c-prelude';
import { load, startParser } from './machine-kit';

const SHIM = `
#include <stdio.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
typedef unsigned char u8; typedef signed char s8; typedef unsigned short u16; typedef short s16;
typedef unsigned int u32; typedef int s32; typedef unsigned long long u64; typedef long long s64;
#define pr_info(...) printf(__VA_ARGS__)
#define pr_cont(...) printf(__VA_ARGS__)
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1UL << (n))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define min_t(t, a, b) ({ t _x = (a), _y = (b); _x < _y ? _x : _y; })
#define max_t(t, a, b) ({ t _x = (a), _y = (b); _x > _y ? _x : _y; })
#define swap(a, b) do { typeof(a) _t = (a); (a) = (b); (b) = _t; } while (0)
#define fallthrough __attribute__((__fallthrough__))
struct list_head { struct list_head *next, *prev; };
#define LIST_HEAD(name) struct list_head name = { &name, &name }
static void link_between(struct list_head *n, struct list_head *p, struct list_head *q) { n->prev = p; n->next = q; p->next = n; q->prev = n; }
static void list_add(struct list_head *n, struct list_head *h) { link_between(n, h, h->next); }
static void list_add_tail(struct list_head *n, struct list_head *h) { link_between(n, h->prev, h); }
static void list_del(struct list_head *n) { n->prev->next = n->next; n->next->prev = n->prev; }
static int list_empty(const struct list_head *h) { return h->next == h; }
#define list_first_entry(h, t, m) container_of((h)->next, t, m)
#define walk(p, h, m, way) for (p = container_of((h)->way, typeof(*p), m); &p->m != (h); p = container_of(p->m.way, typeof(*p), m))
#define list_for_each_entry(p, h, m) walk(p, h, m, next)
#define list_for_each_entry_reverse(p, h, m) walk(p, h, m, prev)
#define list_for_each_entry_safe(p, q, h, m) for (p = container_of((h)->next, typeof(*p), m), q = container_of(p->m.next, typeof(*p), m); &p->m != (h); p = q, q = container_of(q->m.next, typeof(*q), m))
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
    const text = `${SHIM}${PRELUDE}${IDIOMS}${functions.join('\n')}\nint main(void)\n{\n${calls}\n\treturn 0;\n}\n`;
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
  const { host, machine } = load(`${PRELUDE}${IDIOMS}${functions.join('\n')}`);
  return functions.map((_, i) => {
    host.lines.length = 0;
    machine.call(1, `f${i}`, [], 'init');
    return host.lines.map((line) => `${line}\n`).join('');
  });
}

/** The soak compares 20,000 functions. */
const BATCHES = process.env['LIVEPATCH_LINEAGE_SOAK'] === 'true' ? 77 : 8;
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
