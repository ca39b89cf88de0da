/** Writes to standard output. Long answers are written in one piece per call, in order. */
export function print(text: string): void {
  process.stdout.write(text);
}
