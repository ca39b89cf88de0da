/** A scene as a file of its own: SVG, or a page of HTML that holds it. Deterministic; every foreign text is escaped. */
import { type Drawing, drawScene } from './drawing';
import { DARK, LIGHT, PAGE_THEME, type Theme } from './paint';
import type { Scene } from './scene';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that XML 1.0 does not allow, even as references (tabs and line ends, which it allows, are among them). */
const NOT_XML = /[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu;

/** `text` so that it can stand in an element or a quoted attribute of XML and HTML. */
export function escapeMarkup(text: string): string {
  return text
    .replace(NOT_XML, (character) => (character === '\n' || character === '\t' ? character : '\uFFFD'))
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** The scene as an SVG document without references to anything outside it. */
export function sceneToSvg(scene: Scene, theme: Theme = LIGHT): string {
  return `${write(drawScene(scene, theme))}\n`;
}

/** The scene as an HTML page that follows the reader's colour scheme and says the same in words below. */
export function sceneToHtml(scene: Scene): string {
  const variables = (theme: Theme): string =>
    Object.entries(theme)
      .map(([token, colour]) => `--k-${token}:${colour}`)
      .join(';');
  const title = escapeMarkup(scene.title);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
body{margin:0;background:var(--k-bg);color:var(--k-fg);font:13px/1.5 system-ui,sans-serif}
p{max-width:70em;margin:1.5em;overflow-wrap:anywhere;color:var(--k-muted)}
</style>
</head>
<body>
${write(drawScene(scene, PAGE_THEME))}
<p>${escapeMarkup(scene.description)}</p>
</body>
</html>
`;
}

function write(drawing: Drawing): string {
  const attributes = Object.entries(drawing.attributes)
    .map(([name, value]) => ` ${name}="${escapeMarkup(value)}"`)
    .join('');
  const titled =
    drawing.name === undefined || drawing.name === drawing.text
      ? ''
      : `<title>${escapeMarkup(drawing.name)}</title>`;
  const children = (drawing.children ?? []).map(write).join('\n');
  const inside = `${titled}${escapeMarkup(drawing.text ?? '')}${children === '' ? '' : `\n${children}\n`}`;
  return inside === ''
    ? `<${drawing.tag}${attributes}/>`
    : `<${drawing.tag}${attributes}>${inside}</${drawing.tag}>`;
}
