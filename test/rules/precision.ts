import { expect, test } from 'vitest';
import type { Finding } from '../../server/src/rules/rule';
import { check } from './fixture';

export interface Firing {
  /** What is wrong with the lineage, in words. */
  readonly what: string;
  readonly lineage: string;
  /** Words of the message. */
  readonly says: string;
  /** The text that the finding stands on begins so. */
  readonly on?: string;
  readonly run?: readonly string[];
  readonly severity?: Finding['severity'];
}

export interface Silent {
  /** Why there is nothing to say. */
  readonly why: string;
  readonly lineage: string;
}

/** Lineages that a rule must speak of, once each, and lineages that it must not. */
export function precision(code: string, firing: readonly Firing[], silent: readonly Silent[]): void {
  test.for(firing)('speaks: $what', async ({ lineage, says, on, run, severity }) => {
    const { fixture, findings } = await check(lineage);
    const own = findings.filter((finding) => finding.code === code);
    expect(own, findings.map((finding) => `${finding.code}: ${finding.message}`).join('\n')).toHaveLength(1);
    const finding = own[0] as Finding;
    expect(finding.message).toContain(says);
    const text = fixture.files.get(finding.place.file.replace('/lineage/', '')) ?? '';
    if (on !== undefined) expect(text.slice(finding.place.start, finding.place.start + on.length)).toBe(on);
    if (run) expect(finding.run).toEqual(run);
    if (severity) expect(finding.severity).toBe(severity);
  });
  test.for(silent)('silent: $why', async ({ lineage }) => {
    const { findings } = await check(lineage);
    expect(findings.filter((finding) => finding.code === code).map((finding) => finding.message)).toEqual([]);
  });
}
