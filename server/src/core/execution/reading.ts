import { placeIn } from '../csource/item-places';
import { CHAR, UNKNOWN_TYPE } from '../csource/types';
import type { Place } from '../place';
import type { MemoryReader } from './api';
import type { FormatSource } from './format';
import type { Interpreter } from './interpreter';
import { addTo } from './interpreter-pointers';
import { lastSegmentStart, trailingIndex, withoutZeroes } from './paths';
import { type BlockId, isInteger, type Pointer, type Value } from './values';

const MAX_STRING = 65_536;

/** The C string that a value points at; null if a part of it is not known. */
export function stringAt(it: Interpreter, value: Value): string | null {
  if (typeof value !== 'object') return null;
  if (value.k === 'string') return untilZero(value.text.slice(value.offset));
  if (value.k !== 'pointer') return null;
  const block = it.memory.block(value.block);
  if (block === undefined || block.dead !== null) return null;
  const start = trailingIndex(value.path) ?? 0;
  const base =
    trailingIndex(value.path) === null ? value.path : value.path.slice(0, lastSegmentStart(value.path));
  const whole = start === 0 ? it.readBlock(block, base, UNKNOWN_TYPE) : 0;
  if (typeof whole === 'object' && whole.k === 'string') return untilZero(whole.text.slice(whole.offset));
  let text = '';
  for (let i = start; i < start + MAX_STRING; i++) {
    const path =
      i === 0 && trailingIndex(value.path) === null && base === ''
        ? firstElement(it, value)
        : `${base}[${i}]`;
    const c = it.readBlock(block, path, CHAR);
    if (!isInteger(c)) return null;
    if (c === 0) return text;
    text += String.fromCharCode(Number(c) & 0xff);
  }
  return text;
}

/** The first character of untyped memory stands at its start; that of a declared array has an index. */
function firstElement(it: Interpreter, pointer: Pointer): string {
  const block = it.memory.block(pointer.block);
  return block !== undefined && it.memory.cell(block, '[0]') !== undefined ? '[0]' : '';
}

function untilZero(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** Memory as models, patch records and formatting see it: without faults. */
export class Reader implements MemoryReader, FormatSource {
  constructor(private readonly it: Interpreter) {}

  peek(pointer: Pointer): Value {
    const block = this.it.memory.block(pointer.block);
    if (block === undefined || block.dead !== null)
      return { k: 'unknown', id: `(freed memory)${pointer.path}` };
    return readAny(this.it, pointer);
  }

  at(pointer: Pointer, path: string): Pointer {
    return { k: 'pointer', block: pointer.block, path: pointer.path + path };
  }

  element(pointer: Pointer, n: number): Pointer {
    return addTo(this.it, pointer, n, UNKNOWN_TYPE) ?? pointer;
  }

  string(value: Value): string | null {
    return stringAt(this.it, value);
  }

  extent(pointer: Pointer): number | null {
    const block = this.it.memory.block(pointer.block);
    if (block === undefined || block.type === null || block.layout === null) return null;
    const index = trailingIndex(pointer.path);
    if (index !== null) {
      const array = block.layout.typeAt(block.type, pointer.path.slice(0, lastSegmentStart(pointer.path)));
      return array?.k === 'array' && array.length !== null ? array.length - index : null;
    }
    const type = block.layout.typeAt(block.type, pointer.path);
    if (type === undefined) return null;
    return type.k === 'array' ? type.length : 1;
  }

  origin(pointer: Pointer): Place | null {
    const block = this.it.memory.block(pointer.block);
    const cell = block === undefined ? undefined : this.it.memory.cell(block, pointer.path);
    const positions = cell?.positions;
    if (cell === undefined || positions === null || positions === undefined || cell.at < 0) return null;
    return placeIn(positions, cell.at);
  }

  behind(value: Value): Value {
    return typeof value === 'object' && value.k === 'pointer' ? this.peek(value) : { k: 'unknown', id: '?' };
  }

  moduleName(instance: number): string {
    return this.it.host.moduleName(instance);
  }
}

/** A reader that notes which blocks it was asked for, and whether anything in them was unknown. */
export class NotingReader extends Reader {
  readonly blocks = new Set<BlockId>();
  unknown = false;

  override peek(pointer: Pointer): Value {
    this.blocks.add(pointer.block);
    const value = super.peek(pointer);
    if (typeof value === 'object' && value.k === 'unknown') this.unknown = true;
    return value;
  }

  override element(pointer: Pointer, n: number): Pointer {
    this.blocks.add(pointer.block);
    return super.element(pointer, n);
  }

  override extent(pointer: Pointer): number | null {
    this.blocks.add(pointer.block);
    return super.extent(pointer);
  }

  override string(value: Value): string | null {
    if (typeof value === 'object' && value.k === 'pointer') this.blocks.add(value.block);
    return super.string(value);
  }
}

/** What stands at a place, whatever its type: an object as a whole, or a single value. */
export function readAny(it: Interpreter, pointer: Pointer): Value {
  const block = it.memory.block(pointer.block);
  if (block === undefined) return { k: 'unknown', id: '(freed memory)' };
  const type =
    block.type !== null && block.layout !== null ? block.layout.typeAt(block.type, pointer.path) : undefined;
  if (type !== undefined && type.k !== 'unknown') {
    if (type.k === 'array') return it.memory.aggregate(block, pointer.path);
    return it.readBlock(block, pointer.path, type);
  }
  const cell = it.memory.cell(block, pointer.path);
  if (cell !== undefined && cell.value === undefined && cell.children !== null)
    return it.memory.aggregate(block, pointer.path);
  return it.readBlock(block, pointer.path, UNKNOWN_TYPE);
}

/** A name for people that does not depend on the run: `&acme_nb`, `net_status`, `0x51`. */
export function describe(it: Interpreter, value: Value): string {
  if (isInteger(value)) {
    if (value === 0) return 'NULL';
    return value > -4096 && value < 10
      ? String(value)
      : `0x${(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value).toString(16)}`;
  }
  switch (value.k) {
    case 'string':
      return value.text.slice(value.offset);
    case 'function':
      return value.name;
    case 'unknown':
      return value.id;
    case 'aggregate':
      return '{…}';
    case 'pointer': {
      const block = it.memory.block(value.block);
      if (block === undefined) return 'freed memory';
      const path = withoutZeroes(value.path);
      if (block.kind === 'unknown') return path === '' ? block.label : `&${it.kernel.cellName(block, path)}`;
      return block.kind === 'heap'
        ? `${block.label}${path === '' ? '' : ` ${path}`}`
        : `&${block.label}${path}`;
    }
  }
}
