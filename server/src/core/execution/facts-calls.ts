import type { Expr, FunctionIr } from '../csource/ir';
import type { Unit } from '../csource/unit';
import type { CallFact, ShadowUse } from './fact-types';
import { Layout } from './layout';
import type { CallGraph, FunctionNode, KernelCall } from './reach';

/** Where the shadow variable API has its id and its size; kpatch's legacy names are the same with other arguments. */
const SHADOW_ARGUMENTS: Readonly<Record<string, { readonly id: number; readonly size?: number }>> = {
  klp_shadow_get: { id: 1 },
  klp_shadow_alloc: { id: 1, size: 2 },
  klp_shadow_get_or_alloc: { id: 1, size: 2 },
  klp_shadow_free: { id: 1 },
  klp_shadow_free_all: { id: 0 },
  kpatch_shadow_alloc: { id: 1, size: 2 },
  kpatch_shadow_get: { id: 1 },
  kpatch_shadow_free: { id: 1 },
};

/** Every call of a kernel function in the module, with what reaches it. */
export function callFacts(graph: CallGraph): CallFact[] {
  const found: CallFact[] = [];
  for (const node of graph.functions()) {
    if (node.calls.length === 0) continue;
    const reachedFrom = graph.reachedFrom(node);
    if (reachedFrom.length > 0) for (const fact of factsOf(node, reachedFrom)) found.push(fact);
    else {
      let facts = UNREACHED.get(node);
      if (!facts) UNREACHED.set(node, (facts = factsOf(node, reachedFrom)));
      for (const fact of facts) found.push(fact);
    }
  }
  return found;
}

/** Most calls of most versions: the same in all of them. */
const UNREACHED = new WeakMap<FunctionNode, readonly CallFact[]>();

function factsOf(node: FunctionNode, reachedFrom: readonly string[]): CallFact[] {
  return node.calls.map(({ callee, place }) => ({ callee, function: node.name, place, reachedFrom }));
}

/** Every use of the shadow variable API in the module. */
export function shadowUses(graph: CallGraph): ShadowUse[] {
  const found: ShadowUse[] = [];
  const layouts = new Map<Unit, Layout>();
  for (const node of graph.functions()) {
    for (const call of node.calls) {
      const use = shadowUse(node, call, layouts);
      if (use) found.push(use);
    }
  }
  return found;
}

function shadowUse(node: FunctionNode, call: KernelCall, layouts: Map<Unit, Layout>): ShadowUse | null {
  const where = Object.hasOwn(SHADOW_ARGUMENTS, call.callee) ? SHADOW_ARGUMENTS[call.callee] : undefined;
  if (!where) return null;
  const id = call.args[where.id];
  const size = where.size === undefined ? undefined : call.args[where.size];
  return {
    id: id ? idText(id, node.ir) : '?',
    api: call.callee,
    function: node.name,
    place: call.place,
    size: size ? sizeOf(size, node.unit, layouts) : null,
  };
}

/** `0x51` for a number; for a constant that no header resolves its name; else the expression's name. */
function idText(expr: Expr, ir: FunctionIr): string {
  const value = constant(expr);
  if (value !== null) return `0x${BigInt.asUintN(64, value).toString(16)}`;
  switch (expr.k) {
    case 'name':
      return expr.name;
    case 'string':
      return JSON.stringify(expr.value);
    case 'local':
      return ir.locals[expr.slot]?.name ?? '?';
    case 'cast':
      return idText(expr.of, ir);
    case 'unknown':
      return expr.text;
    case 'binary':
      return `(${idText(expr.left, ir)} ${expr.op} ${idText(expr.right, ir)})`;
    case 'member':
      return `${idText(expr.of, ir)}${expr.arrow ? '->' : '.'}${expr.name}`;
    default:
      return '?';
  }
}

function sizeOf(expr: Expr, unit: Unit, layouts: Map<Unit, Layout>): number | null {
  const value = constant(expr);
  if (value !== null) return Number(value);
  if (expr.k === 'cast') return sizeOf(expr.of, unit, layouts);
  if (expr.k !== 'sizeof') return null;
  let layout = layouts.get(unit);
  if (!layout) layouts.set(unit, (layout = new Layout((tag) => unit.struct(tag))));
  return layout.sizeof(expr.measured) ?? null;
}

/** The value of a constant integer expression, or null. */
function constant(expr: Expr): bigint | null {
  switch (expr.k) {
    case 'int':
      return BigInt(expr.value);
    case 'cast':
      return constant(expr.of);
    case 'binary': {
      const [left, right] = [constant(expr.left), constant(expr.right)];
      return left === null || right === null ? null : fold(expr.op, left, right);
    }
    default:
      return null;
  }
}

function fold(op: string, left: bigint, right: bigint): bigint | null {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '|':
      return left | right;
    case '&':
      return left & right;
    case '^':
      return left ^ right;
    case '<<':
      return right >= 0n && right < 64n ? BigInt.asUintN(64, left << right) : null;
    case '>>':
      return right >= 0n && right < 64n ? left >> right : null;
    default:
      return null;
  }
}
