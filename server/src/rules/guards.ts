import type { Expr, FunctionIr, Stmt } from '../core/csource/ir';
import { placeIn } from '../core/csource/item-places';
import type { Unit } from '../core/csource/unit';
import { visitExpression, visitExpressions } from '../core/execution/ir-walk';
import type { Place } from '../core/place';

/** How far up the callers are looked at. */
const MAX_CALLERS = 4;

/** The condition that something hangs on, and the function it stands in. */
export interface Condition {
  readonly test: Expr;
  readonly fn: FunctionIr;
  readonly unit: Unit;
}

/**
 * What the expression at `place`, in the function of that name, hangs on: the tests of the `if`s around it and of those
 * before it that leave the function, in that function and in those of the module that call it.
 */
export function conditionsAt(units: readonly Unit[], name: string, place: Place): Condition[] {
  const found: Condition[] = [];
  const seen = new Set<string>();
  const visit = (fnName: string, matches: (fn: FunctionIr, expr: Expr) => boolean, depth: number): void => {
    for (const unit of units) {
      const fn = unit.functions.has(fnName) ? unit.lower(fnName) : undefined;
      if (!fn) continue;
      for (const test of testsAround(fn.body, (expr) => matches(fn, expr)) ?? [])
        found.push({ test, fn, unit });
    }
    if (seen.has(fnName) || depth >= MAX_CALLERS) return;
    seen.add(fnName);
    for (const caller of callersOf(units, fnName))
      visit(caller, (_, expr) => isCallOf(expr, fnName), depth + 1);
  };
  visit(
    name,
    (fn, expr) => {
      if (!('at' in expr) || (expr.k !== 'call' && expr.k !== 'assign')) return false;
      const at = placeIn(fn.positions, expr.at);
      return at.file === place.file && at.start === place.start;
    },
    0,
  );
  return found;
}

function callersOf(units: readonly Unit[], name: string): string[] {
  const callers: string[] = [];
  for (const unit of units) {
    for (const other of unit.functions.keys()) {
      const fn = other === name ? undefined : unit.lower(other);
      let calls = false;
      if (fn) visitExpressions(fn.body, (expr) => (calls ||= isCallOf(expr, name)));
      if (calls) callers.push(other);
    }
  }
  return callers;
}

function isCallOf(expr: Expr, name: string): boolean {
  return expr.k === 'call' && expr.callee.k === 'name' && expr.callee.name === name;
}

/** The tests around the first expression that matches; null where there is none. */
function testsAround(body: readonly Stmt[], matches: (expr: Expr) => boolean): Expr[] | null {
  const inside = (expr: Expr | null): boolean => {
    let found = false;
    if (expr !== null) visitExpression(expr, (inner) => (found ||= matches(inner)));
    return found;
  };
  const walk = (stmts: readonly Stmt[], around: readonly Expr[]): Expr[] | null => {
    const tests = [...around];
    for (const stmt of stmts) {
      const found = one(stmt, tests);
      if (found) return found;
      if (stmt.k === 'if' && (leaves(stmt.then) || leaves(stmt.otherwise))) tests.push(stmt.test);
    }
    return null;
  };
  const one = (stmt: Stmt, tests: readonly Expr[]): Expr[] | null => {
    if (stmt.k === 'if') {
      if (inside(stmt.test)) return [...tests];
      return walk(stmt.then, [...tests, stmt.test]) ?? walk(stmt.otherwise, [...tests, stmt.test]);
    }
    if (stmt.k === 'block' || stmt.k === 'loop' || stmt.k === 'iterate' || stmt.k === 'switch') {
      return walk(stmt.body, tests);
    }
    let found = false;
    visitExpressions([stmt], (expr) => (found ||= matches(expr)));
    return found ? [...tests] : null;
  };
  return walk(body, []);
}

function leaves(stmts: readonly Stmt[]): boolean {
  const last = stmts[stmts.length - 1];
  if (last?.k === 'block') return leaves(last.body);
  return last?.k === 'return' || last?.k === 'goto';
}

/** The module's own variable that a condition asks; null where it asks none, or only a module parameter. */
export function ownVariableIn(condition: Condition): string | null {
  const { unit, test } = condition;
  let name: string | null = null;
  visitExpression(test, (expr) => {
    if (name !== null || expr.k !== 'name') return;
    const variable = unit.variables.get(expr.name);
    if (!variable || variable.extern || unit.parameters.some((it) => it.variable === expr.name)) return;
    name = expr.name;
  });
  return name;
}

const COUNTS_DOWN = /(?:_dec|_sub|_put)(?:_and_test|_return|_and_lock|$)/;

/** Whether a condition counts something down: `--users == 0`, refcount_dec_and_test(&users). */
export function countsDown(condition: Condition): boolean {
  let found = false;
  visitExpression(condition.test, (expr) => {
    if (expr.k === 'step' && expr.op === '--') found = true;
    else if (expr.k === 'assign' && expr.op === '-=') found = true;
    else if (expr.k === 'call' && expr.callee.k === 'name' && COUNTS_DOWN.test(expr.callee.name))
      found = true;
  });
  return found;
}
