import type { Lineage, LineageVersion } from '../core/lineage/lineage';
import { type Path, reversalFaults } from '../core/lineage/path';
import type { Transitions } from '../core/lineage/transitions';
import type { StepOutcome } from '../core/lineage/world';
import type { Step } from '../core/manifest/steps';
import {
  disableRefused,
  hasCallback,
  loadRefused,
  type Remedy,
  removeRefused,
  stalled,
} from './runbook-remedies';
import { fileWord, folderOf, parameterWord, WAIT_SECONDS, waitFor } from './runbook-shell';

/** One numbered step for an operator. */
export interface RunbookStep {
  /** From 1. */
  readonly number: number;
  readonly title: string;
  /** One line for a POSIX shell. Equal to `check` where there is nothing to do but to look. */
  readonly command: string;
  readonly check: string;
  /** What `check` prints when all is well, without the last line end. */
  readonly expect: string;
  /** Lines that the livepatch core logs, as dmesg without time stamps. */
  readonly log: readonly string[];
  readonly onFailure: readonly Remedy[];
  /** The way back from here; null where there is none or nothing has changed. */
  readonly rollback: { readonly text: string; readonly command: string } | null;
  /** The step of the simulator that this one stands for; null for those that look or wait. */
  readonly step: string | null;
}

/** While these steps run, nothing is patched. */
export interface Window {
  /** Numbers of the first and the last step of it. */
  readonly from: number;
  readonly to: number;
}

type Draft = Omit<RunbookStep, 'number'>;

/**
 * The steps of a path as shell commands with the checks between them. Module names must be valid ones. Answers the
 * reason where a file's name or a parameter cannot be written as a shell word.
 */
export function stepsOf(
  transitions: Transitions,
  path: Path,
): { readonly steps: readonly RunbookStep[]; readonly window: Window | null } | { readonly reason: string } {
  const drafts: Draft[] = [lookAround(path)];
  const versionOf = (name: string): LineageVersion | undefined =>
    [path.from, path.via, path.to].find((version) => version?.name === name) ?? undefined;
  const files = new Map<string, string>();
  for (const step of path.steps) {
    const version = step.k === 'load' ? versionOf(step.name) : undefined;
    if (!version) continue;
    const file = fileWord(version.entry.built?.value ?? `${version.module}.ko`);
    if (file === null)
      return { reason: `the file of ${version.name} has a name that no shell command can hold` };
    files.set(version.name, file);
    drafts.push(lookAtFile(version, file, path));
  }
  let enabled = path.from;
  let window: Window | null = null;
  for (const [index, step] of path.steps.entries()) {
    const version = 'name' in step ? versionOf(step.name) : undefined;
    if (!version) continue;
    const log = coreLog(path.run.outcomes.findLast((it) => it.step.k === step.k && sameName(it.step, step)));
    const faults = reversalFaults(transitions, path, index);
    if (step.k === 'load') {
      const command = loadCommand(version, files.get(version.name) ?? '');
      if (command === null)
        return { reason: `a parameter of ${version.name} has a value that no shell command can hold` };
      drafts.push(...loading(version, enabled, command, log, faults, path, transitions.lineage));
      enabled = version;
      if (window) window = { from: window.from, to: drafts.length };
    } else if (step.k === 'disable') {
      drafts.push(...disabling(version, log, faults, transitions.lineage));
      window = { from: drafts.length - 1, to: drafts.length };
      enabled = null;
    } else if (step.k === 'unload') drafts.push(removing(version));
  }
  drafts.push(lookAtEnd(path.destination));
  return { steps: drafts.map((draft, index) => ({ number: index + 1, ...draft })), window };
}

function sameName(a: Step, b: Step): boolean {
  return 'name' in a && 'name' in b && a.name === b.name;
}

function lookAround({ from }: Path): Draft {
  const look = 'ls /sys/kernel/livepatch';
  const check = from
    ? `${look} && cat ${folderOf(from.module)}/enabled ${folderOf(from.module)}/transition`
    : look;
  const remedies: Remedy[] = from
    ? [
        {
          when: `${from.module} is not listed`,
          advice: `${from.name} is not installed: this runbook is for another machine. Ask for the one that starts from what is installed.`,
          commands: [],
        },
        {
          when: 'other livepatches are listed too',
          advice:
            'A cumulative livepatch replaces all of them, which was not looked at here. Find out whose they are first.',
          commands: [],
        },
        {
          when: 'the last line is 1',
          advice: `A transition of ${from.name} is still pending: wait until it is over.`,
          commands: [],
        },
      ]
    : [
        {
          when: 'anything is listed',
          advice: 'A livepatch is installed: ask for the runbook that starts from it.',
          commands: [],
        },
      ];
  return {
    title: from ? `See that ${from.name} is installed, alone and idle` : 'See that nothing is patched',
    command: check,
    check,
    expect: from ? `${from.module}\n1\n0` : '',
    log: [],
    onFailure: remedies,
    rollback: null,
    step: null,
  };
}

function lookAtFile(version: LineageVersion, file: string, { from }: Path): Draft {
  const memory = `/sys/module/${version.module}`;
  const check = `[ ! -e ${memory} ] && [ "$(modinfo -F vermagic ${file} | cut -d' ' -f1)" = "$(uname -r)" ] && modinfo -F livepatch ${file}`;
  return {
    title: `See that ${version.name} can be loaded`,
    command: check,
    check,
    expect: 'Y',
    log: [],
    onFailure: [
      {
        when: `${memory} exists`,
        advice: `The module is in memory still, so loading it answers EEXIST. If it has no folder below /sys/kernel/livepatch, it was replaced earlier and can be removed${from ? `; what it left then, this runbook does not know` : ''}.`,
        commands: [`[ -e ${folderOf(version.module)} ] || rmmod ${version.module}`],
      },
      {
        when: 'the versions differ',
        advice: 'The file is built for another kernel than the one that runs.',
        commands: [`modinfo -F vermagic ${file}`, 'uname -r'],
      },
      {
        when: 'nothing is printed',
        advice: 'The file is missing, or not marked as a livepatch.',
        commands: [`modinfo ${file}`],
      },
    ],
    rollback: null,
    step: null,
  };
}

function loadCommand(version: LineageVersion, file: string): string | null {
  const words = [...version.entry.params].map(([name, { value }]) => parameterWord(name, value));
  return words.includes(null) ? null : ['insmod', file, ...words].join(' ');
}

function loading(
  version: LineageVersion,
  enabled: LineageVersion | null,
  command: string,
  log: readonly string[],
  faults: readonly string[],
  path: Path,
  lineage: Lineage,
): Draft[] {
  const folder = folderOf(version.module);
  const rollback = {
    text: reversal(
      `While the transition is pending, this reverses it: ${enabled ? `${enabled.name} stays` : 'the kernel stays unpatched'}. ${version.module} can then be removed.`,
      faults,
    ),
    command: `echo 0 > ${folder}/enabled`,
  };
  const replaced = enabled ? ` && [ ! -e ${folderOf(enabled.module)} ]` : '';
  const ends = log.findIndex((line) => line.endsWith('patching complete'));
  return [
    {
      title: enabled ? `Load ${version.name} over ${enabled.name}` : `Load ${version.name}`,
      command,
      check: `cat ${folder}/enabled`,
      expect: '1',
      log: ends < 0 ? log : log.slice(0, ends),
      onFailure: loadRefused(version, enabled, path),
      rollback,
      step: `load ${version.name}`,
    },
    {
      title: enabled
        ? `Wait until ${version.name} has replaced ${enabled.name} (at most ${WAIT_SECONDS} seconds)`
        : `Wait until every task runs ${version.name} (at most ${WAIT_SECONDS} seconds)`,
      command: waitFor(`[ "$(cat ${folder}/transition 2>/dev/null)" = 0 ]${replaced}`),
      check: `cat ${folder}/transition && ls /sys/kernel/livepatch`,
      expect: `0\n${version.module}`,
      log: ends < 0 ? [] : log.slice(ends),
      onFailure: stalled({ version, to: 'patched', replaced: enabled, rollback }, lineage),
      rollback,
      step: null,
    },
  ];
}

function disabling(
  version: LineageVersion,
  log: readonly string[],
  faults: readonly string[],
  lineage: Lineage,
): Draft[] {
  const folder = folderOf(version.module);
  const again = hasCallback(version, 'post_patch') ? ` Its post_patch runs a second time.` : '';
  const rollback = {
    text: reversal(
      `While the transition is pending, this reverses it and ${version.name} stays.${again} Once its folder is gone it cannot be enabled again.`,
      faults,
    ),
    command: `echo 1 > ${folder}/enabled`,
  };
  const ends = log.findIndex((line) => line.endsWith('unpatching complete'));
  return [
    {
      title: `Disable ${version.name}`,
      command: `echo 0 > ${folder}/enabled`,
      check: `[ "$(cat ${folder}/enabled 2>/dev/null)" = 1 ] && echo 'still enabled' || echo disabled`,
      expect: 'disabled',
      log: ends < 0 ? log : log.slice(0, ends),
      onFailure: disableRefused(version),
      rollback,
      step: `disable ${version.name}`,
    },
    {
      title: `Wait until the folder of ${version.name} is gone (at most ${WAIT_SECONDS} seconds)`,
      command: waitFor(`[ ! -e ${folder} ]`),
      check: `[ ! -e ${folder} ] && echo gone || echo 'still there'`,
      expect: 'gone',
      log: ends < 0 ? [] : log.slice(ends),
      onFailure: stalled({ version, to: 'unpatched', replaced: null, rollback }, lineage),
      rollback,
      step: null,
    },
  ];
}

function reversal(text: string, faults: readonly string[]): string {
  return faults.length === 0 ? text : `${text} It does not leave all as it was: ${faults.join('; ')}.`;
}

function removing(version: LineageVersion): Draft {
  const memory = `/sys/module/${version.module}`;
  return {
    title: `Remove the module of ${version.name}`,
    // Its reference is dropped by a work item a moment after its folder is gone.
    command: `for i in 1 2 3 4 5; do rmmod ${version.module} && break; sleep 1; done`,
    check: `[ ! -e ${memory} ] && echo gone || echo 'still there'`,
    expect: 'gone',
    log: [],
    onFailure: removeRefused(version),
    rollback: null,
    step: `unload ${version.name}`,
  };
}

function lookAtEnd(version: LineageVersion): Draft {
  const folder = folderOf(version.module);
  const check = `ls /sys/kernel/livepatch && cat ${folder}/enabled ${folder}/transition`;
  return {
    title: `See that ${version.name}, and nothing else, is installed`,
    command: check,
    check,
    expect: `${version.module}\n1\n0`,
    log: [],
    onFailure: [
      {
        when: 'it prints anything else',
        advice: 'Read the log from the first step on; the steps above say what each line means.',
        commands: ["dmesg | grep -E 'livepatch: |WARNING|BUG'"],
      },
    ],
    rollback: null,
    step: null,
  };
}

/** Messages that the livepatch core writes without dynamic debug; what modules print is left out. */
const CORE_LINE =
  /^livepatch: (?:enabling patch '[A-Za-z0-9_]+'|'[A-Za-z0-9_]+': (?:starting (?:un)?patching transition|(?:un)?patching complete))$/;

function coreLog(outcome: StepOutcome | undefined): string[] {
  return (outcome?.happenings ?? []).flatMap((it) =>
    it.k === 'log' && it.origin === 'core' && !it.debug && CORE_LINE.test(it.text) ? [it.text] : [],
  );
}
