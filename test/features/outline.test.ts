import { expect, test } from 'vitest';
import { manifestFolds } from '../../server/src/features/folding';
import { lineageSymbols, type ManifestSymbol, manifestSymbols } from '../../server/src/features/symbols';
import { analyseTexts } from '../support/project';
import { FILES, MANIFEST, shown } from './fixture';

function drawn(symbols: readonly ManifestSymbol[], indent = ''): string[] {
  return symbols.flatMap(({ name, detail, kind, children }) => [
    `${indent}${kind} ${name}${detail === '' ? '' : ` (${detail})`}`,
    ...drawn(children, `${indent}  `),
  ]);
}

function inside(symbols: readonly ManifestSymbol[], start: number, end: number): void {
  for (const { span, nameSpan, children } of symbols) {
    // The protocol demands both.
    expect(span.start).toBeGreaterThanOrEqual(start);
    expect(span.end).toBeLessThanOrEqual(end);
    expect(nameSpan.start).toBeGreaterThanOrEqual(span.start);
    expect(nameSpan.end).toBeLessThanOrEqual(span.end);
    inside(children, span.start, span.end);
  }
}

test('the outline of a manifest has its sections and what they list', async () => {
  const text = `${MANIFEST}effects:\n  - { do: acme_on, undo: acme_off }\nrules:\n  unsafe-downgrade: error\n`;
  const symbols = manifestSymbols(await analyseTexts({ ...FILES, 'livepatch.yaml': text }));
  expect(drawn(symbols)).toEqual([
    'section lineage (demo)',
    'section kernel (6.1)',
    'section versions',
    '  version v1 (demo_v1, released)',
    '  version v2 (demo_v2)',
    'section targets',
    '  target nf_tables',
    'section scenarios',
    '  scenario upgrade (clean)',
    '    step load v1',
    '    step load v2',
    '    step unload demo_v1',
    'section effects',
    '  section acme_on (acme_off)',
    'section rules',
    '  section unsafe-downgrade (error)',
  ]);
  inside(symbols, 0, text.length);
});

test.each(['', '- a\n', 'versions:\n', 'versions:\n  - \n  - version:\n', 'a: [1, {b: 2}]\n: x\n'])(
  'a manifest such as %j has an outline too',
  async (text) => {
    const analysis = await analyseTexts({ 'livepatch.yaml': text });
    inside(manifestSymbols(analysis), 0, text.length);
    expect(manifestFolds(analysis).every((fold) => text.slice(fold.start, fold.end).includes('\n'))).toBe(
      true,
    );
  },
);

test('sections, entries and comments of several lines can be folded', async () => {
  const text = `# one\n# two\n${MANIFEST}`;
  const folds = manifestFolds(await analyseTexts({ ...FILES, 'livepatch.yaml': text }));
  const lines = folds.map(({ start, end, kind }) => {
    const line = (offset: number): string => text.slice(0, offset).split('\n').pop() ?? '';
    const first = line(start) + text.slice(start).split('\n')[0];
    return `${kind}: ${first.trim()} … ${(line(end) + text.slice(end).split('\n')[0]).trim()}`;
  });
  expect(lines).toEqual([
    'comment: # one … # two',
    'region: versions: … cleans-up-after: [v1]',
    'region: - version: v1 … status: released',
    'region: - version: v2 … cleans-up-after: [v1]',
    'region: targets: … - nf_tables',
    'region: scenarios: … expect: clean',
    'region: - name: upgrade … expect: clean',
  ]);
});

test('versions, callbacks, states and shadow variables are found by some of their letters', async () => {
  const analysis = await analyseTexts(FILES);
  const found = (query: string): string[] =>
    lineageSymbols(analysis, query).map(
      ({ name, kind, container, place }) => `${kind} ${name} in ${container}: ${shown(analysis, [place])[0]}`,
    );
  expect(found('v1')).toEqual(['version v1 in demo: livepatch.yaml: - version: «v1»']);
  expect(found('DPRE')).toEqual([
    'callback demo_pre_patch in v1, vmlinux pre_patch: v1.c: static int «demo_pre_patch»(struct klp_object *obj)',
    'callback demo_pre_patch in v2, vmlinux pre_patch: v2.c: static int «demo_pre_patch»(struct klp_object *obj)',
  ]);
  expect(found('loud')).toEqual([
    'state state LOUD_STATE in v1: v1.c: { .id = «LOUD_STATE», .version = 1 },',
    'state state LOUD_STATE in v2: v2.c: { .id = «LOUD_STATE», .version = 2 },',
  ]);
  expect(found('shadow')).toHaveLength(2);
  expect(found('')).toHaveLength(10);
  expect(found('zzz')).toEqual([]);
});
