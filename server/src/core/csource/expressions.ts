import { KEYWORDS } from './annotations';
import { binaryTypes, conditionalType, decay, pointee, pointerTo, promote, resultOf } from './conversions';
import { beginsType, isValue, readTypeName } from './declarations';
import { readList } from './initialisers';
import type { AssignOp, BinaryOp, Expr } from './ir';
import { memberType } from './layout';
import {
  AND_AND,
  ARROW,
  ASSIGN,
  CHARACTER,
  DECREMENT,
  EQUAL,
  GREATER_EQUAL,
  INCREMENT,
  LESS_EQUAL,
  NAME,
  NOT_EQUAL,
  NUMBER,
  OR_OR,
  SHIFT_LEFT,
  SHIFT_RIGHT,
  STRING,
} from './lexer';
import { type Lowering, MAX_DEPTH } from './lowering';
import { names } from './names';
import { primary } from './primary';
import { readStatements } from './statements';
import { type CType, INT, UNKNOWN_TYPE, VOID } from './types';

const LEVEL = new Uint8Array(512);
const OP: string[] = [];
for (const [level, ops] of [
  [[OR_OR, '||']],
  [[AND_AND, '&&']],
  [[124, '|']],
  [[94, '^']],
  [[38, '&']],
  [
    [EQUAL, '=='],
    [NOT_EQUAL, '!='],
  ],
  [
    [60, '<'],
    [62, '>'],
    [LESS_EQUAL, '<='],
    [GREATER_EQUAL, '>='],
  ],
  [
    [SHIFT_LEFT, '<<'],
    [SHIFT_RIGHT, '>>'],
  ],
  [
    [43, '+'],
    [45, '-'],
  ],
  [
    [42, '*'],
    [47, '/'],
    [37, '%'],
  ],
].entries()) {
  for (const [id, op] of ops as [number, string][]) {
    LEVEL[id] = level + 1;
    OP[id] = op;
  }
}

/** Longest chain of operators of one level: what follows would make the tree deeper than recursion can go. */
const MAX_CHAIN = 400;

/** What stands in place of an expression that could not be read: from token `from` to the one at hand. */
export function unknown(l: Lowering, from: number, type: CType = UNKNOWN_TYPE): Expr {
  return { k: 'unknown', text: l.text(from), type, at: l.place(from) };
}

export function integer(value: number | bigint, type: CType = INT): Expr {
  return { k: 'int', value, type };
}

/** Reads an expression, comma operators included. */
export function expression(l: Lowering): Expr {
  let first = assignment(l);
  for (let n = 0; l.punctuator() === 44; n++) {
    const from = l.at;
    l.at++;
    if (n > MAX_CHAIN) {
      l.skipTo();
      return unknown(l, from);
    }
    const second = assignment(l);
    first = { k: 'comma', first, second, type: second.type };
  }
  return first;
}

/** Reads an expression up to a comma of its own level. */
export function assignment(l: Lowering): Expr {
  const from = l.at;
  if (l.depth >= MAX_DEPTH) {
    l.skipTo(44);
    return unknown(l, from);
  }
  l.depth++;
  let target = conditional(l);
  const id = l.punctuator();
  if (id === 61 || id >= ASSIGN) {
    l.at++;
    const value = assignment(l);
    const op = id === 61 ? '=' : (`${OP[id - ASSIGN] ?? '+'}=` as AssignOp);
    const operands = id === 61 ? target.type : binaryTypes(op.slice(0, -1), target.type, value.type).operands;
    target = { k: 'assign', op, target, value, operands, type: target.type, at: l.place(from) };
  }
  l.depth--;
  return target;
}

/** Reads a conditional expression: also what may stand where C asks for a constant. */
export function conditional(l: Lowering): Expr {
  const test = binary(l, 1);
  if (l.punctuator() !== 63) return test;
  const from = l.at;
  if (l.depth >= MAX_DEPTH) {
    l.skipTo(44);
    return unknown(l, from);
  }
  l.depth++;
  l.at++;
  const then = l.punctuator() === 58 ? null : expression(l);
  l.take(58);
  const otherwise = conditional(l);
  l.depth--;
  return {
    k: 'conditional',
    test,
    // oxlint-disable-next-line unicorn/no-thenable -- nobody awaits a node; `then` is its field's name
    then,
    otherwise,
    type: conditionalType((then ?? test).type, otherwise.type),
  };
}

function binary(l: Lowering, lowest: number): Expr {
  const from = l.at;
  let left = unary(l);
  for (let n = 0; ; n++) {
    const id = l.punctuator();
    const level = id < 512 ? (LEVEL[id] as number) : 0;
    if (level < lowest || level === 0) return left;
    if (n > MAX_CHAIN) {
      l.skipTo(44);
      return unknown(l, from);
    }
    l.at++;
    const right = binary(l, level + 1);
    const op = OP[id] as string;
    if (level <= 2) left = { k: 'logical', op: op as '&&' | '||', left, right, type: INT };
    else left = { k: 'binary', op: op as BinaryOp, left, right, ...binaryTypes(op, left.type, right.type) };
  }
}

/** Reads a cast expression: prefix operators, casts and what they apply to. */
export function unary(l: Lowering): Expr {
  const from = l.at;
  const id = l.punctuator();
  if (id === 0) return postfix(l, primary(l), from);
  if (l.depth >= MAX_DEPTH) {
    l.at++;
    l.skipTo(44);
    return unknown(l, from);
  }
  l.depth++;
  let made: Expr;
  switch (id) {
    case 38:
    case 42:
    case 33:
    case 126:
    case 45:
    case 43: {
      l.at++;
      const of = unary(l);
      const op = String.fromCharCode(id) as '+' | '-' | '!' | '~' | '&' | '*';
      const type =
        id === 38 ? pointerTo(of.type) : id === 42 ? pointee(of.type) : id === 33 ? INT : promote(of.type);
      made = { k: 'unary', op, of, type, at: l.place(from) };
      break;
    }
    case INCREMENT:
    case DECREMENT: {
      l.at++;
      const of = unary(l);
      made = {
        k: 'step',
        op: id === INCREMENT ? '++' : '--',
        prefix: true,
        of,
        type: of.type,
        at: l.place(from),
      };
      break;
    }
    case 40:
      made = parenthesised(l, from);
      break;
    default:
      // Nothing that an expression begins with.
      if (id !== 41 && id !== 93 && id !== 125 && id !== 59 && id !== 44 && id !== 58) l.at++;
      made = unknown(l, from);
  }
  l.depth--;
  return made;
}

/** At a `(`: a cast, a compound literal, a statement expression or a parenthesised expression. */
function parenthesised(l: Lowering, from: number): Expr {
  if (l.punctuator(1) === 123) {
    l.at += 2;
    const mark = l.enter();
    const body = readStatements(l);
    l.leave(mark);
    l.take(125);
    l.take(41);
    const last = body[body.length - 1];
    const type = last !== undefined && last.k === 'expression' ? decay(last.value.type) : VOID;
    return postfix(l, { k: 'statements', body, type }, from);
  }
  if (beginsType(l, 1) || isUnknownCast(l)) {
    l.at++;
    const type = readTypeArgument(l);
    if (!l.take(41)) {
      l.skipTo();
      l.take(41);
      return unknown(l, from);
    }
    if (l.punctuator() === 123) {
      const init = readList(l, type);
      const whole = init.length !== null && type.k === 'array' ? { ...type, length: init.length } : type;
      return postfix(l, { k: 'compound', init: init.init, type: whole }, from);
    }
    const of = unary(l);
    return { k: 'cast', of, type };
  }
  l.at++;
  const inner = expression(l);
  if (!l.take(41)) {
    l.skipTo();
    l.take(41);
    return unknown(l, from);
  }
  return postfix(l, inner, from);
}

/** `(foo_t)x`: a name that is no variable and no function, in parentheses, in front of an operand. */
function isUnknownCast(l: Lowering): boolean {
  const name = l.name(1);
  if (name === 0 || KEYWORDS.has(name) || isValue(l, name)) return false;
  let ahead = 2;
  while (l.punctuator(ahead) === 42) ahead++;
  if (l.punctuator(ahead) !== 41) return false;
  if (ahead > 2) return true;
  const kind = l.kind[l.at + 3] as number;
  if (kind === NUMBER || kind === CHARACTER || kind === STRING) return true;
  if (kind === NAME) return !KEYWORDS.has(l.name(3)) || names.text(l.name(3)) === 'sizeof';
  const next = l.punctuator(3);
  const text = names.text(name);
  if (next === 126 || next === 33 || next === 123) return true;
  if (next === 40) return text !== text.toUpperCase();
  return text.endsWith('_t') && (next === 38 || next === 42 || next === 45 || next === 43);
}

/** Reads a type, also one that only its place shows to be a type. */
export function readTypeArgument(l: Lowering): CType {
  const name = l.name();
  if (name === 0 || KEYWORDS.has(name) || beginsType(l)) return readTypeName(l);
  l.at++;
  let type: CType = { k: 'unknown', name: names.text(name) };
  while (l.take(42)) type = pointerTo(type);
  return type;
}

function postfix(l: Lowering, first: Expr, from: number): Expr {
  let of = first;
  for (let n = 0; n < MAX_CHAIN; n++) {
    switch (l.punctuator()) {
      case 40:
        of = call(l, of, from);
        break;
      case 91: {
        l.at++;
        const index = expression(l);
        if (!l.take(93)) {
          l.skipTo();
          l.take(93);
          return unknown(l, from);
        }
        of = { k: 'index', of, index, type: pointee(of.type), at: l.place(from) };
        break;
      }
      case 46:
      case ARROW: {
        const arrow = l.punctuator() === ARROW;
        const name = l.name(1);
        l.at++;
        if (name === 0) return unknown(l, from);
        l.at++;
        const text = names.text(name);
        const struct = arrow ? pointee(of.type) : of.type;
        const type = memberType(struct, text, l.scope.struct) ?? UNKNOWN_TYPE;
        of = { k: 'member', of, name: text, arrow, type, at: l.place(from) };
        break;
      }
      case INCREMENT:
      case DECREMENT: {
        const op = l.punctuator() === INCREMENT ? '++' : '--';
        l.at++;
        of = { k: 'step', op, prefix: false, of, type: of.type, at: l.place(from) };
        break;
      }
      default:
        return of;
    }
  }
  l.skipTo(44);
  return unknown(l, from);
}

/** Reads the argument list at hand. */
export function readArguments(l: Lowering): { args: Expr[]; typeArgs: Record<number, CType> | null } {
  const args: Expr[] = [];
  let typeArgs: Record<number, CType> | null = null;
  l.at++;
  while (!l.ended && l.punctuator() !== 41) {
    const from = l.at;
    let arg: Expr | null = null;
    if (beginsType(l)) {
      const type = readTypeName(l);
      const next = l.punctuator();
      if (next === 44 || next === 41) {
        typeArgs ??= {};
        typeArgs[args.length] = type;
        arg = unknown(l, from, type);
      } else l.at = from;
    }
    arg ??= assignment(l);
    const next = l.punctuator();
    if (next !== 44 && next !== 41) {
      l.skipTo(44);
      arg = unknown(l, from);
    }
    args.push(arg);
    if (!l.take(44)) break;
  }
  l.take(41);
  return { args, typeArgs };
}

function call(l: Lowering, callee: Expr, from: number): Expr {
  const { args, typeArgs } = readArguments(l);
  const type = resultOf(callee.type);
  const at = l.place(from);
  return typeArgs === null
    ? { k: 'call', callee, args, type, at }
    : { k: 'call', callee, args, typeArgs, type, at };
}
