import type { ApiContext } from '../api';
import { trailingIndex } from '../paths';
import { isPointer, type Value } from '../values';

/** Longest text that is written character by character. */
const MAX_TEXT = 4096;

/** Writes a C string, its terminating zero included. */
export function writeText(context: ApiContext, target: Value, text: string): void {
  // What a pointer that nobody knows leads to is the kernel's.
  if (!isPointer(target) || context.machine.memoryKind(target) === 'kernel') {
    // One change and not one for each character, so that it can be seen when the text of before comes back.
    context.store(wholeObject(target), { k: 'string', text, offset: 0 });
    return;
  }
  const length = Math.min(text.length, MAX_TEXT);
  for (let i = 0; i <= length; i++) {
    // Untyped memory has no index yet: its first character gets one, so that the others can stand beside it.
    const cell =
      trailingIndex(target.path) === null ? context.at(target, `[${i}]`) : context.element(target, i);
    context.store(cell, i < length ? text.charCodeAt(i) : 0);
  }
}

/**
 * Copies what one pointer points at to where another does, as a whole: an array that is named by its first element
 * with all its elements.
 */
export function copyObject(context: ApiContext, target: Value, source: Value): void {
  context.store(wholeObject(target), context.load(wholeObject(source)));
}

/** The array, where a pointer names its first element. */
export function wholeObject(value: Value): Value {
  if (!isPointer(value) || trailingIndex(value.path) !== 0) return value;
  return { ...value, path: value.path.slice(0, -'[0]'.length) };
}
