/** The verdict of every ordered pair as a table of signs. Pure. */
import type { PanelModel } from '../../server/src/features/panel-model';
import type { SceneItem } from './scene';
import { fit, shown, textWidth } from './shown-text';
import type { Block, Pair } from './stack-layout';
import { VERDICT_SIGNS, VERDICTS, verdictWords } from './words';

const CELL_HEIGHT = 30;

/** As wide as it must be: a column per version. */
export function layoutMatrix(model: PanelModel, selected: Pair | null): Block {
  const names = model.versions.map((version) => version.version);
  const rows = ['none', ...names];
  let longest = 40;
  for (const name of names) longest = Math.max(longest, textWidth(`→ ${shown(name, 12)}`, 12) + 14);
  const cell = Math.ceil(longest);
  const cells = new Map(model.matrix.map((entry) => [JSON.stringify([entry.from, entry.to]), entry]));
  const items: SceneItem[] = [];
  const put = (
    words: string,
    column: number,
    row: number,
    role: 'text' | 'text-muted',
    name: string,
  ): void => {
    items.push({
      k: 'text',
      role,
      x: column * cell + cell / 2,
      y: row * CELL_HEIGHT + 20,
      size: 12,
      anchor: 'middle',
      space: cell - 8,
      text: fit(words, cell - 8, 12),
      name,
    });
  };
  names.forEach((name, column) =>
    put(`→ ${shown(name, 12)}`, column + 1, 0, 'text-muted', `to ${shown(name)}`),
  );
  rows.forEach((from, row) => {
    put(shown(from, 12), 0, row + 1, 'text-muted', `from ${shown(from)}`);
    names.forEach((to, column) => {
      const x = (column + 1) * cell;
      const y = (row + 1) * CELL_HEIGHT;
      items.push({ k: 'box', role: 'cell', x, y, w: cell, h: CELL_HEIGHT });
      const entry = cells.get(JSON.stringify([from, to]));
      if (entry === undefined) return;
      items.push({
        k: 'text',
        role: `text-${entry.verdict}`,
        x: x + cell / 2,
        y: y + 20,
        size: 13,
        anchor: 'middle',
        space: cell - 8,
        text: `${VERDICT_SIGNS[entry.verdict]}${entry.certainty === 'may' ? '?' : ''}`,
        name: `from ${shown(from)} to ${shown(to)}: ${verdictWords(entry.verdict, entry.certainty)}`,
      });
    });
  });
  if (selected !== null) {
    const row = rows.indexOf(selected.from);
    const column = names.indexOf(selected.to);
    if (row >= 0 && column >= 0)
      items.push({
        k: 'box',
        role: 'cell-selected',
        x: (column + 1) * cell,
        y: (row + 1) * CELL_HEIGHT,
        w: cell,
        h: CELL_HEIGHT,
      });
  }
  const bottom = (rows.length + 1) * CELL_HEIGHT;
  let x = 0;
  for (const verdict of VERDICTS) {
    const words = `${VERDICT_SIGNS[verdict]} ${verdict}`;
    const w = Math.ceil(textWidth(words, 11)) + 14;
    items.push({ k: 'text', role: `text-${verdict}`, x, y: bottom + 20, size: 11, space: w, text: words });
    x += w;
  }
  return { width: Math.max((names.length + 1) * cell, x), height: bottom + 26, items };
}
