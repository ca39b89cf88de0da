/** Small checks of plain data that came from somewhere else. A check never throws and never looks at inherited things. */

export type Shape<T> = (value: unknown) => value is T;

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** A whole number, not negative. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

export function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

export function isOneOf<T extends string | number>(...allowed: readonly T[]): Shape<T> {
  return (value): value is T => allowed.some((one) => one === value);
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value): value is T | null => value === null || shape(value);
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every((one) => shape(one));
}

/** An object that has at least these fields; more may be added by a newer server. */
export function record<T extends object>(fields: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const checks = Object.entries(fields) as [string, Shape<unknown>][];
  return (value): value is T =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    checks.every(
      ([key, shape]) => Object.hasOwn(value, key) && shape((value as Record<string, unknown>)[key]),
    );
}
