import type { Expr, FunctionIr } from '../core/csource/ir';
import { placeIn } from '../core/csource/item-places';
import type { Unit } from '../core/csource/unit';
import { visitExpressions } from '../core/execution/ir-walk';
import type { LineageTarget } from '../core/lineage/lineage';
import type { Place } from '../core/place';

/** Words in the name of a function that ends something: `kfree`, `free_percpu`, `acme_put`; not `input_sync`. */
const FREES = /(?:^|_)(?:[kvz]*free|destroy|release|put)(?:_|$)/;

/** What the sources of a target say about its own data; nothing where they are not known. */
export class TargetData {
  readonly module: string;
  readonly #units: readonly Unit[];

  constructor(target: LineageTarget) {
    this.module = target.module;
    this.#units = target.program?.units ?? [];
  }

  get known(): boolean {
    return this.#units.length > 0;
  }

  /** A variable, or a tracepoint. */
  defines(name: string): boolean {
    return this.#units.some((unit) => {
      const item = unit.variables.get(name);
      return (
        (item !== undefined && !item.extern) ||
        unit.calls.some(
          (call) =>
            /^(?:DEFINE_TRACE|TRACE_EVENT|DEFINE_STATIC_KEY_\w+)$/.test(call.macro) && call.args[0] === name,
        )
      );
    });
  }

  /** Where init sets a pointer that nothing sets before. */
  madeInInit(name: string): Place | null {
    return this.#inEntry('moduleInit', name, (expr, unit) => {
      if (expr.k !== 'assign' || expr.target.k !== 'name' || expr.target.name !== name) return false;
      return unit.variables.get(name)?.hasInitialiser !== true;
    });
  }

  freedInExit(name: string): Place | null {
    return this.#inEntry('moduleExit', name, (expr) => {
      if (expr.k !== 'call' || expr.callee.k !== 'name' || !FREES.test(expr.callee.name)) return false;
      return expr.args.some((arg) => arg.k === 'name' && arg.name === name);
    });
  }

  #inEntry(
    entry: 'moduleInit' | 'moduleExit',
    name: string,
    wanted: (expr: Expr, unit: Unit) => boolean,
  ): Place | null {
    for (const unit of this.#units) {
      const start = unit[entry]?.function;
      const item = unit.variables.get(name);
      if (start === undefined || !item || item.extern) continue;
      const seen = new Set([start]);
      for (const fn of seen) {
        const ir = unit.lower(fn);
        let place: Place | null = null;
        visitExpressions(ir?.body ?? [], (expr) => {
          if (expr.k === 'call' && expr.callee.k === 'name' && unit.functions.has(expr.callee.name))
            seen.add(expr.callee.name);
          if (ir && place === null && 'at' in expr && wanted(expr, unit))
            place = placeIn(ir.positions, expr.at);
        });
        if (place !== null) return place;
      }
    }
    return null;
  }
}

export interface Followed {
  readonly name: string;
  readonly at: number;
}

/** Variables that are used as pointers: `p->x`, `*p`, `p[i]`. */
export function followed(ir: FunctionIr): Followed[] {
  const found: Followed[] = [];
  visitExpressions(ir.body, (expr) => {
    const base =
      (expr.k === 'member' && expr.arrow) || (expr.k === 'unary' && expr.op === '*') || expr.k === 'index'
        ? expr.of
        : null;
    if (base?.k === 'name' && base.type.k !== 'array') found.push({ name: base.name, at: base.at });
  });
  return found;
}

/** Variables that some condition asks for. */
export function namesTested(ir: FunctionIr): Set<string> {
  const names = new Set<string>();
  const note = (expr: Expr): void => {
    if (expr.k === 'name') names.add(expr.name);
    else if (expr.k === 'unary' && expr.op === '!') note(expr.of);
    else if (expr.k === 'cast') note(expr.of);
    // IS_ERR(p), READ_ONCE(p)
    else if (expr.k === 'call') expr.args.forEach(note);
    else if (expr.k === 'binary' || expr.k === 'logical') {
      note(expr.left);
      note(expr.right);
    }
  };
  for (const stmt of ir.body) noteTests(stmt, note);
  visitExpressions(ir.body, (expr) => {
    if (expr.k === 'conditional') note(expr.test);
    else if (expr.k === 'logical') note(expr);
  });
  return names;
}

function noteTests(stmt: FunctionIr['body'][number], note: (expr: Expr) => void): void {
  if (stmt.k === 'if') {
    note(stmt.test);
    for (const inner of [...stmt.then, ...stmt.otherwise]) noteTests(inner, note);
  } else if (stmt.k === 'loop' || stmt.k === 'iterate' || stmt.k === 'switch' || stmt.k === 'block') {
    if (stmt.k === 'loop' && stmt.test) note(stmt.test);
    for (const inner of stmt.body) noteTests(inner, note);
  }
}
