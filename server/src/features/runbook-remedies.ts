import type { CallbackKind, PatchTarget } from '../core/kernel/types';
import type { Lineage, LineageVersion } from '../core/lineage/lineage';
import { isWanted } from '../core/lineage/lineage';
import type { Path } from '../core/lineage/path';
import { blockingTasks, folderOf } from './runbook-shell';

/** What to do when a step does not give what it should. */
export interface Remedy {
  /** What one sees. */
  readonly when: string;
  readonly advice: string;
  readonly commands: readonly string[];
}

interface Way {
  readonly text: string;
  readonly command: string;
}

function remedy(when: string, advice: string, ...commands: string[]): Remedy {
  return { when, advice, commands };
}

/** Whether some object of the version has this callback. */
export function hasCallback(version: LineageVersion, callback: CallbackKind): boolean {
  return (version.facts?.patch?.objects ?? []).some((object) =>
    object.callbacks.some((entry) => entry.callback === callback),
  );
}

/** insmod fails (klp_enable_patch, kernel/module/main.c): what each errno means. */
export function loadRefused(
  version: LineageVersion,
  enabled: LineageVersion | null,
  path: Path,
): readonly Remedy[] {
  const { module } = version;
  const remedies = [
    remedy(
      'insmod answers EINVAL ("Invalid parameters")',
      'A function that it patches is missing, not unique or not traceable in this kernel, a klp_state does not fit the installed livepatch, or the module is not marked as a livepatch. The log says which.',
      "dmesg | grep 'livepatch: ' | tail",
    ),
    remedy(
      'insmod answers EBUSY ("Device or resource busy")',
      'Another transition is pending: wait for it. Or ftrace is switched off (kernel.ftrace_enabled must be 1), or a kprobe with a post handler stands on one of the functions.',
      'grep -s . /sys/kernel/livepatch/*/transition',
      'sysctl kernel.ftrace_enabled',
    ),
    remedy(
      'insmod answers EEXIST ("File exists")',
      'The module is in memory. If it has no folder below /sys/kernel/livepatch, remove it and load it again.',
      `[ -e ${folderOf(module)} ] || rmmod ${module}`,
    ),
    remedy(
      'insmod answers ENOEXEC ("Invalid module format"), EPERM or "Key was rejected by service"',
      'The file is built for another kernel, or not signed as this machine demands, or you are not root.',
      'dmesg | tail',
    ),
    remedy(
      'insmod answers ENODEV',
      'This kernel has livepatching switched off or it could not be initialised.',
    ),
  ];
  if (hasCallback(version, 'pre_patch')) {
    remedies.push(
      remedy(
        'insmod answers anything else',
        `The errno comes from a pre_patch callback of ${version.name}: "pre-patch callback failed" in the log names the object.`,
        "dmesg | grep 'livepatch: ' | tail",
      ),
    );
  }
  remedies.push(afterRefusal(version, enabled, path));
  return remedies;
}

/** A refused load changes nothing; in the window of a disable that means that nothing stays patched. */
function afterRefusal(version: LineageVersion, enabled: LineageVersion | null, { from }: Path): Remedy {
  const when = 'the load is refused for good';
  if (enabled)
    return remedy(
      when,
      `Nothing has changed: ${enabled.name} is enabled as before. Stop here or remove the cause and repeat the step.`,
    );
  if (!from) return remedy(when, 'Nothing has changed: the kernel is unpatched as before.');
  if (isWanted(from))
    return remedy(
      when,
      `Nothing is patched now. If the cause cannot be removed at once, load ${from.name} again as it was loaded before, which closes the window.`,
    );
  return remedy(
    when,
    `Nothing is patched now, and ${from.name} is ${from.entry.status.value}: do not go back to it. Remove the cause and repeat the step; until then keep what the fixes of ${version.name} protect out of use.`,
  );
}

/** Writing 0 to `enabled` fails (enabled_store, kernel/livepatch/core.c). */
export function disableRefused({ name, module }: LineageVersion): readonly Remedy[] {
  return [
    remedy(
      'the write answers EBUSY ("Device or resource busy")',
      'Another livepatch is in transition: wait for it, then repeat the step.',
      'grep -s . /sys/kernel/livepatch/*/transition',
    ),
    remedy(
      'the write answers EINVAL ("Invalid argument")',
      `${name} is being disabled already: go on with the next step.`,
    ),
    remedy(
      'there is no such file or directory',
      `${name} is not installed any more: go on where its module is removed, if lsmod still lists it.`,
      `grep '^${module} ' /proc/modules`,
    ),
    remedy('permission is denied', 'This needs root.'),
  ];
}

/** A transition that does not end: some task never sleeps or runs outside the functions that change. */
export function stalled(
  operation: {
    readonly version: LineageVersion;
    readonly to: PatchTarget;
    readonly replaced: LineageVersion | null;
    readonly rollback: Way;
  },
  lineage: Lineage,
): readonly Remedy[] {
  const { version, to, rollback } = operation;
  const pending = to === 'patched' ? 'transition is still 1' : 'the folder is still there';
  const folder = folderOf(version.module);
  return [
    remedy(
      pending,
      'Some task is asleep or running in a function that changes. List the tasks that have not switched, with their stacks. The kernel itself wakes them every 15 seconds or so; waiting again is safe.',
      blockingTasks(to === 'patched' ? 0 : 1),
    ),
    remedy(
      'a user process is in that list',
      'Stopping and continuing it makes it pass the border of the kernel, where it switches. Set pid to its number first.',
      'kill -STOP "$pid" && kill -CONT "$pid"',
    ),
    remedy(
      'a kernel thread is in that list',
      'It takes no signals: end the work that its stack shows (unmount, stop the service, detach the device) or wait until it is done.',
    ),
    remedy('it cannot wait any longer', 'Reverse it; what that does is said under "back".', rollback.command),
    remedy(`you think of echo 1 > ${folder}/force`, forceCost(operation, lineage)),
  ];
}

/** What klp_force_transition costs; which modules it pins depends on the kernel. */
function forceCost(
  { version, to, replaced }: { version: LineageVersion; to: PatchTarget; replaced: LineageVersion | null },
  lineage: Lineage,
): string {
  const all = lineage.capabilities.has('force-marks-only-removed') !== 'yes';
  const removed = to === 'patched' ? replaced : version;
  const names = [...new Set([...(removed ? [removed.name] : []), ...(all ? [version.name] : [])])];
  const pinned =
    names.length === 0
      ? ''
      : ` The module of ${names.join(' and of ')} can then never be removed${all ? ' (on some kernels)' : ''}, nor loaded again before a reboot.`;
  const old =
    to === 'patched'
      ? 'old and new functions run side by side, and callbacks clean up while old code may still be running'
      : 'tasks may still run functions that are taken away';
  return `Do not, unless you have read every stack in the list and know that the function it stands in does not care: consistency is lost, ${old}.${pinned} Reverse instead.`;
}

/** rmmod fails (delete_module). */
export function removeRefused({ name, module }: LineageVersion): readonly Remedy[] {
  return [
    remedy(
      'rmmod answers "is in use" or "Resource temporarily unavailable"',
      `Its folder must be gone, and its reference is given back a moment later: repeat the step. If the count never reaches 0, a transition was forced or ${name} holds a reference of its own: leave the module where it is.`,
      `ls -d ${folderOf(module)}`,
      `cat /sys/module/${module}/refcnt`,
    ),
    remedy(
      'rmmod answers "Device or resource busy"',
      `${name} has no exit function and cannot be removed. It stays in memory until the next boot.`,
    ),
  ];
}
