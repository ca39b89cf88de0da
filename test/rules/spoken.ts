import { check } from './fixture';

/**
 * Everything that a rule says of a lineage, in whole: "error must v1: sentence | used here", with the versions that
 * the finding is about, and what it says of other places.
 */
export async function spoken(text: string, code: string): Promise<string[]> {
  const { findings } = await check(text);
  return findings
    .filter((finding) => finding.code === code)
    .map(
      ({ severity, certainty, versions, message, related }) =>
        `${severity} ${certainty} ${versions.join(' ')}: ${[message, ...related.map((it) => it.message)].join(' | ')}`,
    );
}
