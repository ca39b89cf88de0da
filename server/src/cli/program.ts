import { parseArgs } from 'node:util';
import { check } from './commands/check';
import { explain } from './commands/explain';
import { facts } from './commands/facts';
import { graph } from './commands/graph';
import { init } from './commands/init';
import { languageServer } from './commands/language-server';
import { matrix } from './commands/matrix';
import { newVersion } from './commands/new-version';
import { rehearse } from './commands/rehearse';
import { runbook } from './commands/runbook';
import { scaffold } from './commands/scaffold';
import { simulate } from './commands/simulate';
import { status } from './commands/status';
import { Failure } from './failure';

/** The options of one call, as parseArgs gives them. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<
    Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>
  >;
  /** Positional arguments it takes at most. */
  readonly positionals: number;
  /** Answers the exit code. */
  run(positionals: readonly string[], options: Options): Promise<number> | number;
}

/** By name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  check,
  facts,
  simulate,
  matrix,
  explain,
  scaffold,
  runbook,
  'new-version': newVersion,
  graph,
  rehearse,
  status,
  init,
  lsp: languageServer,
};

export const HELP = `klp-lineage: what really happens when one cumulative livepatch replaces another

usage: klp-lineage COMMAND [PATH] [options]

PATH is a manifest (livepatch.yaml) or a folder; by default the nearest manifest upward.

${Object.entries(COMMANDS)
  .map(([name, command]) => `  ${name.padEnd(11)} ${command.summary}`)
  .join('\n')}

\`klp-lineage help COMMAND\` tells a command's options.
Exit codes: 0 fine, 1 findings, 2 unusable input or usage, 3 internal error.
`;

export function helpOf(name: string): string {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new Failure(`there is no command "${name}"; klp-lineage help lists them`);
  return `usage: klp-lineage ${command.usage}\n\n${command.summary}\n`;
}

/** Runs one command with its arguments; throws Failure for what a person can mend. */
export async function runCommand(name: string, args: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new Failure(`there is no command "${name}"; klp-lineage help lists them`);
  let parsed: { values: Options; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    }) as { values: Options; positionals: string[] };
  } catch (error) {
    throw new Failure(
      `${error instanceof Error ? error.message : String(error)}; usage: klp-lineage ${command.usage}`,
    );
  }
  if (parsed.values.help) {
    process.stdout.write(helpOf(name));
    return 0;
  }
  if (parsed.positionals.length > command.positionals) {
    throw new Failure(`too many arguments; usage: klp-lineage ${command.usage}`);
  }
  return command.run(parsed.positionals, parsed.values);
}
