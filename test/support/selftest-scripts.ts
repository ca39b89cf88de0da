/** Reads the kernel's own livepatch selftests (tools/testing/selftests/livepatch/test-*.sh) as steps and expected logs. */

export type ScriptStep =
  /** load_mod, load_lp, load_lp_nowait, load_failing_mod. */
  | {
      readonly k: 'load';
      readonly module: string;
      readonly params: readonly string[];
      /** false for load_lp_nowait: the transition is expected to stay pending. */
      readonly completes: boolean;
      readonly fails: boolean;
    }
  | { readonly k: 'unload'; readonly module: string }
  /** `completes`: disable_lp waits until the sysfs folder is gone. */
  | { readonly k: 'disable'; readonly module: string }
  | { readonly k: 'set'; readonly module: string; readonly param: string; readonly value: string }
  /** check_sysfs_value: a file below /sys/kernel/livepatch/<module>. */
  | { readonly k: 'sysfs'; readonly module: string; readonly path: string; readonly value: string }
  | { readonly k: 'ftrace-enabled'; readonly enabled: boolean; readonly fails: boolean }
  /** A command that these words do not cover, its variables expanded. */
  | { readonly k: 'other'; readonly text: string };

export interface Scenario {
  readonly name: string;
  readonly steps: readonly ScriptStep[];
  /** The kernel log that check_result asks for, line by line. */
  readonly expected: readonly string[];
}

/** The scenarios of one script, in order: what stands between a start_test and its check_result. */
export function readScenarios(script: string): Scenario[] {
  const variables = new Map<string, string>();
  const scenarios: Scenario[] = [];
  let name: string | null = null;
  let steps: ScriptStep[] = [];
  let depth = 0;
  for (const raw of commands(script)) {
    const assignment = /^([A-Z_][A-Z_0-9]*)=(\S*)$/.exec(raw);
    if (assignment) {
      variables.set(assignment[1] ?? '', expand(assignment[2] ?? '', variables));
      continue;
    }
    const text = expand(raw, variables);
    const [command = '', ...words] = shellWords(text);
    if (command === 'fi') depth--;
    else if (command === 'start_test') {
      name = words[0] ?? '';
      steps = [];
    } else if (command === 'check_result' && name !== null) {
      scenarios.push({ name, steps, expected: (words[0] ?? '').split('\n') });
      name = null;
    } else if (name !== null && depth === 0) steps.push(stepOf(command, words, text));
    if (command === 'if') depth++;
  }
  return scenarios;
}

/** How the selftests announce a step in the kernel log; null for steps that they do not announce. */
export function announcement(step: ScriptStep): string | null {
  switch (step.k) {
    case 'load':
      return ['% modprobe', step.module, ...step.params].join(' ');
    case 'unload':
      return `% rmmod ${step.module}`;
    case 'disable':
      return `% echo 0 > /sys/kernel/livepatch/${step.module}/enabled`;
    case 'set':
      return `% echo ${step.value} > /sys/module/${step.module}/parameters/${step.param}`;
    default:
      return null;
  }
}

/** What modprobe prints for a failed load, which the selftests copy into the log. `result` is a negative errno. */
export function modprobeError(module: string, result: number): string {
  const texts: Readonly<Record<number, string>> = {
    16: 'Device or resource busy',
    17: 'File exists',
    19: 'No such device',
    22: 'Invalid argument',
  };
  return `modprobe: ERROR: could not insert '${module}': ${texts[-result] ?? `errno ${-result}`}`;
}

function stepOf(command: string, words: readonly string[], text: string): ScriptStep {
  const [module = '', ...rest] = words;
  switch (command) {
    case 'load_mod':
    case 'load_lp':
    case 'load_lp_nowait':
    case 'load_failing_mod': {
      const fails = command === 'load_failing_mod';
      return { k: 'load', module, params: rest, completes: command !== 'load_lp_nowait' && !fails, fails };
    }
    case 'unload_mod':
    case 'unload_lp':
      return { k: 'unload', module };
    case 'disable_lp':
      return { k: 'disable', module };
    case 'set_pre_patch_ret':
      return { k: 'set', module, param: 'pre_patch_ret', value: rest[0] ?? '' };
    case 'check_sysfs_value':
      return { k: 'sysfs', module, path: rest[0] ?? '', value: rest[1] ?? '' };
    case 'set_ftrace_enabled':
      return { k: 'ftrace-enabled', enabled: words.at(-1) === '1', fails: module === '--fail' };
    default:
      return { k: 'other', text };
  }
}

/** Lines that are commands: comments dropped, lines with an open quote or a trailing `||` joined with what follows. */
function commands(script: string): string[] {
  const found: string[] = [];
  let open = '';
  for (const line of script.split('\n')) {
    const text = open === '' ? line.trim() : `${open}\n${line}`;
    if (open === '' && (text === '' || text.startsWith('#'))) continue;
    if (quoteIsOpen(text) || /\|\|\s*$/.test(text)) {
      open = text;
      continue;
    }
    found.push(text);
    open = '';
  }
  return found;
}

function quoteIsOpen(text: string): boolean {
  let inside = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') inside = !inside;
  }
  return inside;
}

function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\{([A-Z_][A-Z_0-9]*)\}|([A-Z_][A-Z_0-9]*))/g, (whole, braced, plain) => {
    return variables.get(String(braced ?? plain)) ?? whole;
  });
}

/** Splits at blanks; double quotes hold a word together, a backslash keeps the next character. */
function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\' && i + 1 < text.length) word = (word ?? '') + text.charAt(++i);
    else if (char === '"') {
      quoted = !quoted;
      word ??= '';
    } else if (!quoted && /\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (word !== null) words.push(word);
  return words;
}
