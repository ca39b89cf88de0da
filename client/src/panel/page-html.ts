/** The shell of the panel's page. Pure: everything it holds is a parameter, and none of it comes from a workspace. */

export interface PageParts {
  /** The page's script and style sheet, as URIs a webview may load. */
  readonly script: string;
  readonly style: string;
  /** Where the style sheet comes from, as `webview.cspSource` gives it. */
  readonly cspSource: string;
  /** Fresh for every page; letters and digits. */
  readonly nonce: string;
}

/** HTML whose policy allows one script, by nonce, and style sheets of the extension; nothing inline, nothing remote. */
export function pageHtml(parts: PageParts): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${parts.nonce}'`,
    `style-src ${parts.cspSource}`,
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
<link rel="stylesheet" href="${parts.style}">
</head>
<body>
<div id="root"></div>
<script nonce="${parts.nonce}" src="${parts.script}"></script>
</body>
</html>
`;
}
