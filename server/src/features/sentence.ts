import type { Hazard } from '../core/execution/catalogue-row';
import type { Transition } from '../core/lineage/transitions';
import {
  type Danger,
  describeEffect,
  firstRefusal,
  type Leftover,
  worstLeftover,
} from '../core/lineage/verdict';
import { formatStep } from '../core/manifest/steps';

/** What a hazard means, in a person's words. */
export const HAZARD_TEXT: Readonly<Record<Hazard, string>> = {
  'use-after-free': 'once its module is removed, the kernel runs or reads freed memory',
  'double-application': 'doing it a second time fails or corrupts',
  'stuck-value': 'the changed behaviour stays',
  leak: 'memory or a reference is never given back',
};

/** One or two sentences on a transition that name the callback and the side effect. */
export function transitionSentence(transition: Transition): string {
  const { from, to, run } = transition;
  const { verdict } = run;
  const replaces = from
    ? `When ${to.name} replaces ${from.name}`
    : `When ${to.name} is loaded on a clean kernel`;
  const may = verdict.certainty === 'may' ? ' (may: something unknown stands in between)' : '';
  switch (verdict.word) {
    case 'clean': {
      const unknown = run.unknown.length;
      const tail =
        unknown === 0
          ? ''
          : ` As far as read: ${unknown} ${unknown === 1 ? 'thing is' : 'things are'} unknown.`;
      return `${replaces}, nothing stays behind without an owner.${tail}`;
    }
    case 'refused': {
      const refusal = firstRefusal(verdict);
      const step = refusal ? run.steps[refusal.step] : undefined;
      return `${replaces}, the kernel refuses it: ${step ? formatStep(step) : 'the load'} answers ${refusal?.result ?? 0}${stateReason(transition)}.${may}`;
    }
    case 'leaves': {
      const leftover = worstLeftover(verdict.leftovers);
      return leftover
        ? `${replaces}, ${leftoverSentence(transition, leftover)}${may}`
        : `${replaces}, something stays.`;
    }
    case 'unsafe': {
      const danger = verdict.dangers[0];
      return danger
        ? `${replaces}, ${dangerSentence(transition, danger)}${may}`
        : `${replaces}, the kernel is in danger.`;
    }
  }
}

function stateReason(transition: Transition): string {
  const incompatible = transition.run.outcomes.some((outcome) =>
    outcome.happenings.some(
      (it) => it.k === 'log' && it.text.includes('is not compatible with the already installed'),
    ),
  );
  return incompatible ? ' because a state is missing or its version is lower' : '';
}

function skippedCallbacks(transition: Transition, version: string | undefined): string {
  const names = new Set<string>();
  for (const outcome of transition.run.outcomes) {
    for (const it of outcome.happenings) {
      if (it.k !== 'kernel' || it.event.k !== 'skipped' || it.event.because !== 'replaced') continue;
      if (transition.run.end.nameOf(it.event.call.patch).version?.name === version)
        names.add(it.event.call.callback);
    }
  }
  const list = [...names];
  if (list.length === 0) return '';
  return `${version}'s ${list.join(' and ')} ${list.length === 1 ? 'is' : 'are'} not called: `;
}

function leftoverSentence(transition: Transition, leftover: Leftover): string {
  const maker = leftover.version?.name;
  return `${skippedCallbacks(transition, maker)}the ${describeEffect(leftover.effect)} of ${maker ?? 'a version'} stays; ${HAZARD_TEXT[leftover.hazard]}.`;
}

function dangerSentence(transition: Transition, danger: Danger): string {
  if (danger.kind === 'dangling-pointer' && danger.effect) {
    const maker = danger.version?.name;
    return `${skippedCallbacks(transition, maker)}its ${describeEffect(danger.effect)} stays. As soon as ${maker ?? 'that version'} is removed, the kernel uses freed memory (use-after-free).`;
  }
  return `${danger.text}.`;
}
