import { arg, pairs, RESULT, type RowKind, rowsOf, text, undo, undoHandle } from './catalogue-builders';
import type { EffectRow } from './catalogue-row';
import { COUNTER, SHADOW, STATE_DATA, STATIC_KEY, VALUE_WRITE } from './catalogue-synthetic';

/** Drivers and file systems, crypto, power management; changed values and switches of the kernel. */

const POINTER: RowKind = {
  noun: '',
  header: '',
  key: 'pointer',
  hazards: 'U',
  fails: 'errno',
  repeated: 'corrupts',
};
const kind = (noun: string, header: string, more: Partial<RowKind> = {}): RowKind => ({
  ...POINTER,
  noun,
  header,
  ...more,
});
const RESULT_ONLY = { identity: [RESULT], holds: [] } as const;

/** A pair of which both halves came or went together. */
function bounded(row: EffectRow, bounds: { readonly since?: string; readonly until?: string }): EffectRow {
  return { ...row, ...bounds, undo: row.undo.map((call) => ({ ...call, ...bounds })) };
}

const REGISTERED: readonly EffectRow[] = [
  ...pairs(kind('shrinker', 'linux/shrinker.h'), [['register_shrinker', 'unregister_shrinker']], {
    label: text(1),
    absent: 'harmless',
  }).map((row): EffectRow => bounded(row, { until: '6.7' })),
  rowsOf(kind('shrinker allocation', 'linux/shrinker.h', { key: 'handle', fails: 'null', hazards: 'L' }))(
    'shrinker_alloc',
    [undoHandle('shrinker_free', { acceptsNull: true, since: '6.7' })],
    { ...RESULT_ONLY, label: text(1), since: '6.7' },
  ),
  rowsOf(kind('registered shrinker', 'linux/shrinker.h', { key: 'handle', fails: 'never' }))(
    'shrinker_register',
    [undo('shrinker_free', [arg(0)], { since: '6.7' })],
    { since: '6.7' },
  ),
  ...pairs(
    kind('file system type', 'linux/fs.h', {
      hazards: 'UE',
      repeated: 'errno',
      label: text(0, '.name'),
      unique: true,
    }),
    [['register_filesystem', 'unregister_filesystem']],
    { absent: 'errno' },
  ),
  rowsOf(kind('kernel mount', 'linux/mount.h', { key: 'handle', hazards: 'L', fails: 'errptr' }))(
    'kern_mount',
    [undoHandle('kern_unmount', { acceptsNull: true })],
    RESULT_ONLY,
  ),
  ...pairs(kind('binary format', 'linux/binfmts.h', { fails: 'never' }), [
    ['register_binfmt', 'unregister_binfmt'],
  ]),
  ...pairs(
    kind('key type', 'linux/key-type.h', { repeated: 'errno', label: text(0, '.name'), unique: true }),
    [['register_key_type', 'unregister_key_type']],
    { absent: 'harmless' },
  ),
  ...pairs(kind('crypto algorithm', 'crypto/algapi.h', { repeated: 'errno' }), [
    ['crypto_register_alg', 'crypto_unregister_alg'],
  ]),
  ...[
    ['crypto_alloc_shash', 'crypto_free_shash', 'hash'],
    ['crypto_alloc_ahash', 'crypto_free_ahash', 'hash'],
    ['crypto_alloc_skcipher', 'crypto_free_skcipher', 'skcipher'],
    ['crypto_alloc_aead', 'crypto_free_aead', 'aead'],
  ].map(([name = '', undoName = '', header = '']) =>
    rowsOf(kind('crypto transform', `crypto/${header}.h`, { key: 'handle', hazards: 'L', fails: 'errptr' }))(
      name,
      [undoHandle(undoName)],
      { ...RESULT_ONLY, label: text(0) },
    ),
  ),
  ...pairs(kind('platform driver', 'linux/platform_device.h'), [
    ['platform_driver_register', 'platform_driver_unregister'],
  ]),
  ...pairs(kind('PCI driver', 'linux/pci.h'), [['pci_register_driver', 'pci_unregister_driver']]),
  ...pairs(kind('USB driver', 'linux/usb.h'), [['usb_register', 'usb_deregister']]),
  ...pairs(kind('platform device', 'linux/platform_device.h'), [
    ['platform_device_register', 'platform_device_unregister'],
  ]),
  ...pairs(kind('bus', 'linux/device/bus.h'), [['bus_register', 'bus_unregister']]),
  ...pairs(kind('input handler', 'linux/input.h'), [['input_register_handler', 'input_unregister_handler']], {
    absent: 'harmless',
  }),
  rowsOf(kind('LED', 'linux/leds.h'))(
    'led_classdev_register',
    [undo('led_classdev_unregister', [arg(1)])].map((call) => ({ ...call, identity: [arg(0)] })),
    {
      identity: [arg(1)],
      holds: [1],
    },
  ),
  ...pairs(
    kind('console', 'linux/console.h', { fails: 'never' }),
    [['register_console', 'unregister_console']],
    { absent: 'errno' },
  ),
  rowsOf(kind('SysRq key', 'linux/sysrq.h', { key: 'handle', repeated: 'errno', repeatedErrno: 1 }))(
    'register_sysrq_key',
    [undo('unregister_sysrq_key', [arg(0), arg(1)], { absent: 'errno' })],
    { identity: [arg(0), arg(1)], holds: [1] },
  ),
  ...pairs(kind('system core operations', 'linux/syscore_ops.h', { fails: 'never' }), [
    ['register_syscore_ops', 'unregister_syscore_ops'],
  ]).map((row): EffectRow => bounded(row, { until: '6.19' })),
  // Of 6.19; stable kernels from some time of 6.6 on have it instead of the other.
  ...pairs(kind('system core operations', 'linux/syscore_ops.h', { fails: 'never' }), [
    ['register_syscore', 'unregister_syscore'],
  ]).map((row): EffectRow => bounded(row, { since: '6.6' })),
  ...pairs(kind('CPU latency request', 'linux/pm_qos.h', { fails: 'never', hazards: 'US' }), [
    ['cpu_latency_qos_add_request', 'cpu_latency_qos_remove_request'],
  ]),
  rowsOf(kind('device QoS request', 'linux/pm_qos.h', { hazards: 'US' }))(
    'dev_pm_qos_add_request',
    [undo('dev_pm_qos_remove_request', [arg(0)])],
    { identity: [arg(1)], holds: [1] },
  ),
  rowsOf(kind('relay channel', 'linux/relay.h', { key: 'handle', fails: 'null' }))(
    'relay_open',
    [undoHandle('relay_close')],
    {
      identity: [RESULT],
      label: text(0),
      holds: [4, 5],
    },
  ),
  rowsOf(kind('fsnotify group', 'linux/fsnotify_backend.h', { key: 'handle', fails: 'errptr' }))(
    'fsnotify_alloc_group',
    [undoHandle('fsnotify_put_group'), undoHandle('fsnotify_destroy_group')],
    { identity: [RESULT], holds: [0] },
  ),
  rowsOf(kind('open file', 'linux/fs.h', { key: 'handle', hazards: 'L', fails: 'errptr' }))(
    'filp_open',
    [undoHandle('filp_close')],
    {
      ...RESULT_ONLY,
      label: text(0),
    },
  ),
];

const value = (noun: string, header: string): RowKind => ({
  noun,
  header,
  key: 'value',
  hazards: 'S',
  fails: 'never',
  repeated: 'harmless',
});
const forceCpu = rowsOf({ ...value('forced CPU feature', 'asm/cpufeature.h'), key: 'name' });

const STATIC_KEY_COUNT: EffectRow = {
  ...STATIC_KEY,
  family: 'static key count',
  do: 'static_branch_inc',
  undo: ['static_branch_dec', 'static_key_slow_dec', 'static_branch_slow_dec_deferred'].map((name) =>
    undo(name),
  ),
  key: 'count',
  hazards: ['stuck-value', 'double-application'],
  repeated: 'counts',
};

const keyUndo = (names: readonly string[]): EffectRow['undo'] => names.map((name) => undo(name, [arg(0)]));

const VALUES: readonly EffectRow[] = [
  ...[
    'static_branch_enable',
    'static_key_enable',
    'static_branch_enable_cpuslocked',
    'static_key_enable_cpuslocked',
  ].map(
    (name): EffectRow => ({
      ...STATIC_KEY,
      do: name,
      undo: keyUndo([
        'static_branch_disable',
        'static_key_disable',
        'static_branch_disable_cpuslocked',
        'static_key_disable_cpuslocked',
      ]),
    }),
  ),
  ...[
    'static_branch_disable',
    'static_key_disable',
    'static_branch_disable_cpuslocked',
    'static_key_disable_cpuslocked',
  ].map(
    (name): EffectRow => ({
      ...STATIC_KEY,
      do: name,
      undo: keyUndo([
        'static_branch_enable',
        'static_key_enable',
        'static_branch_enable_cpuslocked',
        'static_key_enable_cpuslocked',
      ]),
    }),
  ),
  ...[
    'static_branch_inc',
    'static_key_slow_inc',
    'static_branch_inc_cpuslocked',
    'static_key_slow_inc_cpuslocked',
  ].map((name): EffectRow => ({ ...STATIC_KEY_COUNT, do: name })),
  ...['set_memory_rw', 'set_memory_nx', 'set_memory_x'].map((name) =>
    rowsOf(value('page protection', 'linux/set_memory.h'))(
      name,
      [
        undo(
          name === 'set_memory_rw'
            ? 'set_memory_ro'
            : name === 'set_memory_x'
              ? 'set_memory_nx'
              : 'set_memory_x',
        ),
      ],
      { holds: [], fails: 'errno' },
    ),
  ),
  ...['wrmsr', 'wrmsrl', 'wrmsrq'].map((name) =>
    bounded(
      rowsOf(value('MSR', 'asm/msr.h'))(name, [undo(name)], { holds: [] }),
      name === 'wrmsrq' ? { since: '6.16' } : {},
    ),
  ),
  ...['wrmsr_on_cpu', 'wrmsrl_on_cpu', 'wrmsr_safe', 'wrmsrl_safe'].map((name) =>
    rowsOf(value('MSR', 'asm/msr.h'))(name, [undo(name)], { holds: [], fails: 'errno' }),
  ),
  forceCpu('setup_force_cpu_bug', [undo('setup_clear_cpu_cap', [arg(0)], { absent: 'harmless' })], {
    holds: [],
  }),
  forceCpu('setup_force_cpu_cap', [undo('setup_clear_cpu_cap', [arg(0)], { absent: 'harmless' })], {
    holds: [],
  }),
  SHADOW,
  { ...SHADOW, do: 'klp_shadow_get_or_alloc', repeated: 'harmless' },
  STATE_DATA,
  VALUE_WRITE,
  COUNTER,
];

/** What nothing undoes: refused in callbacks. */
const PERMANENT: readonly EffectRow[] = [
  rowsOf(kind('security hooks', 'linux/lsm_hooks.h', { fails: 'never' }))('security_add_hooks', []),
  rowsOf(kind('taint', 'linux/panic.h', { fails: 'never', hazards: 'S', key: 'none', repeated: 'harmless' }))(
    'add_taint',
    [],
    {
      holds: [],
    },
  ),
  rowsOf(kind('BTF kernel function set', 'linux/btf.h', { key: 'none', repeated: 'errno' }))(
    'register_btf_kfunc_id_set',
    [],
    {
      identity: [arg(1)],
      holds: [1],
    },
  ),
];

export const DRIVER_ROWS: readonly EffectRow[] = [...REGISTERED, ...VALUES, ...PERMANENT];
