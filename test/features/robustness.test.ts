import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Analysis } from '../../server/src/features/analysis';
import { codeLenses } from '../../server/src/features/code-lens';
import { completions } from '../../server/src/features/completion';
import { manifestFolds } from '../../server/src/features/folding';
import { inlayHints } from '../../server/src/features/inlay-hints';
import { definition, references } from '../../server/src/features/navigation';
import { renamable, rename } from '../../server/src/features/rename';
import { signatureHelp } from '../../server/src/features/signature-help';
import { lineageSymbols, manifestSymbols } from '../../server/src/features/symbols';
import { projectOfTexts } from '../support/project';
import { FILES } from './fixture';

/** Every answer about one place; all places in it have to lie in their text. */
function askEverything(analysis: Analysis, file: string, offset: number): void {
  const length = (name: string): number => analysis.text(name).length;
  const inside = ({ start, end }: { start: number; end: number }, name = file): void => {
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(length(name));
  };
  for (const { span, label } of completions(analysis, file, offset)) {
    inside(span);
    expect(label).not.toBe('');
    expect(span.start).toBeLessThanOrEqual(offset);
    expect(span.end).toBeGreaterThanOrEqual(offset);
  }
  for (const place of definition(analysis, file, offset)) inside(place, place.file);
  for (const place of references(analysis, file, offset, true)) inside(place, place.file);
  const subject = renamable(analysis, file, offset);
  if (subject) inside(subject.span);
  const answer = rename(analysis, file, offset, 'renamed');
  expect(answer === null).toBe(subject === null);
  if (answer && 'edits' in answer) for (const { place } of answer.edits) inside(place, place.file);
  signatureHelp(analysis, file, offset);
}

const NAMES = Object.keys(FILES);
/** Half-typed text: something is taken out, something else comes in. */
const edit = fc.record({
  name: fc.constantFrom(...NAMES),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  gone: fc.integer({ min: 0, max: 60 }),
  typed: fc.constantFrom(
    '',
    '.',
    ' ',
    '{',
    '}',
    '(',
    '"',
    "'",
    '/*',
    '#',
    '\n',
    ': ',
    '- ',
    '[',
    ',',
    '= ',
    '🩹',
    '\\',
  ),
});

test('half-typed text gets answers that lie in the text', async () => {
  const { project, files } = await projectOfTexts(FILES);
  fc.assert(
    fc.property(edit, ({ name, at, gone, typed }) => {
      const whole = FILES[name] ?? '';
      const start = Math.floor(at * whole.length);
      const path = `/lineage/${name}`;
      files.write(path, whole.slice(0, start) + typed + whole.slice(start + gone));
      const analysis = project.analyse();
      for (const offset of [start, start + typed.length, Math.max(0, start - 9)])
        askEverything(analysis, path, Math.min(offset, analysis.text(path).length));
      for (const file of NAMES.map((it) => `/lineage/${it}`)) {
        codeLenses(analysis, file);
        for (const { at: where } of inlayHints(analysis, file, { start: 0, end: 1e6 }))
          expect(where).toBeLessThanOrEqual(analysis.text(file).length);
      }
      manifestFolds(analysis);
      manifestSymbols(analysis);
      lineageSymbols(analysis, 'v');
      files.write(path, whole);
    }),
    { numRuns: 150, seed: 6 },
  );
});

test('every place of the whole files gets answers that lie in the text', async () => {
  const { project } = await projectOfTexts(FILES);
  const analysis = project.analyse();
  for (const name of NAMES) {
    const length = FILES[name]?.length ?? 0;
    for (let offset = 0; offset <= length; offset += 3) askEverything(analysis, `/lineage/${name}`, offset);
  }
});
