import { printable } from './terminal';

/** Writes to standard output. Long answers are written in one piece per call, in order. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** The same for a value as JSON; what a terminal would act on stands in its strings as escapes, which mean the same. */
export function printJson(value: object): void {
  print(`${printable(JSON.stringify(value, null, 2))}\n`);
}
