import { isDiffDialect } from '../core/csource/dialects/diffs';
import type { Hazard } from '../core/execution/catalogue-row';
import type { Effect } from '../core/execution/effects';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import { describeEffect, HAZARDS } from '../core/lineage/verdict';
import { formatErrno } from '../core/manifest/errno';
import type { Certainty, Severity } from '../core/place';

/** "v1", "v1 and v2", "v1, v2 and v3". */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1] ?? ''}`;
}

/** As listed, with at most `most` of them named. */
export function listedUpTo(words: readonly string[], most: number): string {
  if (words.length <= most) return listed(words);
  return `${words.slice(0, most).join(', ')} and ${words.length - most} more`;
}

export function namesOf(versions: readonly LineageVersion[]): string {
  return listed(versions.map((version) => version.name));
}

/** "the debugfs file net_status". */
export function theEffect(effect: Effect): string {
  return `the ${describeEffect(effect)}`;
}

/**
 * The worst that this very effect can do: without a pointer into a module's memory a use after free is not it,
 * whatever its kind can do in general.
 */
export function hazardOf(effect: Effect): Hazard {
  const possible = HAZARDS.filter((hazard) => effect.row.hazards.includes(hazard));
  if (effect.holds.length > 0) return possible[0] ?? 'leak';
  return possible.find((hazard) => hazard !== 'use-after-free') ?? 'leak';
}

/** What becomes of a pointer into a module that a reference of its own holds in memory for good. */
export function heldConsequence(module: string, certainty: Certainty): string {
  return `${certainty === 'may' ? 'may stay' : 'stays'}, and the kernel goes on using ${module}, which something holds in memory`;
}

/** What becomes of an effect that nobody undoes, as the end of a sentence whose subject is the effect. */
export function consequence(effect: Effect, hazard: Hazard, module: string, certainty: Certainty): string {
  const may = certainty === 'may';
  switch (hazard) {
    case 'use-after-free':
      return `${may ? 'may stay and point' : 'stays and points'} into ${module}: a use-after-free once that module is removed`;
    case 'double-application':
      return `${may ? 'may stay' : 'stays'}, and ${again(effect)}`;
    case 'stuck-value':
      return `${may ? 'may stay' : 'stays'} changed for good`;
    case 'leak':
      return `${may ? 'may stay' : 'stays'} and nobody frees it`;
  }
}

function again(effect: Effect): string {
  switch (effect.row.repeated) {
    case 'corrupts':
      return 'doing it again corrupts a list';
    case 'counts':
      return 'doing it again counts it twice';
    case 'errno':
      return 'doing it again fails';
    default:
      return 'doing it again does it twice';
  }
}

/** One step less severe: for what only may be so. */
export function milder(severity: Severity): Severity {
  return severity === 'error' ? 'warning' : severity === 'warning' ? 'information' : 'hint';
}

/** Why a run's outcome is not certain, as a sentence of its own with a blank in front; empty where nothing is known. */
export function uncertainty(run: Run): string {
  const reason = run.unknown.find((item) => item.kind === 'unknown-branch') ?? run.unknown[0];
  if (!reason) return '';
  return reason.kind === 'unknown-branch'
    ? ` It depends on ${shortened(reason.text)}, which is not known.`
    : ` Not everything could be followed: ${shortened(reason.text)}.`;
}

/** What stands in the code, on one line and no longer than a sentence can bear. */
export function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

/** What can hand something over to a successor, as an alternative: a livepatch from diffs has no states. */
export function byStateOrShadow({ dialect }: LineageVersion): string {
  return isDiffDialect(dialect) ? 'a shadow variable' : 'a state or a shadow variable';
}

/** Where a pointer can be published. */
export function inStateOrShadow({ dialect }: LineageVersion): string {
  return isDiffDialect(dialect) ? 'a shadow variable' : 'the data of a state or in a shadow variable';
}

/** What a function of the kernel answers: `-EINVAL`, `1`. */
export function errnoText(value: number): string {
  return value < 0 ? `-${formatErrno(value)}` : String(value);
}
