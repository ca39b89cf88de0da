/**
 * The words of the kernel model. It knows nothing of C: what a livepatch module holds arrives as a PatchImage,
 * what its functions do happens behind KernelEnvironment.
 */

export const CALLBACK_KINDS = ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'] as const;
export type CallbackKind = (typeof CALLBACK_KINDS)[number];

/** What a livepatch replaces when its transition completes. A scope, not a boolean: a set is under discussion upstream. */
export type ReplaceScope = 'nothing' | 'everything';

/** A klp_state id: a number, or the name of a constant that no header at hand resolves, equal only to itself. */
export type StateId = number | string;

export interface FunctionImage {
  /** Empty where `.old_name` is NULL, which the kernel refuses. */
  readonly oldName: string;
  /** Empty where `.new_func` is NULL, which the kernel refuses. */
  readonly newName: string;
  readonly sympos: number;
}

export interface ObjectImage {
  /** null: vmlinux. */
  readonly name: string | null;
  /** null where `.funcs` is NULL, which the kernel refuses; empty is legal. */
  readonly functions: readonly FunctionImage[] | null;
  readonly callbacks: ReadonlySet<CallbackKind>;
}

export interface StateImage {
  readonly id: StateId;
  /** null: could not be evaluated; a refusal that hangs on it is a "may". */
  readonly version: number | null;
}

/** struct klp_patch as it stands when klp_enable_patch() gets it. */
export interface PatchImage {
  readonly replace: ReplaceScope;
  /** null where `.objs` is NULL. */
  readonly objects: readonly ObjectImage[] | null;
  readonly states: readonly StateImage[];
  /** Whether `.mod` is set. */
  readonly hasModule: boolean;
  /** Modules for which the livepatch has `.klp.rela.<module>` sections; none where it is not known. */
  readonly relocations?: readonly string[];
}

/** The two ends of a transition. */
export type PatchTarget = 'patched' | 'unpatched';

/** One module in memory. Numbered in order of loading; a number is never used again. */
export type InstanceId = number;

export type ModuleState = 'live' | 'coming' | 'going';

export interface ModuleFacts {
  readonly name: string;
  /** MODULE_INFO(livepatch, "Y"). */
  readonly livepatch: boolean;
  readonly hasInit: boolean;
  readonly hasExit: boolean;
}

export interface CallbackCall {
  readonly patch: InstanceId;
  /** Index into PatchImage.objects. */
  readonly object: number;
  readonly callback: CallbackKind;
  /** The target module's instance; null for vmlinux. */
  readonly target: InstanceId | null;
}

/** One module in memory, as lsmod would show it. */
export interface ModuleStatus extends ModuleFacts {
  readonly instance: InstanceId;
  /** As `obj->mod->state` reads at this moment, also from within a callback. */
  readonly state: ModuleState;
  /** module_refcount(): 1 while its init runs; negative after an unbalanced module_put. */
  readonly references: number;
}

export interface ObjectStatus {
  /** Index into PatchImage.objects; null for a dynamic object, which holds nops only. */
  readonly index: number | null;
  /** null: vmlinux. */
  readonly name: string | null;
  readonly loaded: boolean;
  /** The target module's instance; null for vmlinux and for a module that is not loaded. */
  readonly target: InstanceId | null;
  readonly patched: boolean;
  /** Functions that lead back to the original while the transition lasts. */
  readonly nops: readonly FunctionImage[];
}

/** One livepatch on klp_patches, that is: one with a folder below /sys/kernel/livepatch. */
export interface PatchStatus {
  readonly instance: InstanceId;
  readonly name: string;
  readonly image: PatchImage;
  readonly enabled: boolean;
  /** Its module reference will never be dropped. */
  readonly forced: boolean;
  /** Where its own pending transition leads; null when it is idle. */
  readonly transition: PatchTarget | null;
  /** In the kernel's order: as in the image, dynamic ones last. */
  readonly objects: readonly ObjectStatus[];
}

/** Why a function of a livepatch cannot be patched; see KernelEnvironment.missing. */
export type MissingKind =
  /** kallsyms does not know the symbol: -EINVAL before any callback of that object. */
  | 'init'
  /** It knows more than one, and sympos is 0: -EINVAL at the same point. */
  | 'ambiguous'
  /** It knows fewer than sympos says: -EINVAL at the same point. */
  | 'position'
  /** No ftrace location (notrace, inlined): -EINVAL after pre_patch of that object. */
  | 'ftrace'
  /** ftrace refuses (ftrace_enabled=0, a kprobe with post_handler): -EBUSY after pre_patch of that object. */
  | 'ftrace-busy';

/**
 * Calls by which the livepatch core prepares a livepatch and which can fail whatever is in its image. Where the kernel
 * has only one errno for such a failure, that counts and not the one which the environment gives.
 */
export type CoreCall =
  /** The core has no folder in sysfs: -ENODEV. */
  | 'klp_initialized'
  /** No memory for the object that shall hold nops, or for a nop: -ENOMEM. */
  | 'klp_alloc_object_dynamic'
  | 'klp_alloc_func_nop'
  /** As MissingKind 'init': -EINVAL. */
  | 'klp_find_object_symbol'
  /** Asked for the old function and then for the new one, in turns: -ENOENT. */
  | 'kallsyms_lookup_size_offset'
  /** These four where the function is not patched yet, after pre_patch; ftrace_location: -EINVAL. */
  | 'ftrace_location'
  | 'klp_patch_func'
  | 'ftrace_set_filter_ip'
  | 'register_ftrace_function';

/** What the kernel model asks of the world around it while a step runs. Calls may re-enter the model. */
export interface KernelEnvironment {
  /**
   * A module gets its number and its memory, before livepatches hear of it. The result is that of parsing its
   * parameters: the kernel does that after klp_module_coming(), so an error makes the module come and go.
   */
  created?(instance: InstanceId): number;
  /** Runs a module's init; a livepatch's calls Kernel.enablePatch from within. 0 or a negative errno. */
  init(instance: InstanceId): number;
  exit(instance: InstanceId): void;
  /** Runs one callback. The result counts for pre_patch only: 0 or a negative errno. */
  callback(call: CallbackCall): number;
  /** The module's memory is about to go away: after exit, after a failed init, after a refused load. */
  freed(instance: InstanceId): void;
  /**
   * Whether some task cannot be switched now because of what the world knows: on the way to 'patched' a suspended
   * task stands in code that the livepatch redirects, on the way to 'unpatched' in one of its new functions.
   * A task that could not be switched before a reversal never left its state, so it does not hold the way back; the
   * model knows that by itself.
   */
  busy(patch: InstanceId, to: PatchTarget): boolean;
  /** Whether this function (indices into the image) cannot be patched. Absent: every function can. */
  missing?(patch: InstanceId, object: number, fn: number): MissingKind | null;
  /** This call is made for the livepatch now: 0, or the negative errno with which it fails. Absent: none fails. */
  failing?(patch: InstanceId, call: CoreCall): number;
  /** One line of the kernel log, without time stamp and newline. */
  log(line: LogLine): void;
  /** Everything else that happened, in order. */
  event(event: KernelEvent): void;
}

export interface LogLine {
  readonly text: string;
  /** pr_debug, seen only with dynamic debug on. */
  readonly debug: boolean;
}

/** Why a callback that an author might expect did not run. */
export type SkipReason =
  /** Another livepatch replaced this one: nothing of it is called. */
  | 'replaced'
  /** The transition was reversed or cancelled, so this half of the pair is not for it. */
  | 'reversed'
  /** The object is a module that is not loaded. */
  | 'not-loaded'
  /** Its pre_patch failed. */
  | 'pre-patch-failed'
  /** An earlier object could not be patched, so this one was never reached. */
  | 'never-reached'
  /** The target module comes or goes while this livepatch is in transition: the callback waits or is left out. */
  | 'in-transition';

export type KernelEvent =
  | { readonly k: 'called'; readonly call: CallbackCall; readonly result: number }
  | {
      readonly k: 'skipped';
      readonly call: CallbackCall;
      readonly because: SkipReason;
      readonly by: InstanceId | null;
    }
  | {
      readonly k: 'transition';
      readonly patch: InstanceId;
      readonly to: 'patched' | 'unpatched';
      readonly phase: 'start' | 'reverse' | 'force' | 'complete';
    }
  | { readonly k: 'replaced'; readonly patch: InstanceId; readonly by: InstanceId }
  /** The reference that klp_enable_patch took is gone: rmmod is possible. */
  | { readonly k: 'released'; readonly patch: InstanceId }
  /** Whether a klp_state is compatible hangs on a version that could not be evaluated; taken as compatible. */
  | {
      readonly k: 'state-unsure';
      readonly patch: InstanceId;
      readonly installed: InstanceId;
      readonly id: StateId;
    }
  /** A WARN, a BUG or a deadlock. */
  | { readonly k: 'warning'; readonly text: string };

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  ENOSPC: 28,
  ERANGE: 34,
  ENOSYS: 38,
  EOPNOTSUPP: 95,
} as const;
