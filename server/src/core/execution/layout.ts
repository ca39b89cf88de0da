import type { CType, StructField, StructType } from '../csource/types';
import { splitPath } from './paths';

/** Where a field lies: `offset` in bytes from the struct's start, `bit` from that byte for bit-fields. */
export interface FieldPlace {
  readonly name: string;
  readonly type: CType;
  readonly offset: number;
  readonly bit: number;
  /** Width of a bit-field, or 0. */
  readonly bits: number;
  /** The innermost union that holds the field (through anonymous members), by its byte offset, or -1. */
  readonly union: number;
}

export interface StructLayout {
  readonly type: StructType;
  readonly size: number;
  readonly align: number;
  /** All fields that can be named directly, those of anonymous members included. */
  readonly fields: ReadonlyMap<string, FieldPlace>;
  /** The fields in order of declaration, anonymous members under the name ''. */
  readonly direct: readonly FieldPlace[];
  readonly hasBitFields: boolean;
  readonly hasUnion: boolean;
}

const POINTER_SIZE = 8;

/** A layout with the structs that it was made from: those that lie in it as a whole, by tag. */
interface Laid {
  readonly layout: StructLayout;
  readonly parts: ReadonlyMap<string, StructType | undefined>;
}

/** The structs of the built-in headers are the same objects in all units: each is laid out once. */
const laid = new WeakMap<StructType, Laid>();

/** Sizes and offsets on LP64. One per translation unit, since struct tags belong to it. */
export class Layout {
  private readonly structs = new Map<string, StructLayout | null>();
  private readonly types = new Map<CType, Map<string, CType | null>>();
  /** While structs are being laid out: what the innermost of them was made from so far. */
  private parts: Map<string, StructType | undefined> | null = null;

  constructor(private readonly lookup: (tag: string) => StructType | undefined) {}

  /** Undefined for a struct that nothing read so far describes. */
  struct(tag: string): StructLayout | undefined {
    const known = this.structs.get(tag);
    if (known !== undefined && this.parts === null) return known ?? undefined;
    const type = this.lookup(tag);
    this.parts?.set(tag, type);
    let layout = known;
    if (layout === undefined) {
      this.structs.set(tag, null); // a struct that holds itself ends here
      layout = type === undefined ? null : this.laidOut(type);
      this.structs.set(tag, layout);
    } else if (type !== undefined) {
      for (const [part, of] of laid.get(type)?.parts ?? []) this.parts?.set(part, of);
    }
    return layout ?? undefined;
  }

  private laidOut(type: StructType): StructLayout {
    const known = laid.get(type);
    if (known !== undefined && this.holds(known)) {
      for (const [part, of] of known.parts) this.parts?.set(part, of);
      return known.layout;
    }
    const outer = this.parts;
    const parts = new Map<string, StructType | undefined>();
    this.parts = parts;
    const layout = this.lay(type);
    this.parts = outer;
    laid.set(type, { layout, parts });
    for (const [part, of] of parts) outer?.set(part, of);
    return layout;
  }

  private holds({ parts }: Laid): boolean {
    for (const [tag, type] of parts) if (this.lookup(tag) !== type) return false;
    return true;
  }

  /** In bytes; undefined where the type is not known. */
  sizeof(type: CType): number | undefined {
    switch (type.k) {
      case 'void':
      case 'function':
        return 1;
      case 'int':
        return type.bits / 8;
      case 'pointer':
        return POINTER_SIZE;
      case 'array': {
        const size = this.sizeof(type.of);
        return size === undefined || type.length === null ? undefined : size * type.length;
      }
      case 'struct':
        return this.struct(type.tag)?.size;
      default:
        return undefined;
    }
  }

  alignof(type: CType): number {
    switch (type.k) {
      case 'int':
        return type.bits / 8;
      case 'array':
        return this.alignof(type.of);
      case 'struct':
        return this.struct(type.tag)?.align ?? 1;
      case 'void':
      case 'function':
        return 1;
      default:
        return POINTER_SIZE;
    }
  }

  /** The type of the subobject at `path` of an object of `type`, or undefined. */
  typeAt(type: CType, path: string): CType | undefined {
    if (path === '') return type;
    let known = this.types.get(type);
    if (known === undefined) {
      known = new Map();
      this.types.set(type, known);
    }
    let found = known.get(path);
    if (found === undefined) {
      found = this.walk(type, path)?.type ?? null;
      known.set(path, found);
    }
    return found ?? undefined;
  }

  /** Byte offset of the subobject at `path`, or undefined. */
  offsetof(type: CType, path: string): number | undefined {
    return this.walk(type, path)?.offset;
  }

  private walk(type: CType, path: string): { type: CType; offset: number } | undefined {
    let at = type;
    let offset = 0;
    for (const segment of splitPath(path)) {
      if (segment.startsWith('[')) {
        if (at.k !== 'array') return undefined;
        const index = Number(segment.slice(1, -1));
        const size = this.sizeof(at.of);
        if (!Number.isInteger(index) || size === undefined) return undefined;
        offset += index * size;
        at = at.of;
      } else {
        const field = at.k === 'struct' ? this.struct(at.tag)?.fields.get(segment.slice(1)) : undefined;
        if (field === undefined) return undefined;
        offset += field.offset;
        at = field.type;
      }
    }
    return { type: at, offset };
  }

  private lay(type: StructType): StructLayout {
    const fields = new Map<string, FieldPlace>();
    const direct: FieldPlace[] = [];
    let bitPosition = 0;
    let size = 0;
    let align = 1;
    let hasBitFields = false;
    let hasUnion = type.union;
    for (const field of type.fields) {
      if (type.union) bitPosition = 0;
      const place = this.placeField(type, field, bitPosition);
      bitPosition = place.end;
      size = Math.max(size, Math.ceil(bitPosition / 8));
      align = Math.max(align, place.align);
      hasBitFields ||= field.bits !== undefined;
      direct.push(place);
      const inner = this.structIn(field.type);
      hasUnion ||= inner?.hasUnion ?? false;
      if (field.name !== '') fields.set(field.name, place);
      else if (inner !== undefined) {
        hasBitFields ||= inner.hasBitFields;
        for (const [name, sub] of inner.fields) {
          const union = sub.union >= 0 ? place.offset + sub.union : type.union ? 0 : -1;
          fields.set(name, { ...sub, offset: place.offset + sub.offset, union });
        }
      }
    }
    const rounded = Math.ceil(size / align) * align;
    return { type, size: rounded, align, fields, direct, hasBitFields, hasUnion };
  }

  private structIn(type: CType): StructLayout | undefined {
    if (type.k === 'array') return this.structIn(type.of);
    return type.k === 'struct' ? this.struct(type.tag) : undefined;
  }

  private placeField(
    owner: StructType,
    field: StructField,
    from: number,
  ): FieldPlace & { end: number; align: number } {
    const align = owner.packed ? 1 : this.alignof(field.type);
    const union = owner.union ? 0 : -1;
    const base = { name: field.name, type: field.type, union };
    if (field.bits !== undefined) {
      const unit = (this.sizeof(field.type) ?? 4) * 8;
      let at = from;
      if (field.bits === 0)
        return { ...base, offset: 0, bit: 0, bits: 0, end: Math.ceil(at / unit) * unit, align: 1 };
      if (!owner.packed && Math.floor(at / unit) !== Math.floor((at + field.bits - 1) / unit))
        at = Math.ceil(at / unit) * unit;
      const offset = Math.floor(at / unit) * (unit / 8);
      return {
        ...base,
        offset,
        bit: at - offset * 8,
        bits: field.bits,
        end: at + field.bits,
        align: field.name === '' ? 1 : align,
      };
    }
    const offset = Math.ceil(Math.ceil(from / 8) / align) * align;
    const size = this.sizeof(field.type) ?? 0;
    return { ...base, offset, bit: 0, bits: 0, end: (offset + size) * 8, align };
  }
}
