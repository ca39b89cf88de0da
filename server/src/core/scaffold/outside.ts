import { workTreePath } from '../blob-names';
import type { Layout } from './layout';
import type { Subject } from './subject';

/**
 * A copy of files of a revision includes what stands outside their folder from the work tree. Where that is not what
 * the revision had, the copy would be another livepatch: the file, or null.
 */
export function changedOutside(subject: Subject, layout: Layout): string | null {
  return (
    layout.outside.find((file) => {
      const path = workTreePath(file);
      return path !== file && (!subject.exists(path) || subject.text(path) !== subject.text(file));
    }) ?? null
  );
}

/** The sentence for it. */
export function changedSentence(version: string, file: string, shown: (file: string) => string): string {
  return `${version} includes ${shown(file)}, which the work tree has otherwise or not at all, and a copy would include that: move the file into the folder of the sources.`;
}
