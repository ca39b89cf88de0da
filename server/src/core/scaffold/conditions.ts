import type { Expr, FunctionIr, Stmt } from '../csource/ir';
import { visitExpression, visitExpressions } from '../execution/ir-walk';
import type { UnitImage } from '../execution/program';
import type { FaultyCode } from './faulty-code';

/** A test that must come out so for a statement to be reached. */
export interface Condition {
  readonly unit: UnitImage;
  readonly fn: FunctionIr;
  readonly test: Expr;
  readonly holds: boolean;
}

interface Gathered {
  readonly test: Expr;
  readonly holds: boolean;
  /** The label that the other way leads to. */
  readonly label: string | null;
}

const MAX_HOPS = 8;

/**
 * What must hold for `target` in `fn` to be reached from one of the functions `from`, which call it directly or
 * through others of the program. Null where it stands in a loop or a switch, or where no way was found.
 */
export function conditionsFor(
  code: FaultyCode,
  unit: UnitImage,
  fn: FunctionIr,
  target: Expr,
  from: ReadonlySet<string>,
): readonly Condition[] | null {
  const own = within(unit, fn, target);
  if (own === null) return null;
  if (from.has(fn.name)) return own;
  const seen = new Set([fn.name]);
  let level: { readonly name: string; readonly conditions: readonly Condition[] }[] = [
    { name: fn.name, conditions: own },
  ];
  for (let hop = 0; hop < MAX_HOPS && level.length > 0; hop++) {
    const next: typeof level = [];
    for (const { name, conditions } of level) {
      for (const caller of callers(code, name)) {
        const outer = within(caller.unit, caller.fn, caller.call);
        if (outer === null) continue;
        const all = [...outer, ...conditions];
        if (from.has(caller.fn.name)) return all;
        if (seen.has(caller.fn.name)) continue;
        seen.add(caller.fn.name);
        next.push({ name: caller.fn.name, conditions: all });
      }
    }
    level = next;
  }
  return null;
}

function callers(code: FaultyCode, name: string): { unit: UnitImage; fn: FunctionIr; call: Expr }[] {
  const found: { unit: UnitImage; fn: FunctionIr; call: Expr }[] = [];
  for (const unit of code.units) {
    for (const other of unit.unit.functions.keys()) {
      const fn = code.lower(unit, other);
      if (!fn) continue;
      visitExpressions(fn.body, (expr) => {
        if (expr.k === 'call' && expr.callee.k === 'name' && expr.callee.name === name)
          found.push({ unit, fn, call: expr });
      });
    }
  }
  return found;
}

function within(unit: UnitImage, fn: FunctionIr, target: Expr): readonly Condition[] | null {
  const gathered = walk(fn.body, target);
  return gathered && gathered.map(({ test, holds }) => ({ unit, fn, test, holds }));
}

/** The conditions on the way to `target`, which stands somewhere in `body`. */
function walk(body: readonly Stmt[], target: Expr): Gathered[] | null {
  let conditions: Gathered[] = [];
  for (const stmt of body) {
    if (stmt.k === 'label') conditions = conditions.filter((condition) => condition.label !== stmt.name);
    if (!contains([stmt], target)) {
      if (stmt.k !== 'if') continue;
      const out = exitOf(stmt.then);
      const other = exitOf(stmt.otherwise);
      if (out) conditions.push({ test: stmt.test, holds: false, label: out.label });
      else if (other) conditions.push({ test: stmt.test, holds: true, label: other.label });
      continue;
    }
    const inner = inside(stmt, target);
    return inner && [...conditions, ...inner];
  }
  return null;
}

function inside(stmt: Stmt, target: Expr): Gathered[] | null {
  switch (stmt.k) {
    case 'expression':
      return isUnconditional(stmt.value, target) ? [] : null;
    case 'declare':
    case 'return':
      return [];
    case 'block':
      return walk(stmt.body, target);
    case 'if': {
      if (holds(stmt.test, target)) return isUnconditional(stmt.test, target) ? [] : null;
      const then = contains(stmt.then, target);
      const inner = walk(then ? stmt.then : stmt.otherwise, target);
      return inner && [{ test: stmt.test, holds: then, label: null }, ...inner];
    }
    case 'loop':
      // `do { … } while (0)` of a macro.
      return stmt.form === 'do' && stmt.test?.k === 'int' && Number(stmt.test.value) === 0
        ? walk(stmt.body, target)
        : null;
    default:
      return null;
  }
}

/** How a branch ends that does not come back to the statements behind it. */
function exitOf(body: readonly Stmt[]): { readonly label: string | null } | null {
  const last = body[body.length - 1];
  if (last === undefined) return null;
  if (last.k === 'return') return { label: null };
  if (last.k === 'goto') return { label: last.name };
  return last.k === 'block' ? exitOf(last.body) : null;
}

/** Whether `target` is evaluated whenever `expr` is. */
function isUnconditional(expr: Expr, target: Expr): boolean {
  let free = true;
  visitExpression(expr, (part) => {
    if (part === target) return;
    if (part.k === 'logical' && holds(part.right, target)) free = false;
    if (part.k === 'conditional' && !holds(part.test, target) && holds(part, target)) free = false;
    if (part.k === 'statements' && holds(part, target) && walk(part.body, target)?.length !== 0) free = false;
  });
  return free;
}

function holds(expr: Expr, target: Expr): boolean {
  let found = false;
  visitExpression(expr, (part) => {
    if (part === target) found = true;
  });
  return found;
}

function contains(body: readonly Stmt[], target: Expr): boolean {
  let found = false;
  visitExpressions(body, (part) => {
    if (part === target) found = true;
  });
  return found;
}
