import {
  CALLBACK_KINDS,
  type CallbackKind,
  type FunctionImage,
  type ObjectImage,
  type StateImage,
} from '../kernel/types';
import type { MemoryReader, PatchRecord, Unseen } from './api';
import { isInteger, isPointer, isUnknown, type Pointer, type Value } from './values';

/** Larger tables are read no further and the record says so. */
const MAX_OBJECTS = 10_000;
const MAX_FUNCTIONS = 100_000;
const MAX_STATES = 10_000;

const CALLBACKS = CALLBACK_KINDS.map((kind) => `.callbacks.${kind}`);

/** Name shown for a function or object whose name could not be evaluated. */
const UNREAD = '?';

interface Reading {
  readonly reader: MemoryReader;
  readonly unterminated: PatchRecord['unterminated'][number][];
  readonly unseen: Unseen[];
  complete: boolean;
}

interface ObjectRecord {
  readonly image: ObjectImage;
  readonly callbacks: Readonly<Partial<Record<CallbackKind, Value>>>;
  readonly functions: readonly Pointer[] | null;
}

/**
 * Reads the struct klp_patch behind a pointer, and all that hangs from it, as the kernel's klp_for_each_*_static
 * walks it (include/linux/livepatch.h): objects end where neither name nor funcs is set, functions where old_name,
 * new_func and old_sympos are all zero, states at id 0. What could not be evaluated is no end: it is kept as
 * unknown and the record is not `complete`.
 */
export function readPatch(reader: MemoryReader, patch: Pointer): PatchRecord {
  const reading: Reading = { reader, unterminated: [], unseen: [], complete: true };
  const replace = reader.peek(reader.at(patch, '.replace'));
  const replaceKnown = isInteger(replace);
  const objects = readObjects(reading, reader.peek(reader.at(patch, '.objs')));
  const states = readStates(reading, reader.peek(reader.at(patch, '.states')));
  return {
    image: {
      replace: replaceKnown && !isZero(replace) ? 'everything' : 'nothing',
      objects: objects ? objects.records.map((object) => object.image) : null,
      states: states.images,
      hasModule: !isZero(reader.peek(reader.at(patch, '.mod'))),
    },
    objectPointers: objects ? objects.pointers : [],
    callbackValues: objects ? objects.records.map((object) => object.callbacks) : [],
    functionPointers: objects ? objects.records.map((object) => object.functions) : [],
    statePointers: states.pointers,
    replaceKnown,
    unterminated: reading.unterminated,
    unseen: reading.unseen,
    complete: reading.complete,
  };
}

function readObjects(
  reading: Reading,
  table: Value,
): { records: ObjectRecord[]; pointers: Pointer[] } | null {
  const records: ObjectRecord[] = [];
  const pointers = elements(reading, table, 'objects', MAX_OBJECTS, ['.name', '.funcs']);
  if (!pointers) return null;
  for (const object of pointers) records.push(readObject(reading, object));
  return { records, pointers };
}

function readObject(reading: Reading, object: Pointer): ObjectRecord {
  const { reader } = reading;
  const name = reader.peek(reader.at(object, '.name'));
  const callbacks: Partial<Record<CallbackKind, Value>> = {};
  for (const kind of CALLBACK_KINDS) {
    const value = reader.peek(reader.at(object, `.callbacks.${kind}`));
    if (isZero(value)) continue;
    if (isUnknown(value)) reading.complete = false;
    callbacks[kind] = value;
  }
  const functions = elements(reading, reader.peek(reader.at(object, '.funcs')), 'functions', MAX_FUNCTIONS, [
    '.old_name',
    '.new_func',
    '.old_sympos',
  ]);
  return {
    image: {
      name: isZero(name) ? null : textOf(reading, name),
      functions: functions ? functions.map((entry) => readFunction(reading, entry)) : null,
      callbacks: new Set(Object.keys(callbacks) as CallbackKind[]),
    },
    callbacks,
    functions,
  };
}

function readFunction(reading: Reading, entry: Pointer): FunctionImage {
  const { reader } = reading;
  const name = reader.peek(reader.at(entry, '.old_name'));
  const sympos = reader.peek(reader.at(entry, '.old_sympos'));
  if (!isInteger(sympos)) reading.complete = false;
  return {
    oldName: isZero(name) ? '' : textOf(reading, name),
    newName: functionName(reading, reader.peek(reader.at(entry, '.new_func'))),
    sympos: isInteger(sympos) ? Number(sympos) : 0,
  };
}

function readStates(reading: Reading, table: Value): { images: StateImage[]; pointers: Pointer[] } {
  const { reader } = reading;
  const pointers = elements(reading, table, 'states', MAX_STATES, ['.id']) ?? [];
  const images = pointers.map((state): StateImage => {
    const id = reader.peek(reader.at(state, '.id'));
    const version = reader.peek(reader.at(state, '.version'));
    if (!isInteger(version)) reading.complete = false;
    return { id: stateId(id), version: isInteger(version) ? Number(version) : null };
  });
  return { images, pointers };
}

/**
 * The elements of a table up to the one whose members in `marks` are all zero. Null for a NULL table. One that runs
 * past its array's end is noted; where nothing at all is known of an element there is nothing more to read.
 */
function elements(
  reading: Reading,
  table: Value,
  array: 'objects' | 'functions' | 'states',
  limit: number,
  marks: readonly string[],
): Pointer[] | null {
  if (isZero(table)) return null;
  if (!isPointer(table)) {
    reading.complete = false;
    return [];
  }
  const { reader } = reading;
  const found: Pointer[] = [];
  const extent = reader.extent?.(table) ?? null;
  let vague = false;
  for (let index = 0; index < limit; index++) {
    if (extent !== null && index >= extent) {
      if (!vague) reading.unterminated.push({ array, pointer: table });
      return found;
    }
    const element = reader.element(table, index);
    const values = marks.map((member) => reader.peek(reader.at(element, member)));
    if (values.every(isZero)) {
      const hidden = hiddenBy(reading, table, array, marks, index, Math.min(extent ?? 0, limit));
      if (hidden) reading.unseen.push({ array, table, ...hidden });
      return found;
    }
    // A single unknown name may be a macro of a header that is not there, for several elements or for the end.
    const [first, ...others] = values;
    if (array === 'states') others.push(reader.peek(reader.at(element, '.version')));
    if (first !== undefined && isUnknown(first) && others.every(isZero)) {
      reading.complete = false;
      vague = true;
    }
    if (values.every((value) => isUnknown(value) && !value.symbolic)) {
      reading.complete = false;
      if (extent === null) return found;
    }
    found.push(element);
  }
  reading.complete = false;
  return found;
}

/** The first thing of a table that its end at `index` hides from the kernel; null for none. */
function hiddenBy(
  { reader }: Reading,
  table: Pointer,
  array: Unseen['array'],
  marks: readonly string[],
  index: number,
  extent: number,
): Pick<Unseen, 'what' | 'pointer'> | null {
  const isSet = (pointer: Pointer, members: readonly string[]): boolean =>
    members.some((member) => {
      const value = reader.peek(reader.at(pointer, member));
      return !isZero(value) && !isUnknown(value);
    });
  const end = reader.element(table, index);
  if (array === 'objects' && index < extent && isSet(end, CALLBACKS))
    return { what: 'callbacks', pointer: end };
  for (let behind = index + 1; behind < extent; behind++) {
    const pointer = reader.element(table, behind);
    if (isSet(pointer, marks)) return { what: 'behind', pointer };
  }
  return null;
}

function textOf(reading: Reading, value: Value): string {
  const text = reading.reader.string(value);
  if (text !== null) return text;
  reading.complete = false;
  return isUnknown(value) ? value.id : UNREAD;
}

function functionName(reading: Reading, value: Value): string {
  if (typeof value === 'object' && value.k === 'function') return value.name;
  if (isZero(value)) return '';
  reading.complete = false;
  return isUnknown(value) ? value.id : UNREAD;
}

/** A number, or the name of a constant that no header here resolves. */
function stateId(value: Value): StateImage['id'] {
  if (isInteger(value)) return Number(value);
  return isUnknown(value) ? value.id : UNREAD;
}

function isZero(value: Value): boolean {
  return value === 0 || value === 0n;
}
