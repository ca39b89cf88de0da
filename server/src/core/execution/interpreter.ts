import type { Positions } from '../csource/ir';
import { placeIn } from '../csource/item-places';
import type { CType } from '../csource/types';
import type { InstanceId } from '../kernel/types';
import type { Certainty, Place } from '../place';
import type { ExecutionLibrary, MachineServices } from './api';
import type { ApiState } from './api-state';
import { declaredContent } from './declared';
import type { Actor, Fault } from './effects';
import { Frame } from './frames';
import { isErrorPointer, toInteger, wrap } from './integers';
import { compute } from './interpreter-arithmetic';
import { callFunction } from './interpreter-calls';
import { writeInitialiser } from './interpreter-initialisers';
import { firstScalar } from './interpreter-pointers';
import type { KernelNames } from './kernel-names';
import type { MachineHost } from './machine-host';
import { type Block, Memory, type PristineBlocks } from './memory';
import { moduleCell } from './module-cells';
import type { Printer } from './printer';
import { type ProgramImage, slotOf, staticBlock } from './program';
import { shareBlock, sharedBlock } from './shared-data';
import type { TaskList } from './tasks';
import type { TaskTrace } from './traces';
import { type KnownValues, Unknowns } from './unknowns';
import type { BlockId, FunctionValue, Pointer, StringPointer, Unknown, Value } from './values';

/** A module in memory. */
export interface LoadedModule {
  readonly instance: InstanceId;
  readonly image: ProgramImage;
  /** Static data as the initialisers leave it, by slot; shared by all clones. */
  readonly pristine: Map<number, Block>;
}

/** Thrown when a run has used up its steps. */
export class BudgetSpent extends Error {}

export const STEP_BUDGET = 100_000;
export const LOOP_BUDGET = 10_000;
/** The same for all calls once too many ran too long. */
export const SHORT_STEP_BUDGET = 2_000;
export const SHORT_LOOP_BUDGET = 200;
export const CALL_DEPTH = 120;
/** What a new unknown costs a call that has made many, and every fault: they are kept and looked at long after it. */
const STEPS_PER_UNKNOWN = 25;

export interface InterpreterParts {
  readonly host: MachineHost;
  readonly kernel: KernelNames;
  readonly library: ExecutionLibrary;
  readonly state: ApiState;
  readonly tasks: TaskList;
  readonly printer: Printer;
  readonly modules: Map<InstanceId, LoadedModule>;
  readonly flip: number | null;
  readonly failures: Map<string, number>;
}

/**
 * Runs the intermediate form: plain recursion over its nodes. This class holds what all parts of the interpreter
 * share: memory, unknowns, faults, and the trace that lets a suspended task be run again up to where it stood.
 */
export class Interpreter implements PristineBlocks, KnownValues {
  readonly memory: Memory;
  readonly unknowns: Unknowns;
  readonly host: MachineHost;
  readonly kernel: KernelNames;
  readonly library: ExecutionLibrary;
  /** Set by the machine that owns this interpreter. */
  services!: MachineServices;
  readonly state: ApiState;
  readonly tasks: TaskList;
  readonly printer: Printer;
  readonly modules: Map<InstanceId, LoadedModule>;
  readonly failures: Map<string, number>;
  /** The task that is running, while what it does is recorded; null within a model and for all other code. */
  trace: TaskTrace | null = null;
  steps = 0;
  unknownsMade = 0;
  /** How long the call may run, and each of its loops; whether it, or one of them, came to that end. */
  budget = STEP_BUDGET;
  turns = LOOP_BUDGET;
  overran = false;
  /** Steps of all calls since this interpreter was made. */
  spent = 0;
  /** Counts what static data may take from the state of the world: values loaded, branches, names of other modules. */
  worldly = 0;
  depth = 0;
  /** How many models are on the stack. */
  modelDepth = 0;
  /** The call that is running. */
  frame: Frame | null = null;

  constructor(parts: InterpreterParts, from?: Interpreter) {
    this.host = parts.host;
    this.kernel = parts.kernel;
    this.library = parts.library;
    this.state = parts.state;
    this.tasks = parts.tasks;
    this.printer = parts.printer;
    this.modules = parts.modules;
    this.failures = parts.failures;
    this.memory = from === undefined ? new Memory(this) : from.memory.clone(this);
    this.unknowns =
      from === undefined ? new Unknowns(this, parts.flip) : from.unknowns.clone(this, parts.flip);
  }

  // --- blocks ---

  open(id: BlockId): Block | undefined {
    const known = this.kernel.block(id);
    if (known !== undefined) return known;
    const { instance, slot } = slotOf(id);
    const module = this.modules.get(instance);
    if (module === undefined) return this.kernel.removed(id, instance);
    const block = module.pristine.get(slot);
    if (block !== undefined) return block;
    let made = sharedBlock(module.image, instance, slot);
    if (made === undefined) {
      const before = this.worldly;
      made = this.initialise(module, id, slot);
      if (made !== undefined && before === this.worldly) shareBlock(module.image, instance, slot, made);
    }
    if (made !== undefined) module.pristine.set(slot, made);
    return made;
  }

  private initialise(module: LoadedModule, id: BlockId, index: number): Block | undefined {
    const slot = module.image.slot(index);
    if (slot === undefined) return undefined;
    const layout = slot.unit?.layout ?? null;
    const scratch = new Memory(this);
    const block = scratch.place({
      id,
      kind: 'static',
      owner: module.instance,
      label: slot.name,
      type: slot.type,
      layout,
      fill: 'zero',
      dead: null,
    });
    if (slot.unit === null) return block;
    // Initialisers may lead back here: they then see zeroes.
    module.pristine.set(index, block);
    const frame = this.staticFrame(module, slot.unit.index, slot.positions);
    const init = slot.ir?.init ?? slot.literal?.init ?? null;
    if (slot.declaredBy !== null) declaredContent(this, frame, scratch, block, slot.declaredBy);
    else if (init !== null && slot.type !== null)
      writeInitialiser(this, frame, scratch, id, '', slot.type, init);
    return scratch.block(id);
  }

  /** A frame for what is evaluated outside any function. */
  staticFrame(module: LoadedModule, unit: number, positions: Positions | null): Frame {
    const image = module.image;
    const unitImage = image.units[unit] ?? image.units[0];
    if (unitImage === undefined) throw new RangeError('a program without units has no static data');
    return new Frame(null, null, image, unitImage, module.instance, 'static', null, positions, '');
  }

  behind(id: string): Pointer {
    return { k: 'pointer', block: this.kernel.behind(id), path: '' };
  }

  staticPointer(instance: InstanceId, slot: number): Pointer {
    return { k: 'pointer', block: staticBlock(instance, slot), path: '' };
  }

  /** A new block for a local or a compound literal; it ends with the frame. */
  stackBlock(frame: Frame, label: string, type: CType): BlockId {
    const trace = this.trace;
    if (trace?.replaying) return trace.next() as BlockId;
    const id = this.memory.create('stack', frame.instance, label, 'unknown', type, frame.unit.layout);
    trace?.record(id);
    return id;
  }

  leave(frame: Frame): void {
    if (frame.blocks.length === 0 || this.trace?.replaying) return;
    for (const id of frame.blocks) this.memory.drop(id);
  }

  // --- reading and writing ---

  /** The value of `type` at a place; what cannot be known is a named unknown. */
  load(at: Pointer | StringPointer | null, type: CType, frame: Frame, node: number): Value {
    if (type.k === 'array') return this.decay(at);
    this.worldly++;
    const trace = this.trace;
    if (trace?.replaying) return trace.next() as Value;
    const value = this.read(at, type, frame, node);
    trace?.record(value);
    return value;
  }

  /** An array used as a value is the address of its first element. */
  private decay(at: Pointer | StringPointer | null): Value {
    if (at === null) return { k: 'unknown', id: '(array behind an invalid pointer)' };
    return at.k === 'string' ? at : { k: 'pointer', block: at.block, path: `${at.path}[0]` };
  }

  private read(at: Pointer | StringPointer | null, type: CType, frame: Frame, node: number): Value {
    if (at === null) return this.unknowns.fresh('(value behind an invalid pointer)', type);
    if (at.k === 'string') return at.offset < at.text.length ? at.text.charCodeAt(at.offset) : 0;
    const block = this.liveBlock(at, frame, node);
    if (block === null) return this.unknowns.fresh(`(value of freed memory)`, type);
    return this.readBlock(block, at.path, type);
  }

  /** As load, without faults and traces. */
  readBlock(block: Block, path: string, type: CType): Value {
    if (type.k === 'struct') return this.memory.aggregate(block, path);
    if (block.kind === 'static' && block.id === staticBlock(block.owner ?? 0, 0)) {
      const cell = moduleCell(this, block, path);
      if (cell !== undefined) return cell;
    }
    let value = this.memory.load(block, path, type);
    if (value === undefined)
      value = firstScalar(this, block, path, type) ?? this.unwritten(block, path, type);
    if (typeof value === 'number' || typeof value === 'bigint')
      return type.k === 'int' ? toInteger(value, type) : value;
    if (value.k === 'unknown') this.unknowns.note(value, type);
    return value;
  }

  /** What a cell that nobody wrote holds. */
  unwritten(block: Block, path: string, type: CType): Value {
    const fill = this.memory.fillAt(block, path);
    if (fill === 'zero') return 0;
    if (fill === 'named') return this.unknowns.named(this.kernel.cellName(block, path), type);
    return this.unknowns.named(`${block.label}${path}?${block.id}`, type);
  }

  store(at: Pointer | StringPointer | null, type: CType, value: Value, frame: Frame, node: number): void {
    const trace = this.trace;
    if (trace?.replaying) {
      trace.next();
      return;
    }
    trace?.record(0);
    if (at === null || at.k === 'string') return;
    const block = this.liveBlock(at, frame, node);
    if (block === null) return;
    if (block.kind === 'kernel' || block.kind === 'unknown') {
      // An initialiser is no code: half-typed text may make one look like it.
      if (frame.ir === null) return;
      const old = this.readBlock(block, at.path, type);
      this.library.wrote(this.state, this.host, {
        actor: this.actor(frame, node),
        pointer: at,
        label: this.kernel.cellName(block, at.path),
        before: old,
        after: value,
        holds: this.services.instancesBehind(value),
      });
    }
    this.memory.store(this.memory.block(at.block) ?? block, at.path, value, type, frame.positions, node);
  }

  private liveBlock(at: Pointer, frame: Frame, node: number): Block | null {
    const block = this.memory.block(at.block);
    if (block === undefined) {
      this.fault('use-after-free', 'use of a local variable of a function that has returned', frame, node);
      return null;
    }
    if (block.dead !== null) {
      this.fault('use-after-free', `use of ${block.label}${at.path}, ${block.dead}`, frame, node);
      return null;
    }
    return block;
  }

  /** Where a pointer leads; null, after reporting why, where using it is a fault. */
  deref(value: Value, frame: Frame, node: number): Pointer | StringPointer | null {
    if (typeof value === 'object') {
      if (value.k === 'pointer' || value.k === 'string') return value;
      if (value.k === 'unknown') {
        const stands = this.unknowns.stand(value);
        if (isZero(stands) && this.unknowns.assumptions(value.id) !== '') {
          this.fault('null-dereference', `${value.id} may be NULL here`, frame, node, 'may');
          return null;
        }
        return this.behind(value.id);
      }
      return value.k === 'function' ? this.behind(`code of ${value.name}`) : null;
    }
    const address = wrap(value, 64, false);
    if (typeof address === 'number' && address < 4096) {
      this.fault(
        'null-dereference',
        address === 0 ? 'NULL pointer dereference' : `dereference of address ${address}`,
        frame,
        node,
      );
      return null;
    }
    if (isErrorPointer(address)) {
      this.fault(
        'null-dereference',
        `dereference of an error pointer (${wrap(address, 64, true)})`,
        frame,
        node,
      );
      return null;
    }
    return this.behind(`0x${address.toString(16)}`);
  }

  // --- decisions ---

  truth(value: Value, frame: Frame, node: number): boolean {
    if (typeof value === 'number') return value !== 0;
    if (typeof value === 'bigint') return true;
    if (value.k !== 'unknown') return true;
    this.worldly++;
    const trace = this.trace;
    if (trace?.replaying) return trace.next() === 1;
    const result = this.unknowns.truth(value, () => this.place(frame, node));
    trace?.record(result ? 1 : 0);
    return result;
  }

  compute(op: string, left: Value, right: Value, type: CType): Value {
    return compute(this, op, left, right, type, null);
  }

  worked(steps: number): void {
    this.steps += steps;
  }

  made(): void {
    if (++this.unknownsMade > this.budget / STEPS_PER_UNKNOWN / 4) this.steps += STEPS_PER_UNKNOWN;
  }

  // --- reports ---

  place(frame: Frame | null, node: number): Place | null {
    const positions = frame?.positions ?? null;
    if (positions === null || node < 0) return null;
    return placeIn(positions, node);
  }

  actor(frame: Frame, node: number): Actor {
    const place = this.place(frame, node) ?? { file: frame.unit.unit.file, start: 0, end: 0 };
    return { instance: frame.instance, during: frame.during, function: frame.name, place };
  }

  fault(fault: Fault, text: string, frame: Frame, node: number, certainty: Certainty = 'must'): void {
    if (this.trace?.replaying) return;
    this.steps += STEPS_PER_UNKNOWN;
    this.host.effect({ k: 'fault', fault, text, by: this.actor(frame, node), certainty });
  }

  // --- calls from outside ---

  /** Calls a module's function; the value it returns. */
  invoke(callee: FunctionValue, args: readonly Value[], during: string, caller: Frame | null): Value {
    return callFunction(this, callee, args, during, caller);
  }

  /** Counts a statement; throws where there were too many. */
  step(): void {
    if (++this.steps <= this.budget) return;
    this.overran = true;
    throw new BudgetSpent();
  }

  /** Says that a loop was left before its end. */
  loopLeft(what: string, frame: Frame, node: number): void {
    this.overran = true;
    this.host.unknown({
      kind: 'budget',
      text: `${what} ${this.turns} times`,
      place: this.place(frame, node),
    });
  }

  unknown(text: string, type: CType): Unknown {
    return this.unknowns.fresh(text, type);
  }
}

export function isZero(value: Value | undefined): boolean {
  return value === 0;
}
