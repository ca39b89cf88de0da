import { capabilitiesOf } from '../../server/src/core/kernel/capabilities';
import { Kernel } from '../../server/src/core/kernel/kernel';
import type {
  CallbackCall,
  CallbackKind,
  CoreCall,
  InstanceId,
  KernelEnvironment,
  KernelEvent,
  LogLine,
  MissingKind,
  ModuleFacts,
  ModuleState,
  PatchImage,
  PatchTarget,
} from '../../server/src/core/kernel/types';

/** One callback call, for comparing: who, which object, which callback, the target's state at that moment. */
export interface Called {
  readonly patch: string;
  readonly object: string;
  readonly callback: CallbackKind;
  readonly state: ModuleState | null;
  readonly result: number;
}

/** A module whose code is written in TypeScript. */
export interface ScriptedModule {
  readonly livepatch?: boolean;
  readonly init?: false | ((world: ScriptedWorld) => number);
  readonly exit?: false | ((world: ScriptedWorld) => void);
  /** What its init hands to klp_enable_patch(); init is generated then. */
  readonly image?: PatchImage | ((world: ScriptedWorld) => PatchImage);
  readonly callback?: (world: ScriptedWorld, called: Omit<Called, 'result'>) => number;
}

export interface WorldOptions {
  readonly release?: string;
  readonly has?: readonly string[];
  readonly lacks?: readonly string[];
  readonly arch?: string;
}

/** A kernel with scripted modules; records everything that comes out of it. */
export class ScriptedWorld implements KernelEnvironment {
  readonly modules: Record<string, ScriptedModule>;
  readonly kernel: Kernel;
  readonly log_: LogLine[] = [];
  readonly called: Called[] = [];
  readonly events: KernelEvent[] = [];
  readonly freedNames: string[] = [];
  readonly names = new Map<InstanceId, string>();
  readonly images = new Map<InstanceId, PatchImage>();
  isBusy: (patch: string, to: PatchTarget) => boolean = () => false;
  isMissing: (patch: string, object: string, fn: string) => MissingKind | null = () => null;
  isFailing: (patch: string, call: CoreCall) => number = () => 0;
  parameterError = 0;
  #loading = '';

  constructor(modules: Record<string, ScriptedModule>, options: WorldOptions = {}, from?: ScriptedWorld) {
    this.modules = modules;
    const { release = '6.1', has = [], lacks = [], arch } = options;
    const spec = { release, has, lacks, ...(arch === undefined ? {} : { arch }) };
    this.kernel = from ? from.kernel.clone(this) : new Kernel(this, capabilitiesOf(spec));
    for (const [instance, name] of from?.names ?? []) this.names.set(instance, name);
    for (const [instance, image] of from?.images ?? []) this.images.set(instance, image);
  }

  /** A copy with an empty record. */
  clone(): ScriptedWorld {
    const copy = new ScriptedWorld(this.modules, {}, this);
    copy.isBusy = this.isBusy;
    copy.isMissing = this.isMissing;
    copy.isFailing = this.isFailing;
    return copy;
  }

  load(name: string): number {
    const module = this.modules[name] ?? {};
    const facts: ModuleFacts = {
      name,
      livepatch: module.livepatch ?? module.image !== undefined,
      hasInit: module.init !== false,
      hasExit: module.exit !== false,
    };
    this.#loading = name;
    return this.kernel.load(facts).result;
  }

  /** The texts of the log. */
  texts(options: { debug: boolean } = { debug: true }): string[] {
    return this.log_.filter((line) => options.debug || !line.debug).map((line) => line.text);
  }

  /** "v1.vmlinux.pre_patch", a failed one with its result. */
  calls(): string[] {
    return this.called.map(
      ({ patch, object, callback, result }) =>
        `${patch}.${object}.${callback}${result === 0 ? '' : `=${result}`}`,
    );
  }

  /** The calls since the last time this was asked. */
  takeCalls(): string[] {
    const calls = this.calls();
    this.called.length = 0;
    return calls;
  }

  /** "v1.vmlinux.pre_unpatch: replaced by v2" of every skipped callback since the last time this was asked. */
  takeSkipped(): string[] {
    const skipped = this.events.flatMap((event) => {
      if (event.k !== 'skipped') return [];
      const { patch, object, callback } = event.call;
      const by = event.by === null ? '' : ` by ${this.names.get(event.by)}`;
      return [
        `${this.names.get(patch)}.${this.objectName(patch, object)}.${callback}: ${event.because}${by}`,
      ];
    });
    this.events.length = 0;
    return skipped;
  }

  warnings(): string[] {
    return this.events.flatMap((event) => (event.k === 'warning' ? [event.text] : []));
  }

  /** "v1+" of every listed livepatch, "-" where not enabled. */
  listed(): string[] {
    return this.kernel.patches().map((patch) => `${patch.name}${patch.enabled ? '+' : '-'}`);
  }

  references(name: string): number | null {
    return this.kernel.modules().find((module) => module.name === name)?.references ?? null;
  }

  objectName(patch: InstanceId, object: number): string {
    return this.images.get(patch)?.objects?.[object]?.name ?? 'vmlinux';
  }

  stateOf(target: InstanceId | null): ModuleState | null {
    if (target === null) return null;
    return this.kernel.modules().find((module) => module.instance === target)?.state ?? null;
  }

  // KernelEnvironment

  created(instance: InstanceId): number {
    this.names.set(instance, this.#loading);
    return this.parameterError;
  }

  init(instance: InstanceId): number {
    const module = this.modules[this.names.get(instance) ?? ''] ?? {};
    if (module.init) return module.init(this);
    return module.image === undefined ? 0 : this.enable(instance);
  }

  /** klp_enable_patch() with the module's image. */
  enable(instance: InstanceId): number {
    const image = this.modules[this.names.get(instance) ?? '']?.image;
    if (image === undefined) return 0;
    const handed = typeof image === 'function' ? image(this) : image;
    this.images.set(instance, handed);
    return this.kernel.enablePatch(instance, handed);
  }

  exit(instance: InstanceId): void {
    const module = this.modules[this.names.get(instance) ?? ''];
    if (module?.exit) module.exit(this);
  }

  callback(call: CallbackCall): number {
    const patch = this.names.get(call.patch) ?? '';
    const { callback } = call;
    const called = {
      patch,
      object: this.objectName(call.patch, call.object),
      callback,
      state: this.stateOf(call.target),
    };
    const result = this.modules[patch]?.callback?.(this, called) ?? 0;
    this.called.push({ ...called, result });
    return result;
  }

  freed(instance: InstanceId): void {
    this.freedNames.push(this.names.get(instance) ?? '');
  }

  busy(patch: InstanceId, to: PatchTarget): boolean {
    return this.isBusy(this.names.get(patch) ?? '', to);
  }

  missing(patch: InstanceId, object: number, fn: number): MissingKind | null {
    const name = this.images.get(patch)?.objects?.[object]?.functions?.[fn]?.oldName ?? '';
    return this.isMissing(this.names.get(patch) ?? '', this.objectName(patch, object), name);
  }

  failing(patch: InstanceId, call: CoreCall): number {
    return this.isFailing(this.names.get(patch) ?? '', call);
  }

  log(line: LogLine): void {
    this.log_.push(line);
  }

  /** A module's own pr_info(). */
  print(text: string): void {
    this.log_.push({ text, debug: false });
  }

  event(event: KernelEvent): void {
    this.events.push(event);
  }
}

const ALL: readonly CallbackKind[] = ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'];

/** An image from few words: objects by name (vmlinux for the one without), each with all callbacks unless given. */
export function imageOf(
  objects: readonly (
    | string
    | { name: string; callbacks?: readonly CallbackKind[]; functions?: readonly string[] }
  )[],
  more: Partial<PatchImage> = {},
): PatchImage {
  return {
    replace: 'everything',
    states: [],
    hasModule: true,
    objects: objects.map((object) => {
      const {
        name,
        callbacks = ALL,
        functions = [],
      } = typeof object === 'string' ? { name: object } : object;
      return {
        name: name === 'vmlinux' ? null : name,
        callbacks: new Set(callbacks),
        functions: functions.map((fn) => {
          const [oldName = '', sympos = '0'] = fn.split(',');
          return { oldName, newName: `new_${oldName}`, sympos: Number(sympos) };
        }),
      };
    }),
    ...more,
  };
}
