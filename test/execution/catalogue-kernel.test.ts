import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CATALOGUE } from '../../server/src/core/execution/catalogue';
import type { FailureForm } from '../../server/src/core/execution/catalogue-row';
import { capabilitiesOf } from '../../server/src/core/kernel/capabilities';
import { bodiesIn, type Declaration, declarationsIn, kindOf } from '../support/kernel-c';
import { catalogueSources, kernelHeaders } from '../support/linux-source';

/**
 * The columns of the catalogue against the kernel's own text: which release has a function and which header declares
 * it, in what form it fails, and whether an undo may sleep.
 */

const RELEASES = ['6.1', '6.12'] as const;
type Release = (typeof RELEASES)[number];

/** Rows of calls that have that name in the kernel: neither writes nor a family of names. */
const ROWS = CATALOGUE.filter((row) => row.synthetic !== true && !row.do.endsWith('*'));

interface Bounds {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

function isClaimed({ since, until }: Bounds, release: Release): boolean {
  return capabilitiesOf({ release, has: [], lacks: [] }).api(since ?? null, until ?? null) === 'yes';
}

/**
 * What stable updates changed within a series: there on one day, gone on another. Rows claim both, for nobody knows
 * which day's kernel a release number means.
 */
const GONE_IN_UPDATES: Readonly<Record<Release, readonly string[]>> = {
  '6.1': [],
  '6.12': ['register_syscore_ops', 'unregister_syscore_ops'],
};

/** The headers of one release: what they declare, and which other headers they include. */
class Headers {
  readonly #declared = new Map<string, (Declaration & { readonly header: string })[]>();
  readonly #included = new Map<string, string[]>();

  constructor(root: string) {
    for (const base of ['include', 'arch/x86/include']) {
      for (const entry of readdirSync(join(root, base), { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !entry.name.endsWith('.h')) continue;
        const path = join(entry.parentPath, entry.name);
        const header = relative(join(root, base), path).replace(/^uapi\//, '');
        this.#read(header, readFileSync(path, 'utf8'));
      }
    }
  }

  #read(header: string, text: string): void {
    const includes = [...text.matchAll(/^#\s*include\s+<([^>]+)>/gm)].map(([, name = '']) => name);
    this.#included.set(header, [...(this.#included.get(header) ?? []), ...includes]);
    for (const [name, declaration] of declarationsIn(text)) {
      const known = this.#declared.get(name);
      if (known) known.push({ ...declaration, header });
      else this.#declared.set(name, [{ ...declaration, header }]);
    }
  }

  of(name: string): readonly (Declaration & { readonly header: string })[] {
    return this.#declared.get(name) ?? [];
  }

  /** Whether the header declares it, or one that it includes for this purpose: itself, twice removed at most. */
  declares(header: string, name: string): boolean {
    const where = new Set(this.of(name).map((declaration) => declaration.header));
    const near = (from: string, steps: number): boolean =>
      where.has(from) || (steps > 0 && (this.#included.get(from) ?? []).some((it) => near(it, steps - 1)));
    return near(header, 2);
  }

  /** The kinds of value that a call of it has; macros are followed. */
  kinds(name: string, depth = 3): Set<string> {
    const kinds = new Set<string>();
    for (const { returns, body } of this.of(name)) {
      if (returns !== undefined) kinds.add(returns === '' ? 'number' : kindOf(returns));
      // A cast to a pointer stands before the call that gives the value.
      else if (body !== undefined && /\*\)\s*\(?\w+\s*\(/.test(body)) kinds.add('pointer');
      else if (body !== undefined && depth > 0) {
        const calls = [...body.matchAll(/\b(\w+)\s*\(/g)].map(([, called = '']) => called);
        const first = calls
          .filter((called) => called !== name && called !== 'alloc_hooks')
          .map((called) => this.kinds(called, depth - 1))
          .find((found) => found.size > 0);
        for (const kind of first ?? []) kinds.add(kind);
      }
    }
    return kinds;
  }
}

const headers = new Map<Release, Headers>();
for (const release of RELEASES) {
  const root = await kernelHeaders(release);
  if (root !== null) headers.set(release, new Headers(root));
}

describe.skipIf(headers.size < RELEASES.length).each(RELEASES)('the headers of Linux %s', (release) => {
  const known = headers.get(release);

  test('declare what the catalogue says this release has, and nothing that it says is missing', () => {
    const wrong: string[] = [];
    for (const row of ROWS) {
      for (const { name, ...bounds } of [{ name: row.do, since: row.since, until: row.until }, ...row.undo]) {
        const there = (known?.of(name).length ?? 0) > 0;
        if (there === isClaimed(bounds, release) || GONE_IN_UPDATES[release].includes(name)) continue;
        wrong.push(`${name} is ${there ? 'there' : 'not there'}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('what updates took away is claimed and not there', () => {
    for (const name of GONE_IN_UPDATES[release]) {
      expect(known?.of(name), name).toEqual([]);
      const rows = ROWS.filter((row) => row.do === name || row.undo.some((undo) => undo.name === name));
      expect(rows.map((row) => isClaimed(row, release))).toEqual([true]);
    }
  });

  /** Calls that are declared elsewhere than their undo; the header of a row is that of the undo, which is generated. */
  const APART = new Set(
    'kstrdup kstrndup kstrdup_const kmemdup kmemdup_nul kasprintf kvasprintf get_file get_pid_task'.split(
      ' ',
    ),
  );

  test('declare each function in the header of its row, or near it', () => {
    const wrong: string[] = [];
    for (const row of ROWS) {
      const calls = [{ name: row.do, header: row.header, bounds: row as Bounds }];
      for (const undo of row.undo)
        calls.push({ name: undo.name, header: undo.header ?? row.header, bounds: undo });
      for (const { name, header, bounds } of calls) {
        if (!isClaimed(bounds, release) || GONE_IN_UPDATES[release].includes(name)) continue;
        if (name === row.do && APART.has(name)) continue;
        if (!known?.declares(header, name))
          wrong.push(
            `${name}: not in ${header} but ${known?.of(name).map((it) => it.header)[0] ?? 'nowhere'}`,
          );
      }
    }
    expect(wrong).toEqual([]);
  });

  /** What a function returns where it can fail in this form, and where it cannot. */
  const KINDS: Readonly<Record<FailureForm, readonly string[]>> = {
    errno: ['number'],
    null: ['pointer'],
    errptr: ['pointer'],
    false: ['bool'],
    never: ['void'],
  };
  /** Results that are of another kind than their form has, and what they are. */
  const OTHERWISE: Readonly<Record<string, string>> = {
    mod_timer: 'whether it was pending',
    timer_reduce: 'whether it was pending',
    register_trace_event: '0 for failure, and otherwise a number',
    __get_free_pages: 'an address as a number',
    __get_free_page: 'an address as a number',
    get_zeroed_page: 'an address as a number',
    xa_store: 'the old entry',
    get_task_struct: 'its argument',
    get_net: 'its argument',
    dget: 'its argument',
    get_file: 'its argument',
    get_device: 'its argument',
    kobject_get: 'its argument',
  };

  test('give each call the kind of result that its way of failing needs', () => {
    const wrong: string[] = [];
    let compared = 0;
    for (const row of ROWS) {
      if (!isClaimed(row, release) || GONE_IN_UPDATES[release].includes(row.do) || row.do in OTHERWISE)
        continue;
      const kinds = [...(known?.kinds(row.do) ?? [])];
      if (kinds.length === 0) continue;
      compared++;
      if (!kinds.every((kind) => KINDS[row.fails].includes(kind)))
        wrong.push(`${row.do} fails as ${row.fails} but returns ${kinds.join(' or ')}`);
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(240);
  });
});

const source = await catalogueSources();

describe.skipIf(source === null)('the sources of Linux 6.1', async () => {
  const bodies = new Map<string, string>();
  const calls = new Map<string, ReadonlySet<string>>();
  const files = source === null ? [] : readdirSync(source, { recursive: true, withFileTypes: true });
  const inline = await kernelHeaders('6.1');
  if (inline !== null) files.push(...readdirSync(join(inline, 'include/linux'), { withFileTypes: true }));
  for (const entry of files) {
    if (!entry.isFile() || !/\.[ch]$/.test(entry.name)) continue;
    // Of what a header has as well, that is for kernels without it.
    for (const [name, body] of bodiesIn(readFileSync(join(entry.parentPath, entry.name), 'utf8')))
      if (entry.name.endsWith('.c') || !bodies.has(name))
        bodies.set(name, `${bodies.get(name) ?? ''}${body}`);
  }
  for (const [name, body] of bodies)
    calls.set(name, new Set([...body.matchAll(/\b(\w+)\s*\(/g)].map(([, called = '']) => called)));

  test('a pointer that says failure is NULL or an error, as the body has it', () => {
    const wrong: string[] = [];
    let compared = 0;
    for (const row of ROWS) {
      const body = bodies.get(row.do);
      if (body === undefined || (row.fails !== 'null' && row.fails !== 'errptr')) continue;
      const error = /\breturn (?:\(.*?\))?ERR_(?:PTR|CAST)\b/.test(body);
      const none = /\breturn NULL;/.test(body);
      if (error === none) continue;
      compared++;
      if (error !== (row.fails === 'errptr')) wrong.push(`${row.do} fails as ${row.fails}`);
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(15);
  });

  /** What puts a task to sleep. */
  const SLEEPS = new Set(
    `might_sleep might_sleep_if mutex_lock mutex_lock_nested down down_read down_write percpu_down_write rtnl_lock
cpus_read_lock console_lock inode_lock schedule schedule_timeout msleep wait_for_completion wait_event wait_var_event
synchronize_rcu synchronize_net synchronize_srcu synchronize_irq flush_work flush_workqueue kthread_stop rcu_barrier
acpi_ut_acquire_mutex`.split(/\s+/),
  );
  /** Sleeping undos of which these sources do not show it, and why they sleep. */
  const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = {
    debugfs_remove_recursive: 'a macro for debugfs_remove()',
    class_destroy: 'class_unregister(), kset_unregister(), kobject_del(), sysfs, kernfs',
  };

  /** How many calls lead from the function to one that sleeps; null if none of at most `limit` does. */
  function distance(name: string, limit: number): number | null {
    for (let within = 1; within <= limit; within++) if (reaches(name, within)) return within;
    return null;
  }
  function reaches(name: string, within: number): boolean {
    if (SLEEPS.has(name)) return true;
    return within > 0 && [...(calls.get(name) ?? [])].some((called) => reaches(called, within - 1));
  }
  const undos = new Map(ROWS.flatMap((row) => row.undo.map((undo) => [undo.name, undo.maySleep === true])));

  test('an undo that may sleep leads to something that does', () => {
    const unshown = [...undos]
      .filter(([name, sleeps]) => sleeps && bodies.has(name) && distance(name, 5) === null)
      .map(([name]) => name);
    expect(unshown.sort()).toEqual(Object.keys(SHOWN_ELSEWHERE).sort());
    expect([...undos].filter(([name, sleeps]) => sleeps && bodies.has(name)).length).toBeGreaterThan(90);
  });

  test('an undo that never sleeps neither does so itself nor calls what does', () => {
    const wrong = [...undos].filter(([name, sleeps]) => !sleeps && distance(name, 2) !== null);
    expect(wrong.map(([name]) => name)).toEqual([]);
    expect([...undos].filter(([name, sleeps]) => !sleeps && bodies.has(name)).length).toBeGreaterThan(25);
  });
});
