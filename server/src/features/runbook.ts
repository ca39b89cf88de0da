import type { LineageVersion } from '../core/lineage/lineage';
import { findPath, type Path, type PathKind, type Rejected } from '../core/lineage/path';
import type { Transitions } from '../core/lineage/transitions';
import { describeEffect } from '../core/lineage/verdict';
import { formatErrno } from '../core/manifest/errno';
import { MODULE_NAME } from '../core/manifest/names';
import { formatStep } from '../core/manifest/steps';
import type { LinePlace, Places } from '../core/places';
import { type RunbookStep, stepsOf } from './runbook-steps';
import { HAZARD_TEXT } from './sentence';

/** The safest way between two versions, for an operator. */
export interface Runbook {
  readonly lineage: string;
  readonly kernel: string;
  /** null: an unpatched kernel. */
  readonly from: string | null;
  readonly to: string;
  /** The version that is installed at the end: `to`, or the cleanup version that restores it. */
  readonly destination: string;
  readonly kind: PathKind;
  /** The version in between, or the cleanup version. */
  readonly via: string | null;
  readonly summary: string;
  readonly certainty: 'must' | 'may';
  /** Where nothing is patched meanwhile: the steps, counted from 1, and what that means. */
  readonly window: {
    readonly from: number;
    readonly to: number;
    readonly functions: readonly string[];
    readonly text: string;
  } | null;
  readonly stays: readonly Stay[];
  /** What to know before the first step. */
  readonly notes: readonly string[];
  readonly rejected: readonly { readonly path: string; readonly because: string }[];
  readonly steps: readonly RunbookStep[];
}

/** An effect that no way avoids. */
interface Stay {
  readonly effect: string;
  readonly key: string;
  readonly hazard: string;
  readonly certainty: 'must' | 'may';
  readonly version: string | null;
  readonly place: LinePlace;
  readonly text: string;
}

export type RunbookAnswer =
  | { readonly ok: true; readonly runbook: Runbook }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly rejected: readonly { readonly path: string; readonly because: string }[];
      /** What can be done all the same. */
      readonly advice: readonly string[];
    };

/** Functions that a text names at most. */
const MAX_FUNCTIONS = 20;

/** The runbook from the installed version (null: nothing is installed) to the wanted one, or why there is none. */
export function runbook(
  transitions: Transitions,
  from: LineageVersion | null,
  to: LineageVersion,
  places: Places,
): RunbookAnswer {
  const answer = findPath(transitions, from, to);
  const tried = (rejected: readonly Rejected[]): { path: string; because: string }[] =>
    rejected.map((item) => ({ path: wayText(item.kind, from, to, item.via), because: item.because }));
  const refused = (reason: string, rejected: readonly Rejected[] = []): RunbookAnswer => ({
    ok: false,
    reason: `there is no safe path from ${from?.name ?? 'an unpatched kernel'} to ${to.name}: ${reason}`,
    rejected: tried(rejected),
    advice: rejected.length > 0 ? wayOut(from, to) : [],
  });
  if (!answer.ok) return refused(answer.because, answer.rejected);
  const { path } = answer;
  const odd = [from, path.via, to].find((version) => version && !MODULE_NAME.test(version.module));
  if (odd) return refused(`"${odd.module}" is not a module's name, so no command can be written with it`);
  const written = stepsOf(transitions, path);
  if ('reason' in written) return refused(written.reason);
  const { lineage } = transitions;
  return {
    ok: true,
    runbook: {
      lineage: lineage.name,
      kernel: lineage.capabilities.release,
      from: from?.name ?? null,
      to: to.name,
      destination: path.destination.name,
      kind: path.kind,
      via: path.via?.name ?? null,
      summary: wayText(path.kind, from, to, path.via),
      certainty: path.certainty,
      window: written.window && windowOf(written.window, path),
      stays: staysOf(path, places),
      notes: notesOf(path),
      rejected: tried(path.rejected),
      steps: written.steps,
    },
  };
}

/** The answer of `runbook --format json`. */
export function runbookJson(answer: RunbookAnswer, from: string, to: string): object {
  if (!answer.ok) {
    const { reason, rejected, advice } = answer;
    return { schema: 1, from, to, path: null, reason, rejected, advice };
  }
  const { kind, steps, stays, ...rest } = answer.runbook;
  return {
    schema: 1,
    ...rest,
    from: rest.from ?? 'none',
    path: kind,
    stays: stays.map(({ place, ...stay }) => ({ ...stay, ...place })),
    steps,
  };
}

function wayText(
  kind: PathKind,
  from: LineageVersion | null,
  to: LineageVersion,
  via: LineageVersion | null,
): string {
  const old = from?.name ?? '';
  switch (kind) {
    case 'load':
      return `load ${to.name}`;
    case 'replace':
      return `let ${to.name} replace ${old}`;
    case 'cleanup':
      return `let ${via?.name ?? ''}, which restores ${to.name}, replace ${old}`;
    case 'through':
      return `let ${via?.name ?? ''} replace ${old}, then ${to.name} replace ${via?.name ?? ''}`;
    case 'disable':
      return `disable ${old}, then load ${to.name}`;
  }
}

function windowOf({ from, to }: { from: number; to: number }, path: Path): NonNullable<Runbook['window']> {
  const functions = (path.to.facts?.patch?.objects ?? []).flatMap((object) =>
    (object.functions ?? []).map((fn) => (object.name === null ? fn.old : `${object.name}:${fn.old}`)),
  );
  const shown = functions.slice(0, MAX_FUNCTIONS).join(', ');
  const more = functions.length > MAX_FUNCTIONS ? ` and ${functions.length - MAX_FUNCTIONS} more` : '';
  const what = functions.length === 0 ? '' : `; without ${path.to.name}'s versions of ${shown}${more}`;
  return {
    from,
    to,
    functions,
    text: `From step ${from} to the end of step ${to} nothing is patched: the kernel runs its original functions${what}. Have the file of ${path.to.name} checked (the steps before do that) before you open this window, and keep it short.`,
  };
}

function staysOf(path: Path, places: Places): Stay[] {
  return path.stays.map(({ effect, hazard, certainty, version, place }) => {
    const stays = certainty === 'may' ? 'may stay' : 'stays';
    return {
      effect: effect.row.do,
      key: effect.key,
      hazard,
      certainty,
      version: version?.name ?? null,
      place: places.at(place),
      text: `the ${describeEffect(effect)} that ${version?.name ?? 'a version'} made (${places.text(place)}) ${stays} whichever way is taken; ${HAZARD_TEXT[hazard]}`,
    };
  });
}

function notesOf(path: Path): string[] {
  const { from, to, via, destination, kind } = path;
  const notes: string[] = [];
  if (kind === 'cleanup') {
    notes.push(
      `${destination.name} is ${to.name} and the cleanup after ${from?.name ?? 'what was there'}: it is the version to stay on. ${to.name} itself does not clean up.`,
    );
  }
  for (const version of new Set([via, destination])) {
    if (version?.entry.status.value === 'draft')
      notes.push(`${version.name} is a draft: build it, rehearse this path with it and release it first.`);
  }
  for (const { module, result } of path.immovable)
    notes.push(
      `The module ${module} stays in memory: the kernel answers ${result} (${formatErrno(result)}) to its removal.`,
    );
  for (const doubt of path.doubts) notes.push(`It cannot be excluded: ${doubt}.`);
  for (const { steps, because } of path.histories) {
    notes.push(
      `If ${from?.name ?? 'it'} was installed by "${steps.map(formatStep).join('; ')}", this way is worse: ${because}.`,
    );
  }
  for (const { word, steps } of path.worse)
    notes.push(`Avoid a variant that is ${word}: "${steps.map(formatStep).join('; ')}".`);
  const unknown = [...new Set(path.run.unknown.map((reason) => reason.text))];
  if (unknown.length > 0) notes.push(`As far as read; not known: ${unknown.join('; ')}.`);
  const built = [via, to].some((version) => version?.entry.built);
  notes.push(
    built ? "Work as root in the manifest's folder." : 'Work as root in the folder that holds the .ko files.',
    'Go on to the next step only when the check prints what is expected.',
  );
  return notes;
}

function wayOut(from: LineageVersion | null, to: LineageVersion): string[] {
  if (!from) return [`Mend ${to.name}: it cannot be loaded safely by itself.`];
  return [
    `Leave ${from.name} enabled, or leave at least its module in memory: nothing that it left points into freed memory as long as nobody removes it.`,
    `Boot the machine anew and load ${to.name} alone.`,
    `Or see whether a version that restores ${to.name} can clean up: klp-lineage scaffold --restore ${to.name} --after ${from.name} --as NAME.`,
  ];
}
