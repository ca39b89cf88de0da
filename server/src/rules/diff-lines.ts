import type { Span } from '../core/place';

/** Whether a source is a diff, by its name. */
export function isDiff(file: string): boolean {
  return /\.(?:patch|diff)$/.test(file);
}

/** Whether a stretch of a diff lies within the text of one added line. */
export function withinAddedLine(diff: string, { start, end }: Span): boolean {
  const lineStart = diff.lastIndexOf('\n', start - 1) + 1;
  return diff[lineStart] === '+' && start > lineStart && !diff.slice(start, end).includes('\n');
}
