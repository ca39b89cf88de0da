import type { LineageVersion } from '../core/lineage/lineage';
import { describeEffect, type Transition, type Transitions } from '../core/lineage/transitions';
import { formatStep } from '../core/manifest/steps';
import type { Places } from '../core/places';
import { callText } from './run-text';
import { HAZARD_TEXT, transitionSentence } from './sentence';

/** A transition in prose: what runs, what does not, what stays behind, what to do. */
export function explainTransition(
  transitions: Transitions,
  from: LineageVersion | null,
  to: LineageVersion,
  places: Places,
): string {
  const transition = transitions.transition(from, to);
  const paragraphs = [transitionSentence(transition), ...callbackText(transition)];
  const { verdict, unknown } = transition.run;
  for (const danger of verdict.dangers) {
    const where = danger.place ? ` (${places.at(danger.place).file}:${places.line(danger.place)})` : '';
    paragraphs.push(`Danger: ${danger.text}${where}.`);
  }
  for (const leftover of verdict.leftovers) {
    const at = places.at(leftover.place);
    const stays = leftover.certainty === 'may' ? 'may stay' : 'stays';
    paragraphs.push(
      `Left behind: the ${describeEffect(leftover.effect)} that ${leftover.version?.name ?? 'a version'} made (${at.file}:${at.line}) ${stays}; ${HAZARD_TEXT[leftover.hazard]}.`,
    );
  }
  if (unknown.length > 0) {
    const list = unknown.map((reason) => reason.text);
    paragraphs.push(`Not known: ${[...new Set(list)].join('; ')}.`);
  }
  paragraphs.push(whatToDo(transition));
  paragraphs.push(`Steps: ${transition.run.steps.map(formatStep).join('; ')}.`);
  return `${paragraphs.join('\n\n')}\n`;
}

function callbackText(transition: Transition): string[] {
  const called: string[] = [];
  const skipped: string[] = [];
  const { end } = transition.run;
  for (const outcome of transition.run.outcomes) {
    if (outcome.step.k === 'load' && end.moduleOf(outcome.step.name) !== transition.to.module) continue;
    for (const it of outcome.happenings) {
      if (it.k !== 'kernel') continue;
      if (it.event.k === 'called') called.push(callText(end, it.event.call));
      else if (it.event.k === 'skipped')
        skipped.push(`${callText(end, it.event.call)} (${it.event.because})`);
    }
  }
  return [
    called.length === 0 ? 'No callback runs.' : `Callbacks that run, in order: ${called.join(', ')}.`,
    skipped.length === 0 ? 'No callback is skipped.' : `Callbacks that do not run: ${skipped.join(', ')}.`,
  ];
}

function whatToDo(transition: Transition): string {
  const { from, to } = transition;
  const { word } = transition.run.verdict;
  if (word === 'clean') return 'Nothing to do.';
  if (!from) return `Mend ${to.name}: what it does is not undone by its own callbacks.`;
  if (from.index > to.index) {
    return `To get from ${from.name} back to ${to.name}: disable ${from.name}, wait until its folder below /sys/kernel/livepatch is gone, remove its module, then load ${to.name} (nothing is patched in between); or generate a cleanup version that restores ${to.name} after ${from.name}.`;
  }
  return `Let ${to.name} take over what ${from.name} did: hand it over by klp_state data or a shadow variable, and clean up in ${to.name}'s post_patch.`;
}
