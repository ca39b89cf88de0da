import type { Expr, FunctionIr } from '../csource/ir';
import { placeIn } from '../csource/item-places';
import type { CType } from '../csource/types';
import { visitExpressions } from '../execution/ir-walk';
import type { Program } from '../execution/machine-host';
import { type NameRef, ProgramImage, type UnitImage } from '../execution/program';
import type { Place } from '../place';

/** One expression of a program, with the function around it. */
export interface Found {
  readonly unit: UnitImage;
  readonly fn: FunctionIr;
  readonly expr: Expr;
}

export type Assignment = Found & { readonly expr: Extract<Expr, { readonly k: 'assign' }> };

/** The code of a faulty version, looked at for how it undoes its own side effects. */
export class FaultyCode {
  readonly #image: ProgramImage;
  readonly #locals = new Map<FunctionIr, ReadonlyMap<number, readonly Expr[]>>();
  #assignments: readonly Assignment[] | null = null;
  #byTarget: ReadonlyMap<string, readonly Assignment[]> | null = null;

  constructor(readonly program: Program) {
    this.#image = ProgramImage.of(program);
  }

  get units(): readonly UnitImage[] {
    return this.#image.units;
  }

  resolve(unit: UnitImage, name: string): NameRef {
    return this.#image.resolve(unit, name);
  }

  lower(unit: UnitImage, name: string): FunctionIr | undefined {
    return this.#image.function(unit, name);
  }

  /** The call, assignment or step of `function` that stands at `place`. */
  at(place: Place, functionName: string): Found | null {
    for (const unit of this.units) {
      const fn = this.lower(unit, functionName);
      // A text made for reading has its places elsewhere.
      if (fn === undefined || (!fn.positions.relocate && fn.positions.file !== place.file)) continue;
      let found: Expr | null = null;
      visitExpressions(fn.body, (expr) => {
        if (found !== null || (expr.k !== 'call' && expr.k !== 'assign' && expr.k !== 'step')) return;
        const { file, start, end } = placeIn(fn.positions, expr.at);
        if (file === place.file && start === place.start && end === place.end) found = expr;
      });
      if (found !== null) return { unit, fn, expr: found };
    }
    return null;
  }

  /**
   * What a local variable is set to: null for one whose address is taken or that is changed in place; NULL and 0
   * among several values say nothing and are left out.
   */
  valuesOf(fn: FunctionIr, slot: number): readonly Expr[] | null {
    let known = this.#locals.get(fn);
    if (known === undefined) this.#locals.set(fn, (known = localValues(fn)));
    const values = known.get(slot) ?? [];
    if (values.some((value) => value.k === 'unknown')) return null;
    return values.filter((value) => !isZero(value));
  }

  /** Every plain assignment in the program. */
  assignments(): readonly Assignment[] {
    if (this.#assignments !== null) return this.#assignments;
    const all: Assignment[] = [];
    for (const unit of this.units) {
      for (const name of unit.unit.functions.keys()) {
        const fn = this.lower(unit, name);
        if (fn === undefined) continue;
        visitExpressions(fn.body, (expr) => {
          if (expr.k === 'assign' && expr.op === '=') all.push({ unit, fn, expr });
        });
      }
    }
    this.#assignments = all;
    return all;
  }

  /** The plain assignments to a variable of a unit. */
  assignmentsTo(unit: UnitImage, name: string): readonly Assignment[] {
    this.#byTarget ??= byTarget(this.assignments());
    return this.#byTarget.get(`${unit.index} ${name}`) ?? [];
  }
}

function byTarget(assignments: readonly Assignment[]): ReadonlyMap<string, readonly Assignment[]> {
  const found = new Map<string, Assignment[]>();
  for (const assignment of assignments) {
    const { target } = assignment.expr;
    if (target.k !== 'name') continue;
    const key = `${assignment.unit.index} ${target.name}`;
    const list = found.get(key);
    if (list) list.push(assignment);
    else found.set(key, [assignment]);
  }
  return found;
}

export function isZero(expr: Expr): boolean {
  if (expr.k === 'cast') return isZero(expr.of);
  return expr.k === 'int' && Number(expr.value) === 0;
}

function localValues(fn: FunctionIr): ReadonlyMap<number, readonly Expr[]> {
  const values = new Map<number, Expr[]>();
  const add = (slot: number, value: Expr): void => {
    const list = values.get(slot);
    if (list) list.push(value);
    else values.set(slot, [value]);
  };
  const spoilt = (slot: number): void =>
    add(slot, { k: 'unknown', text: '', type: { k: 'unknown', name: '' }, at: 0 });
  for (let slot = 0; slot < fn.parameters; slot++) spoilt(slot);
  visitDeclarations(fn, add);
  visitExpressions(fn.body, (expr) => {
    if (expr.k === 'assign' && expr.target.k === 'local') {
      if (expr.op === '=') add(expr.target.slot, expr.value);
      else spoilt(expr.target.slot);
    } else if (expr.k === 'step' && expr.of.k === 'local') spoilt(expr.of.slot);
    else if (expr.k === 'unary' && expr.op === '&' && expr.of.k === 'local') spoilt(expr.of.slot);
  });
  return values;
}

function visitDeclarations(fn: FunctionIr, add: (slot: number, value: Expr) => void): void {
  const walk = (body: FunctionIr['body']): void => {
    for (const stmt of body) {
      if (stmt.k === 'declare' && stmt.init?.k === 'value') add(stmt.slot, stmt.init.value);
      else if (stmt.k === 'if') {
        walk(stmt.then);
        walk(stmt.otherwise);
      } else if ('body' in stmt) walk(stmt.body);
    }
  };
  walk(fn.body);
}

/** A type as C writes it in a cast, or null where it has no such name. */
export function castType(type: CType): string | null {
  switch (type.k) {
    case 'void':
      return 'void';
    case 'int':
      if (type.bool) return 'bool';
      if (type.bits === 8) return type.signed ? 'char' : 'u8';
      if (type.bits === 16) return type.signed ? 's16' : 'u16';
      if (type.bits === 32) return type.signed ? 'int' : 'unsigned int';
      return type.signed ? 'long' : 'unsigned long';
    case 'pointer': {
      const to = castType(type.to);
      return to === null || type.to.k === 'function' ? null : `${to}${to.endsWith('*') ? '' : ' '}*`;
    }
    case 'struct':
      return /^[A-Za-z_]\w*$/.test(type.tag) ? `struct ${type.tag}` : null;
    case 'unknown':
      return /^[A-Za-z_]\w*$/.test(type.name) ? type.name : null;
    default:
      return null;
  }
}
