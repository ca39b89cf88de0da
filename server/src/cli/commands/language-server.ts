import { serveStdio } from '../../lsp/serve';
import { Failure } from '../failure';
import type { Command } from '../program';

/** The language server over standard input and output, for any editor. */
export const languageServer: Command = {
  usage: 'lsp --stdio [--trust-workspace]',
  summary: 'the language server',
  options: { stdio: { type: 'boolean' }, 'trust-workspace': { type: 'boolean' } },
  positionals: 0,
  run(_positionals, options) {
    if (options.stdio !== true) throw new Failure('say how to connect: klp-lineage lsp --stdio');
    return serveStdio(options['trust-workspace'] === true);
  },
};
