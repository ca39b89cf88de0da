import {
  createConnection,
  Message,
  type MessageWriter,
  ProposedFeatures,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import type { Answered } from './handshake';
import { Server } from './server';

/** Bytes of one message: the largest file that is read, with every character escaped, has less than half. */
const MAX_MESSAGE = 128 * 1024 * 1024;

/** Bytes in front of a message; there are two short lines. */
const MAX_HEADERS = 64 * 1024;

/** What the library keeps of a message's beginning. */
interface Headers {
  readonly numberOfBytes: number;
  tryReadHeaders(lowerCase: boolean): ReadonlyMap<string, string> | undefined;
}

/** The library takes any number for a length, and would wait for what never comes. */
function refuseLengths(reader: StreamMessageReader): void {
  const { buffer } = reader as unknown as { readonly buffer: Headers };
  const read = buffer.tryReadHeaders.bind(buffer);
  buffer.tryReadHeaders = (lowerCase) => {
    const headers = read(lowerCase);
    if (!headers && buffer.numberOfBytes > MAX_HEADERS)
      throw new Error(`a message cannot have more than ${MAX_HEADERS} bytes of headers`);
    const length = headers?.get('content-length');
    if (length !== undefined && !(/^\d+$/.test(length) && Number(length) <= MAX_MESSAGE))
      throw new Error(`a message cannot have the Content-Length ${JSON.stringify(length)}`);
    return headers;
  };
}

/**
 * Serves over standard input and output until the client ends the connection; answers the exit code. `trusted`: git
 * may be run. A client that is gone, also in the middle of a message, and one whose messages have no length any more
 * end the process with 1: nothing that comes behind could be read. The request with the id `answered` has had its answer.
 */
export function serveStdio(trusted: boolean, answered?: Answered): Promise<number> {
  return new Promise((resolve) => {
    const reader = new StreamMessageReader(process.stdin);
    refuseLengths(reader);
    const connection = createConnection(
      ProposedFeatures.all,
      reader,
      withoutAnswer(new StreamMessageWriter(process.stdout), answered),
    );
    // Nothing else may write into the protocol's stream.
    console.log = console.error;
    connection.onExit(() => resolve(0));
    // At once: half a message that never comes to its end would keep the process alive.
    const gone = (): never => process.exit(1);
    process.stdin.once('end', gone).once('close', gone);
    process.stdout.once('error', gone);
    reader.onError((error) => {
      // A body that is no JSON or no message has been passed over (a SyntaxError or TypeError); behind a broken header
      // there is no way to find the next message.
      if (error.name !== 'Error') return;
      console.error(`livepatch-lineage: ${error.message}; the connection is ended.`);
      gone();
    });
    new Server(connection, trusted).listen();
  });
}

/** The writer, which says nothing of the first response with this id. */
export function withoutAnswer<Writer extends MessageWriter>(writer: Writer, answered?: Answered): Writer {
  const write = writer.write.bind(writer);
  let open = answered !== undefined;
  writer.write = (message) => {
    if (!open || !Message.isResponse(message) || message.id !== answered) return write(message);
    open = false;
    return Promise.resolve();
  };
  return writer;
}
