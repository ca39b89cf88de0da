import { versionByName } from '../core/lineage/lineage';
import type { Places } from '../core/places';
import type { Analysis } from './analysis';
import { escapeMarkdown } from './markdown';
import { runbook } from './runbook';
import { runbookMarkdown } from './runbook-text';

/** The runbook as a Markdown document; where there is no safe way, what was tried and what can be done all the same. */
export function runbookDocument(
  analysis: Analysis,
  from: string,
  to: string,
  places: Places,
): { readonly text: string } | { readonly problem: string } {
  const target = versionByName(analysis.lineage, to);
  const origin = from === 'none' ? null : versionByName(analysis.lineage, from);
  if (!target || origin === undefined)
    return { problem: `The lineage has no version "${target ? from : to}".` };
  if (origin === target) return { problem: 'The two versions are the same.' };
  const answer = runbook(analysis.transitions, origin, target, places);
  if (answer.ok) return { text: runbookMarkdown(answer.runbook) };
  const list = (lines: readonly string[]): string[] => lines.map((line) => `- ${escapeMarkdown(line)}`);
  const blocks = [
    `# ${escapeMarkdown(analysis.lineage.name)}: ${escapeMarkdown(from)} → ${escapeMarkdown(to)}`,
    `${escapeMarkdown(answer.reason.replace(/^t/, 'T'))}.`,
    ...(answer.rejected.length > 0
      ? ['## What does not work', list(answer.rejected.map((it) => `${it.path}: ${it.because}.`)).join('\n')]
      : []),
    ...(answer.advice.length > 0 ? ['## What can be done', list(answer.advice).join('\n')] : []),
  ];
  return { text: `${blocks.join('\n\n')}\n` };
}
