/** The shell of the panel's page. Pure: everything it holds is a parameter, and none of it comes from a workspace. */

export interface PageParts {
  /** The page's script and style sheet, as texts. */
  readonly script: string;
  readonly style: string;
  /** Fresh for every page; letters and digits. */
  readonly nonce: string;
}

/** HTML whose policy allows one script and one style sheet, by nonce; nothing else inline, nothing remote. */
export function pageHtml(parts: PageParts): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${parts.nonce}'`,
    `style-src 'nonce-${parts.nonce}'`,
    // A picture is exported as PNG by drawing its own SVG, which an image cannot load anything from.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Livepatch version stack</title>
<style nonce="${parts.nonce}">${inert(parts.style)}</style>
</head>
<body>
<div id="root"></div>
<script nonce="${parts.nonce}">${inert(parts.script)}</script>
</body>
</html>
`;
}

/** A text between tags, from which nothing can get out. What HTML would end it with stands in string literals only. */
function inert(text: string): string {
  return text.replace(/<(?=\/(?:script|style)|!--)/gi, '\\x3c');
}
