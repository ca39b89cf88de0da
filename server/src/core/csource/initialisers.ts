import { constantValue } from './constants';
import { pointee } from './conversions';
import { assignment, conditional } from './expressions';
import type { Designator, Init, InitElement } from './ir';
import { memberType } from './layout';
import { ELLIPSIS } from './lexer';
import { type Lowering, MAX_DEPTH } from './lowering';
import { names } from './names';
import { type CType, UNKNOWN_TYPE } from './types';

const MAX_ELEMENTS = 20_000;

/** Reads an initialiser for something of type `type`; its place begins at token `from`, where its designator stands. */
export function readInit(l: Lowering, type: CType, from = l.at): Init {
  if (l.punctuator() === 123) return readList(l, type, from).init;
  const value = assignment(l);
  return { k: 'value', value, at: l.place(from) };
}

/** Reads a list in braces; `length` is the number of elements it gives to an array, if that can be told. */
export function readList(
  l: Lowering,
  type: CType,
  from = l.at,
): { readonly init: Init; readonly length: number | null } {
  if (l.depth >= MAX_DEPTH) {
    l.skipBalanced();
    const value = { k: 'unknown', text: l.text(from), type, at: l.place(from) } as const;
    return { init: { k: 'value', value, at: value.at }, length: null };
  }
  l.depth++;
  l.at++;
  const elements: InitElement[] = [];
  let next: number | null = 0;
  let length: number | null = 0;
  let field = 0;
  while (!l.ended && l.punctuator() !== 125) {
    const before = l.at;
    const designators = readDesignators(l);
    let inner: CType;
    if (designators.length > 0) {
      inner = designated(l, type, designators);
      const first = designators[0] as Designator;
      if (first.k === 'index') {
        const value = constantValue(first.to ?? first.from, l.scope.struct);
        next = value === null ? null : Number(value);
      } else {
        const struct = type.k === 'struct' ? l.scope.struct(type.tag) : undefined;
        field = struct?.fields.findIndex((one) => one.name === first.name) ?? 0;
      }
    } else if (type.k === 'array') inner = type.of;
    else if (type.k === 'struct') inner = l.scope.struct(type.tag)?.fields[field]?.type ?? UNKNOWN_TYPE;
    else inner = type;
    elements.push({ designators, init: readInit(l, inner, before) });
    field++;
    if (next !== null) {
      next++;
      if (length !== null) length = Math.max(length, next);
    } else length = null;
    if (l.punctuator() !== 44 && l.punctuator() !== 125) {
      // The rest of this element is not understood: it must not read as if it were.
      const at = l.at;
      l.skipTo(44);
      elements[elements.length - 1] = {
        designators,
        init: {
          k: 'value',
          value: { k: 'unknown', text: l.text(before), type: inner, at: l.place(at) },
          at: l.place(before),
        },
      };
      if (l.punctuator() !== 44 && l.punctuator() !== 125) break;
    }
    if (!l.take(44) || l.at === before || elements.length >= MAX_ELEMENTS) break;
  }
  while (!l.ended && l.punctuator() !== 125) {
    if (l.punctuator() === 59) l.at++;
    else skip(l);
  }
  l.take(125);
  l.depth--;
  return { init: { k: 'list', elements, at: l.place(from) }, length };
}

function skip(l: Lowering): void {
  const before = l.at;
  l.skipTo();
  if (l.at === before) l.at++;
}

function readDesignators(l: Lowering): Designator[] {
  const out: Designator[] = [];
  // GNU's old form, `name: value`.
  if (l.name() !== 0 && l.punctuator(1) === 58) {
    out.push({ k: 'field', name: names.text(l.name()) });
    l.at += 2;
    return out;
  }
  for (;;) {
    if (l.punctuator() === 46 && l.name(1) !== 0) {
      out.push({ k: 'field', name: names.text(l.name(1)) });
      l.at += 2;
    } else if (l.punctuator() === 91) {
      l.at++;
      const from = conditional(l);
      const to = l.take(ELLIPSIS) ? conditional(l) : null;
      if (!l.take(93)) {
        l.skipTo();
        l.take(93);
      }
      out.push({ k: 'index', from, to });
    } else break;
  }
  if (out.length > 0) l.take(61);
  return out;
}

function designated(l: Lowering, type: CType, designators: readonly Designator[]): CType {
  let at = type;
  for (const step of designators) {
    at = step.k === 'index' ? pointee(at) : (memberType(at, step.name, l.scope.struct) ?? UNKNOWN_TYPE);
  }
  return at;
}

/** The type with the length that the initialiser gives to an array declared without one. */
export function completed(l: Lowering, type: CType, init: Init): CType {
  if (type.k !== 'array' || type.length !== null) return type;
  if (init.k === 'value') {
    return init.value.k === 'string' ? { ...type, length: init.value.value.length + 1 } : type;
  }
  const only = init.elements.length === 1 ? init.elements[0] : undefined;
  if (
    only !== undefined &&
    only.init.k === 'value' &&
    only.init.value.k === 'string' &&
    type.of.k === 'int'
  ) {
    return { ...type, length: only.init.value.value.length + 1 };
  }
  let next = 0;
  let length = 0;
  for (const element of init.elements) {
    const first = element.designators[0];
    if (first !== undefined && first.k === 'index') {
      const value = constantValue(first.to ?? first.from, l.scope.struct);
      if (value === null) return type;
      next = Number(value);
    }
    next++;
    length = Math.max(length, next);
  }
  return { ...type, length };
}
