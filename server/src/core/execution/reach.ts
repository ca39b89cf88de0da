import type { Expr, FunctionIr, Init, Positions, VariableIr } from '../csource/ir';
import { placeIn } from '../csource/item-places';
import type { CType } from '../csource/types';
import type { Unit } from '../csource/unit';
import type { Place } from '../place';
import { visitExpression, visitExpressions } from './ir-walk';
import type { Program } from './machine-host';

/** A function of the module: static names belong to their unit. */
export interface FunctionNode {
  readonly unit: Unit;
  readonly name: string;
  readonly ir: FunctionIr;
  /** Calls of functions that are not the module's own. */
  readonly calls: readonly KernelCall[];
  /** The module's own functions that it calls by name. */
  readonly own: readonly string[];
}

export interface KernelCall {
  readonly callee: string;
  readonly args: readonly Expr[];
  readonly place: Place;
}

/** A call that knows where it is when somebody asks. */
class CallAt implements KernelCall {
  constructor(
    readonly callee: string,
    readonly args: readonly Expr[],
    private readonly positions: Positions,
    private readonly at: number,
  ) {}

  get place(): Place {
    return placeIn(this.positions, this.at);
  }
}

/** How a function is run when its address is handed to this kernel function, and in which argument it stands. */
const DEFERRED: Readonly<Record<string, readonly [from: string, argument: number]>> = {
  INIT_WORK: ['work', 1],
  INIT_WORK_ONSTACK: ['work', 1],
  INIT_DELAYED_WORK: ['work', 1],
  INIT_DEFERRABLE_WORK: ['work', 1],
  init_irq_work: ['work', 1],
  tasklet_setup: ['work', 1],
  call_rcu: ['work', 1],
  timer_setup: ['timer', 1],
  hrtimer_setup: ['timer', 1],
  kthread_run: ['thread', 0],
  kthread_create: ['thread', 0],
  kthread_run_on_cpu: ['thread', 0],
  kthread_create_on_node: ['thread', 1],
  kthread_create_on_cpu: ['thread', 0],
};
/** How a function is run that stands in a static object of this type. */
const DEFERRED_TYPES: Readonly<Record<string, string>> = {
  work_struct: 'work',
  delayed_work: 'work',
  irq_work: 'work',
  tasklet_struct: 'work',
  timer_list: 'timer',
  hrtimer: 'timer',
};
/** Kernel functions that run what they are handed at once, or that only save it. */
const AT_ONCE = new Set([
  'klp_shadow_alloc',
  'klp_shadow_get_or_alloc',
  'klp_shadow_free',
  'klp_shadow_free_all',
  'kref_put',
  'on_each_cpu',
  'smp_call_function',
  'smp_call_function_single',
  'stop_machine',
  'for_each_process',
  'kallsyms_on_each_symbol',
  'bus_for_each_dev',
  'driver_for_each_device',
  'class_for_each_device',
  'device_for_each_child',
  'idr_for_each',
  'sort',
  'bsearch',
  'list_sort',
]);
/** The livepatch's own tables: what they hold is reached as callback or patched function, not through a reference. */
const TABLES = new Set(['klp_patch', 'klp_object', 'klp_func', 'klp_callbacks', 'klp_state']);

/** Something a function refers to: how the target is then run. */
interface Reference {
  readonly name: string;
  /** null: as the referring function is. */
  readonly from: string | null;
}

/** What of a function's body matters here, in the order of the text; the same whatever module the function is in. */
type Mention =
  | {
      readonly k: 'call';
      readonly callee: Expr;
      readonly name: string;
      readonly args: readonly Expr[];
      /** The number of its stretch of text. */
      readonly at: number;
    }
  /** Stored in a member of an object. */
  | { readonly k: 'stored'; readonly value: Extract<Expr, { k: 'name' }> }
  | { readonly k: 'name'; readonly expr: Extract<Expr, { k: 'name' }> };

/** Versions share most of their functions, and edits only move most of them: each body is looked through once. */
const MENTIONS = new WeakMap<FunctionIr['body'], readonly Mention[]>();

interface Summary {
  readonly node: FunctionNode;
  readonly references: readonly Reference[];
}

/** A unit's functions as they are where none of the names they use is another unit's: so it is in most modules. */
interface LoneUnit {
  readonly summaries: ReadonlyMap<string, Summary>;
  /** What its functions call or store beside each other. */
  readonly foreign: ReadonlySet<string>;
  /** Its functions that other units can call. */
  readonly exported: readonly string[];
}

/** Versions share most of their units. */
const LONE = new WeakMap<Unit, LoneUnit>();

const NOWHERE: readonly string[] = [];
const NO_CALLS: readonly KernelCall[] = [];
const NO_REFERENCES: readonly Reference[] = [];

/** Which functions of a module can be reached from where, function pointers taken included. */
export class CallGraph {
  readonly #units: readonly Unit[];
  readonly #summaries = new Map<Unit, ReadonlyMap<string, Summary>>();
  readonly #reached = new Map<FunctionNode, Set<string>>();
  readonly #seenVariables = new Set<string>();
  /** The first unit that exports a function of this name. */
  readonly #exporting = new Map<string, Unit>();

  constructor(program: Program) {
    this.#units = program.units;
    for (const unit of this.#units) {
      for (const name of loneUnit(unit).exported)
        if (!this.#exporting.has(name)) this.#exporting.set(name, unit);
    }
  }

  /** Every function of the module, unit by unit. */
  *functions(): Iterable<FunctionNode> {
    for (const unit of this.#units) for (const { node } of this.#of(unit).values()) yield node;
  }

  /** What a name means in a unit: its own function, or one that another unit exports to it. */
  find(name: string, unit: Unit | null): FunctionNode | null {
    const own = unit && this.#of(unit).get(name);
    if (own) return own.node;
    const other =
      unit === null ? this.#units.find((it) => it.functions.has(name)) : this.#exporting.get(name);
    return (other && this.#of(other).get(name)?.node) ?? null;
  }

  /** Marks all that running this function can run; `from` is 'init', 'exit', a callback kind, 'patched'. */
  reach(root: FunctionNode, from: string): void {
    const queue: (readonly [FunctionNode, string])[] = [[root, from]];
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [node, origin] = next;
      let marks = this.#reached.get(node);
      if (!marks) this.#reached.set(node, (marks = new Set()));
      if (marks.has(origin)) continue;
      marks.add(origin);
      for (const reference of this.#of(node.unit).get(node.name)?.references ?? []) {
        const target = this.find(reference.name, node.unit);
        if (target) queue.push([target, reference.from ?? origin]);
        else for (const held of this.#heldBy(reference.name, node.unit)) queue.push(held);
      }
    }
  }

  isReachedFrom(node: FunctionNode, from: string): boolean {
    return this.#reached.get(node)?.has(from) ?? false;
  }

  /** Every function that is reached from there. */
  *reached(from: string): Iterable<FunctionNode> {
    for (const [node, marks] of this.#reached) if (marks.has(from)) yield node;
  }

  /** Sorted. */
  reachedFrom(node: FunctionNode): readonly string[] {
    const marks = this.#reached.get(node);
    return marks ? [...marks].sort() : NOWHERE;
  }

  #of(unit: Unit): ReadonlyMap<string, Summary> {
    const known = this.#summaries.get(unit);
    if (known) return known;
    const lone = loneUnit(unit);
    const made = this.#callsOthers(lone) ? this.#withOthers(unit, lone) : lone.summaries;
    this.#summaries.set(unit, made);
    return made;
  }

  #withOthers(unit: Unit, { summaries }: LoneUnit): ReadonlyMap<string, Summary> {
    const isOwn = (name: string): boolean => unit.functions.has(name) || this.#exporting.has(name);
    return new Map(
      [...summaries].map(([name, { node }]) => [name, summarise(unit, name, node.ir, isOwn)] as const),
    );
  }

  #callsOthers({ foreign }: LoneUnit): boolean {
    for (const name of this.#exporting.keys()) if (foreign.has(name)) return true;
    return false;
  }

  /** Functions in a static object that somebody refers to: the kernel runs them when it likes. */
  #heldBy(name: string, unit: Unit): (readonly [FunctionNode, string])[] {
    const key = `${this.#units.indexOf(unit)}:${name}`;
    if (this.#seenVariables.has(key)) return [];
    this.#seenVariables.add(key);
    const [owner, variable] = this.#variable(name, unit);
    if (!owner || !variable?.init) return [];
    const tag = tagOf(variable.type);
    if (tag !== null && TABLES.has(tag)) return [];
    const from =
      (tag !== null && Object.hasOwn(DEFERRED_TYPES, tag) ? DEFERRED_TYPES[tag] : undefined) ?? 'event';
    const found: (readonly [FunctionNode, string])[] = [];
    visitInit(variable.init, (expr) => {
      if (expr.k !== 'name') return;
      const target = this.find(expr.name, owner);
      if (target) found.push([target, from]);
      else found.push(...this.#heldBy(expr.name, owner));
    });
    return found;
  }

  #variable(name: string, unit: Unit): [Unit | null, VariableIr | undefined] {
    if (unit.variables.has(name)) return [unit, unit.variable(name)];
    for (const other of this.#units) {
      const item = other.variables.get(name);
      if (item && !item.static && item.hasInitialiser) return [other, other.variable(name)];
    }
    return [null, undefined];
  }
}

function loneUnit(unit: Unit): LoneUnit {
  const known = LONE.get(unit);
  if (known) return known;
  const foreign = new Set<string>();
  const isOwn = (name: string): boolean => {
    if (unit.functions.has(name)) return true;
    foreign.add(name);
    return false;
  };
  const summaries = new Map<string, Summary>();
  for (const name of unit.functions.keys()) {
    const ir = unit.lower(name);
    if (ir) summaries.set(name, summarise(unit, name, ir, isOwn));
  }
  const exported = [...unit.functions.values()].filter((item) => !item.static).map((item) => item.name);
  const made = { summaries, foreign, exported };
  LONE.set(unit, made);
  return made;
}

function summarise(unit: Unit, name: string, ir: FunctionIr, isOwn: (callee: string) => boolean): Summary {
  const mentions = mentionsIn(ir);
  if (mentions.length === 0)
    return { node: { unit, name, ir, calls: NO_CALLS, own: NOWHERE }, references: NO_REFERENCES };
  const calls: KernelCall[] = [];
  const own = new Set<string>();
  const references: Reference[] = [];
  /** Names that were dealt with as part of a call. */
  const handled = new Set<Expr>();
  for (const mention of mentions) {
    if (mention.k === 'call') {
      const { name: callee, args } = mention;
      handled.add(mention.callee);
      if (isOwn(callee)) {
        own.add(callee);
        references.push({ name: callee, from: null });
        continue;
      }
      calls.push(new CallAt(callee, args, ir.positions, mention.at));
      for (const [index, arg] of args.entries()) {
        const given = addressed(arg);
        if (!given) continue;
        handled.add(given);
        references.push({ name: given.name, from: handedTo(callee, index) });
      }
    } else if (mention.k === 'stored') {
      // A function pointer that is stored in an object: whoever calls through it does so when it likes.
      if (!isOwn(mention.value.name)) continue;
      handled.add(mention.value);
      references.push({ name: mention.value.name, from: 'event' });
    } else if (!handled.has(mention.expr)) references.push({ name: mention.expr.name, from: null });
  }
  return { node: { unit, name, ir, calls, own: [...own] }, references };
}

function mentionsIn(ir: FunctionIr): readonly Mention[] {
  const known = MENTIONS.get(ir.body);
  if (known) return known;
  const mentions: Mention[] = [];
  const visit = (expr: Expr): void => {
    if (expr.k === 'call' && expr.callee.k === 'name') {
      const { callee, args, at } = expr;
      mentions.push({ k: 'call', callee, name: expr.callee.name, args, at });
    } else if (expr.k === 'assign' && expr.target.k === 'member') {
      const value = addressed(expr.value);
      if (value) mentions.push({ k: 'stored', value });
    } else if (expr.k === 'name') mentions.push({ k: 'name', expr });
  };
  visitExpressions(ir.body, visit);
  for (const variable of ir.statics) if (variable.init) visitInit(variable.init, visit);
  MENTIONS.set(ir.body, mentions);
  return mentions;
}

/** `f` or `&f`. */
export function addressed(expr: Expr): Extract<Expr, { k: 'name' }> | null {
  if (expr.k === 'name') return expr;
  if (expr.k === 'cast') return addressed(expr.of);
  return expr.k === 'unary' && expr.op === '&' ? addressed(expr.of) : null;
}

function handedTo(callee: string, index: number): string | null {
  const deferred = Object.hasOwn(DEFERRED, callee) ? DEFERRED[callee] : undefined;
  if (deferred && deferred[1] === index) return deferred[0];
  return AT_ONCE.has(callee) || deferred ? null : 'event';
}

function tagOf(type: CType): string | null {
  if (type.k === 'struct') return type.tag;
  return type.k === 'array' ? tagOf(type.of) : null;
}

function visitInit(init: Init, visit: (expr: Expr) => void): void {
  if (init.k === 'value') visitExpression(init.value, visit);
  else for (const element of init.elements) visitInit(element.init, visit);
}
