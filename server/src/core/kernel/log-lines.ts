import type { LogLine, PatchTarget } from './types';

/** The livepatch core's messages (kernel/livepatch/core.c, transition.c, patch.c of 6.1), byte for byte. */

const line = (text: string, debug = false): LogLine => ({ text: `livepatch: ${text}`, debug });
const verb = (to: PatchTarget): string => (to === 'patched' ? 'patching' : 'unpatching');

/** "vmlinux" for the object without a name. */
export function objectName(name: string | null): string {
  return name ?? 'vmlinux';
}

export const lines = {
  enabling: (patch: string) => line(`enabling patch '${patch}'`),
  initializing: (patch: string, to: PatchTarget) =>
    line(`'${patch}': initializing ${verb(to)} transition`, true),
  starting: (patch: string, to: PatchTarget) => line(`'${patch}': starting ${verb(to)} transition`),
  completing: (patch: string, to: PatchTarget) => line(`'${patch}': completing ${verb(to)} transition`, true),
  complete: (patch: string, to: PatchTarget) => line(`'${patch}': ${verb(to)} complete`),
  canceling: (patch: string) => line(`'${patch}': canceling patching transition, going to unpatch`, true),
  /** `from` is the direction that is given up. */
  reversing: (patch: string, from: PatchTarget) =>
    line(
      `'${patch}': reversing transition from ${from === 'patched' ? 'patching to unpatching' : 'unpatching to patching'}`,
      true,
    ),
  forcing: () => line('forcing remaining tasks to the patched state'),

  notMarked: (module: string) => line(`module ${module} is not marked as a livepatch module`),
  notCompatible: (patch: string) =>
    line(`Livepatch patch (${patch}) is not compatible with the already installed livepatches.`),
  prePatchFailed: (object: string | null) =>
    line(`pre-patch callback failed for object '${objectName(object)}'`),
  patchFailed: (object: string | null) => line(`failed to patch object '${objectName(object)}'`),
  enableFailed: (patch: string) => line(`failed to enable patch '${patch}'`),

  /** Two lines, and nothing happens: the livepatch is enabled all the same. */
  noReliableStack: (): readonly LogLine[] => [
    line("This architecture doesn't have support for the livepatch consistency model."),
    line('The livepatch transition may never complete.'),
  ],

  symbolMissing: (symbol: string) => line(`symbol '${symbol}' not found in symbol table`),
  /** The kernel prints the name as it is, and vmlinux has none. */
  symbolAmbiguous: (symbol: string, object: string | null) =>
    line(`unresolvable ambiguity for symbol '${symbol}' in object '${object ?? '(null)'}'`),
  positionMissing: (sympos: number, symbol: string, object: string | null) =>
    line(`symbol position ${sympos} for symbol '${symbol}' in object '${objectName(object)}' not found`),
  sizeMissing: (fn: string) => line(`kallsyms size lookup failed for '${fn}'`),
  newSizeMissing: (fn: string) => line(`kallsyms size lookup failed for '${fn}' replacement`),
  locationMissing: (fn: string) => line(`failed to find location for function '${fn}'`),
  filterRefused: (fn: string, error: number) =>
    line(`failed to set ftrace filter for function '${fn}' (${error})`),
  ftraceRefused: (fn: string, error: number) =>
    line(`failed to register ftrace handler for function '${fn}' (${error})`),

  vmlinuxModule: () => line('vmlinux.ko: invalid module name'),
  initFailed: (patch: string, module: string, error: number) =>
    line(`failed to initialize patch '${patch}' for module '${module}' (${error})`),
  applying: (patch: string, module: string) =>
    line(`applying patch '${patch}' to loading module '${module}'`),
  applyFailed: (patch: string, module: string, error: number) =>
    line(`failed to apply patch '${patch}' to module '${module}' (${error})`),
  refusing: (patch: string, module: string) =>
    line(`patch '${patch}' failed for module '${module}', refusing to load module '${module}'`),
  reverting: (patch: string, module: string) =>
    line(`reverting patch '${patch}' on unloading module '${module}'`),

  /** kernel/module/main.c: an init that returns a positive number. */
  suspiciousInit: (module: string, result: number): readonly LogLine[] => [
    {
      text: `do_init_module: '${module}'->init suspiciously returned ${result}, it should follow 0/-E convention`,
      debug: false,
    },
    { text: 'do_init_module: loading module anyway...', debug: false },
  ],
  /** fs/sysfs/dir.c; the stack dump that follows it is not predicted. */
  duplicateName: (path: string): LogLine => ({
    text: `sysfs: cannot create duplicate filename '/kernel/livepatch/${path}'`,
    debug: false,
  }),
} as const;
