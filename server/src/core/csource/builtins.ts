import { constantValue } from './constants';
import { conditionalType, pointee, pointerTo, stringType, typeText } from './conversions';
import { beginsType } from './declarations';
import { assignment, expression, integer, readTypeArgument, unary, unknown } from './expressions';
import type { Expr } from './ir';
import { alignOf } from './layout';
import { type Lowering, MAX_DEPTH } from './lowering';
import { names } from './names';
import { type CType, ULONG } from './types';

/** Reads an operator-like name at hand; null, with nothing read, where it is just a name. */
type Builtin = (l: Lowering, from: number) => Expr | null;

/** Names with a meaning of their own in expressions, where the unit does not define them itself. */
export const builtins = new Map<number, Builtin>();

function define(list: string, builtin: Builtin): void {
  for (const text of list.split(' ')) {
    const id = names.id(text);
    builtins.set(id, (l, from) => {
      if (l.binding(id) !== undefined) return null;
      if (l.depth >= MAX_DEPTH) {
        l.skipTo(44);
        return unknown(l, from);
      }
      l.depth++;
      const made = builtin(l, from);
      l.depth--;
      return made;
    });
  }
}

define('sizeof', (l, from) => {
  l.at++;
  if (l.punctuator() === 40 && (beginsType(l, 1) || unknownTypeName(l))) {
    l.at++;
    const measured = readTypeArgument(l);
    if (l.take(41)) return { k: 'sizeof', measured, type: ULONG };
    l.skipTo();
    l.take(41);
    return unknown(l, from, ULONG);
  }
  const operand = l.at;
  const of = unary(l);
  const measured: CType =
    of.type.k === 'unknown' && of.type.name === ''
      ? { k: 'unknown', name: `typeof(${l.text(operand)})` }
      : of.type;
  return { k: 'sizeof', measured, type: ULONG };
});

/** `(foo_t)` or `(foo_t *)` for a name that nothing defines but that looks like a type. */
function unknownTypeName(l: Lowering): boolean {
  const name = l.name(1);
  if (name === 0) return false;
  let ahead = 2;
  while (l.punctuator(ahead) === 42) ahead++;
  return (
    l.punctuator(ahead) === 41 &&
    (ahead > 2 || names.text(name).endsWith('_t')) &&
    l.binding(name) === undefined
  );
}

define('_Alignof __alignof__ __alignof', (l, from) => {
  l.at++;
  if (!l.take(40)) return unknown(l, from, ULONG);
  const type = beginsType(l) ? readTypeArgument(l) : expression(l).type;
  l.take(41);
  const align = alignOf(type, l.scope.struct);
  return align === undefined ? unknown(l, from, ULONG) : integer(align, ULONG);
});

define('__func__ __FUNCTION__ __PRETTY_FUNCTION__', (l) => {
  if (l.functionName === '') return null;
  l.at++;
  return { k: 'string', value: l.functionName, type: stringType(l.functionName.length) };
});

define('container_of container_of_const', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const of = assignment(l);
  if (!l.take(44)) return broken(l, from);
  const type = readTypeArgument(l);
  if (!l.take(44)) return broken(l, from);
  const path = memberPath(l);
  if (!l.take(41)) return broken(l, from);
  return { k: 'container', of, path, type: pointerTo(type), at: l.place(from) };
});

define('offsetof __builtin_offsetof', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const measured = readTypeArgument(l);
  if (!l.take(44)) return broken(l, from);
  const path = memberPath(l);
  if (!l.take(41)) return broken(l, from);
  return { k: 'offsetof', measured, path, type: ULONG };
});

define('ARRAY_SIZE', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const operand = l.at;
  const of = expression(l);
  if (!l.take(41)) return broken(l, from);
  if (of.type.k === 'array' && of.type.length !== null) return integer(of.type.length, ULONG);
  return { k: 'unknown', text: `ARRAY_SIZE(${l.text(operand, l.at - 1)})`, type: ULONG, at: l.place(from) };
});

define('__builtin_expect', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const of = assignment(l);
  l.skipTo();
  return l.take(41) ? of : unknown(l, from);
});

define('__builtin_constant_p', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const of = expression(l);
  if (!l.take(41)) return broken(l, from);
  return integer(constantValue(of, l.scope.struct) === null ? 0 : 1);
});

define('__builtin_types_compatible_p __same_type', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const one = beginsType(l) ? readTypeArgument(l) : assignment(l).type;
  if (!l.take(44)) return broken(l, from);
  const other = beginsType(l) ? readTypeArgument(l) : assignment(l).type;
  if (!l.take(41)) return broken(l, from);
  return integer(typeText(one) === typeText(other) ? 1 : 0);
});

define('__builtin_choose_expr', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const test = assignment(l);
  if (!l.take(44)) return broken(l, from);
  const then = assignment(l);
  if (!l.take(44)) return broken(l, from);
  const otherwise = assignment(l);
  if (!l.take(41)) return broken(l, from);
  const value = constantValue(test, l.scope.struct);
  if (value === null) {
    // oxlint-disable-next-line unicorn/no-thenable -- nobody awaits a node; `then` is its field's name
    return { k: 'conditional', test, then, otherwise, type: conditionalType(then.type, otherwise.type) };
  }
  return value !== 0 ? then : otherwise;
});

define('va_arg __builtin_va_arg', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const list = assignment(l);
  if (!l.take(44)) return broken(l, from);
  const typeFrom = l.at;
  const type = readTypeArgument(l);
  const arg = unknown(l, typeFrom, type);
  if (!l.take(41)) return broken(l, from);
  const at = l.place(from);
  const callee: Expr = { k: 'name', name: 'va_arg', type: { k: 'function', returns: type }, at };
  return { k: 'call', callee, args: [list, arg], typeArgs: { 1: type }, type, at };
});

define('_Generic', (l, from) => {
  if (l.punctuator(1) !== 40) return null;
  l.at += 2;
  const control = assignment(l);
  const asked = typeText(control.type.k === 'array' ? pointerTo(pointee(control.type)) : control.type);
  let chosen: Expr | null = null;
  while (l.take(44)) {
    const isDefault = l.takeName(names.id('default'));
    const type = isDefault ? null : readTypeArgument(l);
    if (!l.take(58)) return broken(l, from);
    const value = assignment(l);
    if (type === null ? chosen === null : typeText(type) === asked) chosen = value;
  }
  if (!l.take(41)) return broken(l, from);
  return chosen ?? unknown(l, from);
});

function broken(l: Lowering, from: number): Expr {
  l.skipTo();
  l.take(41);
  return unknown(l, from);
}

function memberPath(l: Lowering): string {
  const from = l.at;
  while (!l.ended && l.punctuator() !== 41 && l.punctuator() !== 44) {
    if (l.punctuator() === 91) l.skipBalanced();
    else l.at++;
  }
  return l.text(from).replaceAll(' ', '');
}
