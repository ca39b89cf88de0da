import type { Expr } from '../csource/ir';
import type { CType } from '../csource/types';
import type { CallbackKind, InstanceId, PatchImage } from '../kernel/types';
import type { Certainty, Place } from '../place';
import type { ApiState } from './api-state';
import type { Actor, Fault } from './effects';
import type { MachineHost } from './machine-host';
import type { BlockId, FunctionValue, Pointer, Value } from './values';

/** One call of a kernel function, as its model sees it. */
export interface ApiCall {
  readonly name: string;
  readonly args: readonly Value[];
  /** The arguments' expressions, for types (sizeof) and for the text of unknowns. */
  readonly exprs: readonly Expr[];
  readonly typeArgs: Readonly<Record<number, CType>>;
  readonly type: CType;
  readonly actor: Actor;
}

/**
 * What a model may use. Reading and writing through it reports faults (NULL, freed memory) by itself.
 */
export interface ApiContext {
  readonly call: ApiCall;
  load(pointer: Value): Value;
  store(pointer: Value, value: Value): void;
  /** memcpy(): what lies behind `source`, `bytes` of it where the declared types say what that is, else the object there. */
  copy(target: Value, source: Value, bytes: number | null): void;
  /** As load, but reports nothing: for what the kernel looks at by itself. Unknown where nothing is known. */
  peek(pointer: Pointer): Value;
  /** As store, but reports nothing and no ledger sees it: for what the kernel writes by itself. */
  poke(pointer: Pointer, value: Value): void;
  /** The address of a subobject, as C would write it behind the pointed-at object: ".funcs", "[2].id". */
  at(pointer: Pointer, path: string): Pointer;
  /** `pointer + n` in elements of the array that it points into. */
  element(pointer: Pointer, n: number): Pointer;
  /** New zeroed (or undetermined) heap memory. */
  allocate(options: { readonly zeroed: boolean; readonly label: string }): Pointer;
  /** A new object of the kernel that no source here describes (a proc entry, a task): its members are named unknowns. */
  opaque(label: string): Pointer;
  /** Frees heap memory: reports double free; later uses are use-after-free. */
  free(pointer: Value): void;
  /** A fresh named unknown of the call's type: `tag` keeps it stable across replays. */
  unknown(tag: string): Value;
  /** Decides an unknown outcome: true is the way of success. Asked once per `id`; replay flips it. */
  decide(id: string, success: boolean): boolean;
  /** Calls a function value (constructor, destructor, work function) in the caller's context. */
  invoke(callee: Value, args: readonly Value[], during?: string): Value;
  /** The string a pointer points at, or null if it is not known. */
  string(value: Value): string | null;
  /** A readable, run-independent name of what a value points at: "&acme_nb", "net_status", "0x51". */
  describe(value: Value): string;
  /** printf-style formatting, as the kernel's vsprintf. Unknown values print as a placeholder. */
  format(format: Value, args: readonly Value[]): string;
  log(text: string): void;
  /** printk(): `text` with its newlines; `continued` for pr_cont. */
  print(text: string, continued: boolean): void;
  /** What stands in a printed line for something unknown. */
  readonly placeholder: string;
  fault(fault: Fault, text: string, certainty?: Certainty): void;
  /** Whether the next call of this function was asked to fail (step `fail`): the errno, positive; consumes it. */
  failure(): number | null;
  /** What the models keep beside memory. Part of the machine: cloned with it and part of its key. */
  readonly state: ApiState;
  readonly host: MachineHost;
  readonly machine: MachineServices;
}

/** Services of the machine to the models that need more than memory: livepatch states, modules, tasks. */
export interface MachineServices {
  /** What kind of memory a value points into; 'none' for what is no pointer. */
  memoryKind(value: Value): 'static' | 'heap' | 'stack' | 'kernel' | 'none';
  /** The module instance whose static data or stack a block is, or null (heap and kernel memory have no owner). */
  ownerOf(block: BlockId): InstanceId | null;
  instanceOf(fn: FunctionValue): InstanceId | null;
  /** Instances whose code or data a value leads to: what it points at, and what that heap block or variable points at. */
  instancesBehind(value: Value): readonly InstanceId[];
  /** The same address by its outermost name: `&pair` for `&pair.first`. For what is told apart by address alone. */
  sameAddress(value: Value): Value;
  /** The instance that a `struct module *` stands for, or null; and the other way round. */
  moduleOf(pointer: Value): InstanceId | null;
  modulePointer(instance: InstanceId): Value;
  /** The block of a kernel variable or the kernel function of that name, shared by all modules. */
  kernelSymbol(name: string, kind: 'variable' | 'function'): Value;
  /**
   * Queues a call that the kernel makes later: a work item's function, a timer's, a thread's. `handle` names it for
   * cancelTask; false when it is queued already.
   */
  queueTask(task: QueuedTask): boolean;
  /** Drops a task that has not started. Whether there was one. */
  cancelTask(handle: Value): boolean;
  /** Gives the tasks of this handle (of all handles, for null) turns until they have ended: flush_work and the like. */
  flushTask(handle: Value | null, cancels?: boolean): void;
  /**
   * Waits until `ready` says so, giving the other tasks turns. A caller that is a task itself is suspended, and the
   * whole call is made again on its next turn. False where nothing can make it ready any more (a deadlock).
   */
  wait(ready: () => boolean): boolean;
  /** msleep and the like: a task is suspended until its next turn; anybody else only lets the tasks move. */
  sleep(): void;
  /** klp_enable_patch(): reads the record behind `patch`, keeps it as `instance`'s and asks the kernel model. */
  enablePatch(instance: InstanceId, patch: Value): number;
  /** The struct klp_patch that this instance handed to klp_enable_patch, or null. */
  patchPointer(instance: InstanceId): Pointer | null;
  /** The handle of the task that is running now; null outside tasks. */
  currentTask?(): Value | null;
}

/** Reads memory without reporting anything: what patch records and the ledger's key are read with. */
export interface MemoryReader {
  /** Unknown where nothing is known. */
  peek(pointer: Pointer): Value;
  at(pointer: Pointer, path: string): Pointer;
  element(pointer: Pointer, n: number): Pointer;
  string(value: Value): string | null;
  /** Elements from `pointer` to the end of the declared array that it points into; null where nothing declares it. */
  extent?(pointer: Pointer): number | null;
  /** Where what stands there was written: initialiser element or assignment; null where nothing was. */
  origin?(pointer: Pointer): Place | null;
}

/** A livepatch as read from memory when klp_enable_patch() got it. */
export interface PatchRecord {
  readonly image: PatchImage;
  /** The struct klp_object of each of the image's objects. */
  readonly objectPointers: readonly Pointer[];
  /** The callbacks' function values, object by object. */
  readonly callbackValues: readonly Readonly<Partial<Record<CallbackKind, Value>>>[];
  /** The struct klp_func of each function, object by object; null where `.funcs` is. */
  readonly functionPointers: readonly (readonly Pointer[] | null)[];
  readonly statePointers: readonly Pointer[];
  /** False where `.replace` is not known; the image then says 'nothing'. */
  readonly replaceKnown: boolean;
  /** Arrays that end without their terminating zero element. */
  readonly unterminated: readonly {
    readonly array: 'objects' | 'functions' | 'states';
    readonly pointer: Pointer;
  }[];
  /** What the kernel never sees: elements behind an empty one, and callbacks in the empty one itself. */
  readonly unseen: readonly Unseen[];
  /** False where an element or a member could not be evaluated. */
  readonly complete: boolean;
}

/** An element of a table that the empty element in front of it, or its own lack of name and functions, hides. */
export interface Unseen {
  readonly array: 'objects' | 'functions' | 'states';
  readonly what: 'behind' | 'callbacks';
  readonly table: Pointer;
  readonly pointer: Pointer;
}

/** A plain assignment in C to memory that is not the module's own. */
export interface ForeignWrite {
  readonly actor: Actor;
  readonly pointer: Pointer;
  /** The variable's name with its path, `init_net.ipv4.sysctl_x`; what stands for the address behind an unknown. */
  readonly label: string;
  readonly before: Value;
  readonly after: Value;
  /** MachineServices.instancesBehind(after). */
  readonly holds: readonly InstanceId[];
}

/**
 * What the machine is built with: models of kernel functions, what they keep beside memory, and the reader of patch
 * records. The machine itself knows no kernel function but the printing ones.
 */
export interface ExecutionLibrary {
  modelOf(name: string): ApiModel | undefined;
  readPatch(reader: MemoryReader, patch: Pointer): PatchRecord;
  createState(): ApiState;
  /** A module wrote kernel memory (a global, or memory behind an unknown pointer). */
  wrote(state: ApiState, host: MachineHost, write: ForeignWrite): void;
  /** A queued task ran to its end: the effect of having queued it is over. */
  taskEnded?(state: ApiState, host: MachineHost, task: QueuedTask): void;
}

export interface QueuedTask {
  readonly kind: 'work' | 'delayed' | 'timer' | 'thread' | 'rcu';
  /** The work_struct, timer, task: whatever cancels name it by. */
  readonly handle: Value;
  readonly callee: Value;
  readonly args: readonly Value[];
  readonly actor: Actor;
  /** It waits for a time to come; absent where it runs as soon as it can. */
  readonly waits?: true;
  /** The function's result 1 queues it again, as HRTIMER_RESTART does. */
  readonly restarts?: true;
}

/** A model answers the call's value; undefined means "not for me" (treated as opaque). */
export type ApiModel = (context: ApiContext) => Value | undefined;
