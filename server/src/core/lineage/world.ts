import type { Effect, EffectEvent } from '../execution/effects';
import { Machine } from '../execution/machine';
import type {
  CallbackRequest,
  Decision,
  MachineHost,
  Program,
  UnknownReason,
} from '../execution/machine-host';
import type { Overruns } from '../execution/overruns';
import { Kernel } from '../kernel/kernel';
import {
  type CallbackCall,
  type CallbackKind,
  type CoreCall,
  ERRNO,
  type InstanceId,
  type KernelEnvironment,
  type KernelEvent,
  type LogLine,
  type MissingKind,
  type ModuleFacts,
  type ModuleState,
  type PatchImage,
  type PatchTarget,
} from '../kernel/types';
import type { Step } from '../manifest/steps';
import { isNoLivepatch, type Lineage, type LineageVersion, targetByName, versionByName } from './lineage';

/** One thing that happened during a step, in order. */
export type Happening =
  | {
      readonly k: 'log';
      readonly text: string;
      readonly origin: 'core' | 'module';
      readonly debug: boolean;
      readonly timed: boolean;
    }
  /** A callback is entered; the kernel's `called` event with its result follows when it returns. */
  | { readonly k: 'calling'; readonly call: CallbackCall }
  | { readonly k: 'kernel'; readonly event: KernelEvent }
  | { readonly k: 'effect'; readonly event: EffectEvent }
  | { readonly k: 'loaded' | 'freed'; readonly instance: InstanceId }
  | { readonly k: 'unknown'; readonly reason: UnknownReason };

export interface StepOutcome {
  readonly step: Step;
  /** 0 or a negative errno, as the kernel answers. */
  readonly result: number;
  readonly happenings: readonly Happening[];
  /** Steps of the administrator that the kernel carries out at once have no transition left behind them. */
  readonly transition: { readonly patch: InstanceId; readonly to: 'patched' | 'unpatched' } | null;
}

/** Who an instance number stands for. Kept after the module is gone, so that old events can be told. */
export interface InstanceName {
  readonly module: string;
  /** null for a target module. */
  readonly version: LineageVersion | null;
  /** What the objects of its livepatch are called, once it has been enabled; null for vmlinux. */
  readonly objects?: readonly (string | null)[];
}

interface Pending {
  readonly program: Program | null;
  readonly params: ReadonlyMap<string, string>;
  readonly name: InstanceName;
}

export interface WorldOptions {
  /** Index of the decision to take the other way. */
  readonly flip?: number;
  /** Timers and delayed work do not go off: the steps follow each other faster than that. */
  readonly fast?: true;
  /** Of the analysis that it belongs to. */
  readonly overruns?: Overruns;
}

/**
 * A running kernel with this lineage's modules: the kernel model and the machine, each the other's environment.
 * Steps go in, outcomes come out; everything is deterministic.
 */
export class World implements KernelEnvironment, MachineHost {
  readonly lineage: Lineage;
  readonly kernel: Kernel;
  readonly machine: Machine;
  readonly #names: Map<InstanceId, InstanceName>;
  readonly #freed: Set<InstanceId>;
  readonly #failures: Map<string, Map<string, number>>;
  readonly #holding: Set<string>;
  #happenings: Happening[] = [];
  #pending: Pending | null = null;
  #timed = true;
  readonly #fast: boolean;
  #namesWereAsked: boolean;

  constructor(lineage: Lineage, options: WorldOptions = {}, origin?: World) {
    this.lineage = lineage;
    this.#namesWereAsked = origin ? origin.#namesWereAsked : false;
    this.#fast = origin ? origin.#fast : options.fast === true;
    this.kernel = origin ? origin.kernel.clone(this) : new Kernel(this, lineage.capabilities);
    this.machine = origin
      ? origin.machine.clone(this, options.overruns ? { overruns: options.overruns } : {})
      : new Machine(this, {
          library: lineage.library,
          ...(options.flip === undefined ? {} : { flip: options.flip }),
          ...(options.overruns ? { overruns: options.overruns } : {}),
        });
    this.#names = new Map(origin ? origin.#names : []);
    this.#freed = new Set(origin ? origin.#freed : []);
    this.#holding = new Set(origin ? origin.#holding : []);
    this.#failures = new Map(origin ? [...origin.#failures].map(([name, map]) => [name, new Map(map)]) : []);
  }

  /** An independent copy; the machine shares memory until one side writes. */
  clone(): World {
    return new World(this.lineage, {}, this);
  }

  /** Equal for states that no further step can tell apart; `nameIn` is what modules are called in it. */
  key(nameIn: (module: string) => string = (module) => module): string {
    const failures = [...this.#failures].map(([name, map]) => `${nameIn(name)}:${[...map].join()}`).join(';');
    return `${this.kernel.key(nameIn)}|${this.machine.key(nameIn)}|${failures}`;
  }

  /** Whether code that ran so far has asked for a module's name, or for a module by its name. */
  get namesWereAsked(): boolean {
    return this.#namesWereAsked;
  }

  nameOf(instance: InstanceId): InstanceName {
    return this.#names.get(instance) ?? { module: `#${instance}`, version: null };
  }

  isFreed(instance: InstanceId): boolean {
    return this.#freed.has(instance);
  }

  effects(): readonly Effect[] {
    return this.machine.effects();
  }

  decisions(): readonly Decision[] {
    return this.machine.decisions();
  }

  /** What it cost so far, in steps of the interpreter; equal ways cost the same. */
  get spent(): number {
    return this.machine.spent;
  }

  /** What `fail` steps asked for and did not happen, as the steps name it. */
  pendingFailures(): readonly { readonly module: string; readonly function: string }[] {
    const early = [...this.#failures].flatMap(([module, calls]) =>
      [...calls.keys()].map((it) => ({ module, function: it })),
    );
    const loaded = this.machine.pendingFailures();
    return [
      ...early,
      ...loaded.map((it) => ({ module: this.nameOf(it.instance).module, function: it.function })),
    ];
  }

  /** Carries out one step. Names must have been checked before: an unknown one answers -ENOENT. */
  apply(step: Step): StepOutcome {
    this.#happenings = [];
    const result = this.#carryOut(step);
    // Work items of modules run when nobody waits for them: after the step, at a time the log does not fix.
    this.#timed = false;
    this.machine.runTasks(!this.#fast);
    this.kernel.settle();
    this.#timed = true;
    const pending = this.kernel.transition();
    if (pending && !this.kernel.isStalled())
      for (const module of this.#standingIn(pending.patch, pending.to)) this.#holding.add(module);
    return { step, result, happenings: this.#happenings, transition: this.kernel.transition() };
  }

  #carryOut(step: Step): number {
    switch (step.k) {
      case 'load':
        return this.#load(step.name, new Map(step.params.map((param) => [param.name, param.value])));
      case 'unload':
        return this.kernel.unload(this.moduleOf(step.name));
      case 'disable':
        return this.kernel.disable(this.moduleOf(step.name));
      case 'enable':
        return this.kernel.enable(this.moduleOf(step.name));
      case 'force':
        return this.kernel.force(this.moduleOf(step.name));
      case 'stall':
        this.kernel.stall();
        return 0;
      case 'hold':
        this.kernel.hold();
        return 0;
      case 'resume':
        this.kernel.resume();
        return 0;
      case 'set': {
        const instance = this.kernel.instanceOf(this.moduleOf(step.name));
        return instance === null
          ? -ERRNO.ENOENT
          : this.machine.setParameter(instance, step.param, step.value);
      }
      case 'fail': {
        const module = this.moduleOf(step.name);
        const errno = step.errno === null ? ERRNO.ENOMEM : -step.errno;
        const instance = this.kernel.instanceOf(module);
        if (instance !== null && step.function !== 'init') {
          this.machine.failNext(instance, step.function, errno);
        } else {
          const failures = this.#failures.get(module) ?? new Map<string, number>();
          failures.set(step.function, errno);
          this.#failures.set(module, failures);
        }
        return 0;
      }
    }
  }

  /** The module name behind a version, module or target name. */
  moduleOf(name: string): string {
    return versionByName(this.lineage, name)?.module ?? name;
  }

  #load(name: string, params: ReadonlyMap<string, string>): number {
    const version = versionByName(this.lineage, name) ?? null;
    const target = version ? undefined : targetByName(this.lineage, name);
    if (!version && !target) return -ERRNO.ENOENT;
    const module = version?.module ?? name;
    const program = version ? version.program : (target?.program ?? null);
    const given = new Map<string, string>();
    for (const [param, value] of version?.entry.params ?? []) given.set(param, value.value);
    for (const [param, value] of params) given.set(param, value);
    this.#pending = { program, params: given, name: { module, version } };
    const outcome = this.kernel.load(this.#moduleFacts(module, version, program));
    this.#pending = null;
    return outcome.result;
  }

  #moduleFacts(module: string, version: LineageVersion | null, program: Program | null): ModuleFacts {
    // A version of which only the name is known is taken for a whole livepatch; a target has nothing to run.
    if (!program)
      return { name: module, livepatch: version !== null, hasInit: version !== null, hasExit: true };
    const units = program.units;
    return {
      name: module,
      livepatch: units.some((unit) => unit.calls.some((call) => isLivepatchInfo(call.macro, call.args))),
      hasInit: units.some((unit) => unit.moduleInit !== null),
      hasExit: units.some((unit) => unit.moduleExit !== null),
    };
  }

  // KernelEnvironment

  /** The kernel names a new instance for the first time: its memory is made. */
  created(instance: InstanceId): number {
    const pending = this.#pending;
    if (!pending) return 0;
    this.#names.set(instance, pending.name);
    this.#happenings.push({ k: 'loaded', instance });
    const { version } = pending.name;
    if (version && !version.program) this.#unread(`${version.name}: its sources are not known`);
    else if (version && isNoLivepatch(version))
      this.#unread(`${version.name}: no livepatch was found in its sources`);
    // Without sources it is still a module with a name and a state that callbacks can look at.
    const program = pending.program ?? { name: pending.name.module, units: [] };
    const result = this.machine.insert(instance, program, pending.program ? pending.params : new Map());
    const failures = this.#failures.get(pending.name.module);
    for (const [fn, errno] of failures ?? []) {
      if (fn === 'init') continue;
      this.machine.failNext(instance, fn, errno);
      failures?.delete(fn);
    }
    return result;
  }

  #unread(text: string): void {
    this.unknown({ kind: 'missing-source', text, place: null });
  }

  init(instance: InstanceId): number {
    const name = this.nameOf(instance);
    const failing = this.#failures.get(name.module);
    const errno = failing?.get('init');
    if (errno !== undefined) {
      failing?.delete('init');
      return -errno;
    }
    if (name.version && !name.version.program) return this.#enableUnread(instance);
    return name.version?.program || targetByName(this.lineage, name.module)?.program
      ? this.machine.init(instance)
      : 0;
  }

  /** A version of which only the name is known: assumed to be a livepatch that replaces all others. */
  #enableUnread(instance: InstanceId): number {
    return this.kernel.enablePatch(instance, {
      replace: 'everything',
      objects: [{ name: null, functions: [], callbacks: new Set() }],
      states: [],
      hasModule: true,
    });
  }

  exit(instance: InstanceId): void {
    if (this.#hasProgram(instance)) this.machine.exit(instance);
  }

  callback(call: CallbackCall): number {
    this.#happenings.push({ k: 'calling', call });
    const request: CallbackRequest = call;
    return this.machine.callback(request);
  }

  freed(instance: InstanceId): void {
    this.#freed.add(instance);
    this.machine.remove(instance);
    this.#happenings.push({ k: 'freed', instance });
  }

  #hasProgram(instance: InstanceId): boolean {
    const name = this.nameOf(instance);
    return (name.version ? name.version.program : targetByName(this.lineage, name.module)?.program) != null;
  }

  busy(patch: InstanceId, to: PatchTarget): boolean {
    return this.#standingIn(patch, to).size > 0;
  }

  /** Modules whose own tasks, and no `stall`, left a transition pending after a step. */
  holding(): ReadonlySet<string> {
    return this.#holding;
  }

  #standingIn(patch: InstanceId, to: PatchTarget): ReadonlySet<string> {
    if (!this.machine.hasTasks()) return new Set();
    const image = this.machine.image(patch);
    if (!image?.objects) return new Set();
    const own = this.nameOf(patch).module;
    const functions = image.objects.flatMap((object) =>
      (object.functions ?? []).map((fn) =>
        to === 'patched' ? { object: object.name, name: fn.oldName } : { object: own, name: fn.newName },
      ),
    );
    return this.machine.standingIn(functions);
  }

  /** A target whose sources are all at hand has just the functions that they define. */
  missing(patch: InstanceId, object: number, fn: number): MissingKind | null {
    const entry = this.machine.image(patch)?.objects?.[object];
    const { oldName: name, sympos } = entry?.functions?.[fn] ?? { oldName: '', sympos: 0 };
    if (!entry?.name || !name) return null;
    const target = targetByName(this.lineage, entry.name);
    const program = target?.isWhole && target.program;
    if (!program) return null;
    // A macro at file scope may define functions named after its arguments.
    const generated = program.units.some((unit) =>
      unit.calls.some((call) => call.args.some((arg) => /^\w{3,}$/.test(arg) && name.includes(arg))),
    );
    if (generated) return null;
    const defined = program.units.flatMap((unit) => unit.functions.get(name) ?? []);
    if (defined.length === 0) return 'init';
    // A static function has a symbol only where not every call of it is inlined.
    const symbols = defined.filter((it) => !it.static || it.annotations.includes('noinline'));
    if (sympos === 0 && symbols.length > 1) return 'ambiguous';
    if (sympos > defined.length) return 'position';
    return defined.every((it) => it.annotations.some((word) => UNTRACED.has(word))) ? 'ftrace' : null;
  }

  failing(patch: InstanceId, call: CoreCall): number {
    return -(this.machine.takeFailure(patch, call) ?? 0);
  }

  /** The object that a callback belongs to, also when its livepatch is gone; null for vmlinux. */
  objectOf({ patch, object }: Pick<CallbackCall, 'patch' | 'object'>): string | null {
    return this.nameOf(patch).objects?.[object] ?? null;
  }

  /** The C function behind a callback, as the tables name it; empty where that is not known. */
  callbackFunction(patch: InstanceId, object: number, callback: CallbackKind): string {
    const facts = this.nameOf(patch).version?.facts?.patch;
    return facts?.objects?.[object]?.callbacks.find((it) => it.callback === callback)?.function ?? '';
  }

  event(event: KernelEvent): void {
    this.#happenings.push({ k: 'kernel', event });
    if (event.k !== 'state-unsure') return;
    const text = `the version of state ${event.id} is not known, and the load may be refused for it`;
    this.unknown({ kind: 'unread', text, place: null });
  }

  log(line: LogLine | string): void {
    const timed = this.#timed;
    this.#happenings.push(
      typeof line === 'string'
        ? { k: 'log', text: line, origin: 'module', debug: false, timed }
        : { k: 'log', text: line.text, origin: 'core', debug: line.debug, timed: true },
    );
  }

  // MachineHost

  enablePatch(caller: InstanceId, image: PatchImage): number {
    const objects = image.objects?.map(({ name }) => name);
    if (objects) this.#names.set(caller, { ...this.nameOf(caller), objects });
    const result = this.kernel.enablePatch(caller, image);
    if (result === 0 && this.lineage.capabilities.has('reliable-stack') === 'no') {
      const arch = this.lineage.manifest.kernel.arch?.value ?? 'this kernel';
      const text = `${arch} has no reliable stack traces: a transition may never complete`;
      this.unknown({ kind: 'may-stall', text, place: null });
    }
    return result;
  }

  transitionPatch(): InstanceId | null {
    return this.kernel.transition()?.patch ?? null;
  }

  listedPatches(): readonly InstanceId[] {
    return this.kernel.patches().map((patch) => patch.instance);
  }

  moduleByName(name: string): InstanceId | null {
    this.#namesWereAsked = true;
    return this.kernel.instanceOf(name);
  }

  moduleName(instance: InstanceId): string {
    this.#namesWereAsked = true;
    return this.nameOf(instance).module;
  }

  moduleState(instance: InstanceId): ModuleState {
    return this.kernel.stateOf(instance) ?? 'going';
  }

  moduleGet(instance: InstanceId): boolean {
    return this.kernel.moduleGet(instance);
  }

  modulePut(instance: InstanceId): void {
    this.kernel.modulePut(instance);
  }

  /** Nothing to note: every step settles the kernel at its end. */
  tasksMoved(): void {}

  effect(event: EffectEvent): void {
    this.#happenings.push({ k: 'effect', event });
  }

  unknown(reason: UnknownReason): void {
    this.#happenings.push({ k: 'unknown', reason });
  }
}

/** Annotations of functions that ftrace does not know. */
const UNTRACED: ReadonlySet<string> = new Set(['notrace', 'noinstr']);

/** MODULE_INFO(livepatch, …): the loader looks for the key and ignores its value (check_modinfo_livepatch). */
function isLivepatchInfo(macro: string, args: readonly string[]): boolean {
  return macro === 'MODULE_INFO' && args[0] === 'livepatch';
}
