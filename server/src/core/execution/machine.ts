import type { CallbackKind, InstanceId, PatchImage } from '../kernel/types';
import type { ExecutionLibrary, MemoryReader, PatchRecord } from './api';
import { executionLibrary } from './api-models';
import { takeFailure } from './context';
import type { Effect } from './effects';
import { type HandedOver, handedOver } from './handed-over';
import {
  BudgetSpent,
  Interpreter,
  LOOP_BUDGET,
  type LoadedModule,
  SHORT_LOOP_BUDGET,
  SHORT_STEP_BUDGET,
  STEP_BUDGET,
} from './interpreter';
import { KernelNames } from './kernel-names';
import type { CallbackRequest, Decision, MachineHost, Program } from './machine-host';
import { Overruns } from './overruns';
import { insertParameters, writeParameter } from './parameters';
import { Printer } from './printer';
import { ProgramImage } from './program';
import { Reader } from './reading';
import { type HandedPatch, Services } from './services';
import { patchRecord } from './shared-data';
import { stateKey } from './state-key';
import { TaskList } from './tasks';
import { Suspended } from './traces';
import { type FunctionValue, isInteger, type Pointer, type Value } from './values';

/** A function and the module that it is in; null for vmlinux. */
export interface NamedFunction {
  readonly object: string | null;
  readonly name: string;
}

export interface MachineOptions {
  /** Index of the decision (counted from this machine's creation or cloning) that takes the other way, once. */
  readonly flip?: number;
  /** Models of kernel functions; those of the shipped catalogue if absent. */
  readonly library?: ExecutionLibrary;
  /** Shared with all that belongs to the same analysis; that of the machine that is cloned if absent. */
  readonly overruns?: Overruns;
}

/**
 * The memory and running code of all modules of one kernel: what a module's init, exit, callbacks and work items do.
 * Which of them runs when is the kernel model's business, which stands behind the host.
 */
export class Machine {
  private readonly it: Interpreter;
  private readonly handed: Map<InstanceId, HandedPatch>;
  private readonly library: ExecutionLibrary;
  private readonly overruns: Overruns;

  constructor(
    private readonly host: MachineHost,
    options: MachineOptions = {},
    from?: Machine,
  ) {
    this.library = options.library ?? from?.library ?? executionLibrary();
    this.overruns = options.overruns ?? from?.overruns ?? new Overruns();
    this.handed = new Map(from?.handed);
    this.it = new Interpreter(
      {
        host,
        library: this.library,
        flip: options.flip ?? null,
        kernel: from?.it.kernel ?? new KernelNames(),
        state: from?.it.state.clone() ?? this.library.createState(),
        tasks: from?.it.tasks.clone() ?? new TaskList(),
        printer: new Printer((text) => host.log(text)),
        modules: new Map(from?.it.modules),
        failures: new Map(from?.it.failures),
      },
      from?.it,
    );
    this.it.services = new Services(this.it, this.handed, (instance, patch) => this.enable(instance, patch));
  }

  /** Puts a module into memory: 0, or the negative errno with which its parameters are refused. */
  insert(instance: InstanceId, program: Program, parameters: ReadonlyMap<string, string>): number {
    const module: LoadedModule = { instance, image: ProgramImage.of(program), pristine: new Map() };
    this.it.modules.set(instance, module);
    const result = insertParameters(this.it, module, parameters, (line) =>
      this.it.printer.print(`${line}\n`, false),
    );
    if (result !== 0) this.remove(instance);
    return result;
  }

  /** The module's memory goes away; pointers into it dangle. */
  remove(instance: InstanceId): void {
    this.it.modules.delete(instance);
    this.it.memory.dropOwned(instance);
    this.handed.delete(instance);
    for (const key of this.it.failures.keys())
      if (key.startsWith(`${instance}:`)) this.it.failures.delete(key);
  }

  /** Runs the module's init: 0 or a negative errno; 0 where there is none. */
  init(instance: InstanceId): number {
    return this.edge(instance, 'init');
  }

  exit(instance: InstanceId): void {
    this.edge(instance, 'exit');
  }

  private edge(instance: InstanceId, during: 'init' | 'exit'): number {
    const module = this.it.modules.get(instance);
    for (const unit of module?.image.units ?? []) {
      const entry = during === 'init' ? unit.unit.moduleInit : unit.unit.moduleExit;
      if (entry === null) continue;
      const fn: FunctionValue = { k: 'function', name: entry.function, instance, unit: unit.index };
      return this.answer(this.outside(() => this.it.invoke(fn, [], during, null)));
    }
    return 0;
  }

  /** Runs one callback of a patch that was handed over. Its result, which counts for pre_patch: 0 or a negative errno. */
  callback(request: CallbackRequest): number {
    const record = this.handed.get(request.patch)?.record;
    const object = record?.objectPointers[request.object];
    if (record === undefined || object === undefined) return 0;
    const reader = new Reader(this.it);
    const mod: Value = request.target === null ? 0 : this.it.staticPointer(request.target, 0);
    this.poke(reader.at(object, '.mod'), mod);
    const callee = record.callbackValues[request.object]?.[request.callback];
    if (callee === undefined) return 0;
    return this.run(callee, object, request.callback);
  }

  private run(callee: Value, object: Pointer, callback: CallbackKind): number {
    if (typeof callee !== 'object' || callee.k !== 'function' || callee.instance === null) {
      this.host.unknown({ kind: 'opaque-call', text: callback, place: null });
      return 0;
    }
    const result = this.outside(() => this.it.invoke(callee, [object], callback, null));
    return callback === 'pre_patch' ? this.answer(result) : 0;
  }

  /** A write to the module's parameter in sysfs: 0, -ENOENT, -EACCES or what the value is refused with. */
  setParameter(instance: InstanceId, name: string, value: string): number {
    const module = this.it.modules.get(instance);
    return module === undefined ? -2 : writeParameter(this.it, module, name, value);
  }

  /** The next call of this kernel function by this module fails with `errno` (positive); `f#2`: the one after it. */
  failNext(instance: InstanceId, kernelFunction: string, errno: number): void {
    this.it.failures.set(`${instance}:${kernelFunction}`, errno);
  }

  /** Calls that were to fail and have not been made; `f#2`: one more than the next is still to come. */
  pendingFailures(): readonly { readonly instance: InstanceId; readonly function: string }[] {
    return [...this.it.failures.keys()].map((key) => {
      const colon = key.indexOf(':');
      return { instance: Number(key.slice(0, colon)), function: key.slice(colon + 1) };
    });
  }

  /** Whether any task is under way or waits for its turn. */
  hasTasks(): boolean {
    return this.it.tasks.list().length > 0;
  }

  /** The errno (positive) with which a call that the kernel makes for this module fails now; null where it succeeds. */
  takeFailure(instance: InstanceId, kernelFunction: string): number | null {
    return takeFailure(this.it.failures, instance, kernelFunction);
  }

  /** The modules in whose functions among these (`object` null for vmlinux) a suspended task stands; '' for vmlinux. */
  standingIn(functions: readonly NamedFunction[]): ReadonlySet<string> {
    const modules = new Set<string>();
    const tasks = this.it.tasks.list();
    const wanted = new Set(functions.map((fn) => `${fn.object ?? ''}:${fn.name}`));
    for (const { instance, name } of tasks.flatMap((task) => task.stack)) {
      const module = instance === null ? null : this.it.modules.get(instance);
      if (module === undefined) continue;
      const of = module?.image.program.name ?? '';
      if (wanted.has(`${of}:${name}`)) modules.add(of);
    }
    return modules;
  }

  /** Every queued work item and suspended task gets one turn; without `waiting` not what waits for its time. */
  runTasks(waiting = true): void {
    this.outside(() => {
      this.it.tasks.turns(this.it, (task) => waiting || task.trace !== null || !task.queued.waits);
      return 0;
    });
  }

  /** Side effects in force. */
  effects(): readonly Effect[] {
    return this.it.state.ledger.effects();
  }

  /** Branches on unknown values since this machine was made or cloned. */
  decisions(): readonly Decision[] {
    return this.it.unknowns.decisions();
  }

  /** Steps of the interpreter since this machine was made or cloned: what a run costs, the same each time. */
  get spent(): number {
    return this.it.spent;
  }

  /** A machine in the same state that goes its own way; costs as much as there are changed blocks. */
  clone(host: MachineHost, options: MachineOptions = {}): Machine {
    return new Machine(host, options, this);
  }

  /** Equal for equal states: block and instance numbers renamed, unreachable memory dropped. */
  key(nameIn: (module: string) => string = (module) => module): string {
    return stateKey(this.it, this.handed, nameIn);
  }

  /** The patch as handed to klp_enable_patch(), or null. */
  image(instance: InstanceId): PatchImage | null {
    return this.handed.get(instance)?.record.image ?? null;
  }

  /** The whole record of that patch, with pointers to its parts. */
  record(instance: InstanceId): PatchRecord | null {
    return this.handed.get(instance)?.record ?? null;
  }

  /** What another module could find through state data and shadow variables as they are now. */
  handedOver(): HandedOver {
    return handedOver(this.it, this.handed);
  }

  /** What kind of memory a pointer leads to; 'none' for what is no pointer. */
  memoryKind(value: Value): 'static' | 'heap' | 'stack' | 'kernel' | 'none' {
    return this.it.services.memoryKind(value);
  }

  /** Reads memory without side effects. */
  reader(): MemoryReader {
    return new Reader(this.it);
  }

  /** The address of a module's variable or the value of its function, by the name it has in some unit; null if none. */
  symbol(instance: InstanceId, name: string): Pointer | FunctionValue | null {
    const module = this.it.modules.get(instance);
    for (const unit of module?.image.units ?? []) {
      const ref = module?.image.resolve(unit, name);
      if (ref?.k === 'variable') return this.it.staticPointer(instance, ref.slot);
      if (ref?.k === 'function')
        return { k: 'function', name, instance, ...(ref.static ? { unit: ref.unit.index } : {}) };
    }
    return null;
  }

  /** Calls a function of a module with values; for facts about what a patched function does. */
  call(instance: InstanceId, name: string, args: readonly Value[], during: string): Value {
    const fn = this.symbol(instance, name);
    if (fn?.k !== 'function') return { k: 'unknown', id: `${name}()` };
    return this.outside(() => this.it.invoke(fn, args, during, null));
  }

  private enable(instance: InstanceId, patch: Value): number {
    if (typeof patch !== 'object' || patch.k !== 'pointer') return -22;
    const record = patchRecord(this.it, instance, patch, this.library.readPatch);
    this.handed.set(instance, { pointer: patch, record });
    this.it.printer.flush();
    const result = this.host.enablePatch(instance, record.image);
    return result;
  }

  private poke(pointer: Pointer, value: Value): void {
    const block = this.it.memory.block(pointer.block);
    if (block === undefined || block.dead !== null) return;
    this.it.memory.store(block, pointer.path, value, { k: 'unknown', name: '' }, null, -1);
  }

  /** The result of an init or a pre_patch. Whether an unknown one is a failure is decided here: nobody branches on it. */
  private answer(value: Value): number {
    if (typeof value === 'object' && value.k === 'unknown') this.it.unknowns.truth(value, () => null);
    return this.number(value);
  }

  /** The number that stands for a result. */
  private number(value: Value): number {
    const known = isInteger(value) ? value : this.it.unknowns.stand(value);
    if (known === undefined || !isInteger(known)) return 0;
    return Number(BigInt.asIntN(32, BigInt(known)));
  }

  /** Runs code that no other code called: with a fresh budget, and a closed line at the end. */
  private outside(body: () => Value): Value {
    const it = this.it;
    const saved = {
      trace: it.trace,
      frame: it.frame,
      depth: it.depth,
      modelDepth: it.modelDepth,
      steps: it.steps,
      overran: it.overran,
      running: it.tasks.running,
    };
    it.trace = null;
    it.frame = null;
    it.depth = 0;
    it.modelDepth = 0;
    it.steps = 0;
    it.unknownsMade = 0;
    it.overran = false;
    const short = this.overruns.tooMany;
    it.budget = short ? SHORT_STEP_BUDGET : STEP_BUDGET;
    it.turns = short ? SHORT_LOOP_BUDGET : LOOP_BUDGET;
    it.tasks.running = null;
    try {
      return body();
    } catch (thrown) {
      // The stack of the interpreter itself can run out before the other budgets do.
      if (thrown instanceof BudgetSpent || thrown instanceof RangeError) {
        it.overran = true;
        this.host.unknown({ kind: 'budget', text: 'the call runs too long', place: null });
        return it.unknown('(result of a call that ran too long)', { k: 'int', bits: 32, signed: true });
      }
      if (thrown instanceof Suspended) return 0;
      throw thrown;
    } finally {
      it.spent += it.steps;
      if (it.overran) this.overruns.lost += it.steps;
      it.trace = saved.trace;
      it.frame = saved.frame;
      it.depth = saved.depth;
      it.modelDepth = saved.modelDepth;
      it.steps = saved.steps;
      it.overran = saved.overran;
      it.tasks.running = saved.running;
      it.printer.flush();
    }
  }
}
