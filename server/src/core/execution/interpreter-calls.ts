import type { Expr } from '../csource/ir';
import { type CType, VOID } from '../csource/types';
import { builtinOf } from './builtins';
import { ModelContext } from './context';
import { expressionText } from './expression-text';
import { Frame, infoOf } from './frames';
import { CALL_DEPTH, type Interpreter } from './interpreter';
import { convert } from './interpreter-arithmetic';
import { evaluate } from './interpreter-expressions';
import { exported } from './interpreter-places';
import { GOTO, run } from './interpreter-statements';
import { printModelOf } from './print-models';
import { Suspended } from './traces';
import { type FunctionValue, isInteger, type Value } from './values';

type Call = Extract<Expr, { k: 'call' }>;

/** The value of a call. */
export function call(it: Interpreter, f: Frame, e: Call): Value {
  it.worldly++;
  const callee = e.callee;
  if (callee.k === 'name') {
    const ref = f.image.resolve(f.unit, callee.name);
    if (ref.k === 'function') {
      const args = argumentsOf(it, f, e);
      return enter(
        it,
        {
          k: 'function',
          name: callee.name,
          instance: f.instance,
          ...(ref.static ? { unit: ref.unit.index } : {}),
        },
        args,
        f.during,
        f,
      );
    }
    if (ref.k === 'foreign') {
      const builtin = builtinOf(callee.name);
      if (builtin !== undefined) {
        const value = builtin(it, f, e);
        if (value !== undefined) return value;
      }
      return callKernel(it, f, e, callee.name, null);
    }
  }
  const value = evaluate(it, f, callee);
  if (typeof value === 'object' && value.k === 'function') {
    if (value.instance === null) return callKernel(it, f, e, value.name, null);
    return enter(it, value, argumentsOf(it, f, e), f.during, f);
  }
  if (isInteger(value)) {
    it.fault(
      'null-dereference',
      `call through ${value === 0 ? 'a NULL' : 'an invalid'} function pointer`,
      f,
      e.at,
    );
    return it.unknowns.fresh(`${expressionText(f, callee)}()`, e.type);
  }
  return opaque(it, f, e, expressionText(f, callee), argumentsOf(it, f, e));
}

/** From right to left, as GCC does on x86. */
function argumentsOf(it: Interpreter, f: Frame, e: Call): Value[] {
  const args: Value[] = [];
  for (let i = e.args.length - 1; i >= 0; i--) {
    args[i] = e.typeArgs?.[i] !== undefined ? 0 : evaluate(it, f, e.args[i] as Expr);
  }
  return args;
}

/** Runs a module's function. */
export function callFunction(
  it: Interpreter,
  fn: FunctionValue,
  args: readonly Value[],
  during: string,
  caller: Frame | null,
): Value {
  return enter(it, fn, args, during, caller);
}

function enter(
  it: Interpreter,
  fn: FunctionValue,
  args: readonly Value[],
  during: string,
  caller: Frame | null,
): Value {
  const module = fn.instance === null ? undefined : it.modules.get(fn.instance);
  if (module === undefined) {
    if (caller !== null) it.fault('use-after-free', `call of ${fn.name}, whose module is gone`, caller, -1);
    return it.unknowns.fresh(`${fn.name}()`, VOID);
  }
  const image = module.image;
  const ref = fn.unit === undefined ? image.global(fn.name) : null;
  const unit = fn.unit !== undefined ? image.units[fn.unit] : ref?.k === 'function' ? ref.unit : undefined;
  const ir = unit === undefined ? undefined : image.function(unit, fn.name);
  if (unit === undefined || ir === undefined) {
    it.host.unknown({ kind: 'missing-source', text: fn.name, place: null });
    return it.unknowns.fresh(`${fn.name}()`, VOID);
  }
  if (it.depth >= CALL_DEPTH) {
    it.host.unknown({ kind: 'budget', text: `calls nested more than ${CALL_DEPTH} deep`, place: null });
    return it.unknowns.fresh(`${fn.name}()`, ir.returns);
  }
  const info = infoOf(ir);
  const frame = new Frame(ir, info, image, unit, module.instance, during, caller, ir.positions, fn.name);
  for (let i = 0; i < ir.parameters; i++) {
    const type = frame.localType(i);
    const given = args[i];
    const value =
      given === undefined
        ? it.unknowns.fresh(`${fn.name}.${ir.locals[i]?.name ?? i}`, type)
        : convert(it, given, type, null);
    if (info.boxed[i]) {
      const block = it.stackBlock(frame, ir.locals[i]?.name ?? '', type);
      frame.boxes[i] = block;
      frame.blocks.push(block);
      it.store({ k: 'pointer', block, path: '' }, type, value, frame, -1);
    } else frame.slots[i] = value;
  }
  if (ir.variadic) frame.variadic = args.slice(ir.parameters);
  it.depth++;
  const outer = it.frame;
  it.frame = frame;
  if (run(it, frame, ir.body) === GOTO) {
    it.host.unknown({
      kind: 'unread',
      text: `goto ${typeof frame.target === 'string' ? frame.target : '…'}`,
      place: null,
    });
  }
  it.frame = outer;
  it.depth--;
  it.leave(frame);
  return frame.result;
}

/**
 * A function that is not the module's own: printed, modelled, exported by another module, or opaque. `given`: the
 * arguments where they are values already.
 */
export function callKernel(
  it: Interpreter,
  f: Frame,
  e: Call,
  name: string,
  given: readonly Value[] | null,
): Value {
  const trace = it.trace;
  const from = trace?.position ?? 0;
  const args = given ?? argumentsOf(it, f, e);
  const model = printModelOf(name) ?? it.library.modelOf(name);
  if (model === undefined) {
    const other = exported(it, f, name);
    if (other?.k === 'function') return enter(it, other, args, f.during, f);
  }
  if (trace?.replaying) return trace.next() as Value;
  // A model may look at all that is in force: a loop that adds to it for ever pays for that.
  it.steps += it.state.ledger.size >> 5;
  it.trace = null;
  it.modelDepth++;
  try {
    const value = model === undefined ? undefined : model(new ModelContext(it, f, e, name, args));
    const result = value === undefined ? opaque(it, f, e, name, args) : convert(it, value, e.type, null);
    it.trace = trace;
    trace?.record(result);
    return result;
  } catch (thrown) {
    it.trace = trace;
    if (thrown instanceof Suspended && trace !== null) {
      if (thrown.again) trace.rewind(from);
      else trace.record(0);
    }
    throw thrown;
  } finally {
    it.modelDepth--;
  }
}

/** A call that nothing describes: recorded, its result unknown, what it was given the address of may have changed. */
function opaque(it: Interpreter, f: Frame, e: Call, name: string, args: readonly Value[]): Value {
  it.host.unknown({ kind: 'opaque-call', text: name, place: it.place(f, e.at) });
  e.args.forEach((arg, i) => {
    const value = args[i];
    const direct = arg.k === 'unary' && arg.op === '&' && typeof value === 'object' && value.k === 'pointer';
    if (!direct || arg.of.type.k === 'function') return;
    const block = it.memory.block(value.block);
    if (block === undefined || block.dead !== null || block.kind === 'kernel' || block.kind === 'unknown')
      return;
    it.memory.store(
      block,
      value.path,
      changed(it, arg.of.type, `${name}(${expressionText(f, arg)})`),
      arg.of.type,
      f.positions,
      e.at,
    );
  });
  if (e.type.k === 'void') return 0;
  const success = e.type.k === 'int' && e.type.bool ? 1 : undefined;
  return it.unknowns.fresh(
    `${name}(${e.args.map((arg) => expressionText(f, arg)).join(', ')})`,
    e.type,
    success,
  );
}

function changed(it: Interpreter, type: CType, text: string): Value {
  if (type.k === 'struct' || type.k === 'array') return { k: 'aggregate', cells: new Map(), fill: 'unknown' };
  return it.unknowns.fresh(text, type);
}
