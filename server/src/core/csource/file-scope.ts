import { typeText } from './conversions';
import { hashOf, names } from './names';
import type { CType, StructField, StructType } from './types';

/**
 * The names at file scope and what they mean, above those of the built-in header knowledge. Names are numbers
 * (names.ts); struct tags are texts, since types carry them as such.
 */
export class FileScope {
  readonly typedefs = new Map<number, CType>();
  readonly structs = new Map<string, StructType>();
  readonly enumerators = new Map<number, number | bigint>();
  /** Functions and variables. */
  readonly globals = new Map<number, CType>();
  /** Asked for the type of a variable declared as `x[]`: its initialiser says how long it is. */
  complete: ((name: number) => CType | undefined) | null = null;
  private reachable = new Map<string, number>();

  constructor(readonly parent: FileScope | null) {}

  typedef(name: number): CType | undefined {
    return this.typedefs.get(name) ?? this.parent?.typedef(name);
  }

  /** An own definition hides that of the headers as a whole. */
  readonly struct = (tag: string): StructType | undefined =>
    this.structs.get(tag) ?? this.parent?.struct(tag);

  enumerator(name: number): number | bigint | undefined {
    return this.enumerators.get(name) ?? this.parent?.enumerator(name);
  }

  global(name: number): CType | undefined {
    const type = this.globals.get(name);
    if (type === undefined) return this.parent?.global(name);
    if (type.k === 'array' && type.length === null && this.complete !== null)
      return this.complete(name) ?? type;
    return type;
  }

  /**
   * A tag for a struct that has none, made from what it holds: it must not depend on how many others stand in
   * front of it.
   */
  newTag(fields: readonly StructField[], union: boolean): string {
    const text = fields.map((field) => `${field.name}:${typeText(field.type)}:${field.bits ?? ''}`).join();
    return `${union ? 'union' : 'struct'}#${(hashOf(text) >>> 0).toString(36)}${fields.length}`;
  }

  /**
   * A hash of all that the name means at this level, structs reachable from it included; 0 if nothing. The same in
   * every process.
   */
  meaning(name: number): number {
    let hash = 0;
    const typedef = this.typedefs.get(name);
    if (typedef !== undefined) hash = Math.imul(hashOf(typeText(typedef)) ^ this.structHash(typedef), 31) + 1;
    if (this.globals.has(name)) {
      const type = this.global(name) as CType;
      hash = Math.imul(hash, 31) + Math.imul(hashOf(typeText(type)) ^ this.structHash(type), 37) + 4;
    }
    const value = this.enumerators.get(name);
    if (value !== undefined) hash = Math.imul(hash, 31) + hashOf(String(value)) + 2;
    const tag = names.text(name);
    if (this.structs.has(tag)) hash = Math.imul(hash, 31) + this.tagHash(tag) + 3;
    return hash | 0;
  }

  private structHash(type: CType): number {
    let at = type;
    for (let n = 0; n < 40; n++) {
      if (at.k === 'pointer') at = at.to;
      else if (at.k === 'array') at = at.of;
      else if (at.k === 'function') at = at.returns;
      else break;
    }
    return at.k === 'struct' ? this.tagHash(at.tag) : 0;
  }

  /** Hash over a struct and all that can be reached from its members, pointers followed. */
  private tagHash(tag: string): number {
    const known = this.reachable.get(tag);
    if (known !== undefined) return known;
    const seen = new Set<string>([tag]);
    let hash = 17;
    for (const one of seen) {
      const struct = this.structs.get(one);
      if (struct === undefined) continue;
      hash = Math.imul(hash, 31) + (struct.union ? 5 : 3) + (struct.packed === true ? 64 : 0);
      for (const field of struct.fields) {
        hash = Math.imul(hash, 31) + hashOf(`${field.name}:${typeText(field.type)}:${field.bits ?? ''}`);
        let at: CType = field.type;
        while (at.k === 'pointer' || at.k === 'array' || at.k === 'function') {
          at = at.k === 'pointer' ? at.to : at.k === 'array' ? at.of : at.returns;
        }
        if (at.k === 'struct') seen.add(at.tag);
      }
    }
    hash |= 0;
    this.reachable.set(tag, hash);
    return hash;
  }

  /** Forgets hashes: a struct was added. */
  changed(): void {
    if (this.reachable.size > 0) this.reachable = new Map();
  }
}
