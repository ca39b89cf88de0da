import type { InstanceId } from '../kernel/types';
import type { MemoryReader, PatchRecord } from './api';
import type { Interpreter } from './interpreter';
import type { Block, Cell } from './memory';
import { type ProgramImage, slotOf, staticBlock } from './program';
import { NotingReader } from './reading';
import type { BlockId, Pointer, Value } from './values';

/** A patch record with the slots it was read from: the same as long as none of them is written. */
interface SharedRecord {
  readonly record: PatchRecord;
  readonly slots: readonly number[];
}

/**
 * What follows from a module's code alone, in whatever kernel it is loaded: static data that nothing outside the
 * module decides, and the patch records in it. Kept as the first instance had it; others get it with their own number.
 */
class SharedData {
  readonly #blocks = new Map<number, Block>();
  /** By slot and path of the struct klp_patch. */
  readonly #records = new Map<string, SharedRecord>();
  readonly #moved = new Map<InstanceId, SharedData>();

  constructor(readonly instance: InstanceId) {}

  /** The same data for another instance. */
  for(instance: InstanceId): SharedData {
    if (instance === this.instance) return this;
    let moved = this.#moved.get(instance);
    if (!moved) this.#moved.set(instance, (moved = new SharedData(instance)));
    return moved;
  }

  block(slot: number, first: SharedData): Block | undefined {
    const known = this.#blocks.get(slot);
    if (known || first === this) return known;
    const block = first.#blocks.get(slot);
    if (!block) return undefined;
    const owner = this.instance;
    const moved = {
      ...block,
      id: staticBlock(owner, slot),
      owner,
      root: movedCell(block.root, this.instance),
    };
    this.#blocks.set(slot, moved);
    return moved;
  }

  keep(slot: number, block: Block): void {
    this.#blocks.set(slot, block);
  }

  record(key: string, first: SharedData): SharedRecord | undefined {
    const known = this.#records.get(key);
    if (known || first === this) return known;
    const shared = first.#records.get(key);
    if (!shared) return undefined;
    const moved = { ...shared, record: movedRecord(shared.record, this.instance) };
    this.#records.set(key, moved);
    return moved;
  }

  keepRecord(key: string, shared: SharedRecord): void {
    this.#records.set(key, shared);
  }
}

const SHARED = new WeakMap<ProgramImage, SharedData>();

function sharedData(image: ProgramImage, instance: InstanceId): { first: SharedData; own: SharedData } {
  let first = SHARED.get(image);
  if (!first) SHARED.set(image, (first = new SharedData(instance)));
  return { first, own: first.for(instance) };
}

/** Static data as its initialiser leaves it, if some machine has worked it out and it is the same in all. */
export function sharedBlock(image: ProgramImage, instance: InstanceId, slot: number): Block | undefined {
  const { first, own } = sharedData(image, instance);
  return own.block(slot, first);
}

/** For static data that took nothing from its surroundings. */
export function shareBlock(image: ProgramImage, instance: InstanceId, slot: number, block: Block): void {
  if (isOwn(block.root, instance)) sharedData(image, instance).own.keep(slot, block);
}

/** The record of a patch, read again only where something it was read from has been written since. */
export function patchRecord(
  it: Interpreter,
  instance: InstanceId,
  patch: Pointer,
  read: (reader: MemoryReader, patch: Pointer) => PatchRecord,
): PatchRecord {
  const image = it.modules.get(instance)?.image;
  const reader = new NotingReader(it);
  const at = slotOf(patch.block);
  if (image === undefined || at.instance !== instance) return read(reader, patch);
  const { first, own } = sharedData(image, instance);
  const key = `${at.slot}${patch.path}`;
  const known = own.record(key, first);
  if (known?.slots.every((slot) => !it.memory.isWritten(staticBlock(instance, slot)))) return known.record;
  const record = read(reader, patch);
  const slots = ownSlots(reader.blocks, instance);
  const isShared = (slot: number): boolean =>
    own.block(slot, first) !== undefined && !it.memory.isWritten(staticBlock(instance, slot));
  if (!reader.unknown && slots?.every(isShared)) own.keepRecord(key, { record, slots });
  return record;
}

/** The slots of blocks that are all this instance's; null where one is not. */
function ownSlots(blocks: Iterable<BlockId>, instance: InstanceId): number[] | null {
  const slots: number[] = [];
  for (const block of blocks) {
    const at = slotOf(block);
    if (at.instance !== instance) return null;
    slots.push(at.slot);
  }
  return slots;
}

/** Whether static data holds nothing but numbers, strings, symbolic constants and addresses of its own module. */
function isOwn(cell: Cell, instance: InstanceId): boolean {
  const { value } = cell;
  if (typeof value === 'object') {
    if (value.k === 'pointer') {
      if (slotOf(value.block).instance !== instance) return false;
    } else if (value.k === 'function') {
      if (value.instance !== instance) return false;
    } else if (value.k === 'unknown') {
      if (value.symbolic !== true) return false;
    } else if (value.k === 'aggregate') return false;
  }
  if (cell.children !== null)
    for (const child of cell.children.values()) if (!isOwn(child, instance)) return false;
  return true;
}

function movedCell(cell: Cell, instance: InstanceId): Cell {
  const value = cell.value === undefined ? undefined : movedValue(cell.value, instance);
  if (cell.children === null) return value === cell.value ? cell : { ...cell, value };
  const children = new Map<string, Cell>();
  for (const [segment, child] of cell.children) children.set(segment, movedCell(child, instance));
  return { ...cell, value, children };
}

/** What isOwn() lets through, in another instance of the module. */
function movedValue(value: Value, instance: InstanceId): Value {
  if (typeof value !== 'object') return value;
  if (value.k === 'pointer') return movedPointer(value, instance);
  return value.k === 'function' ? { ...value, instance } : value;
}

function movedPointer({ k, block, path }: Pointer, instance: InstanceId): Pointer {
  return { k, block: staticBlock(instance, slotOf(block).slot), path };
}

function movedRecord(record: PatchRecord, instance: InstanceId): PatchRecord {
  const pointer = (it: Pointer): Pointer => movedPointer(it, instance);
  return {
    ...record,
    objectPointers: record.objectPointers.map(pointer),
    callbackValues: record.callbackValues.map((values) =>
      Object.fromEntries(Object.entries(values).map(([kind, value]) => [kind, movedValue(value, instance)])),
    ),
    functionPointers: record.functionPointers.map((pointers) => pointers?.map(pointer) ?? null),
    statePointers: record.statePointers.map(pointer),
    unterminated: record.unterminated.map((it) => ({ ...it, pointer: pointer(it.pointer) })),
    unseen: record.unseen.map((it) => ({ ...it, table: pointer(it.table), pointer: pointer(it.pointer) })),
  };
}
