import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { serveStdio } from './serve';
import { Server } from './server';

// Started by an editor's client with --stdio or --node-ipc on the command line.
if (process.argv.includes('--stdio')) void serveStdio(false).then((code) => process.exit(code));
else new Server(createConnection(ProposedFeatures.all)).listen();
