import type { ApiContext, ApiModel } from '../api';
import { isPointer, isUnknown, type Pointer, type Value } from '../values';
import { argument, isNull, numberOf, pure } from './arguments';
import { copyObject, wholeObject, writeText } from './memory-copy';

/** linux/string.h and the formatting functions, on known strings; unknown ones give unknown results. */

function compare(context: ApiContext, limit: number | null, fold: boolean): Value {
  const [a, b] = [argument(context, 0), argument(context, 1)].map((value) => {
    const text = context.string(value);
    if (text === null) return null;
    const cut = limit === null ? text : text.slice(0, limit);
    return fold ? cut.toLowerCase() : cut;
  });
  if (a == null || b == null) return pure(context, argument(context, 0), argument(context, 1));
  return a === b ? 0 : a < b ? -1 : 1;
}

const lengthLimit = (context: ApiContext): number | null => numberOf(argument(context, 2));

function length(context: ApiContext): Value {
  const text = context.string(argument(context, 0));
  return text === null ? pure(context, argument(context, 0)) : text.length;
}

/** Finds `needle` and answers a pointer to it, NULL where there is none. */
function find(
  context: ApiContext,
  search: (text: string, needle: string) => number,
  needle: string | null,
): Value {
  const at = argument(context, 0);
  const text = context.string(at);
  if (text === null || needle === null) return pure(context, at, argument(context, 1));
  const index = search(text, needle);
  if (index < 0) return 0;
  if (isPointer(at)) return context.element(at, index);
  return typeof at === 'object' && at.k === 'string' ? { ...at, offset: at.offset + index } : 0;
}

function character(context: ApiContext): string | null {
  const code = numberOf(argument(context, 1));
  return code === null ? null : String.fromCharCode(code & 0xff);
}

/** strcpy and its kin: copies a known string; the destination of an unknown one is unknown. */
function copy(result: (context: ApiContext, text: string | null) => Value, bounded: boolean): ApiModel {
  return (context) => {
    const text = context.string(argument(context, 1));
    const size = bounded ? numberOf(argument(context, 2)) : null;
    if (text === null) copyUnknown(context, argument(context, 0), argument(context, 1));
    else
      writeText(context, argument(context, 0), size === null ? text : text.slice(0, Math.max(0, size - 1)));
    return result(context, text);
  };
}

/** A text that is not known stays the same text wherever it is copied to. */
function copyUnknown(context: ApiContext, target: Value, source: Value): void {
  const [from, to] = [wholeObject(source), wholeObject(target)];
  const isOwn = (at: Value): at is Pointer => isPointer(at) && context.machine.memoryKind(at) !== 'kernel';
  const text = context.load(isOwn(from) ? context.at(from, FIRST) : from);
  if (typeof text === 'object' && text.k === 'string') writeText(context, target, text.text);
  else if (!isUnknown(text)) scramble(context, target);
  else if (isOwn(to)) context.store(to, { k: 'aggregate', cells: new Map([[FIRST, text]]), fill: 'unknown' });
  else context.store(to, text);
}

/** Where the own memory keeps what stands for a text that is not known. */
const FIRST = '[0]';

/** What is written there is not known. */
function scramble(context: ApiContext, target: Value): void {
  if (isPointer(target)) context.store(target, { k: 'aggregate', cells: new Map(), fill: 'unknown' });
}

/** sprintf and snprintf; `bufferSize` is the argument with the size, or null. */
function print(bufferSize: number | null, formatAt: number, written: boolean): ApiModel {
  return (context) => {
    const source = argument(context, formatAt + 1);
    if (context.string(argument(context, formatAt)) === '%s' && context.string(source) === null) {
      copyUnknown(context, argument(context, 0), source);
      return context.unknown(context.call.name);
    }
    const text = context.format(argument(context, formatAt), context.call.args.slice(formatAt + 1));
    const size = bufferSize === null ? null : numberOf(argument(context, bufferSize));
    const fitting = size === null ? text : text.slice(0, Math.max(0, size - 1));
    if (!isNull(argument(context, 0)) && size !== 0) writeText(context, argument(context, 0), fitting);
    return written ? fitting.length : text.length;
  };
}

const memset: ApiModel = (context) => {
  const target = argument(context, 0);
  const zero = isNull(argument(context, 1));
  if (isPointer(target))
    context.store(wholeObject(target), { k: 'aggregate', cells: new Map(), fill: zero ? 'zero' : 'unknown' });
  else context.store(target, 0);
  return target;
};

const memcpy: ApiModel = (context) => {
  const [target, source] = [argument(context, 0), argument(context, 1)];
  const size = numberOf(argument(context, 2));
  if (size === 0) return target;
  if (typeof source === 'object' && source.k === 'string')
    writeText(context, target, context.string(source) ?? '');
  else copyObject(context, target, source);
  return target;
};

/** kstrtoint and its kin: parse, store through the last argument. */
const parseNumber: ApiModel = (context) => {
  const based = context.call.args.length > 2;
  const target = argument(context, based ? 2 : 1);
  const text = context.string(argument(context, 0));
  if (text === null) {
    if (isPointer(target)) context.store(target, context.unknown(`${context.call.name} result`));
    return 0;
  }
  const value = based ? parse(text.trim(), numberOf(argument(context, 1)) ?? 0) : truthOf(text.trim());
  if (value === null) return -22;
  context.store(target, value);
  return 0;
};

function parse(text: string, base: number): number | null {
  const radix = base !== 0 ? base : /^[+-]?0x/i.test(text) ? 16 : /^[+-]?0\d/.test(text) ? 8 : 10;
  const digits = text.replace(/^([+-]?)0x/i, '$1');
  const pattern = radix === 16 ? /^[+-]?[0-9a-f]+$/i : radix === 8 ? /^[+-]?[0-7]+$/ : /^[+-]?\d+$/;
  return pattern.test(digits) ? Number.parseInt(digits, radix) : null;
}

function truthOf(text: string): number | null {
  if (/^(y|t|1|on)/i.test(text)) return 1;
  return /^(n|f|0|of)/i.test(text) ? 0 : null;
}

export const STRING_MODELS: Readonly<Record<string, ApiModel>> = {
  strcmp: (context) => compare(context, null, false),
  strncmp: (context) => compare(context, lengthLimit(context), false),
  strcasecmp: (context) => compare(context, null, true),
  strncasecmp: (context) => compare(context, lengthLimit(context), true),
  sysfs_streq: (context) => {
    const [a, b] = [context.string(argument(context, 0)), context.string(argument(context, 1))];
    if (a === null || b === null) return pure(context, argument(context, 0), argument(context, 1));
    return a.replace(/\n$/, '') === b.replace(/\n$/, '') ? 1 : 0;
  },
  strlen: length,
  strnlen: (context) => {
    const text = context.string(argument(context, 0));
    const limit = numberOf(argument(context, 1));
    return text === null || limit === null
      ? pure(context, argument(context, 0))
      : Math.min(text.length, limit);
  },
  strchr: (context) => find(context, (text, needle) => text.indexOf(needle), character(context)),
  strrchr: (context) => find(context, (text, needle) => text.lastIndexOf(needle), character(context)),
  strstr: (context) =>
    find(context, (text, needle) => text.indexOf(needle), context.string(argument(context, 1))),
  strstarts: (context) => {
    const [a, b] = [context.string(argument(context, 0)), context.string(argument(context, 1))];
    if (a === null || b === null) return pure(context, argument(context, 0), argument(context, 1));
    return a.startsWith(b) ? 1 : 0;
  },
  strcpy: copy((context) => argument(context, 0), false),
  strncpy: copy((context) => argument(context, 0), true),
  strscpy: copy((context, text) => text?.length ?? context.unknown('strscpy'), true),
  strscpy_pad: copy((context, text) => text?.length ?? context.unknown('strscpy_pad'), true),
  strlcpy: copy((context, text) => text?.length ?? context.unknown('strlcpy'), true),
  sprintf: print(null, 1, false),
  snprintf: print(1, 2, false),
  scnprintf: print(1, 2, true),
  sysfs_emit: print(null, 1, true),
  memset,
  memcpy,
  memmove: memcpy,
  memcmp: (context) => {
    const [a, b] = [context.load(argument(context, 0)), context.load(argument(context, 1))];
    if (typeof a !== 'object' && a === b) return 0;
    if (isUnknown(a) && isUnknown(b) && a.id === b.id) return 0;
    return pure(context, argument(context, 0), argument(context, 1));
  },
  kstrtoint: parseNumber,
  kstrtouint: parseNumber,
  kstrtol: parseNumber,
  kstrtoul: parseNumber,
  kstrtoll: parseNumber,
  kstrtoull: parseNumber,
  kstrtou8: parseNumber,
  kstrtou16: parseNumber,
  kstrtobool: parseNumber,
  copy_from_user: (context) => {
    scramble(context, argument(context, 0));
    return 0;
  },
  copy_to_user: () => 0,
};
