/** The C types that execution has to tell apart. Layout is LP64 little endian, as on x86-64. */
export type CType =
  | { readonly k: 'void' }
  | { readonly k: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean; readonly bool?: true }
  | { readonly k: 'pointer'; readonly to: CType }
  /** `length` is null for `[]` whose length comes from the initialiser or is not known. */
  | { readonly k: 'array'; readonly of: CType; readonly length: number | null }
  /** struct or union, by tag; anonymous ones get a made-up tag that is unique in the unit. */
  | { readonly k: 'struct'; readonly tag: string }
  | { readonly k: 'function'; readonly returns: CType }
  /** A type name that nothing read so far defines. */
  | { readonly k: 'unknown'; readonly name: string };

export interface StructField {
  /** Empty for an anonymous struct or union member, whose fields are reached through it. */
  readonly name: string;
  readonly type: CType;
  /** Width of a bit-field. */
  readonly bits?: number;
}

export interface StructType {
  readonly tag: string;
  readonly union: boolean;
  readonly packed?: boolean;
  readonly fields: readonly StructField[];
}

export const VOID: CType = { k: 'void' };
export const INT: CType = { k: 'int', bits: 32, signed: true };
export const UINT: CType = { k: 'int', bits: 32, signed: false };
export const LONG: CType = { k: 'int', bits: 64, signed: true };
export const ULONG: CType = { k: 'int', bits: 64, signed: false };
export const CHAR: CType = { k: 'int', bits: 8, signed: true };
export const BOOL: CType = { k: 'int', bits: 8, signed: false, bool: true };
export const UNKNOWN_TYPE: CType = { k: 'unknown', name: '' };
