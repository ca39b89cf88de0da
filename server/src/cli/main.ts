import { EXIT, Failure } from './failure';
import { HELP, helpOf, runCommand } from './program';
import { printable } from './terminal';

/** A message that may have several lines, as one. */
function oneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return printable(lines.filter((line) => line !== '').join(' '));
}

/** Ends the program once what was printed has left the process. */
function finish(code: number): void {
  process.exitCode = code;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Somebody closed the pipe (`| head`): that is no fault.
  process.exit(error.code === 'EPIPE' ? EXIT.fine : EXIT.internal);
});

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(rest[0] === undefined ? HELP : helpOf(rest[0]));
    return command === undefined ? EXIT.usage : EXIT.fine;
  }
  return runCommand(command, rest);
}

main(process.argv.slice(2)).then(finish, (error: unknown) => {
  if (error instanceof Failure) {
    process.stderr.write(`klp-lineage: ${oneLine(error.message)}\n`);
    finish(error.exit);
    return;
  }
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `klp-lineage: internal error: ${oneLine(text)} (set KLP_LINEAGE_DEBUG=1 for the stack)\n`,
  );
  if (process.env.KLP_LINEAGE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  finish(EXIT.internal);
});
