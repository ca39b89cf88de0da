import type { CType } from '../csource/types';
import type { Interpreter } from './interpreter';
import type { FieldPlace, Layout } from './layout';
import type { Block } from './memory';
import { lastSegmentStart, trailingIndex, withoutZeroes } from './paths';
import type { Pointer, Value } from './values';

const BYTE: CType = { k: 'int', bits: 8, signed: false };

/** `pointer + n` in elements of type `to` (void: of bytes); null where no path says where that is. */
export function addTo(it: Interpreter, pointer: Pointer, n: number, type: CType): Pointer | null {
  if (n === 0) return pointer;
  const to = type.k === 'void' ? BYTE : type;
  const block = it.memory.block(pointer.block);
  const at = block?.type && block.layout ? block.layout.typeAt(block.type, pointer.path) : undefined;
  if (block?.type && block.layout && at !== undefined && !sameShape(at, to)) {
    const moved = addBytes(block, pointer, n, to);
    if (moved !== undefined) return moved;
  }
  const index = trailingIndex(pointer.path);
  if (index === null) return { k: 'pointer', block: pointer.block, path: `${pointer.path}[${n}]` };
  const base = pointer.path.slice(0, lastSegmentStart(pointer.path));
  const next = index + n;
  if (next === 0 && !isArray(block, base)) return { k: 'pointer', block: pointer.block, path: base };
  return { k: 'pointer', block: pointer.block, path: `${base}[${next}]` };
}

/** Whether what stands at `path` is an array by declaration: its first element then has an index of its own. */
function isArray(block: Block | undefined, path: string): boolean {
  if (block === undefined || block.type === null || block.layout === null) return path !== '';
  const type = block.layout.typeAt(block.type, path);
  return type === undefined ? path !== '' : type.k === 'array';
}

/** Two types whose objects lie one after the other in the same way. */
function sameShape(a: CType, b: CType): boolean {
  if (a.k === 'int' && b.k === 'int') return a.bits === b.bits;
  if (a.k === 'struct' && b.k === 'struct') return a.tag === b.tag;
  if (a.k === 'array' && b.k === 'array') return a.length === b.length && sameShape(a.of, b.of);
  return a.k === b.k || a.k === 'unknown' || b.k === 'unknown';
}

function addBytes(block: Block, pointer: Pointer, n: number, to: CType): Pointer | null | undefined {
  const { type, layout } = block;
  if (type === null || layout === null) return undefined;
  const size = layout.sizeof(to);
  const from = layout.offsetof(type, pointer.path);
  if (size === undefined || from === undefined) return undefined;
  const path = pathAtOffset(layout, type, from + n * size, to);
  return path === undefined ? null : { k: 'pointer', block: pointer.block, path };
}

/** The path of the subobject of type `to` (any, for char and void) that begins `offset` bytes into `type`. */
export function pathAtOffset(layout: Layout, type: CType, offset: number, to: CType): string | undefined {
  const any = to.k === 'void' || to.k === 'unknown' || (to.k === 'int' && to.bits === 8);
  let at = type;
  let rest = offset;
  let path = '';
  for (let depth = 0; depth < 20; depth++) {
    if (rest === 0 && (any ? true : sameShape(at, to))) return path;
    if (at.k === 'array') {
      const size = layout.sizeof(at.of);
      if (size === undefined || size === 0) return undefined;
      const index = Math.floor(rest / size);
      path += `[${index}]`;
      rest -= index * size;
      at = at.of;
    } else if (at.k === 'struct') {
      let found: { name: string; type: CType; offset: number } | undefined;
      for (const field of layout.struct(at.tag)?.fields.values() ?? []) {
        const end = field.offset + (layout.sizeof(field.type) ?? 0);
        if (field.offset <= rest && rest < end && (found === undefined || field.offset > found.offset))
          found = field;
      }
      if (found === undefined) return undefined;
      path += `.${found.name}`;
      rest -= found.offset;
      at = found.type;
    } else return undefined;
  }
  return undefined;
}

/**
 * A pointer that is now taken for one to `to`: the same address under the path of the object of that type that
 * begins there, where the declared types say so.
 */
export function castPointer(it: Interpreter, pointer: Pointer, to: CType): Pointer {
  if (to.k === 'void' || to.k === 'unknown' || to.k === 'function') return pointer;
  const block = it.memory.block(pointer.block);
  if (block === undefined || block.type === null || block.layout === null) return pointer;
  const { layout, type } = block;
  let at = layout.typeAt(type, pointer.path);
  if (at === undefined || sameShape(at, to)) return pointer;
  // Down to what begins here.
  let path = pointer.path;
  for (let depth = 0; depth < 20 && at !== undefined; depth++) {
    if (sameShape(at, to)) return { k: 'pointer', block: pointer.block, path };
    if (at.k === 'array') {
      path += '[0]';
      at = at.of;
    } else if (at.k === 'struct') {
      const first: FieldPlace | undefined = [...(layout.struct(at.tag)?.fields.values() ?? [])].find(
        (field) => field.offset === 0,
      );
      if (first === undefined) break;
      path += `.${first.name}`;
      at = first.type;
    } else break;
  }
  // Up to what begins with it.
  path = pointer.path;
  while (path !== '') {
    const parent = path.slice(0, lastSegmentStart(path));
    if (layout.offsetof(type, parent) !== layout.offsetof(type, path)) break;
    const above = layout.typeAt(type, parent);
    if (above !== undefined && sameShape(above, to))
      return { k: 'pointer', block: pointer.block, path: parent };
    path = parent;
  }
  return pointer;
}

/** A scalar read where an object stands: the object's first member, if its declared type or its cells tell which. */
export function firstScalar(it: Interpreter, block: Block, path: string, type: CType): Value | undefined {
  const cell = it.memory.cell(block, path);
  if (cell === undefined || cell.children === null) return undefined;
  if (block.type !== null && block.layout !== null) {
    const moved = castPointer(it, { k: 'pointer', block: block.id, path }, type);
    if (moved.path !== path) return it.memory.load(block, moved.path, type);
  }
  const first = cell.children.has('[0]')
    ? '[0]'
    : cell.children.size === 1
      ? [...cell.children.keys()][0]
      : undefined;
  if (first === undefined || first.startsWith('.#')) return undefined;
  return it.memory.load(block, path + first, type) ?? firstScalar(it, block, path + first, type);
}

/** `a - b` in elements of `size` bytes, or null where nothing says. */
export function difference(it: Interpreter, a: Pointer, b: Pointer, size: number): number | null {
  if (a.block !== b.block) return null;
  if (a.path === b.path) return 0;
  const block = it.memory.block(a.block);
  if (block?.type && block.layout) {
    const one = block.layout.offsetof(block.type, a.path);
    const other = block.layout.offsetof(block.type, b.path);
    if (one !== undefined && other !== undefined) return Math.trunc((one - other) / size);
  }
  const [baseA, indexA] = elementOf(a.path);
  const [baseB, indexB] = elementOf(b.path);
  return baseA === baseB ? indexA - indexB : null;
}

function elementOf(path: string): readonly [string, number] {
  const index = trailingIndex(path);
  return index === null ? [path, 0] : [path.slice(0, lastSegmentStart(path)), index];
}

/** Whether two pointers are the same address. */
export function samePlace(it: Interpreter, a: Pointer, b: Pointer): boolean {
  if (a.block !== b.block) return false;
  if (a.path === b.path || withoutZeroes(a.path) === withoutZeroes(b.path)) return true;
  const block = it.memory.block(a.block);
  if (block?.type && block.layout) {
    const one = block.layout.offsetof(block.type, a.path);
    return one !== undefined && one === block.layout.offsetof(block.type, b.path);
  }
  return false;
}

/** -1, 0 or 1 as `a` lies before, at or behind `b`; null for places of different objects. */
export function order(it: Interpreter, a: Pointer, b: Pointer): number | null {
  if (samePlace(it, a, b)) return 0;
  if (a.block !== b.block) return a.block < b.block ? -1 : 1;
  const block = it.memory.block(a.block);
  if (block?.type && block.layout) {
    const one = block.layout.offsetof(block.type, a.path);
    const other = block.layout.offsetof(block.type, b.path);
    if (one !== undefined && other !== undefined) return Math.sign(one - other);
  }
  const [baseA, indexA] = elementOf(a.path);
  const [baseB, indexB] = elementOf(b.path);
  return baseA === baseB ? Math.sign(indexA - indexB) : null;
}

/** Takes `member` (as C writes it: `sub.list`) off the end of a pointer; null if it does not stand there. */
export function containerOf(pointer: Pointer, member: string): Pointer | null {
  const suffix = member.startsWith('[') ? member : `.${member}`;
  const path = pointer.path;
  if (path.endsWith(suffix))
    return { k: 'pointer', block: pointer.block, path: path.slice(0, -suffix.length) };
  const zeroes = withoutZeroes(path);
  if (zeroes !== path && zeroes.endsWith(suffix)) {
    return { k: 'pointer', block: pointer.block, path: zeroes.slice(0, -suffix.length) };
  }
  return null;
}
