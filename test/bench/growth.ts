import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Disk } from '../../server/src/host/files';
import { Workspace } from '../../server/src/host/workspace';
import { projectOfTexts } from '../support/project';
import { bareParser } from './facts';
import { takeoverLineage } from './lineages';
import { type Figure, median } from './measure';

const WASM_PAGE = 65_536;
const FEW_EDITS = 100;
const MANY_EDITS = 10_000;
/** Edits of a session before, so that what is compiled code does not count as what is kept. */
const WARM_EDITS = 2_000;
const FEW_FILES = 10;
const MANY_FILES = 1_000;

/** What the garbage collector leaves of a long session, and what ten times as many versions cost. */
export async function growthFigures(
  root: string,
  memories: readonly WebAssembly.Memory[],
): Promise<Figure[]> {
  await bareParser();
  const used = async (): Promise<Used> => {
    const { gc } = globalThis as { gc?: () => void };
    if (!gc) throw new Error('node runs without --expose-gc');
    if (memories.length === 0) throw new Error('the parser made its memory before anybody looked');
    // What only weak references hold may go in the turn after the one that used it.
    for (let round = 0; round < 3; round++) {
      await turn();
      gc();
    }
    const pages = memories.reduce((sum, memory) => sum + memory.buffer.byteLength / WASM_PAGE, 0);
    return { heap: process.memoryUsage().heapUsed, pages };
  };
  return [
    ...memoryFigures(`after ${MANY_EDITS} edits`, `after ${FEW_EDITS}`, await edited(root, used)),
    ...memoryFigures(
      `after opening and closing ${MANY_FILES} files`,
      `after ${FEW_FILES}`,
      await opened(root, used),
    ),
    await versionsFigure(),
  ];
}

type Used = { readonly heap: number; readonly pages: number };

function memoryFigures(what: string, against: string, [few, many]: readonly [Used, Used]): Figure[] {
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    {
      name: `JavaScript heap ${what}`,
      value: many.heap / few.heap,
      limit: 1.05,
      unit: `× ${against}`,
      detail: `${megabytes(many.heap)} / ${megabytes(few.heap)}, after collecting garbage`,
    },
    {
      name: `wasm pages ${what}`,
      value: many.pages / few.pages,
      limit: 1.05,
      unit: `× ${against}`,
      detail: `${many.pages} / ${few.pages}`,
    },
  ];
}

async function edited(root: string, used: () => Promise<Used>): Promise<[Used, Used]> {
  await session(root, WARM_EDITS, used);
  return session(root, MANY_EDITS, used);
}

/** Edits of the example, half of them in a callback, each analysed: after the first ones and after all. */
async function session(root: string, edits: number, used: () => Promise<Used>): Promise<[Used, Used]> {
  const folder = join(root, 'examples/net-fixes');
  const path = join(folder, 'v2/livepatch_net_v2.c');
  const text = readFileSync(path, 'utf8');
  const workspace = new Workspace(new Disk());
  workspace.addFolder(folder);
  const places = [text.indexOf('{\n'), text.indexOf('post_patch(') + 'post_patch('.length];
  const edit = (n: number): Promise<void> => {
    const at = places[n % 2] ?? 0;
    // Every text is another one, so that nothing can be found again in a memory of past texts.
    const inserted = n % 2 === 0 ? `\n/* ${n} */` : ` /* ${n} */ `;
    workspace.open(path, n + 2, text.slice(0, at) + inserted + text.slice(at));
    workspace.findings();
    return turn();
  };
  workspace.open(path, 1, text);
  for (let n = 0; n < FEW_EDITS; n++) await edit(n);
  const few = await used();
  for (let n = FEW_EDITS; n < edits; n++) await edit(n);
  const many = await used();
  workspace.dispose();
  return [few, many];
}

/** Files of a lineage's folder, of which the lineage names some. */
async function opened(root: string, used: () => Promise<Used>): Promise<[Used, Used]> {
  const folder = join(root, 'examples/net-fixes');
  const text = readFileSync(join(folder, 'v2/livepatch_net_v2.c'), 'utf8');
  const workspace = new Workspace(new Disk());
  workspace.addFolder(folder);
  const visit = (n: number): Promise<void> => {
    const path = n % 10 === 0 ? join(folder, 'v1/livepatch_net_v1.c') : join(folder, `v2/other_${n}.c`);
    workspace.open(path, 1, `${text}\n/* ${n} */\n`);
    workspace.findings();
    workspace.close(path);
    workspace.findings();
    return turn();
  };
  for (let n = 0; n < FEW_FILES; n++) await visit(n);
  const few = await used();
  for (let n = FEW_FILES; n < MANY_FILES; n++) await visit(n);
  const many = await used();
  workspace.dispose();
  return [few, many];
}

/** As messages come one by one. */
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** The parser's memories, as they are made from now on. */
export function watchWasm(): WebAssembly.Memory[] {
  const made: WebAssembly.Memory[] = [];
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      made.push(this);
    }
  };
  return made;
}

/** A check from nothing: everything is taken over from version to version. */
async function versionsFigure(): Promise<Figure> {
  const [few, many] = [2, 20];
  const [short, long] = await checksOf([takeoverLineage(few, 10), takeoverLineage(many, 10)]);
  const [shortest, longest] = await checksOf([differingLineage(few), differingLineage(many)]);
  return {
    name: `check of ${many} versions / of ${few}`,
    value: long / short,
    limit: 11,
    unit: 'times',
    detail:
      `${long.toFixed(0)} ms / ${short.toFixed(0)} ms, callbacks as in the version before; ` +
      `${(longest / shortest).toFixed(0)} times (${longest.toFixed(0)} ms) where every version has its own`,
  };
}

/** No version does quite what another does. */
function differingLineage(count: number): Record<string, string> {
  return Object.fromEntries(
    Object.entries(takeoverLineage(count, 10)).map(([name, text]) => [
      name,
      text.replace('"level taken over', `"${name}: level taken over`),
    ]),
  );
}

/** What a check of each of two lineages takes, in milliseconds. */
async function checksOf(lineages: readonly Record<string, string>[]): Promise<[number, number]> {
  const times: number[][] = lineages.map(() => []);
  for (let round = -1; round < 5; round++) {
    for (const [i, texts] of lineages.entries()) {
      const { project } = await projectOfTexts(texts);
      const start = performance.now();
      project.analyse().findings();
      if (round >= 0) times[i]?.push(performance.now() - start);
    }
  }
  const [short = 1, long = 0] = times.map(median);
  return [short, long];
}
