import {
  createConnection,
  ProposedFeatures,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import { Server } from './server';

/** Serves over standard input and output until the client ends the connection. `trusted`: git may be run. */
export function serveStdio(trusted: boolean): Promise<number> {
  return new Promise((resolve) => {
    const connection = createConnection(
      ProposedFeatures.all,
      new StreamMessageReader(process.stdin),
      new StreamMessageWriter(process.stdout),
    );
    // Nothing else may write into the protocol's stream.
    console.log = console.error;
    connection.onExit(() => resolve(0));
    new Server(connection, trusted).listen();
  });
}
