import {
  createConnection,
  IPCMessageReader,
  IPCMessageWriter,
  ProposedFeatures,
} from 'vscode-languageserver/node';
import type { Answered } from './handshake';
import { serveStdio, withoutAnswer } from './serve';
import { Server } from './server';

/** Serves the editor whose client has started this with --stdio, --node-ipc or another way on the command line. */
export function serve(answered?: Answered): void {
  // Node would print the line of the bundle that threw, which is all of it. The editor starts a server that died anew.
  process.on('uncaughtException', (error) => {
    console.error(
      `livepatch-lineage: internal error, the server ends: ${error?.stack ?? 'no error'}\nA fault of the program, not of your files: report it with these lines.`,
    );
    process.exit(3);
  });
  if (process.argv.includes('--stdio')) {
    void serveStdio(false, answered).then((code) => process.exit(code));
    return;
  }
  const connection =
    answered === undefined
      ? createConnection(ProposedFeatures.all)
      : createConnection(
          ProposedFeatures.all,
          new IPCMessageReader(process),
          withoutAnswer(new IPCMessageWriter(process), answered),
        );
  new Server(connection).listen();
}
