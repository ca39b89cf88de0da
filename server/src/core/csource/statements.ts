import { ANNOTATIONS, ASM, KEYWORDS } from './annotations';
import { decay } from './conversions';
import { beginsType, isValue, readDeclarator, readSpecifiers, skipAnnotations } from './declarations';
import { expression, readArguments } from './expressions';
import { completed, readInit } from './initialisers';
import type { Expr, Init, Stmt } from './ir';
import { memberArgument } from './iterators';
import { ELLIPSIS, NAME } from './lexer';
import { type Lowering, MAX_DEPTH } from './lowering';
import { names } from './names';
import { resolve } from './primary';
import { type CType, UNKNOWN_TYPE } from './types';

const id = (text: string): number => names.id(text);
const IF = id('if');
const ELSE = id('else');
const WHILE = id('while');
const DO = id('do');
const FOR = id('for');
const SWITCH = id('switch');
const CASE = id('case');
const DEFAULT = id('default');
const BREAK = id('break');
const CONTINUE = id('continue');
const RETURN = id('return');
const GOTO = id('goto');
const LABEL = id('__label__');

/** Reads statements up to the `}` that closes the block, which stays. */
export function readStatements(l: Lowering): Stmt[] {
  const out: Stmt[] = [];
  while (!l.ended && l.punctuator() !== 125) {
    const before = l.at;
    readStatement(l, out);
    if (l.at === before) l.at++;
  }
  return out;
}

/** A statement that makes a scope of its own, as a list. */
function body(l: Lowering): Stmt[] {
  const out: Stmt[] = [];
  const mark = l.enter();
  if (l.punctuator() === 123 && l.depth < MAX_DEPTH) {
    l.depth++;
    l.at++;
    out.push(...readStatements(l));
    l.take(125);
    l.depth--;
  } else readStatement(l, out);
  l.leave(mark);
  return out;
}

function readStatement(l: Lowering, out: Stmt[]): void {
  const from = l.at;
  if (l.depth >= MAX_DEPTH) {
    if (l.punctuator() === 123) l.skipBalanced();
    else recover(l);
    out.push(lost(l, from));
    return;
  }
  l.depth++;
  const name = l.name();
  if (name === 0) {
    if (l.punctuator() === 123) out.push({ k: 'block', body: body(l) });
    else if (!l.take(59)) expressionStatement(l, out);
  } else if (KEYWORDS.has(name)) keyword(l, name, out);
  else if (l.punctuator(1) === 58 && l.punctuator(2) !== 58) {
    l.at += 2;
    skipAnnotations(l);
    out.push({ k: 'label', name: names.text(name) });
  } else if (name === LABEL) recover(l);
  else if (beginsDeclaration(l, name)) declaration(l, out);
  else expressionStatement(l, out);
  l.depth--;
}

function keyword(l: Lowering, name: number, out: Stmt[]): void {
  const from = l.at;
  switch (name) {
    case IF: {
      l.at++;
      const test = condition(l);
      const at = l.place(from);
      const then = body(l);
      const otherwise = l.takeName(ELSE) ? body(l) : [];
      // oxlint-disable-next-line unicorn/no-thenable -- nobody awaits a node; `then` is its field's name
      out.push({ k: 'if', test, then, otherwise, at });
      return;
    }
    case WHILE: {
      l.at++;
      const test = condition(l);
      const at = l.place(from);
      out.push({ k: 'loop', form: 'while', test, step: null, body: body(l), at });
      return;
    }
    case DO: {
      l.at++;
      const inner = body(l);
      const again = l.at;
      const test = l.takeName(WHILE) ? condition(l) : null;
      const at = l.place(again);
      l.take(59);
      out.push({ k: 'loop', form: 'do', test, step: null, body: inner, at });
      return;
    }
    case FOR:
      forLoop(l, out);
      return;
    case SWITCH: {
      l.at++;
      const on = condition(l);
      const at = l.place(from);
      out.push({ k: 'switch', on, body: body(l), at });
      return;
    }
    case CASE: {
      l.at++;
      const value = expression(l);
      const to = l.take(ELLIPSIS) ? expression(l) : null;
      if (!l.take(58)) return fail(l, from, out);
      out.push({ k: 'case', from: value, to });
      return;
    }
    case DEFAULT:
      l.at++;
      if (!l.take(58)) return fail(l, from, out);
      out.push({ k: 'case', from: null, to: null });
      return;
    case BREAK:
    case CONTINUE:
      l.at++;
      l.take(59);
      out.push({ k: name === BREAK ? 'break' : 'continue' });
      return;
    case RETURN: {
      l.at++;
      const value = l.punctuator() === 59 ? null : expression(l);
      if (l.punctuator() !== 59 && l.punctuator() !== 125) return fail(l, from, out);
      out.push({ k: 'return', value, at: l.place(from) });
      l.take(59);
      return;
    }
    case GOTO: {
      const label = l.name(1);
      if (label === 0) return fail(l, from, out);
      l.at += 2;
      out.push({ k: 'goto', name: names.text(label), at: l.place(from) });
      l.take(59);
      return;
    }
    default:
      if (ASM.has(name)) return fail(l, from, out);
      if (beginsType(l)) declaration(l, out);
      else expressionStatement(l, out);
  }
}

/** The expression in parentheses behind `if`, `while` or `switch`. */
function condition(l: Lowering): Expr {
  if (!l.take(40)) return { k: 'unknown', text: '', type: UNKNOWN_TYPE, at: l.place(l.at) };
  const from = l.at;
  const value = expression(l);
  if (l.take(41)) return value;
  l.skipTo();
  const made: Expr = { k: 'unknown', text: l.text(from), type: UNKNOWN_TYPE, at: l.place(from) };
  l.take(41);
  return made;
}

function forLoop(l: Lowering, out: Stmt[]): void {
  const from = l.at;
  l.at++;
  if (!l.take(40)) return fail(l, from, out);
  const mark = l.enter();
  const outer: Stmt[] = [];
  if (!l.take(59)) {
    if (beginsType(l) || beginsDeclaration(l, l.name())) declaration(l, outer);
    else expressionStatement(l, outer);
  }
  const test = l.punctuator() === 59 ? null : expression(l);
  const proper = l.take(59);
  const step = l.punctuator() === 41 ? null : expression(l);
  if (!proper || !l.take(41)) {
    l.skipTo();
    l.take(41);
    const at = l.place(from);
    const text = l.text(from);
    body(l);
    l.leave(mark);
    out.push({ k: 'unknown', text, at });
    return;
  }
  const at = l.place(from);
  outer.push({ k: 'loop', form: 'while', test, step, body: body(l), at });
  l.leave(mark);
  if (outer.length === 1) out.push(outer[0] as Stmt);
  else out.push({ k: 'block', body: outer });
}

/** Whether a declaration begins at a name that is no keyword. */
function beginsDeclaration(l: Lowering, name: number): boolean {
  if (name === 0) return false;
  if (beginsType(l)) return true;
  if (ANNOTATIONS.has(name)) return true;
  if (isValue(l, name)) return false;
  let ahead = 1;
  while (l.punctuator(ahead) === 42) ahead++;
  const second = l.name(ahead);
  if (second === 0 || (KEYWORDS.has(second) && ahead > 1)) return false;
  if (KEYWORDS.has(second)) return names.text(second) === 'const';
  const next = l.punctuator(ahead + 1);
  if (next === 59 || next === 61 || next === 44) return true;
  return ahead === 1 && (next === 91 || l.name(ahead + 1) !== 0);
}

function declaration(l: Lowering, out: Stmt[]): void {
  const from = l.at;
  const specifiers = readSpecifiers(l);
  if (!specifiers.found) return fail(l, from, out);
  if (l.take(59)) return;
  for (;;) {
    const start = l.at;
    const declarator = readDeclarator(l, specifiers.type);
    const annotations: string[] = [];
    skipAnnotations(l, annotations);
    if (declarator.id === 0) return fail(l, from, out);
    const text = names.text(declarator.id);
    if (specifiers.typedef) l.bind(declarator.id, { k: 'typedef', type: declarator.type });
    else if (specifiers.extern || declarator.type.k === 'function') {
      l.bind(declarator.id, { k: 'extern', type: declarator.type });
    } else if (specifiers.static) staticLocal(l, declarator.id, text, declarator.type, start);
    else {
      const slot = l.local(declarator.id, text, declarator.type);
      const init = l.take(61) ? readInit(l, declarator.type) : null;
      const type = init === null ? declarator.type : localType(l, declarator.type, specifiers.auto, init);
      const cleanup = cleanupOf(annotations);
      if (type !== declarator.type || cleanup !== null) {
        l.locals[slot] = { name: text, type, ...(cleanup === null ? {} : { cleanup }) };
      }
      out.push({ k: 'declare', slot, init, at: l.place(start) });
    }
    if (!l.take(44)) break;
  }
  if (l.take(59) || l.punctuator() === 125) return;
  fail(l, from, out);
}

function localType(l: Lowering, type: CType, auto: boolean, init: Init): CType {
  if (auto && init.k === 'value') return decay(init.value.type);
  return completed(l, type, init);
}

function cleanupOf(annotations: readonly string[]): string | null {
  for (const one of annotations) {
    const match = /^__(?:free|cleanup)\((\w+)\)$/.exec(one);
    if (match !== null) return one.startsWith('__free') ? (match[1] as string) : `&${match[1]}`;
  }
  return null;
}

function staticLocal(l: Lowering, nameId: number, text: string, declared: CType, start: number): void {
  const name = `${l.functionName}.${text}`;
  const binding = { k: 'static' as const, name, type: declared };
  l.bind(nameId, binding);
  const { made: init, table } = l.apart(() => (l.take(61) ? readInit(l, declared) : null));
  const type = init === null ? declared : completed(l, declared, init);
  binding.type = type;
  const positions = l.positionsOf(table);
  // The function's own fingerprint covers its static variables.
  const fingerprint = `${name}:${l.text(start)}`;
  l.statics.push({ name, type, static: true, init, positions, fingerprint });
}

function expressionStatement(l: Lowering, out: Stmt[]): void {
  const from = l.at;
  const name = l.name();
  if (name !== 0 && l.punctuator(1) === 40 && !isValue(l, name) && iterate(l, name, out)) return;
  const value = expression(l);
  if (l.punctuator() === 59) {
    out.push({ k: 'expression', value, at: l.place(from) });
    l.at++;
    return;
  }
  // A macro call without a semicolon, as `DECLARE_STUFF(x)` or the last value of a half-typed block.
  const called = value.k === 'call' && l.kind[l.at] === NAME;
  if (l.punctuator() === 125 || l.punctuator() === 41 || called) {
    out.push({ k: 'expression', value, at: l.place(from) });
    return;
  }
  l.at = Math.max(l.at, from);
  fail(l, from, out);
}

/** An unknown `name(…)` with a body behind it. */
function iterate(l: Lowering, name: number, out: Stmt[]): boolean {
  const from = l.at;
  l.at++;
  l.skipBalanced();
  const text = names.text(name);
  const braces = l.punctuator() === 123;
  const loops = /for_?each|^scoped_|^for_|^while_/.test(text);
  if (!braces && !(loops && l.punctuator() !== 59)) {
    l.at = from;
    return false;
  }
  l.at = from + 1;
  const mark = l.enter();
  const first = l.at + 1;
  const bare = bareNames(l, first);
  const { args } = readArguments(l);
  const found: Record<number, string> = {};
  const member = memberArgument(text, args.length);
  for (const [i, bareName] of bare.entries()) {
    if (bareName === 0 || i >= args.length) continue;
    if (i === member || (member === null && args[i]?.k === 'name' && !isValue(l, bareName))) {
      found[i] = names.text(bareName);
      if (i === member) args[i] = { ...resolveName(l, bareName, first) };
    }
  }
  const at = l.place(from);
  const inner = body(l);
  l.leave(mark);
  out.push({ k: 'iterate', macro: text, args, names: found, body: inner, at });
  return true;
}

function resolveName(l: Lowering, name: number, from: number): Expr {
  const found = resolve(l, name, from);
  if (found.k === 'name') return found;
  return { k: 'name', name: names.text(name), type: UNKNOWN_TYPE, at: l.place(from, from + 1) };
}

/** For each argument from token `at` on: its name if it is a single name, else 0. */
function bareNames(l: Lowering, at: number): number[] {
  const saved = l.at;
  const out: number[] = [];
  l.at = at;
  for (;;) {
    const from = l.at;
    l.skipTo(44);
    out.push(l.at === from + 1 && l.kind[from] === NAME ? (l.id[from] as number) : 0);
    if (!l.take(44)) break;
  }
  l.at = saved;
  return out;
}

function fail(l: Lowering, from: number, out: Stmt[]): void {
  recover(l);
  out.push(lost(l, from));
}

function lost(l: Lowering, from: number): Stmt {
  return { k: 'unknown', text: l.text(from), at: l.place(from) };
}

/** Steps behind the next `;` of this level, or to the `}` that ends it. */
function recover(l: Lowering): void {
  while (!l.ended) {
    const id = l.punctuator();
    if (id === 125) return;
    if (id === 59) {
      l.at++;
      return;
    }
    if (id === 123) {
      l.skipBalanced();
      return;
    }
    if (id === 40 || id === 91) l.skipBalanced();
    else l.at++;
  }
}
