import type { Expr } from '../csource/ir';
import type { Frame } from './frames';
import { errorPointer, isErrorPointer, wrap } from './integers';
import type { Interpreter } from './interpreter';
import { compute, convert } from './interpreter-arithmetic';
import { assignTo } from './interpreter-assignments';
import { evaluate, evaluateAs } from './interpreter-expressions';
import { isInteger, type Value } from './values';

type Call = Extract<Expr, { k: 'call' }>;

/** A kernel macro that is evaluated like an operator; undefined means "treat it as a function after all". */
export type Builtin = (it: Interpreter, f: Frame, e: Call) => Value | undefined;

const TABLE = new Map<string, Builtin>();

/** The operator-like macro of this name, for modules that do not define it themselves. */
export function builtinOf(name: string): Builtin | undefined {
  return TABLE.get(name);
}

function define(names: string, builtin: Builtin): void {
  for (const name of names.split(' ')) TABLE.set(name, builtin);
}

function arg(it: Interpreter, f: Frame, e: Call, i: number): Value {
  const x = e.args[i];
  return x === undefined ? 0 : evaluate(it, f, x);
}

define('READ_ONCE_NOCHECK rcu_pointer_handoff data_race unrcu_pointer __builtin_expect', (it, f, e) =>
  arg(it, f, e, 0),
);

define('ERR_PTR', (it, f, e) => {
  const value = arg(it, f, e, 0);
  return isInteger(value) ? wrap(value, 64, false) : value;
});
define('ERR_CAST', (it, f, e) => arg(it, f, e, 0));
define('PTR_ERR', (it, f, e) => {
  const value = arg(it, f, e, 0);
  return isInteger(value) ? wrap(value, 64, true) : value;
});
define('IS_ERR IS_ERR_VALUE', (it, f, e) => isError(it, arg(it, f, e, 0)));
define('IS_ERR_OR_NULL', (it, f, e) => {
  const value = arg(it, f, e, 0);
  if (isInteger(value)) return value === 0 || isErrorPointer(value) ? 1 : 0;
  if (value.k !== 'unknown') return 0;
  return it.truth(compute(it, '==', value, 0, { k: 'pointer', to: { k: 'void' } }, null), f, e.at)
    ? 1
    : isError(it, value);
});
define('PTR_ERR_OR_ZERO', (it, f, e) => {
  const value = arg(it, f, e, 0);
  if (!it.truth(isError(it, value), f, e.at)) return 0;
  return isInteger(value) ? wrap(value, 64, true) : value;
});

function isError(it: Interpreter, value: Value): Value {
  if (isInteger(value)) return isErrorPointer(value) ? 1 : 0;
  return value.k === 'unknown'
    ? compute(it, '>=', value, errorPointer(4095), { k: 'pointer', to: { k: 'void' } }, null)
    : 0;
}

define('xchg xchg_relaxed', (it, f, e) => {
  const [target, value] = e.args;
  if (target === undefined || value === undefined) return undefined;
  const at = it.deref(evaluate(it, f, target), f, e.at);
  const type = target.type.k === 'pointer' ? target.type.to : e.type;
  const before = it.load(at, type, f, e.at);
  it.store(at, type, convert(it, evaluate(it, f, value), type, value.type), f, e.at);
  return before;
});
define('cmpxchg cmpxchg_relaxed', (it, f, e) => {
  const [target, expected, value] = e.args;
  if (target === undefined || expected === undefined || value === undefined) return undefined;
  const at = it.deref(evaluate(it, f, target), f, e.at);
  const type = target.type.k === 'pointer' ? target.type.to : e.type;
  const before = it.load(at, type, f, e.at);
  const old = evaluateAs(it, f, expected, type);
  const fresh = evaluateAs(it, f, value, type);
  if (it.truth(compute(it, '==', before, old, type, null), f, e.at)) it.store(at, type, fresh, f, e.at);
  return before;
});

define(
  'BUILD_BUG_ON BUILD_BUG_ON_MSG static_assert _Static_assert barrier mb rmb wmb smp_mb smp_rmb smp_wmb lockdep_assert_held might_sleep cond_resched cpu_relax prefetch typecheck sparse_check __va_end va_end va_start barrier_data __builtin_unreachable annotate_reachable instrumentation_begin instrumentation_end',
  () => 0,
);

define('WARN_ON WARN_ON_ONCE', (it, f, e) => warning(it, f, e, arg(it, f, e, 0)));
define('WARN WARN_ONCE WARN_TAINT WARN_TAINT_ONCE', (it, f, e) => warning(it, f, e, arg(it, f, e, 0)));

function warning(it: Interpreter, f: Frame, e: Call, condition: Value): Value {
  const name = e.callee.k === 'name' ? e.callee.name : 'WARN_ON';
  const holds = it.truth(condition, f, e.at);
  if (holds) {
    const certainty = typeof condition === 'object' && condition.k === 'unknown' ? 'may' : 'must';
    it.fault('warn', name, f, e.at, certainty);
  }
  return holds ? 1 : 0;
}

define('BUG_ON', (it, f, e) => {
  const condition = arg(it, f, e, 0);
  if (it.truth(condition, f, e.at)) it.fault('warn', 'BUG_ON', f, e.at);
  return 0;
});
define('BUG', (it, f, e) => {
  it.fault('warn', 'BUG', f, e.at);
  return 0;
});

/** wait_event(wq, condition) and its kin: the condition is looked at again on each turn. */
define(
  'wait_event wait_event_interruptible wait_event_killable wait_event_timeout wait_event_interruptible_timeout wait_event_freezable wait_var_event swait_event_exclusive wait_event_idle',
  (it, f, e) => {
    const name = e.callee.k === 'name' ? e.callee.name : '';
    const condition = e.args[1];
    if (condition === undefined) return undefined;
    const trace = it.trace;
    if (trace?.replaying) return trace.next() as Value;
    it.trace = null;
    let done: boolean;
    try {
      done = it.tasks.wait(it, () => it.truth(evaluate(it, f, condition), f, e.at));
    } finally {
      it.trace = trace;
    }
    if (!done && !name.includes('timeout'))
      it.fault('deadlock', `${name} waits for what nothing does`, f, e.at, 'may');
    const result = name.includes('timeout') ? (done ? 1 : 0) : 0;
    trace?.record(result);
    return result;
  },
);

define('per_cpu_ptr this_cpu_ptr raw_cpu_ptr get_cpu_ptr', (it, f, e) => arg(it, f, e, 0));
define('this_cpu_read raw_cpu_read __this_cpu_read', (it, f, e) => arg(it, f, e, 0));
define('this_cpu_write raw_cpu_write __this_cpu_write', (it, f, e) => {
  const [target, value] = e.args;
  if (target === undefined || value === undefined) return undefined;
  assignTo(it, f, target, evaluate(it, f, value), e.at);
  return 0;
});
define('IS_ENABLED IS_BUILTIN IS_MODULE IS_REACHABLE', (it, f, e) => {
  const x = e.args[0];
  if (x?.k === 'name')
    return it.unknowns.named(`IS_ENABLED(${x.name})`, { k: 'int', bits: 32, signed: true });
  return x === undefined ? undefined : evaluate(it, f, x);
});
