/** Words that a POSIX shell takes as they are. */
const PLAIN = /^[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*$/;

/** Line ends, other control characters and invisible ones: a command with them cannot be read before it is run. */
const UNREADABLE = /\p{C}|\p{Zl}|\p{Zp}/u;

/** The text as one word of a POSIX shell; null where no readable word stands for it. */
export function shellWord(text: string): string | null {
  if (UNREADABLE.test(text)) return null;
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A module parameter as insmod passes it on: blanks need quotes that the kernel reads itself. Null where the kernel
 * has no way to write the value, or no readable shell word stands for it.
 */
export function parameterWord(name: string, value: string): string | null {
  if (value.includes('"')) return null;
  return shellWord(`${name}=${/\s/.test(value) ? `"${value}"` : value}`);
}

/** A file's path as a shell word that no program takes for an option or looks up by name. */
export function fileWord(path: string): string | null {
  return shellWord(/^(?:\/|\.\.?\/)/.test(path) ? path : `./${path}`);
}

/** The sysfs folder of a livepatch; `module` is a valid module name. */
export function folderOf(module: string): string {
  return `/sys/kernel/livepatch/${module}`;
}

/** Waits, at most this many seconds. */
export const WAIT_SECONDS = 120;

/** A loop that ends as soon as `condition` (a shell test) holds, and after WAIT_SECONDS anyway. */
export function waitFor(condition: string): string {
  return `for i in $(seq ${WAIT_SECONDS}); do ${condition} && break; sleep 1; done`;
}

/** Lists the tasks that hold a transition, with their stacks; they still show the state `state`. */
export function blockingTasks(state: 0 | 1): string {
  return (
    `for f in $(grep -lx ${state} /proc/[0-9]*/task/[0-9]*/patch_state 2>/dev/null); do ` +
    `echo "$f: $(cat "\${f%patch_state}comm")"; cat "\${f%patch_state}stack"; done`
  );
}
