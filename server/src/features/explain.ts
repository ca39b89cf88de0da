import { ERRNO } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Transition, Transitions } from '../core/lineage/transitions';
import { describeEffect } from '../core/lineage/verdict';
import { formatStep } from '../core/manifest/steps';
import type { Places } from '../core/places';
import { escapeMarkdown, inlineCode } from './markdown';
import { callText } from './run-text';
import { HAZARD_TEXT, transitionSentence } from './sentence';

/** What is to be said about one transition, apart from how it is written. */
interface Story {
  readonly sentence: string;
  /** Callbacks in the order in which they run. */
  readonly called: readonly string[];
  readonly skipped: readonly { readonly call: string; readonly because: string }[];
  readonly dangers: readonly string[];
  readonly leftovers: readonly string[];
  readonly unknown: readonly string[];
  readonly toDo: string;
  readonly steps: readonly string[];
}

/** A transition in prose: what runs, what does not, what stays behind, what to do. */
export function explainTransition(
  transitions: Transitions,
  from: LineageVersion | null,
  to: LineageVersion,
  places: Places,
): string {
  const story = storyOf(transitions.transition(from, to), places);
  const skipped = story.skipped.map(({ call, because }) => `${call} (${because})`);
  const paragraphs = [
    story.sentence,
    story.called.length === 0
      ? 'No callback runs.'
      : `Callbacks that run, in order: ${story.called.join(', ')}.`,
    skipped.length === 0 ? 'No callback is skipped.' : `Callbacks that do not run: ${skipped.join(', ')}.`,
    ...story.dangers.map((danger) => `Danger: ${danger}.`),
    ...story.leftovers.map((leftover) => `Left behind: ${leftover}.`),
  ];
  if (story.unknown.length > 0) paragraphs.push(`Not known: ${story.unknown.join('; ')}.`);
  paragraphs.push(story.toDo, `Steps: ${story.steps.join('; ')}.`);
  return `${paragraphs.join('\n\n')}\n`;
}

/** The same as a Markdown document with a heading; nothing of the workspace becomes markup in it. */
export function explainMarkdown(
  transitions: Transitions,
  from: LineageVersion | null,
  to: LineageVersion,
  places: Places,
): string {
  const transition = transitions.transition(from, to);
  const story = storyOf(transition, places);
  const { word, certainty } = transition.run.verdict;
  const blocks = [
    `# ${prose(from?.name ?? 'clean kernel')} → ${prose(to.name)}: ${word}${certainty === 'may' ? ' (may)' : ''}`,
    prose(story.sentence),
    '## Callbacks that run',
    story.called.length === 0 ? 'None.' : story.called.map((call) => `1. ${inlineCode(call)}`).join('\n'),
    '## Callbacks that do not run',
    story.skipped.length === 0
      ? 'None.'
      : bullets(story.skipped.map(({ call, because }) => `${inlineCode(call)}: ${prose(because)}`)),
  ];
  const section = (title: string, items: readonly string[]): void => {
    if (items.length > 0) blocks.push(`## ${title}`, bullets(items.map(prose)));
  };
  section('Danger', story.dangers);
  section('Left behind', story.leftovers);
  section('Not known', story.unknown);
  blocks.push('## What to do', prose(story.toDo));
  blocks.push('## Steps', story.steps.map((step) => `1. ${inlineCode(step)}`).join('\n'));
  return `${blocks.join('\n\n')}\n`;
}

/** There are no tables in it. */
function prose(text: string): string {
  return escapeMarkdown(text).replaceAll('\\|', '|');
}

function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

function storyOf(transition: Transition, places: Places): Story {
  const { verdict, unknown, steps } = transition.run;
  return {
    sentence: transitionSentence(transition),
    ...callbacksOf(transition),
    dangers: verdict.dangers.map((danger) => {
      const where = danger.place ? ` (${places.text(danger.place)})` : '';
      return `${danger.text}${where}`;
    }),
    leftovers: verdict.leftovers.map((leftover) => {
      const stays = leftover.certainty === 'may' ? 'may stay' : 'stays';
      return `the ${describeEffect(leftover.effect)} that ${leftover.version?.name ?? 'a version'} made (${places.text(leftover.place)}) ${stays}; ${HAZARD_TEXT[leftover.hazard]}`;
    }),
    unknown: [...new Set(unknown.map((reason) => reason.text))],
    toDo: whatToDo(transition),
    steps: steps.map(formatStep),
  };
}

function callbacksOf(transition: Transition): Pick<Story, 'called' | 'skipped'> {
  const called: string[] = [];
  const skipped: { call: string; because: string }[] = [];
  const { end, unsure } = transition.run;
  for (const outcome of transition.run.outcomes) {
    if (outcome.step.k === 'load' && end.moduleOf(outcome.step.name) !== transition.to.module) continue;
    for (const it of outcome.happenings) {
      if (it.k !== 'kernel') continue;
      if (it.event.k === 'called')
        called.push(`${callText(end, it.event.call)}${unsure.has(it.event.call) ? ' (may)' : ''}`);
      else if (it.event.k === 'skipped')
        skipped.push({ call: callText(end, it.event.call), because: it.event.because });
    }
  }
  return { called, skipped };
}

/** The livepatch whose transition was still pending when the next was refused. */
function pendingIn({ run }: Transition): string | null {
  const at = run.verdict.refusals[0]?.step ?? 0;
  const pending = run.verdict.refusals[0]?.result === -ERRNO.EBUSY ? run.outcomes[at - 1]?.transition : null;
  return pending ? run.end.nameOf(pending.patch).module : null;
}

function whatToDo(transition: Transition): string {
  const { from, to } = transition;
  const { word } = transition.run.verdict;
  if (word === 'clean') return 'Nothing to do.';
  if (word === 'refused') {
    const held = pendingIn(transition);
    if (held)
      return `Nothing can be loaded while the transition of ${held} is pending: a task of a target module stands in a function that it patches. Let that task leave it first.`;
    if (!from) return `Mend ${to.name}: the kernel does not take it on a clean kernel either.`;
  }
  if (!from) return `Mend ${to.name}: what it does is not undone by its own callbacks.`;
  if (from.index > to.index) {
    return `To get from ${from.name} back to ${to.name}: disable ${from.name}, wait until its folder below /sys/kernel/livepatch is gone, remove its module, then load ${to.name} (nothing is patched in between); or generate a cleanup version that restores ${to.name} after ${from.name}.`;
  }
  return `Let ${to.name} take over what ${from.name} did: hand it over by klp_state data or a shadow variable, and clean up in ${to.name}'s post_patch.`;
}
