import type { ApiContext, ApiModel } from '../api';
import type { Catalogue } from '../catalogue';
import { token } from '../ledger';
import { isPointer, isUnknown, type Value } from '../values';
import { argument, errnoOf, isNull, numberOf } from './arguments';
import { failed } from './effects-model';
import { copyObject, writeText } from './memory-copy';

/** How an allocator is called: where its size stands, whether it zeroes, what it fills the memory with. */
interface Allocator {
  readonly zeroed: boolean;
  readonly size?: (context: ApiContext) => number | null;
  readonly fill?: (context: ApiContext, memory: Value) => void;
}

const sizeAt =
  (index: number) =>
  (context: ApiContext): number | null =>
    numberOf(argument(context, index));

const product = (context: ApiContext): number | null => {
  const [a, b] = [numberOf(argument(context, 0)), numberOf(argument(context, 1))];
  return a === null || b === null ? null : a * b;
};

const duplicate = (context: ApiContext, memory: Value): void => {
  const source = argument(context, 0);
  const text = context.string(source);
  if (text === null) copyObject(context, memory, source);
  else writeText(context, memory, text);
};

const copied = (context: ApiContext, memory: Value): void => {
  const source = argument(context, 0);
  if (typeof source === 'object' && source.k === 'string') duplicate(context, memory);
  else copyObject(context, memory, source);
};

const formatted = (context: ApiContext, memory: Value): void => {
  writeText(context, memory, context.format(argument(context, 1), context.call.args.slice(2)));
};

const ALLOCATORS: Readonly<Record<string, Allocator>> = {
  ...each(['kmalloc', 'vmalloc', 'vmalloc_node', 'kvmalloc', 'kmalloc_node', 'kvmalloc_node'], {
    zeroed: false,
    size: sizeAt(0),
  }),
  ...each(
    ['kzalloc', 'vzalloc', 'vmalloc_user', 'vzalloc_node', 'kvzalloc', 'kzalloc_node', 'kvzalloc_node'],
    {
      zeroed: true,
      size: sizeAt(0),
    },
  ),
  ...each(['kcalloc', 'kvcalloc'], { zeroed: true, size: product }),
  ...each(['kmalloc_array', 'kvmalloc_array'], { zeroed: false, size: product }),
  ...each(['kmalloc_obj', 'kmalloc_objs', 'kmalloc_flex', 'kvmalloc_obj'], { zeroed: false }),
  ...each(['kzalloc_obj', 'kzalloc_objs', 'kzalloc_flex', 'kvzalloc_obj'], { zeroed: true }),
  ...each(['kstrdup', 'kstrndup', 'kstrdup_const', 'kmemdup_nul'], { zeroed: false, fill: duplicate }),
  kmemdup: { zeroed: false, size: sizeAt(1), fill: copied },
  kasprintf: { zeroed: false, fill: formatted },
  kvasprintf: { zeroed: false },
  krealloc: { zeroed: false, size: sizeAt(1) },
  kmem_cache_alloc: { zeroed: false },
  kmem_cache_zalloc: { zeroed: true },
  ...each(['alloc_percpu', 'alloc_percpu_gfp', '__alloc_percpu', '__alloc_percpu_gfp'], { zeroed: true }),
  ...each(['__get_free_pages', '__get_free_page'], { zeroed: false }),
  get_zeroed_page: { zeroed: true },
};

/** Freeing functions, with the argument that is freed. */
const FREEING: Readonly<Record<string, number>> = {
  kfree: 0,
  kfree_sensitive: 0,
  kfree_const: 0,
  kvfree: 0,
  kvfree_sensitive: 0,
  kfree_rcu: 0,
  kfree_rcu_mightsleep: 0,
  kvfree_rcu: 0,
  vfree: 0,
  kmem_cache_free: 1,
  free_percpu: 0,
  free_pages: 0,
  free_page: 0,
};

/** Allocators that something else frees: no side effect of their own. */
const MANAGED = [
  'devm_kzalloc',
  'devm_kmalloc',
  'devm_kcalloc',
  'devm_kmalloc_array',
  'devm_kstrdup',
  'devm_kasprintf',
];

/** The model of a function that allocates or frees memory. */
export function heapModel(name: string, catalogue: Catalogue): ApiModel | undefined {
  const freed = Object.hasOwn(FREEING, name) ? FREEING[name] : undefined;
  if (freed !== undefined) return (context) => release(context, argument(context, freed));
  if (MANAGED.includes(name)) {
    return (context) =>
      context.failure() === null ? context.allocate({ zeroed: !name.includes('malloc'), label: name }) : 0;
  }
  const allocator = Object.hasOwn(ALLOCATORS, name) ? ALLOCATORS[name] : undefined;
  const row = catalogue.rowsByDo(name)[0];
  if (!allocator || !row) return undefined;
  return (context) => {
    const errno = context.failure();
    if (errno !== null) return failed(row, errno);
    const old = name === 'krealloc' ? argument(context, 0) : 0;
    if (isPointer(old)) return old;
    const label = `${name} in ${context.call.actor.function}`;
    const memory = context.allocate({ zeroed: allocator.zeroed, label });
    allocator.fill?.(context, memory);
    const size = allocator.size?.(context) ?? null;
    context.state.ledger.done(context.host, {
      row,
      identity: [memory],
      handle: memory,
      key: label,
      by: context.call.actor,
      holds: [],
      ...(size === null ? {} : { size }),
    });
    return memory;
  };
}

/** kfree() and its kin: NULL is nothing; a double free is a fault that the memory itself reports. */
function release(context: ApiContext, memory: Value): Value {
  if (isNull(memory) || errnoOf(memory) !== null) return 0;
  const { ledger } = context.state;
  if (isUnknown(memory)) return 0;
  context.free(memory);
  const freed = token(memory);
  for (const effect of ledger.effects()) {
    if (effect.row.key === 'heap' && effect.handle !== undefined && token(effect.handle) === freed) {
      ledger.undo(context.host, effect, context.call.actor, true);
    }
  }
  return 0;
}

function each(names: readonly string[], allocator: Allocator): Record<string, Allocator> {
  return Object.fromEntries(names.map((name) => [name, allocator]));
}
