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
