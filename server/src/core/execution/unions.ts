import type { CType } from '../csource/types';
import { canonical, wrap } from './integers';
import type { Layout } from './layout';
import type { Fill } from './memory';
import { splitPath } from './paths';
import type { Value } from './values';

/**
 * Members of a union share storage. What is written there is kept byte by byte under the union's own path
 * (`.u.#0[3]`); what is no integer stands as a whole at its first byte.
 */
export interface UnionCell {
  /** Path of the shared storage. */
  readonly storage: string;
  /** Byte offset and size of the access within it. */
  readonly offset: number;
  readonly size: number;
  readonly type: CType;
}

const cache = new WeakMap<Layout, WeakMap<CType, Map<string, UnionCell | null>>>();

/** Where an access of `type` at `path` of an object of `root` lands, if a union stands in between; else null. */
export function unionCell(layout: Layout, root: CType, path: string, type: CType): UnionCell | null {
  if (!holdsUnion(layout, root)) return null;
  let perLayout = cache.get(layout);
  if (perLayout === undefined) cache.set(layout, (perLayout = new WeakMap()));
  let perType = perLayout.get(root);
  if (perType === undefined) perLayout.set(root, (perType = new Map()));
  const size = layout.sizeof(type);
  const key = `${size ?? '?'}${path}`;
  let found = perType.get(key);
  if (found === undefined) perType.set(key, (found = find(layout, root, path, type)));
  return found === null ? null : { ...found, type };
}

function holdsUnion(layout: Layout, type: CType): boolean {
  if (type.k === 'array') return holdsUnion(layout, type.of);
  return type.k === 'struct' && (layout.struct(type.tag)?.hasUnion ?? false);
}

function find(layout: Layout, root: CType, path: string, type: CType): UnionCell | null {
  let at = root;
  let storage: string | null = null;
  let offset = 0;
  let done = '';
  for (const segment of splitPath(path)) {
    if (at.k === 'array') {
      const index = Number(segment.slice(1, -1));
      const size = layout.sizeof(at.of);
      if (!Number.isInteger(index) || size === undefined) return null;
      if (storage !== null) offset += index * size;
      at = at.of;
    } else {
      if (at.k !== 'struct') return null;
      const field = layout.struct(at.tag)?.fields.get(segment.slice(1));
      if (field === undefined) return null;
      if (storage === null && field.union >= 0) {
        storage = `${done}.#${field.union}`;
        offset = field.offset - field.union;
      } else if (storage !== null) offset += field.offset;
      at = field.type;
    }
    done += segment;
  }
  if (storage === null) return null;
  // The union as a whole, or a struct in it, is copied leaf by leaf elsewhere.
  const size = layout.sizeof(type) ?? layout.sizeof(at);
  return size === undefined ? null : { storage, offset, size, type };
}

export function readUnion(cell: UnionCell, load: (path: string) => Value | undefined): Value | undefined {
  const first = load(`${cell.storage}[${cell.offset}]`);
  if (first === undefined) return undefined;
  if (typeof first === 'object')
    return first.k === 'aggregate' || cell.type.k === 'int' ? (cell.size === 8 ? first : undefined) : first;
  let value = 0n;
  for (let i = cell.size - 1; i >= 0; i--) {
    const byte = load(`${cell.storage}[${cell.offset + i}]`);
    if (byte === undefined || typeof byte === 'object') return undefined;
    value = (value << 8n) | BigInt(byte);
  }
  if (cell.type.k === 'int') return wrap(canonical(value), cell.type.bits, cell.type.signed);
  return canonical(value);
}

export interface UnionStorage {
  load(path: string): Value | undefined;
  store(path: string, value: Value): void;
  fill(path: string, fill: Fill): void;
}

export function writeUnion(cell: UnionCell, value: Value, storage: UnionStorage): void {
  const byte = (i: number): string => `${cell.storage}[${cell.offset + i}]`;
  if (typeof value === 'object') {
    storage.store(byte(0), value);
    for (let i = 1; i < cell.size; i++) storage.fill(byte(i), 'unknown');
    return;
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < cell.size; i++) {
    storage.store(byte(i), Number(rest & 0xffn));
    rest >>= 8n;
  }
}

const MAX_LEAVES = 1024;

/** The scalars of an object of `type`, at most 1,024, with their paths in it. */
export function leavesOf(
  layout: Layout,
  type: CType,
): readonly { readonly path: string; readonly type: CType }[] {
  const leaves: { path: string; type: CType }[] = [];
  const visit = (at: CType, path: string): void => {
    if (leaves.length >= MAX_LEAVES) return;
    if (at.k === 'array')
      for (let i = 0; i < (at.length ?? 0) && leaves.length < MAX_LEAVES; i++) visit(at.of, `${path}[${i}]`);
    else if (at.k === 'struct')
      for (const field of layout.struct(at.tag)?.fields.values() ?? [])
        visit(field.type, `${path}.${field.name}`);
    else leaves.push({ path, type: at });
  };
  visit(type, '');
  return leaves;
}
