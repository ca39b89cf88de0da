/** Which versions and files to compare. Pure. */
import type { CompareResult } from '../../../server/src/lsp/protocol';

export type VersionPair = CompareResult['pairs'][number];

/**
 * The pairs that may be meant, newest first: where the document is a file of a version, that of the newest version
 * that has it, with this file alone. `normal` gives URIs one spelling.
 */
export function pairsOf(
  pairs: readonly VersionPair[],
  document: string,
  normal: (uri: string) => string,
): VersionPair[] {
  const newest = pairs.filter((pair) => pair.files.length > 0).reverse();
  const meant = newest.flatMap((pair) => {
    const files = pair.files.filter((file) => file.after !== null && normal(file.after) === document);
    return files.length > 0 ? [{ ...pair, files }] : [];
  });
  // A file that several versions share was changed by the oldest of them.
  const changed = meant.filter((pair) => pair.files.some((file) => !file.same));
  const [best] = changed.length > 0 ? changed : meant;
  return best ? [best] : newest;
}
