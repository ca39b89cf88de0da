import { leftBehind } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import { describeEffect } from '../core/lineage/verdict';
import type { Analysis } from './analysis';
import { escapeMarkdown } from './markdown';
import { HAZARD_TEXT } from './sentence';

/** What this version's callbacks did and a replacement leaves behind. */
export function leftText(analysis: Analysis, version: LineageVersion): string[] {
  const lines: string[] = [];
  const seen = new Set<string>();
  for (const other of analysis.lineage.versions) {
    if (other === version) continue;
    for (const left of leftBehind(analysis.transitions, version, other)) {
      const text = `- replaced by ${escapeMarkdown(other.name)}: the ${escapeMarkdown(describeEffect(left.effect))} ${left.certainty === 'may' ? 'may stay' : 'stays'}; ${left.dangling ? HAZARD_TEXT['use-after-free'] : HAZARD_TEXT[left.leftover?.hazard ?? 'leak']}`;
      if (!seen.has(text)) lines.push(text);
      seen.add(text);
    }
  }
  return lines.length > 0 ? ['', 'What stays behind:', '', ...lines] : [];
}
