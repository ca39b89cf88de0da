import type { Expr, Init, Stmt } from '../csource/ir';

/** Calls `visit` for every expression in `body`, outer before inner. */
export function visitExpressions(body: readonly Stmt[], visit: (expr: Expr) => void): void {
  for (const stmt of body) visitStatement(stmt, visit);
}

/** Every statement in `body`, outer before inner; those inside statement expressions are not among them. */
export function* statementsIn(body: readonly Stmt[]): Generator<Stmt> {
  for (const stmt of body) {
    yield stmt;
    if (stmt.k === 'if') {
      yield* statementsIn(stmt.then);
      yield* statementsIn(stmt.otherwise);
    } else if (stmt.k === 'loop' || stmt.k === 'iterate' || stmt.k === 'switch' || stmt.k === 'block') {
      yield* statementsIn(stmt.body);
    }
  }
}

function visitStatement(s: Stmt, visit: (expr: Expr) => void): void {
  switch (s.k) {
    case 'expression':
      return visitExpression(s.value, visit);
    case 'declare':
      if (s.init !== null) visitInit(s.init, visit);
      return;
    case 'if':
      visitExpression(s.test, visit);
      visitExpressions(s.then, visit);
      return visitExpressions(s.otherwise, visit);
    case 'loop':
      if (s.test !== null) visitExpression(s.test, visit);
      if (s.step !== null) visitExpression(s.step, visit);
      return visitExpressions(s.body, visit);
    case 'iterate':
      for (const arg of s.args) visitExpression(arg, visit);
      return visitExpressions(s.body, visit);
    case 'switch':
      visitExpression(s.on, visit);
      return visitExpressions(s.body, visit);
    case 'case':
      if (s.from !== null) visitExpression(s.from, visit);
      if (s.to !== null) visitExpression(s.to, visit);
      return;
    case 'return':
      if (s.value !== null) visitExpression(s.value, visit);
      return;
    case 'block':
      return visitExpressions(s.body, visit);
    default:
  }
}

function visitInit(init: Init, visit: (expr: Expr) => void): void {
  if (init.k === 'value') return visitExpression(init.value, visit);
  for (const element of init.elements) visitInit(element.init, visit);
}

export function visitExpression(e: Expr, visit: (expr: Expr) => void): void {
  visit(e);
  switch (e.k) {
    case 'call':
      visitExpression(e.callee, visit);
      for (const arg of e.args) visitExpression(arg, visit);
      return;
    case 'member':
    case 'unary':
    case 'step':
    case 'cast':
    case 'container':
      return visitExpression(e.of, visit);
    case 'index':
      visitExpression(e.of, visit);
      return visitExpression(e.index, visit);
    case 'binary':
    case 'logical':
      visitExpression(e.left, visit);
      return visitExpression(e.right, visit);
    case 'assign':
      visitExpression(e.target, visit);
      return visitExpression(e.value, visit);
    case 'conditional':
      visitExpression(e.test, visit);
      if (e.then !== null) visitExpression(e.then, visit);
      return visitExpression(e.otherwise, visit);
    case 'comma':
      visitExpression(e.first, visit);
      return visitExpression(e.second, visit);
    case 'statements':
      return visitExpressions(e.body, visit);
    case 'compound':
      return visitInit(e.init, visit);
    default:
  }
}
