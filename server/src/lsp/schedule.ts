/** A clock and a timer that tests can replace. */
export interface Timer {
  now(): number;
  after(milliseconds: number, run: () => void): { cancel(): void };
}

/** Milliseconds of a clock that only runs forward; Node takes a millisecond to load the one called `performance`. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export const SYSTEM_TIMER: Timer = {
  now,
  after: (milliseconds, run) => {
    const handle = setTimeout(run, milliseconds);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** After this much quiet an edit is analysed at once. */
const QUIET_MS = 250;
/** No edit waits longer than this. */
const LONGEST_MS = 500;

/**
 * When to analyse: the first edit after quiet at once, those that follow it coalesced. How long they wait follows
 * what an analysis costs, so that a slow one never eats the time to type.
 */
export class Schedule {
  readonly #run: () => void;
  readonly #timer: Timer;
  #waiting: { cancel(): void } | null = null;
  #lastEdit = Number.NEGATIVE_INFINITY;
  #cost = 0;

  constructor(run: () => void, timer: Timer = SYSTEM_TIMER) {
    this.#run = run;
    this.#timer = timer;
  }

  /** Something changed. */
  changed(): void {
    const now = this.#timer.now();
    const quiet = now - this.#lastEdit > QUIET_MS;
    this.#lastEdit = now;
    if (this.#waiting) return;
    const delay = quiet ? 0 : Math.min(LONGEST_MS, Math.max(QUIET_MS, 10 * this.#cost));
    this.#waiting = this.#timer.after(delay, () => {
      this.#waiting = null;
      this.flush();
    });
  }

  /** Runs now what would run later. */
  flush(): void {
    this.#waiting?.cancel();
    this.#waiting = null;
    const start = this.#timer.now();
    this.#run();
    this.#cost = this.#timer.now() - start;
  }

  dispose(): void {
    this.#waiting?.cancel();
    this.#waiting = null;
  }
}
