import { Search } from '../../server/src/core/lineage/search';
import { projectOfTexts } from '../support/project';
import { bareParser } from './facts';
import { takeoverLineage } from './lineages';
import { type Figure, interleaved } from './measure';

const VERSIONS = 20;
const FUNCTIONS = 10;

/** All runs of a lineage of versions with four callbacks each, from nothing, against a bare parse of their sources. */
export async function searchFigures(): Promise<Figure[]> {
  const parser = await bareParser();
  const texts = takeoverLineage(VERSIONS, FUNCTIONS);
  const sources = Object.entries(texts).flatMap(([name, text]) => (name.endsWith('.c') ? [text] : []));
  const { lineage } = (await projectOfTexts(texts)).project.analyse();
  const search = (): ReturnType<Search['run']> => new Search().run(lineage);
  for (let warm = 0; warm < 2; warm++) search();
  const [bare = 1, full = 0] = interleaved(12, [
    () => {
      for (const text of sources) parser.parse(text)?.delete();
    },
    search,
  ]);
  parser.delete();
  const { states, trials } = search();
  return [
    {
      name: `all runs, ${VERSIONS} versions with 4 callbacks`,
      value: full / bare,
      limit: 10,
      unit: '× bare parse',
      detail: `${full.toFixed(0)} ms / ${bare.toFixed(1)} ms, ${states} states, ${trials.length} transitions`,
    },
  ];
}
