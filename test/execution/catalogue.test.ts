import { expect, test } from 'vitest';
import {
  CATALOGUE,
  Catalogue,
  effectRowsOf,
  rowsByDo,
  rowsByUndo,
} from '../../server/src/core/execution/catalogue';
import { PAIRS } from './catalogue-names';

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

test.each(PAIRS)('%s is known, and so is what undoes it', (dos, undos) => {
  const families = new Set<string>();
  for (const name of words(dos)) {
    const rows = rowsByDo(name);
    expect(rows, name).not.toHaveLength(0);
    for (const row of rows) families.add(row.family);
  }
  for (const name of words(undos)) {
    const rows = rowsByUndo(name);
    expect(rows, name).not.toHaveLength(0);
    // What undoes this line belongs to a family of this line.
    expect(
      rows.some((found) => families.has(found.row.family)),
      `${name} undoes ${dos}`,
    ).toBe(true);
  }
});

// As the functions of 6.1 do it: a list_del() or WARN(), an errno, or nothing.
test.each([
  ['misc_deregister', undefined],
  ['unregister_binfmt', undefined],
  ['crypto_unregister_alg', undefined],
  ['platform_driver_unregister', undefined],
  ['unregister_syscore_ops', undefined],
  ['cpu_latency_qos_remove_request', undefined],
  ['nf_unregister_sockopt', undefined],
  ['unregister_pernet_subsys', undefined],
  ['proto_unregister', undefined],
  ['unregister_qdisc', undefined],
  ['unregister_ftrace_function', undefined],
  ['unregister_filesystem', 'errno'],
  ['unregister_console', 'errno'],
  ['genl_unregister_family', 'errno'],
  ['unregister_acpi_notifier', 'errno'],
  ['unregister_fprobe', 'errno'],
  ['unregister_shrinker', 'harmless'],
  ['unregister_key_type', 'harmless'],
  ['input_unregister_handler', 'harmless'],
  ['dev_remove_pack', 'harmless'],
  ['unregister_kprobe', 'harmless'],
  ['unregister_kretprobes', 'harmless'],
])('%s of what is not there: %s', (name, absent) => {
  const found = rowsByUndo(name);
  expect(found).not.toHaveLength(0);
  for (const { undo } of found) expect(undo.absent).toBe(absent);
});

test('functions that nothing undoes are known as such', () => {
  for (const name of ['security_add_hooks', 'add_taint', 'register_btf_kfunc_id_set']) {
    expect(rowsByDo(name).map((row) => row.undo)).toEqual([[]]);
  }
});

test('a do stands in one row only, and every row says where its effect is found again', () => {
  const seen = new Map<string, number>();
  for (const row of CATALOGUE) {
    seen.set(row.do, (seen.get(row.do) ?? 0) + 1);
    expect(row.hazards.length, row.do).toBeGreaterThan(0);
    expect(row.noun, row.do).not.toBe('');
    if (row.synthetic !== true) expect(row.header, row.do).toMatch(/^(linux|net|asm|acpi|crypto)\/\S+\.h$/);
    if (row.parent !== undefined) expect(row.parent, row.do).toBeLessThan(row.identity.length);
    for (const undo of row.undo) {
      if (undo.handle) expect(undo.identity, `${row.do}: ${undo.name}`).toEqual([]);
      else if (row.synthetic !== true) {
        expect(undo.identity.length, `${row.do}: ${undo.name}`).toBeLessThanOrEqual(row.identity.length);
      }
    }
  }
  expect([...seen].filter(([, count]) => count > 1).map(([name]) => name)).toEqual([]);
});

test('an undo means the same argument for every row of a family', () => {
  // kobject_put() and device_unregister() take the object whether it was created for the caller or by it.
  const both = new Set(['kobject', 'device']);
  for (const row of CATALOGUE) {
    if (both.has(row.family) || row.family.endsWith(' reference')) continue;
    for (const undo of row.undo) {
      for (const other of rowsByUndo(undo.name)) {
        if (other.row.family !== row.family) continue;
        expect(other.undo.handle, `${undo.name} of ${row.do} and ${other.row.do}`).toEqual(undo.handle);
      }
    }
  }
});

test('whether an undo needs a pointer that only the doing module has is in the key', () => {
  const key = (name: string): string | undefined => rowsByDo(name)[0]?.key;
  expect(key('register_module_notifier')).toBe('pointer');
  expect(key('proc_create')).toBe('name');
  expect(key('kthread_run')).toBe('handle');
  expect(key('static_branch_enable')).toBe('value');
  expect(key('static_branch_inc')).toBe('count');
  expect(key('kzalloc')).toBe('heap');
  expect(key('try_module_get')).toBe('reference');
});

test('hazards come worst first', () => {
  expect(rowsByDo('register_module_notifier')[0]?.hazards).toEqual(['use-after-free', 'double-application']);
  expect(rowsByDo('static_branch_enable')[0]?.hazards).toEqual(['stuck-value']);
  expect(rowsByDo('kzalloc')[0]?.hazards).toEqual(['leak']);
});

test('releases: what came, went and was renamed', () => {
  const undo = (name: string) => rowsByDo('add_timer')[0]?.undo.find((call) => call.name === name);
  // del_timer_sync() became timer_delete_sync() in 6.2, which stable 6.1 took back; the old name went in 6.15.
  expect(undo('timer_delete_sync')?.since).toBe('6.1');
  expect(undo('del_timer_sync')?.until).toBe('6.15');
  // shrinker_alloc() replaced register_shrinker() in 6.7.
  expect(rowsByDo('shrinker_alloc')[0]?.since).toBe('6.7');
  expect(rowsByDo('register_shrinker')[0]?.until).toBe('6.7');
});

test('every tracepoint has its own pair', () => {
  expect(rowsByDo('register_trace_sys_enter')[0]?.undo.map((call) => call.name)).toEqual([
    'unregister_trace_sys_enter',
  ]);
  expect(rowsByUndo('unregister_trace_sched_switch')[0]?.row.do).toBe('register_trace_sched_switch');
  expect(rowsByDo('register_trace_event')[0]?.undo[0]?.name).toBe('unregister_trace_event');
});

test('a name that is no pair has no rows', () => {
  for (const name of ['printk', 'constructor', 'register_trace_', '']) {
    expect(rowsByDo(name)).toEqual([]);
    expect(rowsByUndo(name)).toEqual([]);
  }
});

test('a lineage adds its own pairs', () => {
  const own = effectRowsOf([
    { do: 'acme_register', undo: 'acme_unregister', key: 'pointer', argument: 1, fails: 'errno' },
    { do: 'acme_open', undo: 'acme_close', key: 'handle', argument: 1, fails: 'errptr' },
    { do: 'acme_set', undo: 'acme_reset', key: 'name', argument: 2, fails: 'never' },
  ]);
  const catalogue = new Catalogue(own);
  expect(catalogue.rowsByDo('acme_register')[0]).toMatchObject({
    identity: [{ arg: 0 }],
    holds: [0],
    fails: 'errno',
  });
  expect(catalogue.rowsByUndo('acme_close')[0]?.undo).toMatchObject({ handle: { arg: 0 } });
  expect(catalogue.rowsByDo('acme_set')[0]?.identity).toEqual([{ arg: 1, text: true }]);
  expect(catalogue.rowsByDo('proc_create')).not.toHaveLength(0);
  expect(rowsByDo('acme_register')).toEqual([]);
});
