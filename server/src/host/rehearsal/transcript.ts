/** What the guest reports, read line by line. Pure. */

export interface KernelLine {
  readonly text: string;
  /** 0 emergency … 7 debug. */
  readonly level: number;
}

export interface ListedPatch {
  readonly name: string;
  readonly enabled: boolean;
  readonly transition: boolean;
}

export interface LoadedModule {
  readonly name: string;
  readonly references: number;
}

export interface StepReport {
  /** 0 or a negative errno. */
  readonly result: number;
  readonly log: readonly KernelLine[];
  /** Folders below /sys/kernel/livepatch after the step, by name. */
  readonly patches: readonly ListedPatch[];
  /** Modules in memory after the step, by name. */
  readonly modules: readonly LoadedModule[];
  /** What a `read` step read; null for other steps and where it could not be read. */
  readonly content: string | null;
  /** Some of the log was overwritten before it could be read. */
  readonly lost: boolean;
}

export interface ScenarioReport {
  readonly steps: readonly StepReport[];
  /**
   * null where the guest did not get to its end; `dirty`: modules or livepatches could not be removed; `last`: nobody
   * tried to.
   */
  readonly end: ScenarioEnd | null;
  /** What was reported of a step that never ended; null where every step did. */
  readonly unfinished: readonly KernelLine[] | null;
}

export type ScenarioEnd = 'clean' | 'dirty' | 'last';

export interface Transcript {
  readonly ready: boolean;
  readonly done: boolean;
  readonly scenarios: readonly ScenarioReport[];
}

interface Draft {
  log: KernelLine[];
  patches: ListedPatch[];
  modules: LoadedModule[];
  content: string | null;
  lost: boolean;
}

/** Reads a guest's report; lines that make no sense are passed over. */
export function readTranscript(text: string): Transcript {
  const scenarios: { steps: StepReport[]; end: ScenarioEnd | null; draft: Draft | null }[] = [];
  let ready = false;
  let done = false;
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const space = line.indexOf(' ');
    const word = space < 0 ? line : line.slice(0, space);
    const rest = space < 0 ? '' : line.slice(space + 1);
    const scenario = scenarios.at(-1);
    const draft = scenario?.draft;
    if (word === '@ready') ready = true;
    else if (word === '@done') done = true;
    else if (word === '@scenario') scenarios.push({ steps: [], end: null, draft: null });
    else if (!scenario) continue;
    else if (word === '@end') scenario.end = rest === 'clean' || rest === 'last' ? rest : 'dirty';
    else if (word === '@step')
      scenario.draft = { log: [], patches: [], modules: [], content: null, lost: false };
    else if (!draft) continue;
    else if (word === '@kmsg') draft.log.push(...kernelLines(rest));
    else if (word === '@lost') draft.lost = true;
    else if (word === '@content') draft.content = unescaped(rest);
    else if (word === '@patch') {
      const [name = '', enabled, transition] = rest.split(' ');
      draft.patches.push({ name, enabled: enabled === '1', transition: transition === '1' });
    } else if (word === '@module') {
      const [name = '', references] = rest.split(' ');
      draft.modules.push({ name, references: Number(references) });
    } else if (word === '@result') {
      draft.patches.sort(byName);
      draft.modules.sort(byName);
      scenario.steps.push({ ...draft, result: Number(rest) });
      scenario.draft = null;
    }
  }
  return {
    ready,
    done,
    scenarios: scenarios.map(({ steps, end, draft }) => ({ steps, end, unfinished: draft?.log ?? null })),
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** A record of /dev/kmsg: "priority,sequence,microseconds,flags;message", the message with \xNN escapes. */
function kernelLines(record: string): KernelLine[] {
  const semicolon = record.indexOf(';');
  const priority = Number.parseInt(record, 10);
  if (semicolon < 0 || Number.isNaN(priority)) return [];
  const lines = unescaped(record.slice(semicolon + 1)).split('\n');
  return lines.filter((text) => !isMarker(text)).map((text) => ({ text, level: priority & 7 }));
}

const MARKER = 'klp-rehearsal: scenario ';

function isMarker(text: string): boolean {
  return text.startsWith(MARKER);
}

function unescaped(text: string): string {
  if (!text.includes('\\x')) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text[i] === '\\' ? /^\\x([0-9a-f]{2})/.exec(text.slice(i, i + 4)) : null;
    if (hex) {
      bytes.push(Number.parseInt(hex[1] ?? '', 16));
      i += 3;
    } else bytes.push(...Buffer.from(text[i] ?? ''));
  }
  return Buffer.from(bytes).toString('utf8');
}

export interface Crash {
  readonly kind: 'panic' | 'oops' | 'hang' | 'stopped';
  /** What the kernel said, in one line. */
  readonly headline: string;
  /** The console from the step's begin on. */
  readonly console: readonly string[];
}

/** What the console shows since the last step began, without time stamps. */
export function consoleSince(console: string): string[] {
  const at = console.lastIndexOf(MARKER);
  const part = at < 0 ? console : console.slice(console.indexOf('\n', at) + 1);
  return part
    .split('\n')
    .map((line) => line.replace(/\r$/, '').replace(/^\[ *\d+\.\d+\] ?(?:\[ *[TC]\d+\] ?)?/, ''))
    .filter((line) => line !== '');
}

/** How a guest ended that did not finish its script. `hung`: it was ended from outside. */
export function crashOf(console: string, hung: boolean): Crash {
  const lines = consoleSince(console);
  const find = (pattern: RegExp): string | undefined => lines.find((line) => pattern.test(line));
  const oops = find(/^(BUG: |Oops: |general protection fault|kernel BUG at |invalid opcode|stack segment)/);
  const panic = find(/^Kernel panic - not syncing/);
  if (oops !== undefined) return { kind: 'oops', headline: oops, console: lines };
  if (panic !== undefined) return { kind: 'panic', headline: panic, console: lines };
  if (hung) return { kind: 'hang', headline: 'the guest did not answer any more', console: lines };
  return { kind: 'stopped', headline: 'the guest ended without a word', console: lines };
}

/** The WARNs and BUGs among the lines of a step: "WARNING: CPU: 0 PID: 1 at kernel/livepatch/shadow.c:177 …". */
export function warningsIn(log: readonly KernelLine[]): string[] {
  return log.map((line) => line.text).filter((text) => /^(WARNING: |BUG: |kernel BUG at |Oops: )/.test(text));
}
