import { arg, pairs, RESULT, type RowKind, rowsOf, text, undo, undoHandle } from './catalogue-builders';
import type { EffectRow, UndoCall } from './catalogue-row';

/** Memory, containers and references. */

const HEAP: RowKind = {
  noun: 'allocation',
  header: 'linux/slab.h',
  key: 'heap',
  hazards: 'L',
  fails: 'null',
  family: 'heap',
};
const heap = rowsOf(HEAP);
const RESULT_ONLY = { identity: [RESULT], holds: [] } as const;

const frees = (...calls: readonly string[]): UndoCall[] =>
  calls.map((name) => undoHandle(name, { acceptsNull: true }));
const KFREE = frees('kfree', 'kfree_sensitive', 'kvfree', 'kfree_rcu', 'kvfree_rcu');
const KVFREE = frees('kvfree', 'kvfree_sensitive', 'kvfree_rcu');
const VFREE = [...frees('vfree'), undoHandle('kvfree', { acceptsNull: true, header: 'linux/slab.h' })];

const KMALLOC = [
  'kmalloc',
  'kzalloc',
  'kcalloc',
  'kmalloc_array',
  'kmalloc_node',
  'kzalloc_node',
  'krealloc',
  'kstrdup',
  'kstrndup',
  'kstrdup_const',
  'kmemdup',
  'kmemdup_nul',
  'kasprintf',
  'kvasprintf',
];
/** Of 7.0; stable kernels from some time of 6.6 on took them back. */
const OBJECTS = [
  'kmalloc_obj',
  'kzalloc_obj',
  'kmalloc_objs',
  'kzalloc_objs',
  'kmalloc_flex',
  'kzalloc_flex',
];
const KV_OBJECTS = ['kvmalloc_obj', 'kvzalloc_obj'];
const VMALLOC = ['vmalloc', 'vzalloc', 'vmalloc_user', 'vmalloc_node', 'vzalloc_node'];
const KVMALLOC = ['kvmalloc', 'kvzalloc', 'kvcalloc', 'kvmalloc_array', 'kvmalloc_node', 'kvzalloc_node'];

const cache = rowsOf({
  noun: 'slab cache',
  header: 'linux/slab.h',
  key: 'handle',
  hazards: 'EL',
  fails: 'null',
  label: text(0),
});
const DESTROY_CACHE = [undoHandle('kmem_cache_destroy', { acceptsNull: true })];

const POOLS: readonly EffectRow[] = [
  ...KMALLOC.map((name) => heap(name, KFREE, RESULT_ONLY)),
  ...OBJECTS.map((name) => heap(name, KFREE, { ...RESULT_ONLY, since: '6.6' })),
  ...KV_OBJECTS.map((name) => heap(name, KVFREE, { ...RESULT_ONLY, since: '6.6' })),
  ...VMALLOC.map((name) => heap(name, VFREE, { ...RESULT_ONLY, header: 'linux/vmalloc.h' })),
  ...KVMALLOC.map((name) => heap(name, KVFREE, RESULT_ONLY)),
  heap('kmem_cache_alloc', [undoHandle('kmem_cache_free', {}, 1)], RESULT_ONLY),
  heap('kmem_cache_zalloc', [undoHandle('kmem_cache_free', {}, 1)], RESULT_ONLY),
  ...['kmem_cache_create', 'kmem_cache_create_usercopy', 'KMEM_CACHE'].map((name) =>
    cache(name, DESTROY_CACHE, { ...RESULT_ONLY, label: text(0), holds: [4] }),
  ),
  ...['mempool_create', 'mempool_create_slab_pool', 'mempool_create_kmalloc_pool'].map((name) =>
    rowsOf({ ...HEAP, noun: 'memory pool', family: 'mempool', header: 'linux/mempool.h', key: 'handle' })(
      name,
      [undoHandle('mempool_destroy', { acceptsNull: true })],
      { identity: [RESULT], holds: [1, 2] },
    ),
  ),
  ...['alloc_percpu', 'alloc_percpu_gfp', '__alloc_percpu', '__alloc_percpu_gfp'].map((name) =>
    rowsOf({ ...HEAP, noun: 'per-CPU memory', family: 'percpu', header: 'linux/percpu.h' })(
      name,
      [undoHandle('free_percpu', { acceptsNull: true })],
      RESULT_ONLY,
    ),
  ),
  ...['alloc_pages', 'alloc_page'].map((name) =>
    rowsOf({ ...HEAP, noun: 'page', family: 'pages', header: 'linux/gfp.h' })(
      name,
      [
        undoHandle('__free_pages'),
        undoHandle('__free_page'),
        undoHandle('put_page', { header: 'linux/mm.h' }),
      ],
      RESULT_ONLY,
    ),
  ),
  ...['__get_free_pages', '__get_free_page', 'get_zeroed_page'].map((name) =>
    rowsOf({ ...HEAP, noun: 'page', family: 'pages', header: 'linux/gfp.h' })(
      name,
      [undoHandle('free_pages', { acceptsNull: true }), undoHandle('free_page', { acceptsNull: true })],
      RESULT_ONLY,
    ),
  ),
  rowsOf({ ...HEAP, noun: 'DMA memory', family: 'dma', header: 'linux/dma-mapping.h' })(
    'dma_alloc_coherent',
    [undoHandle('dma_free_coherent', {}, 2)],
    RESULT_ONLY,
  ),
  ...['ioremap', 'ioremap_wc', 'ioremap_cache'].map((name) =>
    rowsOf({ ...HEAP, noun: 'I/O mapping', family: 'ioremap', header: 'linux/io.h' })(
      name,
      [undoHandle('iounmap')],
      RESULT_ONLY,
    ),
  ),
];

const index = (noun: string, header: string): RowKind => ({
  noun,
  header,
  key: 'handle',
  hazards: 'L',
  fails: 'errno',
});

const CONTAINERS: readonly EffectRow[] = [
  rowsOf(index('IDR entry', 'linux/idr.h'))(
    'idr_alloc',
    [undo('idr_remove', [arg(0), arg(1)], { absent: 'harmless' })],
    {
      identity: [arg(0), RESULT],
      label: RESULT,
      holds: [1],
    },
  ),
  ...['ida_alloc', 'ida_alloc_max', 'ida_alloc_min', 'ida_alloc_range'].map((name) =>
    rowsOf(index('IDA number', 'linux/idr.h'))(name, [undo('ida_free', [arg(0), arg(1)])], {
      identity: [arg(0), RESULT],
      label: RESULT,
      holds: [],
    }),
  ),
  // What it answers is the old entry, or an error in a form of its own.
  rowsOf({ ...index('XArray entry', 'linux/xarray.h'), fails: 'never', repeated: 'harmless' })(
    'xa_store',
    [undo('xa_erase', [arg(0), arg(1)], { absent: 'harmless' })],
    { identity: [arg(0), arg(1)], label: arg(1), holds: [2] },
  ),
  ...pairs(
    { ...index('hash table', 'linux/rhashtable.h'), key: 'pointer', hazards: 'U', repeated: 'corrupts' },
    [['rhashtable_init', 'rhashtable_destroy']],
  ),
  ...pairs({ ...index('SRCU domain', 'linux/srcu.h'), key: 'pointer', hazards: 'U', repeated: 'corrupts' }, [
    ['init_srcu_struct', 'cleanup_srcu_struct'],
  ]),
];

const REFERENCE: RowKind = {
  noun: 'reference',
  header: 'linux/kref.h',
  key: 'reference',
  hazards: 'L',
  fails: 'never',
  repeated: 'counts',
};

function reference(
  noun: string,
  header: string,
  gets: readonly string[],
  puts: readonly string[],
): EffectRow[] {
  const row = rowsOf({ ...REFERENCE, noun: `${noun} reference`, header });
  const undos = puts.map((name) => undo(name, [arg(0)], { absent: 'harmless', acceptsNull: true }));
  return gets.map((name) => row(name, undos, { holds: [] }));
}

/** References that come with the object: the result of a lookup by number or name. */
function found(noun: string, header: string, gets: readonly string[], puts: readonly string[]): EffectRow[] {
  const row = rowsOf({ ...REFERENCE, noun: `${noun} reference`, header, fails: 'null' });
  const undos = puts.map((name) => undoHandle(name, { absent: 'harmless', acceptsNull: true }));
  return gets.map((name) => row(name, undos, { identity: [RESULT], holds: [] }));
}

const REFERENCES: readonly EffectRow[] = [
  ...reference('task', 'linux/sched/task.h', ['get_task_struct'], ['put_task_struct']),
  ...found('task', 'linux/sched/task.h', ['get_pid_task', 'find_get_task_by_vpid'], ['put_task_struct']),
  ...reference('mm', 'linux/sched/mm.h', ['mmgrab'], ['mmdrop']),
  ...reference('mm user', 'linux/sched/mm.h', ['mmget'], ['mmput']),
  ...found('mm user', 'linux/sched/mm.h', ['get_task_mm'], ['mmput']),
  ...reference('network namespace', 'net/net_namespace.h', ['get_net'], ['put_net']),
  ...reference('dentry', 'linux/dcache.h', ['dget'], ['dput']),
  ...reference('inode', 'linux/fs.h', ['ihold'], ['iput']),
  ...reference('inode', 'linux/fs.h', ['igrab'], ['iput']).map(
    (row): EffectRow => ({ ...row, fails: 'null' }),
  ),
  ...found('file', 'linux/file.h', ['fget'], ['fput']),
  ...reference('file', 'linux/file.h', ['get_file'], ['fput']),
  ...reference('device', 'linux/device.h', ['get_device'], ['put_device']),
  ...reference('kobject', 'linux/kobject.h', ['kobject_get'], ['kobject_put']),
  ...reference('kref', 'linux/kref.h', ['kref_get'], ['kref_put']),
  ...reference('network device', 'linux/netdevice.h', ['dev_hold'], ['dev_put']),
  ...found('network device', 'linux/netdevice.h', ['dev_get_by_name', 'dev_get_by_index'], ['dev_put']),
  ...reference('socket', 'net/sock.h', ['sock_hold'], ['sock_put']),
  ...reference('module', 'linux/module.h', ['__module_get'], ['module_put']),
  ...reference('module', 'linux/module.h', ['try_module_get'], ['module_put']).map(
    (row): EffectRow => ({ ...row, fails: 'false' }),
  ),
];

export const MEMORY_ROWS: readonly EffectRow[] = [...POOLS, ...CONTAINERS, ...REFERENCES];
