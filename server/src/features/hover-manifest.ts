import { isWanted, type LineageVersion } from '../core/lineage/lineage';
import { because, worse } from '../core/lineage/transitions';
import type { VerdictWord } from '../core/lineage/verdict';
import { describeKey, describeValue } from '../core/manifest/describe';
import { nodeAt } from '../core/manifest/node-at';
import type { Analysis } from './analysis';
import { type HoverAnswer, holds } from './hover';
import { hoverScenario } from './hover-scenario';
import { keptText } from './kept-text';
import { leftText } from './left-text';
import { escapeMarkdown, inlineCode } from './markdown';
import { callbacksTable } from './when-runs';

/** Versions get their verdicts, scenarios their result, keys and values their meaning. */
export function hoverManifest(analysis: Analysis, offset: number): HoverAnswer | null {
  for (const version of analysis.lineage.versions) {
    const { version: name, module } = version.entry;
    for (const place of [name.place, module.place]) {
      if (!holds(place, offset)) continue;
      const make = (): string => versionHover(analysis, version);
      return { markdown: keptText(analysis, analysis.manifestFile, place, make), span: place };
    }
  }
  const scenario = hoverScenario(analysis, offset);
  if (scenario) return scenario;
  const node = nodeAt(analysis.parsed, offset);
  if (!node) return null;
  const text = analysis.text(analysis.manifestFile).slice(node.place.start, node.place.end);
  const markdown =
    node.kind === 'key' ? describeKey(node.path) : (describeValue(node.path, text) ?? describeKey(node.path));
  return markdown === null ? null : { markdown, span: node.place };
}

function versionHover(analysis: Analysis, version: LineageVersion): string {
  const { transitions, lineage } = analysis;
  let worst: VerdictWord = 'clean';
  const rows: string[] = [];
  const row = (label: string, from: LineageVersion | null, to: LineageVersion): void => {
    const transition = transitions.transition(from, to);
    const { word, certainty } = transition.run.verdict;
    worst = worse(worst, word);
    rows.push(
      `| ${label} | **${word}**${certainty === 'may' ? ' (may)' : ''} | ${escapeMarkdown(because(transition))} |`,
    );
  };
  row('clean kernel → it', null, version);
  for (const other of lineage.versions)
    if (other !== version) row(`${escapeMarkdown(other.name)} → it`, other, version);
  for (const other of lineage.versions)
    if (other !== version) row(`it → ${escapeMarkdown(other.name)}`, version, other);
  const facts = version.facts?.patch;
  const functions = (facts?.objects ?? []).reduce((sum, object) => sum + (object.functions?.length ?? 0), 0);
  const callbacks = (facts?.objects ?? []).reduce((sum, object) => sum + object.callbacks.length, 0);
  const about = facts
    ? `${facts.replace === null ? 'replaces, if its parameter says so' : facts.replace ? 'replaces all others' : 'does not replace'}; ${functions} functions, ${callbacks} callbacks, ${facts.states.length} states.`
    : 'Its sources could not be read.';
  const status = version.entry.status.value;
  return [
    `${inlineCode(version.name)} (${inlineCode(version.module)}, ${status}): ${sentence(worst, isWanted(version))} It ${about}`,
    '',
    '| transition | verdict | because |',
    '|---|---|---|',
    ...rows,
    ...callbacksTable(transitions, version),
    ...leftText(analysis, version),
    '',
    `[Cumulative livepatches](${lineage.capabilities.documentation('livepatch/cumulative-patches')})`,
  ].join('\n');
}

function sentence(worst: VerdictWord, wanted: boolean): string {
  switch (worst) {
    case 'clean':
      return 'every transition from and to it is clean.';
    case 'refused':
      return 'the kernel refuses some transition from or to it.';
    case 'leaves':
      return 'some transition from or to it leaves a side effect behind.';
    case 'unsafe':
      return wanted
        ? 'some transition from or to it is **unsafe**.'
        : 'some transition from or to it is unsafe.';
  }
}
