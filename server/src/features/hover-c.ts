import type { Effect } from '../core/execution/effects';
import type { CallbackFacts, ObjectFacts, PatchFacts, StateFacts } from '../core/execution/fact-types';
import type { LineageVersion } from '../core/lineage/lineage';
import { ownUndo } from '../core/lineage/own-undo';
import { describeEffect } from '../core/lineage/verdict';
import type { Place } from '../core/place';
import type { Analysis } from './analysis';
import { type HoverAnswer, holds } from './hover';
import { keptText } from './kept-text';
import { leftText } from './left-text';
import { escapeMarkdown, inlineCode } from './markdown';
import { transitionSentence } from './sentence';
import { callbacksTable, situationTable, whenRuns } from './when-runs';

/** Hover over `.replace`, a callback entry, a callback function, a state or a call with a side effect. */
export function hoverC(analysis: Analysis, file: string, offset: number): HoverAnswer | null {
  const at = (place: Place | null): place is Place =>
    place !== null && place.file === file && holds(place, offset);
  const answer = (span: Place, make: () => string): HoverAnswer => ({
    markdown: keptText(analysis, file, span, make),
    span,
  });
  for (const version of analysis.lineage.versions) {
    for (const patch of version.facts?.patches ?? []) {
      const { replacePlace } = patch;
      if (at(replacePlace)) return answer(replacePlace, () => replaceHover(analysis, version, patch));
      for (const object of patch.objects ?? []) {
        for (const callback of object.callbacks) {
          for (const place of [callback.place, callback.definition]) {
            if (at(place)) return answer(place, () => callbackHover(analysis, version, object, callback));
          }
        }
      }
      for (const state of patch.states) {
        if (at(state.place)) return answer(state.place, () => stateHover(analysis, version, state));
      }
    }
    const effect = version.program && effectAt(analysis, version, at);
    if (effect) return answer(effect.by.place, () => effectHover(analysis, version, effect));
  }
  return null;
}

function documentation(analysis: Analysis, title: string, page: string, anchor?: string): string {
  return `[${title}](${analysis.lineage.capabilities.documentation(page, anchor)})`;
}

function replaceHover(analysis: Analysis, version: LineageVersion, patch: PatchFacts): string {
  const { lineage, transitions } = analysis;
  const lines: string[] = [];
  const replaces = patch.replace;
  lines.push(
    replaces === null
      ? `Whether ${inlineCode(version.name)} replaces the livepatches below it is decided at load time.`
      : replaces
        ? `${inlineCode(version.name)} takes over from every older livepatch in one transition; **none of their callbacks is called**, only its own.`
        : `${inlineCode(version.name)} is added on top of what is installed; nothing is replaced.`,
  );
  const older = lineage.versions.filter((other) => other !== version);
  if (replaces !== false && older.length > 0) {
    lines.push('', '| replaces | verdict | |', '|---|---|---|');
    for (const other of older) {
      const transition = transitions.transition(other, version);
      const { word, certainty } = transition.run.verdict;
      const may = certainty === 'may' ? ' (may)' : '';
      lines.push(
        `| ${escapeMarkdown(other.name)} | **${word}**${may} | ${escapeMarkdown(transitionSentence(transition))} |`,
      );
    }
  }
  lines.push(
    ...callbacksTable(transitions, version),
    ...leftText(analysis, version),
    '',
    documentation(analysis, 'Atomic replace and cumulative livepatches', 'livepatch/cumulative-patches'),
  );
  return lines.join('\n');
}

function callbackHover(
  analysis: Analysis,
  version: LineageVersion,
  object: ObjectFacts,
  callback: CallbackFacts,
): string {
  const rows = whenRuns(analysis.transitions, version, object.name, callback.callback);
  const replacing = rows.filter((row) => row.situation.startsWith('replaced by'));
  const never = replacing.length > 0 && replacing.every((row) => !row.runs);
  const undoes = callback.callback === 'pre_unpatch' || callback.callback === 'post_unpatch';
  const verdict = undoes
    ? never
      ? 'runs when the livepatch is disabled or its load is reversed, **never when another livepatch replaces it**.'
      : 'runs when the livepatch is disabled or its load is reversed.'
    : 'runs when the livepatch is enabled; nothing of this livepatch is called when another one replaces it.';
  return [
    `${inlineCode(callback.function)} is the ${inlineCode(callback.callback)} callback of ${inlineCode(version.name)} for ${inlineCode(object.name ?? 'vmlinux')}. It ${verdict}`,
    '',
    situationTable(
      rows.map((row) => ({
        ...row,
        situation: escapeMarkdown(row.situation),
        note: escapeMarkdown(row.note),
      })),
    ),
    ...leftText(analysis, version),
    '',
    documentation(analysis, 'Livepatch callbacks', 'livepatch/callbacks'),
  ].join('\n');
}

function stateHover(analysis: Analysis, version: LineageVersion, state: StateFacts): string {
  const rows = analysis.lineage.versions.map((other) => {
    const entry = other.facts?.patch?.states.find((it) => it.id === state.id);
    const have = entry ? `version ${entry.version ?? 'unknown'}` : 'not declared';
    if (other === version) return `| ${escapeMarkdown(other.name)} | ${have} | this one |`;
    const over =
      analysis.transitions.transition(version, other).run.verdict.refusals.length > 0 ? 'refused' : 'allowed';
    return `| ${escapeMarkdown(other.name)} | ${have} | ${over} |`;
  });
  return [
    `State ${inlineCode(String(state.id))} of ${inlineCode(version.name)}, version ${state.version ?? 'unknown'}: a livepatch that replaces this one is refused unless it declares the same id with the same or a higher version. Its data is what the next version can find with ${inlineCode('klp_get_prev_state()')}. Disabled, it is forgotten, whether or not a callback undid what it stands for; a load over it that is reversed leaves it.`,
    '',
    `| version | state | may replace ${escapeMarkdown(version.name)} |`,
    '|---|---|---|',
    ...rows,
    ...leftText(analysis, version),
    '',
    documentation(analysis, 'System state changes', 'livepatch/system-state'),
  ].join('\n');
}

/** What a call at this place makes when the version is loaded. */
function effectAt(
  analysis: Analysis,
  version: LineageVersion,
  at: (place: Place | null) => place is Place,
): Effect | undefined {
  const { run } = analysis.transitions.transition(null, version);
  return run.end.effects().find((effect) => at(effect.by.place));
}

function effectHover(analysis: Analysis, version: LineageVersion, effect: Effect): string {
  const undo = ownUndo(analysis.transitions, version, effect);
  const owner = undo
    ? `${inlineCode(undo.function)} (${inlineCode(undo.during)}) undoes it when ${inlineCode(version.name)} is disabled.`
    : `Nothing in ${inlineCode(version.name)} undoes it.`;
  return [
    `${escapeMarkdown(describeEffect(effect))}: made in ${inlineCode(effect.by.during)} by ${inlineCode(effect.row.do)}. ${owner}`,
    ...leftText(analysis, version),
    '',
    documentation(analysis, 'Livepatch callbacks', 'livepatch/callbacks'),
  ].join('\n');
}
