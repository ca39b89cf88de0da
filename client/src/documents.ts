/** Which documents concern this extension. Pure. */

/** Glob patterns of manifests; package.json names the same ones for activation. */
export const MANIFEST_GLOB = '**/{livepatch.yaml,livepatch.yml,*.livepatch.yaml}';

export const MANIFEST_LANGUAGE = 'livepatch-manifest';

/**
 * What the server is told about: manifests whatever language they are held as, C and diffs, which keep their own.
 * Only files, as they are now or in a git revision: the server reads their neighbours by itself.
 */
export const DOCUMENT_SELECTOR: { language?: string; scheme: string; pattern?: string }[] = [
  { scheme: 'file', language: MANIFEST_LANGUAGE },
  { scheme: 'file', pattern: MANIFEST_GLOB },
  { scheme: 'file', language: 'c' },
  { scheme: 'file', pattern: '**/*.{c,h,patch,diff}' },
  { scheme: 'livepatch-revision' },
];

/** Is this path, with / or \ between its parts, that of a manifest? */
export function isManifestPath(path: string): boolean {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return name === 'livepatch.yaml' || name === 'livepatch.yml' || name.endsWith('.livepatch.yaml');
}

/** Characters of a C file in which the include is looked for; includes stand at the top. */
const LOOK_AT = 200_000;

/** Does this C text include linux/livepatch.h? The text inside a comment counts too: asking costs little. */
export function includesLivepatch(text: string): boolean {
  let at = -1;
  const head = text.slice(0, LOOK_AT);
  while ((at = head.indexOf('linux/livepatch.h', at + 1)) >= 0) {
    const line = head.slice(head.lastIndexOf('\n', at) + 1, at);
    if (/^[ \t]*#[ \t]*include[ \t]*[<"]$/.test(line)) return true;
  }
  return false;
}
