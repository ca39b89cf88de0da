import type { CType, StructField, StructType } from './types';

/** Finds a struct by its tag. */
export type StructLookup = (tag: string) => StructType | undefined;

interface Size {
  readonly size: number;
  readonly align: number;
}

const MAX_DEPTH = 40;

/** Size in bytes on LP64, or undefined where the type or a part of it is not known. */
export function sizeOf(type: CType, structs: StructLookup): number | undefined {
  return measure(type, structs, 0)?.size;
}

/** Alignment in bytes on LP64, or undefined where it is not known. */
export function alignOf(type: CType, structs: StructLookup): number | undefined {
  return measure(type, structs, 0)?.align;
}

function measure(type: CType, structs: StructLookup, depth: number): Size | undefined {
  if (depth > MAX_DEPTH) return undefined;
  switch (type.k) {
    case 'int':
      return { size: type.bits / 8, align: type.bits / 8 };
    case 'pointer':
      return { size: 8, align: 8 };
    // GNU C: sizeof(void) and sizeof of a function are 1.
    case 'void':
    case 'function':
      return { size: 1, align: 1 };
    case 'array': {
      const of = measure(type.of, structs, depth + 1);
      if (of === undefined || type.length === null) return undefined;
      return { size: of.size * type.length, align: of.align };
    }
    case 'struct': {
      const found = structs(type.tag);
      return found === undefined ? undefined : place(found, structs, depth + 1, null);
    }
    default:
      return type.name === 'double' ? { size: 8, align: 8 } : undefined;
  }
}

function place(
  struct: StructType,
  structs: StructLookup,
  depth: number,
  each: ((field: StructField, offset: number) => void) | null,
): Size | undefined {
  let bits = 0;
  let align = 1;
  let size = 0;
  for (const [i, field] of struct.fields.entries()) {
    let own = measure(field.type, structs, depth);
    // A flexible array member counts for nothing but its alignment.
    if (own === undefined && field.type.k === 'array' && i === struct.fields.length - 1) {
      const of = measure(field.type.of, structs, depth + 1);
      if (of !== undefined) own = { size: 0, align: of.align };
    }
    if (own === undefined) return undefined;
    const to = struct.packed === true ? 1 : own.align;
    if (struct.union) bits = 0;
    if (field.bits !== undefined) {
      const unit = own.size * 8;
      if (field.bits === 0) {
        bits = up(bits, unit);
        continue;
      }
      if (struct.packed !== true && Math.floor(bits / unit) !== Math.floor((bits + field.bits - 1) / unit)) {
        bits = up(bits, unit);
      }
      each?.(field, Math.floor(bits / unit) * own.size);
      bits += field.bits;
    } else {
      bits = up(bits, to * 8);
      each?.(field, bits / 8);
      bits += own.size * 8;
    }
    align = Math.max(align, to);
    size = Math.max(size, bits);
  }
  return { size: up(Math.ceil(size / 8), align), align };
}

function up(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** The type of a member, looked for in anonymous members as well; undefined if the struct has none of that name. */
export function memberType(type: CType, name: string, structs: StructLookup, depth = 0): CType | undefined {
  if (type.k !== 'struct' || depth > MAX_DEPTH) return undefined;
  const struct = structs(type.tag);
  if (struct === undefined) return undefined;
  for (const field of struct.fields) {
    if (field.name === name) return field.type;
    if (field.name === '') {
      const inner = memberType(field.type, name, structs, depth + 1);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}

/** Offset in bytes of a member path such as `a.b`, and its type; undefined where something is not known. */
export function offsetOf(
  type: CType,
  path: string,
  structs: StructLookup,
): { readonly offset: number; readonly type: CType } | undefined {
  let at: { offset: number; type: CType } | undefined = { offset: 0, type };
  for (const step of path.split(/[.[\]]+/)) {
    if (step === '' || at === undefined) continue;
    const from: { offset: number; type: CType } = at;
    if (/^\d+$/.test(step)) {
      if (from.type.k !== 'array') return undefined;
      const size = sizeOf(from.type.of, structs);
      if (size === undefined) return undefined;
      at = { offset: from.offset + size * Number(step), type: from.type.of };
      continue;
    }
    const inner = fieldOffset(from.type, step, structs, 0);
    at = inner === undefined ? undefined : { offset: from.offset + inner.offset, type: inner.type };
  }
  return at;
}

function fieldOffset(
  type: CType,
  name: string,
  structs: StructLookup,
  depth: number,
): { offset: number; type: CType } | undefined {
  const struct = type.k === 'struct' && depth < MAX_DEPTH ? structs(type.tag) : undefined;
  if (struct === undefined) return undefined;
  let found: { offset: number; type: CType } | undefined;
  const whole = place(struct, structs, depth + 1, (field, offset) => {
    if (found !== undefined) return;
    if (field.name === name) found = { offset, type: field.type };
    else if (field.name === '') {
      const inner = fieldOffset(field.type, name, structs, depth + 1);
      if (inner !== undefined) found = { offset: offset + inner.offset, type: inner.type };
    }
  });
  return whole === undefined && found === undefined ? undefined : found;
}
