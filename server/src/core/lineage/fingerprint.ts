import { type Expr, type Init, MODULE_NAME_PLACEHOLDER } from '../csource/ir';
import type { CType } from '../csource/types';
import type { Unit } from '../csource/unit';
import type { LivepatchFacts } from '../execution/fact-types';
import { visitExpression, visitExpressions } from '../execution/ir-walk';
import type { Program } from '../execution/machine-host';
import { printModelOf } from '../execution/print-models';

/** What a module does, told in a way that can be compared. */
export interface Behaviour {
  readonly fingerprint: string;
  /** Whether it does something with its own name but print it. */
  readonly asksName: boolean;
  /** Every string that it does something with but print it, and the objects of the livepatch. */
  readonly strings: readonly string[];
}

/**
 * Equal fingerprints for equal behaviour of a module in every run: what init, exit, callbacks and whatever they can reach lower
 * to, without positions, and the livepatch's tables. The patched functions themselves are not part of it, for no
 * run calls them: an edit in one of them must not cost a run.
 */
export function behaviourOf(program: Program, facts: LivepatchFacts): Behaviour {
  const walk = new Walk(program);
  for (const root of [facts.init?.name, facts.exit?.name]) if (root !== undefined) walk.name(root);
  for (const patch of facts.patches) {
    walk.name(patch.variable);
    for (const object of patch.objects ?? [])
      for (const callback of object.callbacks) walk.name(callback.function);
  }
  for (const unit of program.units) {
    // Also where they are defined nowhere: the first to be found is called, and that one has no source.
    walk.parts.push(`${unit.moduleInit?.function} ${unit.moduleExit?.function}`);
    walk.parts.push(
      `${unit.parameters.map((it) => `${it.name}=${it.variable}:${it.type}:${it.permissions}`).join()}`,
    );
    walk.parts.push(
      unit.calls
        .filter((call) => call.macro === 'MODULE_INFO')
        .map((call) => call.args.join())
        .join(';'),
    );
  }
  walk.parts.push(tables(facts));
  for (const { objects } of facts.patches)
    for (const object of objects ?? []) if (object.name !== null) walk.strings.add(object.name);
  return { fingerprint: walk.parts.join('|'), asksName: walk.asksName, strings: [...walk.strings] };
}

/** The livepatch's tables by their values. */
function tables(facts: LivepatchFacts): string {
  return JSON.stringify(
    facts.patches.map((patch) => [
      patch.replace,
      patch.mod.set,
      patch.states.map((state) => [state.id, state.version]),
      (patch.objects ?? []).map((object) => [
        object.name,
        (object.functions ?? []).map((fn) => [fn.old, fn.new, fn.sympos]),
        object.callbacks.map((callback) => [callback.callback, callback.function]),
      ]),
    ]),
  );
}

class Walk {
  readonly parts: string[] = [];
  readonly strings = new Set<string>();
  asksName = false;
  readonly #units: readonly Unit[];
  readonly #seen = new Set<string>();

  constructor(program: Program) {
    this.#units = program.units;
  }

  /** A name with linkage. One that several units define is taken from all of them: static ones may differ. */
  name(name: string): void {
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    for (const unit of this.#units) {
      const fn = unit.lower(name);
      if (fn) {
        this.parts.push(fn.fingerprint);
        visitExpressions(fn.body, this.#visitor());
        for (const local of fn.statics) if (local.init) this.#init(local.init);
      }
      const variable = unit.variable(name);
      if (variable) {
        if (isFunctionTable(variable.type)) continue;
        this.parts.push(variable.fingerprint);
        if (variable.init) this.#init(variable.init);
      }
    }
  }

  /** Outer expressions come before inner ones: a call that prints tells which of those to come are only printed. */
  #visitor(): (expr: Expr) => void {
    const printed = new Set<Expr>();
    return (expr) => {
      if (expr.k === 'call' && expr.callee.k === 'name' && printModelOf(expr.callee.name))
        for (const arg of expr.args) printed.add(arg);
      else if (expr.k === 'name' && expr.name === 'KBUILD_MODNAME') this.asksName ||= !printed.has(expr);
      else if (expr.k === 'name') this.name(expr.name);
      else if (expr.k === 'string' && !printed.has(expr)) {
        this.strings.add(expr.value);
        this.asksName ||= expr.value.includes(MODULE_NAME_PLACEHOLDER);
      }
    };
  }

  #init(init: Init): void {
    if (init.k === 'value') {
      visitExpression(init.value, this.#visitor());
      return;
    }
    for (const element of init.elements) {
      const [first] = element.designators;
      if (first?.k === 'field' && first.name === 'new_func') continue;
      this.#init(element.init);
    }
  }
}

/** struct klp_func, or an array of them: its functions are patched in, not called. */
function isFunctionTable(type: CType): boolean {
  if (type.k === 'array') return isFunctionTable(type.of);
  return type.k === 'struct' && type.tag === 'klp_func';
}
