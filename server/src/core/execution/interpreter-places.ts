import type { Expr } from '../csource/ir';
import type { CType } from '../csource/types';
import { expressionText } from './expression-text';
import type { Frame } from './frames';
import { wrap } from './integers';
import type { Interpreter } from './interpreter';
import { compute } from './interpreter-arithmetic';
import { atOf, evaluate, readName } from './interpreter-expressions';
import { writeInitialiser } from './interpreter-initialisers';
import type { FieldPlace } from './layout';
import { staticBlock } from './program';
import { isInteger, type Pointer, type StringPointer, type Value } from './values';

/** Where a value stands; null where a fault has been reported and nothing can stand. */
export type Place = Pointer | StringPointer | null;

/** Stands behind a list head's path for the entry that would hold the head. */
export const PAST_END = '.(entry)';

/** `&of`. */
export function address(it: Interpreter, f: Frame, of: Expr): Value {
  if (of.k === 'name') {
    const ref = f.image.resolve(f.unit, of.name);
    if (ref.k === 'function') return readName(it, f, of);
    if (ref.k === 'foreign' && of.type.k === 'function') return readName(it, f, of);
  }
  if (of.k === 'unary' && of.op === '*') return evaluate(it, f, of.of);
  // &p->member of a NULL pointer is the member's offset; nothing is read.
  if (of.k === 'member' && of.arrow) {
    const base = evaluate(it, f, of.of);
    if (isInteger(base)) return offsetFrom(f, base, of);
    return (
      memberPlace(it, f, it.deref(base, f, of.at), of) ??
      it.unknowns.fresh('(address)', { k: 'pointer', to: of.type })
    );
  }
  return place(it, f, of) ?? it.unknowns.fresh('(address)', { k: 'pointer', to: of.type });
}

function offsetFrom(f: Frame, base: number | bigint, of: Extract<Expr, { k: 'member' }>): Value {
  const to = of.of.type.k === 'pointer' ? of.of.type.to : of.of.type;
  const offset = f.unit.layout.offsetof(to, `.${of.name}`) ?? 0;
  return wrap(typeof base === 'bigint' ? base + BigInt(offset) : base + offset, 64, false);
}

/** The place that an expression names; null, with a fault reported, where it names none. */
export function place(it: Interpreter, f: Frame, e: Expr): Place {
  switch (e.k) {
    case 'local': {
      let block = f.boxes[e.slot] ?? 0;
      if (block === 0) {
        const type = f.localType(e.slot);
        block = it.stackBlock(f, f.ir?.locals[e.slot]?.name ?? '', type);
        f.boxes[e.slot] = block;
        f.blocks.push(block);
      }
      return { k: 'pointer', block, path: '' };
    }
    case 'name': {
      const ref = f.image.resolve(f.unit, e.name);
      if (ref.k === 'variable') return it.staticPointer(f.instance, ref.slot);
      if (e.name === 'THIS_MODULE') return it.staticPointer(f.instance, 0);
      const other = ref.k === 'foreign' ? exported(it, f, e.name) : null;
      if (other?.k === 'pointer') return other;
      return { k: 'pointer', block: it.kernel.variable(e.name), path: '' };
    }
    case 'member':
      return memberPlace(it, f, e.arrow ? it.deref(evaluate(it, f, e.of), f, e.at) : place(it, f, e.of), e);
    case 'index': {
      const of = evaluate(it, f, e.of);
      const index = evaluate(it, f, e.index);
      if (isInteger(of) && typeof index === 'object')
        return it.deref(compute(it, '+', index, of, e.index.type, f.unit.layout), f, e.at);
      if (typeof index === 'object' && index.k === 'unknown') return unknownIndex(it, f, of, index.id, e.at);
      const type: CType =
        e.of.type.k === 'array'
          ? { k: 'pointer', to: e.type }
          : e.of.type.k === 'unknown'
            ? { k: 'pointer', to: e.type }
            : e.of.type;
      const at = it.deref(compute(it, '+', of, index, type, f.unit.layout), f, e.at);
      return at;
    }
    case 'unary':
      return it.deref(evaluate(it, f, e.of), f, e.at);
    case 'compound':
      return compoundPlace(it, f, e);
    case 'cast':
      return place(it, f, e.of);
    case 'comma':
      evaluate(it, f, e.first);
      return place(it, f, e.second);
    case 'conditional':
      if (e.then === null) break;
      return place(it, f, it.truth(evaluate(it, f, e.test), f, atOf(e.test)) ? e.then : e.otherwise);
    default:
  }
  const value = evaluate(it, f, e);
  if (typeof value === 'object' && value.k === 'aggregate') {
    const block = it.stackBlock(f, '(value)', e.type);
    f.blocks.push(block);
    it.store({ k: 'pointer', block, path: '' }, e.type, value, f, -1);
    return { k: 'pointer', block, path: '' };
  }
  return { k: 'pointer', block: it.kernel.behind(expressionText(f, e)), path: '' };
}

/** An element chosen by an unknown index: the same element for the same index. */
function unknownIndex(it: Interpreter, f: Frame, of: Value, index: string, at: number): Place {
  const base = it.deref(of, f, at);
  if (base === null || base.k === 'string') return null;
  const path = base.path.endsWith('[0]') ? base.path.slice(0, -3) : base.path;
  return { k: 'pointer', block: base.block, path: `${path}[${index.replaceAll(/[[\].]/g, '_')}]` };
}

function memberPlace(it: Interpreter, f: Frame, base: Place, e: Extract<Expr, { k: 'member' }>): Place {
  if (base === null || base.k === 'string') return null;
  const to = e.arrow ? (e.of.type.k === 'pointer' ? e.of.type.to : e.of.type) : e.of.type;
  if (to.k === 'struct') {
    const layout = f.unit.layout.struct(to.tag);
    if (layout?.hasUnion) {
      const block = it.memory.block(base.block);
      if (
        block !== undefined &&
        block.type === null &&
        block.dead === null &&
        base.path === '' &&
        !it.trace?.replaying
      ) {
        it.memory.adopt(block, to, f.unit.layout);
      }
    }
  }
  // The cursor of a list past its end: its link is the head itself.
  if (base.path.endsWith(PAST_END))
    return { k: 'pointer', block: base.block, path: base.path.slice(0, -PAST_END.length) };
  return { k: 'pointer', block: base.block, path: `${base.path}.${e.name}` };
}

/** The bit-field that an expression names, or null. */
export function bitField(f: Frame, e: Expr): FieldPlace | null {
  if (e.k !== 'member') return null;
  const to = e.arrow && e.of.type.k === 'pointer' ? e.of.type.to : e.of.type;
  const layout = to.k === 'struct' ? f.unit.layout.struct(to.tag) : undefined;
  if (!layout?.hasBitFields) return null;
  const field = layout.fields.get(e.name);
  return field !== undefined && field.bits > 0 ? field : null;
}

/** The object of a compound literal: one for all time outside functions, one for each evaluation inside. */
export function compoundPlace(it: Interpreter, f: Frame, e: Extract<Expr, { k: 'compound' }>): Place {
  if (f.ir === null) {
    if (f.positions === null) return null;
    return it.staticPointer(f.instance, f.image.literal(f.unit, e, f.positions));
  }
  const block = it.stackBlock(f, '(literal)', e.type);
  f.blocks.push(block);
  if (!it.trace?.replaying) it.memory.fill(it.memory.block(block) as never, '', 'zero');
  writeInitialiser(it, f, null, block, '', e.type, e.init);
  return { k: 'pointer', block, path: '' };
}

/** What another loaded module exports under this name. */
export function exported(
  it: Interpreter,
  f: Frame,
  name: string,
): Pointer | Extract<Value, { k: 'function' }> | null {
  it.worldly++;
  for (const module of it.modules.values()) {
    if (module.instance === f.instance || !module.image.exports.has(name)) continue;
    const ref = module.image.global(name);
    if (ref.k === 'function') return { k: 'function', name, instance: module.instance };
    if (ref.k === 'variable')
      return { k: 'pointer', block: staticBlock(module.instance, ref.slot), path: '' };
  }
  return null;
}
