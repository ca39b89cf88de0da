import type { Command } from './command';
import { check } from './commands/check';
import { rehearse } from './commands/rehearse';

/** What the extension's tasks run: all that the program within the packaged extension knows. */
export const COMMANDS: Readonly<Record<string, Command>> = { check, rehearse };
