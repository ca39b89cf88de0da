import { expect } from 'vitest';
import { type ParsedManifest, type ParseOptions, parseManifest } from '../../server/src/core/manifest/parse';
import type { Problem, TextEdit } from '../../server/src/core/manifest/problem';
import type { Span } from '../../server/src/core/place';

/** The text without its marks, and what stood between « and » in it. */
export function unmark(marked: string): { text: string; spans: Span[] } {
  const spans: Span[] = [];
  let text = '';
  let start = -1;
  for (const c of marked) {
    if (c === '«') start = text.length;
    else if (c === '»') spans.push({ start, end: text.length });
    else text += c;
  }
  return { text, spans };
}

/** Keys whose absence is a problem of its own, so that a case is about one thing. */
export const HEAD = 'lineage: l\nkernel: "6.1"\n';
export const V1 = 'versions:\n  - version: v1\n    module: m1\n';

/** The problems other than "not yet" ones. */
export function realProblems(parsed: ParsedManifest): Problem[] {
  return parsed.problems.filter((p) => p.notYet !== true);
}

export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = text;
  for (const edit of [...edits].sort((a, b) => b.start - a.start)) {
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end);
  }
  return result;
}

/** Reads a text whose only problem stands at the mark and says `message`; answers it. */
export function expectProblem(marked: string, message: string, options: ParseOptions = {}): Problem {
  const { text, spans } = unmark(marked);
  const problems = realProblems(parseManifest('livepatch.yaml', text, options));
  expect(problems.map((p) => ({ said: p.message, at: text.slice(p.place.start, p.place.end) }))).toEqual([
    { said: expect.stringContaining(message), at: text.slice(spans[0]?.start, spans[0]?.end) },
  ]);
  expect(problems[0]?.place).toEqual(spans[0]);
  return problems[0] as Problem;
}

/** As expectProblem, and the fix of that problem leaves a manifest without problems. */
export function expectFixed(
  marked: string,
  message: string,
  fixed: string,
  options: ParseOptions = {},
): void {
  const { text } = unmark(marked);
  const problem = expectProblem(marked, message, options);
  const after = applyEdits(text, problem.fix?.edits ?? []);
  expect(after).toBe(fixed);
  expect(realProblems(parseManifest('livepatch.yaml', after, options))).toEqual([]);
}
