import { CALLBACK_KINDS } from '../../kernel/types';
import type { ApiContext } from '../api';
import type { Unknown, Value } from '../values';

/** MAX_ERRNO of linux/err.h: pointers this close below zero are error pointers. */
const MAX_ERRNO = 4095;
const POINTER_WRAP = 2n ** 64n;

/** The call's argument, from 0; NULL where the call has fewer. */
export function argument(context: ApiContext, index: number): Value {
  return context.call.args[index] ?? 0;
}

/** A known integer as a number, or null. */
export function numberOf(value: Value): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return null;
}

export function isNull(value: Value): boolean {
  return value === 0 || value === 0n;
}

/** The errno in an error pointer (or negative result), positive; null for everything else. */
export function errnoOf(value: Value): number | null {
  if (typeof value === 'number') return value < 0 && value >= -MAX_ERRNO ? -value : null;
  if (typeof value !== 'bigint') return null;
  const signed = value < 0n ? value : value - POINTER_WRAP;
  return signed < 0n && signed >= -BigInt(MAX_ERRNO) ? Number(-signed) : null;
}

/** Whether C takes the value for true; null where that is not known. Addresses are true. */
export function truth(value: Value): boolean | null {
  if (typeof value === 'object') return value.k === 'unknown' || value.k === 'aggregate' ? null : true;
  return value !== 0 && value !== 0n;
}

/** An unknown that is the same whenever the same function is asked about the same things. */
export function pure(context: ApiContext, ...about: readonly Value[]): Unknown {
  const text = about.map((value) => context.describe(value)).join(', ');
  return { k: 'unknown', id: `${context.call.name}(${text})` };
}

/** Whether the call was made by a livepatch callback, that is, under klp_mutex. */
export function inCallback(context: ApiContext): boolean {
  return (CALLBACK_KINDS as readonly string[]).includes(context.call.actor.during);
}

/** The name people know a value by, without the `&` in front. */
export function nameOf(context: ApiContext, value: Value): string {
  return context.describe(value).replace(/^&/, '');
}
