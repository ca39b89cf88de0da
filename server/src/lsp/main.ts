import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { Server } from './server';

// Started by an editor's client with --stdio or --node-ipc on the command line.
new Server(createConnection(ProposedFeatures.all)).listen();
