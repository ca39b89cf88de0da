/**
 * What a task has read, written and been answered so far, in order. A suspended task is continued by running it
 * again from its start: while the trace lasts, answers come from it and nothing is written; then it is live.
 */
export class TaskTrace {
  private at = 0;

  constructor(private readonly answers: unknown[] = []) {}

  get replaying(): boolean {
    return this.at < this.answers.length;
  }

  next(): unknown {
    return this.answers[this.at++];
  }

  record(answer: unknown): void {
    this.answers.push(answer);
    this.at++;
  }

  /** How much has been answered or recorded. */
  get position(): number {
    return this.at;
  }

  /** Forgets what was recorded from `position` on: that part is to be run again. */
  rewind(position: number): void {
    this.answers.length = position;
    this.at = position;
  }

  /** The same recording, to be replayed from its start. */
  restart(): TaskTrace {
    return new TaskTrace([...this.answers]);
  }

  get length(): number {
    return this.answers.length;
  }
}

/** Thrown through the interpreter when a task gives up the processor. */
export class Suspended extends Error {
  /** `again`: the call that suspended is to be made again on the next turn, its arguments evaluated anew. */
  constructor(readonly again: boolean) {
    super('suspended');
  }
}
