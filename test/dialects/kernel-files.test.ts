import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import { compose, readDiffs } from '../../server/src/core/csource/dialects/diffs';
import { functionIn, piecesOf } from '../../server/src/core/csource/dialects/patched-items';
import { Lines } from '../../server/src/core/lines';
import { startParser } from '../../server/src/host/start-parser';
import { linuxSource } from '../support/linux-source';

beforeAll(startParser);

const TOOL = { macros: 'KLP', reversed: false, init: 'i', exit: 'e', duplicate: '' } as const;

/** Every function of a file of the kernel, as the reader of whole files sees it: name, lines of its braces from 0. */
function functionsOf(text: string): { name: string; from: number; to: number; inline: boolean }[] {
  const source = new CSource();
  const unit = openUnit(
    '/k.c',
    { text: () => text, resolve: () => undefined },
    { defines: {}, kernelRelease: '6.1' },
    source,
  );
  const lines = new Lines(text);
  const lineOf = (at: number): number => lines.at(at).line;
  return [...unit.functions.values()].map(({ name, place }) => {
    const brace = text.indexOf('{', place.start);
    const head = text.slice(place.start, brace);
    return {
      name,
      from: lineOf(brace),
      to: lineOf(place.end),
      inline: /\binline\b|__always_inline/.test(head),
    };
  });
}

function diff(before: string, after: string, attributes: string, context: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'kernel-files-'));
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
    });
  try {
    git('init', '-q');
    writeFileSync(join(folder, '.gitattributes'), attributes);
    writeFileSync(join(folder, 'k.c'), before);
    git('add', '-A');
    writeFileSync(join(folder, 'k.c'), after);
    return git('diff', `-U${context}`)
      .replaceAll('a/k.c', 'a/kernel/k.c')
      .replaceAll('b/k.c', 'b/kernel/k.c');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.for([
  [
    'as in the kernel tree, where git looks for functions of C',
    '*.c diff=cpp\n',
    3,
    ['kernel/livepatch', 'kernel/module', 'net/core'],
    1_200,
  ],
  ['with what git does by itself', '', 3, ['kernel/livepatch', 'kernel/module'], 120],
  ['with more context', '*.c diff=cpp\n', 12, ['kernel/livepatch', 'kernel/module'], 120],
] as const)(
  'of the functions of the kernel with a line more exactly these are found: %s',
  { timeout: 120_000 },
  async ([, attributes, context, folders, least], { skip }) => {
    const source = await linuxSource();
    if (source === null) return skip('needs the kernel sources');
    let touched = 0;
    let missed = 0;
    let said = 0;
    for (const folder of folders) {
      for (const name of readdirSync(join(source, folder))) {
        if (!name.endsWith('.c')) continue;
        const text = readFileSync(join(source, folder, name), 'utf8');
        const lines = text.split('\n');
        // Every second function, its line more somewhere in the body: near the head, in the middle, near the end.
        const chosen = functionsOf(text).filter(({ from, to }, i) => i % 2 === 0 && to - from > 1);
        const more = new Map(
          chosen.map(({ from, to }, i) => [
            i % 3 === 0 ? to - 1 : i % 3 === 1 ? (from + to) >> 1 : Math.min(to - 1, from + 3),
            '\tklp_touched(this);',
          ]),
        );
        const after = lines
          .flatMap((line, i) => (more.has(i) ? [line, more.get(i) ?? ''] : [line]))
          .join('\n');
        const read = diff(text, after, attributes, context);
        const files = [{ file: '/x.patch', text: () => read }];
        const reading = readDiffs(
          { module: 'm', files, replace: null, defines: {}, kernelRelease: '6.1' },
          TOOL,
        );
        const main = reading.texts.get('diffs-of:m') ?? '';
        // Whatever was cut off, the text of the file holds together up to its end, where the tables' pointers stand.
        const made = reading.texts.get('diffs-of:m/kernel/k.c') ?? '';
        const unit = openUnit(
          '/m.c',
          { text: () => made, resolve: () => undefined },
          { defines: {}, kernelRelease: '6.1' },
          new CSource(),
        );
        const pointers = [...made.matchAll(/^void \*(klp_new_0_\d+) =/gm)].map((match) => match[1] ?? '');
        expect(
          pointers.filter((pointer) => !unit.variables.has(pointer)),
          name,
        ).toEqual([]);
        const found = [...main.matchAll(/\.old_name = "(\w+)"/g)].map((match) => match[1] ?? '');
        const wanted = chosen.filter(({ inline }) => !inline).map((one) => one.name);
        // Nothing is listed that was not changed.
        expect(
          found.filter((one) => chosen.every((touchedOne) => touchedOne.name !== one)),
          name,
        ).toEqual([]);
        const lost = wanted.filter((one) => !found.includes(one));
        const notes = reading.problems.filter(({ message }) => message.includes('does not show')).length;
        touched += wanted.length;
        missed += lost.length;
        said += notes;
        // What is not found is said.
        expect(notes, `${name}: ${lost.join()}`).toBeGreaterThanOrEqual(lost.length > 0 ? 1 : 0);
      }
    }
    expect(touched).toBeGreaterThan(least);
    expect(missed / touched).toBeLessThanOrEqual(attributes === '' ? 0.1 : 0);
    expect(said).toBeGreaterThanOrEqual(missed > 0 ? 1 : 0);
  },
);

test('files of the kernel as whole are cut into the functions that the reader of files sees', async ({
  skip,
}) => {
  const source = await linuxSource();
  if (source === null) return skip('needs the kernel sources');
  let compared = 0;
  for (const name of ['core.c', 'transition.c', 'shadow.c', 'patch.c', 'state.c']) {
    const text = readFileSync(join(source, 'kernel/livepatch', name), 'utf8');
    const read = diff('', text, '', 3).replace('new file', 'new file');
    const [file] = compose([{ file: '/x.patch', text: () => read }], []);
    const names = (file?.stretches ?? [])
      .flatMap(piecesOf)
      .flatMap((piece) => (piece.kind === 'function' ? [piece.name] : []));
    const whole = functionsOf(text).map((one) => one.name);
    expect(names).toEqual(whole);
    compared += whole.length;
  }
  expect(compared).toBeGreaterThan(80);
  expect(functionIn('static int __sched foo(int a)')).toBe('foo');
});
