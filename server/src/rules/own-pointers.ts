import type { Expr, FunctionIr, Init } from '../core/csource/ir';
import { placeIn } from '../core/csource/item-places';
import type { Unit } from '../core/csource/unit';
import { rowsByDo } from '../core/execution/catalogue';
import type { EffectRow } from '../core/execution/catalogue-row';
import type { Effect, EffectEvent } from '../core/execution/effects';
import type { CallFact } from '../core/execution/fact-types';
import { statementsIn, visitExpression, visitExpressions } from '../core/execution/ir-walk';
import { isDraft, type LineageVersion } from '../core/lineage/lineage';
import { targetsLoaded } from '../core/lineage/run';
import { isKnownElsewhere, isTakenCareOf } from './cleanup-impossible';
import type { RuleContext } from './context';
import { load } from './effect-story';
import { eventsOf, isOf, replaces } from './pair-runs';

/** A call that makes a side effect whose undo needs something that only this version's own data holds. */
export interface OwnPointer {
  readonly call: CallFact;
  readonly row: EffectRow;
  /** The version's own calls that undo it, of which there are some. */
  readonly undos: readonly [CallFact, ...CallFact[]];
  /** The module's own variable that holds it. */
  readonly variable: string;
  /** What findings about the same cause have in common. */
  readonly cause: string;
}

const MAKING = ['pre_patch', 'post_patch', 'init'];

/** As far as the C tells; where a run of the version reached the call, what that showed counts instead. */
export function ownPointersOf(context: RuleContext, version: LineageVersion): OwnPointer[] {
  if (!isDraft(version) || !replaces(version)) return [];
  const units = context.unitsOf(version);
  const run = context.transitions.runOf([...targetsLoaded(context.lineage), load(version)], [version]);
  const found: OwnPointer[] = [];
  const calls = version.facts?.calls ?? [];
  for (const call of calls) {
    const row = rowsByDo(call.callee)[0];
    if (!row || !needsOwn(row) || !call.reachedFrom.some((from) => MAKING.includes(from))) continue;
    const variable = ownVariableOf(units, call, row);
    if (variable === null || units.some((unit) => isPassedOn(unit, variable))) continue;
    const effect = run.end.effects().find((item) => isAtCall(item, call));
    if (effect && isOf(run, effect.by.instance, version)) {
      if (row.key !== 'reference' && isKnownElsewhere(run, effect)) continue;
      if (isTakenCareOf(context, version, effect)) continue;
    }
    const [undo, ...more] = calls.filter((item) => row.undo.some(({ name }) => name === item.callee));
    if (!undo) continue;
    if (!effect && eventsOf(run).some(({ event }) => isTakenBackAtOnce(event, call))) continue;
    const key = effect?.key ?? variable;
    found.push({
      call,
      row,
      undos: [undo, ...more],
      variable,
      cause: `${version.name}:${row.family}:${key}@${version.name}`,
    });
  }
  return found;
}

/** The version's own code undoes it before anybody could replace it; work that simply ran to its end is not that. */
function isTakenBackAtOnce(event: EffectEvent, call: CallFact): boolean {
  if (event.k !== 'undone' || !isAtCall(event.effect, call)) return false;
  return MAKING.includes(event.by.during) && event.by.place.start !== call.place.start;
}

function isAtCall({ by }: Effect, call: CallFact): boolean {
  return by.place.file === call.place.file && by.place.start === call.place.start;
}

function needsOwn(row: EffectRow): boolean {
  return row.key === 'pointer' || row.key === 'handle' || row.key === 'heap' || row.key === 'reference';
}

/** The variable of the module whose address the call gets, or that the result is kept in. */
function ownVariableOf(units: readonly Unit[], call: CallFact, row: EffectRow): string | null {
  for (const unit of units) {
    const fn = unit.functions.has(call.function) ? unit.lower(call.function) : undefined;
    if (!fn) continue;
    const byResult = row.identity.some((part) => 'result' in part);
    const kept = byResult || row.key === 'reference';
    let name: string | null = null;
    visitExpressions(fn.body, (expr) => {
      if (name !== null) return;
      if (expr.k === 'assign' && kept && holdsCall(fn, expr.value, call)) {
        name = isNamed(unit, expr.value) ? null : rootVariable(unit, expr.target);
      }
      if (expr.k !== 'call' || byResult || !isAt(fn, expr, call)) return;
      for (const part of row.identity) {
        const given = 'arg' in part ? expr.args[part.arg] : undefined;
        name ??= given ? rootVariable(unit, given) : null;
      }
    });
    if (name !== null) return name;
  }
  return null;
}

/** Whether the kernel has a variable of that name, which anybody can name as well. */
function isNamed(unit: Unit, expr: Expr): boolean {
  let found = false;
  visitExpression(expr, (inner) => {
    if (inner.k === 'name' && unit.variables.get(inner.name)?.extern) found = true;
  });
  return found;
}

function holdsCall(fn: FunctionIr, expr: Expr, call: CallFact): boolean {
  let found = false;
  visitExpression(expr, (inner) => (found ||= inner.k === 'call' && isAt(fn, inner, call)));
  return found;
}

function isAt(fn: FunctionIr, expr: Extract<Expr, { k: 'call' }>, call: CallFact): boolean {
  const place = placeIn(fn.positions, expr.at);
  return place.file === call.place.file && place.start === call.place.start;
}

/** The module's own variable that an lvalue or an address leads to by itself, without following a pointer. */
function rootVariable(unit: Unit, expr: Expr): string | null {
  switch (expr.k) {
    case 'name': {
      const variable = unit.variables.get(expr.name);
      return variable && !variable.extern ? expr.name : null;
    }
    case 'member':
      return expr.arrow ? null : rootVariable(unit, expr.of);
    case 'index':
    case 'cast':
      return rootVariable(unit, expr.of);
    case 'unary':
      return expr.op === '&' ? rootVariable(unit, expr.of) : null;
    default:
      return null;
  }
}

/**
 * Whether something of the module takes the variable where it could be found: it is stored into memory that is not
 * the module's own, into a state's data, kept in a local, or given to a function that is not known to undo or do it.
 */
function isPassedOn(unit: Unit, variable: string): boolean {
  for (const name of unit.functions.keys()) {
    const fn = unit.lower(name);
    if (!fn) continue;
    let passed = false;
    visitExpressions(fn.body, (expr) => {
      if (passed) return;
      if (expr.k === 'assign' && rootVariable(unit, expr.target) === null)
        passed = mentions(expr.value, variable);
      else if (expr.k === 'call' && isOpen(unit, expr))
        passed = expr.args.some((arg) => mentions(arg, variable));
    });
    if (
      passed ||
      [...statementsIn(fn.body)].some((stmt) => stmt.k === 'declare' && mentionsInit(stmt.init, variable))
    )
      return true;
  }
  for (const [name, item] of unit.variables) {
    if (name === variable || !item.hasInitialiser) continue;
    if (mentionsInit(unit.variable(name)?.init ?? null, variable)) return true;
  }
  return false;
}

/** A call that may pass its arguments on: the shadow variable API, and functions of the module itself. */
function isOpen(unit: Unit, expr: Extract<Expr, { k: 'call' }>): boolean {
  if (expr.callee.k !== 'name') return true;
  return expr.callee.name.startsWith('klp_shadow_') || unit.functions.has(expr.callee.name);
}

function mentions(expr: Expr, variable: string): boolean {
  let found = false;
  visitExpression(expr, (inner) => (found ||= inner.k === 'name' && inner.name === variable));
  return found;
}

function mentionsInit(init: Init | null, variable: string): boolean {
  if (init === null) return false;
  if (init.k === 'value') return mentions(init.value, variable);
  return init.elements.some((element) => mentionsInit(element.init, variable));
}
