import type { InstanceId } from '../kernel/types';

/** Number of a block of memory; never used again within one machine and its clones. */
export type BlockId = number;

/**
 * What an expression can be. Integers are plain numbers, or bigints where a 64-bit value does not fit a double
 * exactly; they are kept wrapped to their type. NULL is 0.
 */
export type Value = number | bigint | Pointer | StringPointer | FunctionValue | Unknown | Aggregate;

/** `path` names the place inside the block as C would write it behind the block's name: `[1].callbacks.pre_patch`. */
export interface Pointer {
  readonly k: 'pointer';
  readonly block: BlockId;
  readonly path: string;
}

/** Points into a string literal; `offset` in UTF-16 units from 0. */
export interface StringPointer {
  readonly k: 'string';
  readonly text: string;
  readonly offset: number;
}

/** A function of a module in memory, or of the kernel (`instance` null). */
export interface FunctionValue {
  readonly k: 'function';
  readonly name: string;
  readonly instance: InstanceId | null;
  /** Index of the translation unit, for a static function whose name another unit of the module may have as well. */
  readonly unit?: number;
}

/** A value that nothing determines. The same `id` is the same value throughout. */
export interface Unknown {
  readonly k: 'unknown';
  /** The expression's text, made unique where the same text may stand for different values. */
  readonly id: string;
  /** A constant that no header at hand resolves: equal to itself, unequal to every other constant. */
  readonly symbolic?: true;
}

/** A struct or array as a value (assignment, argument, return): cells by path relative to it. */
export interface Aggregate {
  readonly k: 'aggregate';
  readonly cells: ReadonlyMap<string, Value>;
  /** What stands where no cell is: zero (the default), or nothing known. */
  readonly fill?: 'zero' | 'unknown';
}

/** A cell of `aggregate`, with its default for what was never written. */
export function cellOf(aggregate: Aggregate, path: string): Value | undefined {
  const value = aggregate.cells.get(path);
  return value === undefined && aggregate.fill !== 'unknown' ? 0 : value;
}

export function isUnknown(value: Value | undefined): value is Unknown {
  return typeof value === 'object' && value.k === 'unknown';
}

export function isPointer(value: Value | undefined): value is Pointer {
  return typeof value === 'object' && value.k === 'pointer';
}

export function isInteger(value: Value | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
