import type { Effect } from '../execution/effects';
import type { Capabilities } from '../kernel/capabilities';
import type { StateId } from '../kernel/types';
import type { LineageVersion } from '../lineage/lineage';
import type { Transitions } from '../lineage/transitions';
import type { Place } from '../place';
import type { FaultyCode } from './faulty-code';
import type { Translator } from './portable';
import type { Guard, Remedy } from './remedy';

/** One faulty version, with what the strategies ask about it. */
export interface Patient {
  readonly version: LineageVersion;
  readonly code: FaultyCode;
  readonly translator: Translator;
  readonly capabilities: Capabilities;
  /** Transitions of a lineage in which this version exists. */
  readonly transitions: Transitions;
  /** States that this version declares and the good one does not; what `klp_get_prev_state` tells it by. */
  readonly states: ReadonlyMap<StateId, { readonly from: number; readonly to: number }>;
  /** Values that the author gives for what the version changed, by its name. */
  readonly values: ReadonlyMap<string, string>;
  readonly text: (file: string) => string;
  /** Ids of shadow variables that the good version uses as well: whose they are cannot be told. */
  readonly shared: ReadonlySet<string>;
  /** Whether versions of this dialect can have states: for words. */
  readonly hasStates: boolean;
  /** "v2/main.c:31". */
  readonly where: (place: Place) => string;
}

/** Why something that a faulty version leaves cannot be undone by another module. */
export interface Refusal {
  readonly because: string;
  /** It is memory and nothing else: it stays, and harms nobody. */
  readonly onlyLeaks?: boolean;
  /** No other way of undoing it would be right either. */
  readonly final?: true;
}

/** What one strategy says; null where it is not the one for this effect. */
export type Answer = Remedy | Refusal | null;

export function isRemedy(answer: Answer): answer is Remedy {
  return answer !== null && 'strategy' in answer;
}

/** The guard by a state of this version: the given one, or its first. Null where it has none of its own. */
export function stateGuard(patient: Patient, id: StateId | null, data: boolean): Guard | null {
  const [first] = patient.states.keys();
  const wanted = id ?? first;
  if (wanted === undefined) return null;
  const range = patient.states.get(wanted);
  return range ? { k: 'state', id: wanted, ...range, data } : null;
}

/** "module notifier acme_nb". */
export function whatOf(effect: Effect): string {
  return `${effect.row.noun} ${effect.key}`;
}
