import { check } from './fixture';

/**
 * Everything that a rule says of a lineage, in whole: "error must v1: sentence", with a version for each that the
 * finding is about.
 */
export async function spoken(text: string, code: string): Promise<string[]> {
  const { findings } = await check(text);
  return findings
    .filter((finding) => finding.code === code)
    .map(
      ({ severity, certainty, versions, message }) =>
        `${severity} ${certainty} ${versions.join(' ')}: ${message}`,
    );
}
