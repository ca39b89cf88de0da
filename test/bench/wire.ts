import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import { takeoverLineage } from './lineages';
import { type Figure, median, percentile } from './measure';

const VERSIONS = 20;
const FILES = 100;
const HOVERS = 400;
const HOVER_ROUNDS = 7;
const IDLE_MS = 12_000;
/** Less than this much processor time while idle counts as this: it is noise. */
const IDLE_NOISE_MS = 3;
/**
 * A server counts as idle once it has been quiet for this long. Eight seconds after the last collection V8 looks what a
 * program that does nothing keeps, and collects up to three times (its memory reducer); where it finds the program
 * busy it looks again eight seconds later. That is of the start, happens in any server and is told apart. What a timer
 * does goes on, and keeps a server from being quiet.
 */
const QUIET_MS = 10_000;
/** After so many times that long, what is not quiet is measured as it is. */
const LONGEST_WAIT = 9;
/** Until a server that has just answered has done what it puts off. */
const SETTLE_MS = 2_000;

/** One process that speaks the protocol, ours or the bare one. */
class Peer {
  readonly process: ChildProcess;
  readonly connection: ProtocolConnection;
  readonly started = performance.now();
  received = 0;
  readonly #uris = new Map<string, number>();
  #onDiagnostics: (uri: string, version: number | undefined, count: number) => void = () => {};

  constructor(script: string, env: NodeJS.ProcessEnv = process.env) {
    this.process = spawn(process.execPath, [script, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'], env });
    const { stdin, stdout } = this.process;
    if (!stdin || !stdout) throw new Error('no pipes');
    this.connection = createProtocolConnection(
      new StreamMessageReader(stdout),
      new StreamMessageWriter(stdin),
    );
    this.connection.onNotification(
      'textDocument/publishDiagnostics',
      ({ uri, version, diagnostics }: { uri: string; version?: number; diagnostics: readonly unknown[] }) =>
        this.#onDiagnostics(uri, version, diagnostics.length),
    );
    this.connection.onRequest('client/registerCapability', () => null);
    stdout.on('data', () => this.received++);
    this.connection.listen();
  }

  /** Milliseconds from the start of the process to its answer. */
  async initialize(folder: string): Promise<number> {
    const uri = pathToFileURL(folder).toString();
    await this.connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: uri,
      workspaceFolders: [{ uri, name: 'bench' }],
      capabilities: { textDocument: { publishDiagnostics: { versionSupport: true } } },
    });
    const time = performance.now() - this.started;
    await this.connection.sendNotification('initialized', {});
    return time;
  }

  async open(path: string, text: string): Promise<string> {
    const uri = pathToFileURL(path).toString();
    this.#uris.set(uri, 1);
    const languageId = path.endsWith('.c') ? 'c' : 'yaml';
    const textDocument = { uri, languageId, version: 1, text };
    await this.connection.sendNotification('textDocument/didOpen', { textDocument });
    return uri;
  }

  async insert(uri: string, line: number, text: string): Promise<void> {
    const version = (this.#uris.get(uri) ?? 0) + 1;
    this.#uris.set(uri, version);
    const at = { line, character: 0 };
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges: [{ range: { start: at, end: at }, text }],
    });
  }

  /** Resolves with the time since the process started when diagnostics of this file come that are not empty. */
  firstDiagnostics(uri: string): Promise<number> {
    return new Promise((done) => {
      this.#onDiagnostics = (of, _version, count) => {
        if (of === uri && count > 0) done(performance.now() - this.started);
      };
    });
  }

  onDiagnostics(listener: (uri: string, version: number | undefined) => void): void {
    this.#onDiagnostics = listener;
  }

  hover(uri: string, line: number, character: number): Promise<unknown> {
    const params = { textDocument: { uri }, position: { line, character } };
    return this.connection.sendRequest('textDocument/hover', params);
  }

  /** Milliseconds that the process has run on a processor, in all its threads. */
  cpu(): number {
    const threads = `/proc/${this.process.pid}/task`;
    const ran = readdirSync(threads).map((thread) =>
      Number(readFileSync(join(threads, thread, 'schedstat'), 'utf8').split(' ')[0]),
    );
    return ran.reduce((sum, nanoseconds) => sum + nanoseconds / 1e6, 0);
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.process.once('exit', done));
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    await ended;
    this.connection.dispose();
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** Figures over a real connection, each against a server on the same library that knows nothing (bare-server.ts). */
export async function wireFigures(root: string, bare: string): Promise<Figure[]> {
  const server = join(root, 'dist/server.js');
  const folder = mkdtempSync(join(tmpdir(), 'lineage-wire-'));
  try {
    return [
      ...(await startFigures(root, join(folder, 'cache'), server, bare)),
      ...(await hoverFigure(folder, server, bare)),
      ...(await stormFigure(root, server)),
      ...(await idleFigures(root, server, bare)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The example's faulty version: it has findings. */
function exampleOf(root: string): { folder: string; path: string; text: string } {
  const folder = join(root, 'examples/net-fixes');
  const path = join(folder, 'v2/livepatch_net_v2.c');
  return { folder, path, text: readFileSync(path, 'utf8') };
}

/** From the second start on, for the first one compiles what the others find; how long that takes is told beside it. */
async function startFigures(root: string, cache: string, server: string, bare: string): Promise<Figure[]> {
  const { folder, path, text } = exampleOf(root);
  const env = { ...process.env, LIVEPATCH_LINEAGE_CACHE: cache };
  const start = async (script: string): Promise<[initialised: number, diagnosed: number]> => {
    const peer = new Peer(script, env);
    const first = peer.firstDiagnostics(pathToFileURL(path).toString());
    const initialised = await peer.initialize(folder);
    await peer.open(path, text);
    const diagnosed = await first;
    await peer.close();
    return [initialised, diagnosed];
  };
  const cold = await start(server);
  const ours: [number, number][] = [];
  const theirs: [number, number][] = [];
  for (let round = 0; round < 9; round++) {
    theirs.push(await start(bare));
    ours.push(await start(server));
  }
  return ['start to initialised', 'start to first diagnostics'].map((name, i) => {
    const mine = median(ours.map((it) => it[i] ?? 0));
    const its = median(theirs.map((it) => it[i] ?? 0));
    return {
      name,
      value: mine / its,
      limit: i === 0 ? 1.15 : 1.5,
      unit: '× bare server',
      detail: `${mine.toFixed(0)} ms / ${its.toFixed(0)} ms; ${(cold[i] ?? 0).toFixed(0)} ms when nothing is kept yet`,
    };
  });
}

async function hoverFigure(folder: string, server: string, bare: string): Promise<Figure[]> {
  mkdirSync(folder, { recursive: true });
  const texts = takeoverLineage(VERSIONS, 10);
  for (let n = 0; Object.keys(texts).length < FILES; n++) texts[`other${n}.c`] = `int other_${n};\n`;
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const peers = [new Peer(bare), new Peer(server)];
  const uris: string[][] = [];
  for (const peer of peers) {
    await peer.initialize(folder);
    const opened: string[] = [];
    for (const [name, text] of Object.entries(texts)) opened.push(await peer.open(join(folder, name), text));
    uris.push(opened);
  }
  const versions = Object.keys(texts).flatMap((name, i) => (/^v\d+\.c$/.test(name) ? [i] : []));
  const line = (texts['v1.c'] ?? '').split('\n').findIndex((it) => it.includes('.pre_patch ='));
  // A twentieth of one round hangs on what else the machine did in it: the median of several is what is told.
  const rounds: number[][] = [];
  const first: number[] = [];
  for (let round = -1; round < HOVER_ROUNDS; round++) {
    const times: number[][] = [[], []];
    for (let n = 0; n < HOVERS; n++) {
      for (const [i, peer] of peers.entries()) {
        const uri = uris[i]?.[versions[n % versions.length] ?? 0] ?? '';
        const start = performance.now();
        const answer = await peer.hover(uri, line, 5);
        times[i]?.push(performance.now() - start);
        if (!answer) throw new Error('no hover on a callback');
      }
    }
    // What a hover says is kept: the first answer at each place is the only one that is worked out.
    if (round < 0) first.push(...(times[1] ?? []).slice(0, versions.length));
    if (round >= 0) rounds.push(times.map((it) => percentile(it, 0.95)));
  }
  for (const peer of peers) await peer.close();
  const [echo, ours] = [0, 1].map((i) => median(rounds.map((round) => round[i] ?? 0)));
  return [
    {
      name: `hover p95, ${FILES} files open`,
      value: median(rounds.map(([bare = 1, full = 0]) => full / bare)),
      limit: 2,
      unit: '× echo',
      detail: `${(ours ?? 0).toFixed(2)} ms / ${(echo ?? 0).toFixed(2)} ms over stdio, ${HOVER_ROUNDS} rounds; the first at each place ${median(first).toFixed(1)} ms`,
    },
  ];
}

/** Each edit moves a finding, so each analysis is published, with the version of the text that it saw. */
async function stormFigure(root: string, server: string): Promise<Figure[]> {
  const { folder, path, text } = exampleOf(root);
  const peer = new Peer(server);
  await peer.initialize(folder);
  const first = peer.firstDiagnostics(pathToFileURL(path).toString());
  const uri = await peer.open(path, text);
  await first;
  await pause(SETTLE_MS);
  const seen = new Set<number>();
  peer.onDiagnostics((of, version) => of === uri && version !== undefined && seen.add(version));
  const start = performance.now();
  for (let n = 0; n < 100; n++) {
    await peer.insert(uri, 0, '\n');
    await pause(Math.max(0, start + (n + 1) * 10 - performance.now()));
  }
  await pause(SETTLE_MS);
  if (!seen.has(101)) throw new Error('the last edit was not analysed');
  await peer.close();
  const detail = `versions ${[...seen].join(', ')} of the text`;
  return [{ name: 'analyses run for 100 edits in one second', value: seen.size, limit: 5, unit: '', detail }];
}

/** Both servers at the same time, over the same seconds. */
async function idleFigures(root: string, server: string, bare: string): Promise<Figure[]> {
  const { folder, path, text } = exampleOf(root);
  const peers = [new Peer(bare), new Peer(server)];
  for (const peer of peers) {
    await peer.initialize(folder);
    const first = peer.firstDiagnostics(pathToFileURL(path).toString());
    await peer.open(path, text);
    await first;
  }
  const used = (): number[] => peers.map((peer) => peer.cpu());
  const since = (then: readonly number[]): number[] => used().map((now, i) => now - (then[i] ?? 0));
  const started = used();
  let waited = 0;
  for (let quiet = false; !quiet && waited < LONGEST_WAIT; waited++) {
    const before = used();
    await pause(QUIET_MS);
    quiet = since(before).every((milliseconds) => milliseconds <= IDLE_NOISE_MS);
  }
  const [itsRest = 0, ourRest = 0] = since(started);
  const [before, received] = [used(), peers[1]?.received ?? 0];
  await pause(IDLE_MS);
  const [theirs = 0, ours = 0] = since(before);
  const messages = (peers[1]?.received ?? 0) - received;
  for (const peer of peers) await peer.close();
  const seconds = `in ${IDLE_MS / 1_000} s`;
  const earlier = `${ourRest.toFixed(0)} ms / ${itsRest.toFixed(0)} ms in the ${(waited * QUIET_MS) / 1_000} s before`;
  return [
    { name: 'messages when idle', value: messages, limit: 0, unit: '', detail: seconds },
    {
      name: 'processor time when idle',
      value: Math.max(ours, IDLE_NOISE_MS) / Math.max(theirs, IDLE_NOISE_MS),
      limit: 1.1,
      unit: '× bare server',
      detail: `${ours.toFixed(2)} ms / ${theirs.toFixed(2)} ms ${seconds}, ${earlier}; less than ${IDLE_NOISE_MS} ms counts as ${IDLE_NOISE_MS}`,
    },
  ];
}
