import type { UnknownReason } from '../execution/machine-host';
import type { Step } from '../manifest/steps';
import type { LineageVersion } from './lineage';
import type { Way } from './search-ways';
import { type Danger, type Leftover, VERDICTS, type VerdictWord } from './verdict';

/** One way out of one state, tried. */
export interface Trial {
  readonly way: Way;
  /** The newest enabled livepatch before it; null on an unpatched kernel. */
  readonly from: LineageVersion | null;
  /** The version that the way loads or disables; null where only a target module moves. */
  readonly version: LineageVersion | null;
  /** All steps from a clean kernel. */
  readonly steps: readonly Step[];
  /** The steps of this way alone are the last `own` ones. */
  readonly own: number;
  /** Dangers that this way showed. */
  readonly dangers: readonly Danger[];
  /** What would stay for ever after this way, that was not already staying before it. */
  readonly leftovers: readonly Leftover[];
  readonly word: VerdictWord;
  readonly unknown: readonly UnknownReason[];
  /** Kernel functions with an effect that can fail, called in its init or pre_patch. */
  readonly fallible: readonly string[];
}

export interface SearchResult {
  readonly trials: readonly Trial[];
  readonly states: number;
  /** Said when a limit was reached. */
  readonly exhausted: string | null;
}

/**
 * The worst that the search saw on the way from one version to another, over histories, target modules, failures and
 * reversals; null where it never went that way. Among equals the shortest, which comes first.
 */
export function worstTrial(result: SearchResult, from: string | null, to: string): Trial | null {
  let worst: Trial | null = null;
  for (const trial of result.trials) {
    if (trial.version?.name !== to || (trial.from?.name ?? null) !== from || trial.way === 'failing')
      continue;
    if (trial.way === 'disable' || trial.way === 'reversed-disable') continue;
    if (!worst || VERDICTS.indexOf(trial.word) > VERDICTS.indexOf(worst.word)) worst = trial;
  }
  return worst;
}
