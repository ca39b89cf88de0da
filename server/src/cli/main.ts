import { reasonOf } from '../host/files';
import { EXIT, Failure } from './failure';
import { COMMANDS, HELP, helpOf, runCommand } from './program';
import { printable } from './terminal';

/** A message that may have several lines, as one. */
function oneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return printable(lines.filter((line) => line !== '').join(' '));
}

/** What nobody expected, in one line; the stack for whoever wants it. */
function internalError(error: unknown, command: string): string {
  const said = error instanceof Error ? error.message : '';
  const what = oneLine(said) || 'an error without a message';
  const where = Object.hasOwn(COMMANDS, command) ? ` in ${command}` : '';
  const stack = process.env.KLP_LINEAGE_DEBUG && error instanceof Error ? `${error.stack}\n` : '';
  return `klp-lineage: internal error${where}: ${what}; this is a fault of the program, not of your files: set KLP_LINEAGE_DEBUG=1 for the stack, and report it with that\n${stack}`;
}

// Node would print the line of the bundle that threw, which is all of it.
process.on('uncaughtException', (error: unknown) => {
  process.stderr.write(internalError(error, ''));
  process.exit(EXIT.internal);
});

/** Ends the program once what was printed has left the process. */
function finish(code: number): void {
  process.exitCode = code;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Somebody closed the pipe (`| head`): that is no fault.
  if (error.code === 'EPIPE') process.exit(EXIT.fine);
  process.stderr.write(`klp-lineage: standard output cannot be written: ${reasonOf(error)}\n`);
  process.exit(EXIT.usage);
});
// Nobody is there to be told; the status says it.
process.stderr.on('error', () => undefined);

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
  process.stderr.write(internalError(error, process.argv[2] ?? ''));
  finish(EXIT.internal);
});
