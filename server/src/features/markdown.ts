/** Text of the workspace inside Markdown: nothing in it becomes markup, a link or a line break. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>|~&]/g, (c) => `\\${c}`).replace(/\s+/g, ' ');
}

/** Text as inline code. */
export function inlineCode(text: string): string {
  const flat = text.replace(/\s+/g, ' ').replaceAll('|', '¦');
  const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  const pad = flat.startsWith('`') || flat.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${flat}${pad}${fence}`;
}
