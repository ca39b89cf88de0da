import type { Severity, Span } from '../place';

/** One replacement in a text: `start` to `end` (UTF-16 offsets, end exclusive) becomes `text`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface ProblemFix {
  readonly title: string;
  readonly edits: readonly TextEdit[];
}

/** Something the manifest reader has to say; all of them stand under the rule `manifest-invalid`. */
export interface Problem {
  readonly severity: Severity;
  readonly message: string;
  readonly place: Span;
  readonly related?: readonly { readonly message: string; readonly place: Span }[];
  readonly fix?: ProblemFix;
  /** The key is understood and kept in the manifest, but nothing acts on it. */
  readonly notYet?: true;
}

/** What is said about one manifest at most; beyond it one closing problem says how many were left out. */
export const MAX_PROBLEMS = 500;

/** Collects problems up to MAX_PROBLEMS. */
export class ProblemList {
  readonly #kept: Problem[] = [];
  #dropped = 0;

  /** Whether further problems are only counted: suggestions for them need not be worked out. */
  get full(): boolean {
    return this.#kept.length >= MAX_PROBLEMS;
  }

  error(message: string, place: Span, more: Pick<Problem, 'related' | 'fix'> = {}): void {
    this.add({ severity: 'error', message, place, ...more });
  }

  warning(message: string, place: Span, more: Pick<Problem, 'related' | 'fix'> = {}): void {
    this.add({ severity: 'warning', message, place, ...more });
  }

  add(problem: Problem): void {
    if (this.#kept.length < MAX_PROBLEMS) this.#kept.push(problem);
    else this.#dropped++;
  }

  /** Ordered by place; the order in which they were found decides between equal places. */
  sorted(): readonly Problem[] {
    const result = [...this.#kept].sort((a, b) => a.place.start - b.place.start || a.place.end - b.place.end);
    if (this.#dropped > 0) {
      const place = result[result.length - 1]?.place ?? { start: 0, end: 0 };
      const message = `${this.#dropped} more problems in this manifest are not listed.`;
      result.push({ severity: 'error', message, place });
    }
    return result;
  }
}
