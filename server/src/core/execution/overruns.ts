/** Statements that calls may take before they are ended, in one analysis together; then they are ended early. */
export const MAX_LOST = 200_000;

/**
 * What the calls that had to be ended, in one analysis, have cost. Each is bounded, and so many of them would not be.
 * Where no call runs too long nothing is counted, and nothing is different.
 */
export class Overruns {
  /** Statements of those calls so far. */
  lost = 0;
  /** Counts analyses: what was asked for twice in one costs it only once. */
  pass = 0;

  get tooMany(): boolean {
    return this.lost > MAX_LOST;
  }

  /** A new analysis begins. */
  begin(): void {
    this.lost = 0;
    this.pass++;
  }

  /** Whether what was worked out when `before` was lost, and lost `lost` itself, would come out the same now. */
  same({ before, lost }: { readonly before: number; readonly lost: number }): boolean {
    return lost > 0 ? before === this.lost : before > MAX_LOST === this.tooMany;
  }
}
