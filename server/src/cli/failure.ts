/** Exit codes; CI jobs rely on them. */
export const EXIT = { fine: 0, findings: 1, usage: 2, internal: 3, interrupted: 130 } as const;

/** Something a person can mend: printed as one line on stderr, without a stack. */
export class Failure extends Error {
  readonly exit: number;

  constructor(message: string, exit: number = EXIT.usage) {
    super(message);
    this.name = 'Failure';
    this.exit = exit;
  }
}
