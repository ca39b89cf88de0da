/**
 * Text of the workspace inside Markdown: nothing in it becomes markup, a link or a line break. A `_` within a word is
 * none, and the documents made so are read as text too.
 */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*[\]<>|~&]|(?<![a-z0-9])_|_(?![a-z0-9])/gi, (c) => `\\${c}`).replace(/\s+/g, ' ');
}

/** Text as inline code. */
export function inlineCode(text: string): string {
  const flat = text.replace(/\s+/g, ' ').replaceAll('|', '¦');
  const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  const pad = flat.startsWith('`') || flat.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${flat}${pad}${fence}`;
}
