import type { Command } from './command';
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

/** Every command of `klp-lineage`, in the order of its help. */
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
