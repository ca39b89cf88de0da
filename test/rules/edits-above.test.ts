import { expect, test } from 'vitest';
import { projectOfTexts } from '../support/project';
import { FILE, NOTIFIER } from './effects';
import { lineage, manifest, parseFixture } from './fixture';

test('lines that come above move the findings of runs that are not run again', async () => {
  const { files: texts } = parseFixture(
    lineage(manifest(['released', 'draft', 'draft']), NOTIFIER, FILE, {}),
  );
  const { project, files } = await projectOfTexts(Object.fromEntries(texts));
  const said = (): string[] =>
    project
      .analyse()
      .findings()
      .map(({ code, place, related }) => {
        const pointed = [place, ...related.map((item) => item.place)].map(({ file, start, end }) => {
          const text = files.read(file);
          return typeof text === 'string' ? text.slice(start, end) : '';
        });
        return [code, ...pointed].join(' | ');
      });
  const before = said();
  expect(before.length).toBeGreaterThan(1);
  const { ran } = project.analyse().transitions;
  for (let edit = 1; edit <= 3; edit++) {
    for (const version of ['v1', 'v2', 'v3']) {
      const text = texts.get(`${version}/a.c`) ?? '';
      files.write(`/lineage/${version}/a.c`, '/* a line more */\n'.repeat(edit) + text);
      // As while somebody types: each edit is analysed.
      expect(said()).toEqual(before);
    }
  }
  expect(project.analyse().transitions.ran).toBe(ran);
});
