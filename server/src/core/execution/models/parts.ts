import type { ApiContext } from '../api';
import type { CallPart } from '../catalogue-row';
import { isPointer, type Value } from '../values';
import { argument, isNull } from './arguments';

/** The value of one part of a call. Text parts become string values, or an unknown named after the place. */
export function partOf(context: ApiContext, part: CallPart, result: Value | undefined): Value {
  if ('result' in part) return result ?? 0;
  const value = argument(context, part.arg);
  if (part.member === undefined) return part.text ? textOf(context, value, value) : value;
  for (const path of part.member.split('|')) {
    const found = follow(context, value, path);
    if (found === undefined || isNull(found)) continue;
    return part.text ? textOf(context, found, value) : found;
  }
  return part.text ? unnamed(context, value) : value;
}

/** Whether the part is a text that could not be read. */
export function isUnread(part: CallPart, value: Value): boolean {
  return 'arg' in part && part.text === true && typeof value === 'object' && value.k === 'unknown';
}

function textOf(context: ApiContext, value: Value, argumentValue: Value): Value {
  const text = context.string(value);
  if (text !== null) return { k: 'string', text, offset: 0 };
  return isNull(value) || typeof value !== 'object' ? value : unnamed(context, argumentValue);
}

/** As it reads behind a noun: "the sysfs file of &acme.attr". */
function unnamed(context: ApiContext, value: Value): Value {
  return { k: 'unknown', id: `of ${context.describe(value)}` };
}

/** Reads along a path such as `.attrs->[0]->name`, where `->` follows a pointer. */
function follow(context: ApiContext, from: Value, path: string): Value | undefined {
  let at: Value = from;
  for (const step of path.split('->')) {
    if (!isPointer(at)) return undefined;
    const index = /^\[(\d+)\](.*)$/.exec(step);
    const base = index ? context.element(at, Number(index[1])) : at;
    const rest = index ? (index[2] ?? '') : step;
    const member = rest === '' || rest.startsWith('.') ? rest : `.${rest}`;
    at = context.peek(member === '' ? base : context.at(base, member));
  }
  return at;
}
