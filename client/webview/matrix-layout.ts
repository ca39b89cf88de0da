/** The verdict of every ordered pair as a table of signs. Pure. */
import type { PanelModel } from '../../server/src/features/panel-model';
import { describeCell } from './describe';
import { boxItem, type Role, type SceneItem, textItem } from './scene';
import { shown, textWidth } from './shown-text';
import type { Block, Pair } from './stack-layout';
import { cellSign, cellsOf, rehearsalLegend, VERDICT_SIGNS, VERDICTS } from './words';

const CELL_HEIGHT = 30;

/** As wide as it must be: a column per version. */
export function layoutMatrix(model: PanelModel, selected: Pair | null): Block {
  const names = model.versions.map((version) => version.version);
  const rows = ['none', ...names];
  let longest = 40;
  for (const name of names) longest = Math.max(longest, textWidth(`→ ${shown(name, 12)}`, 12) + 14);
  const cell = Math.ceil(longest);
  const cells = cellsOf(model);
  const items: SceneItem[] = [];
  const put = (words: string, column: number, row: number, role: Role, size: number, name: string): void => {
    const x = column * cell + cell / 2;
    items.push(textItem(words, x, row * CELL_HEIGHT + 20, cell - 8, role, size, { anchor: 'middle', name }));
  };
  const around = (role: Role, column: number, row: number): void => {
    items.push(boxItem(role, column * cell, row * CELL_HEIGHT, cell, CELL_HEIGHT));
  };
  names.forEach((to, i) => {
    put(`→ ${shown(to, 12)}`, i + 1, 0, 'text-muted', 12, `to ${shown(to)}`);
  });
  rows.forEach((from, i) => {
    put(shown(from, 12), 0, i + 1, 'text-muted', 12, `from ${shown(from)}`);
    names.forEach((to, column) => {
      around('cell', column + 1, i + 1);
      const entry = cells(from, to);
      if (entry !== undefined)
        put(cellSign(entry), column + 1, i + 1, `text-${entry.verdict}`, 13, describeCell(entry));
    });
  });
  const row = selected === null ? -1 : rows.indexOf(selected.from);
  const column = selected === null ? -1 : names.indexOf(selected.to);
  if (row >= 0 && column >= 0) around('cell-selected', column + 1, row + 1);
  let y = (rows.length + 1) * CELL_HEIGHT + 20;
  let width = (names.length + 1) * cell;
  const signs = VERDICTS.map((verdict) => ({
    words: `${VERDICT_SIGNS[verdict]} ${verdict}`,
    role: `text-${verdict}` as Role,
  }));
  const rehearsed = rehearsalLegend(model).map((words) => ({ words, role: 'text-muted' as Role }));
  for (const legend of [signs, rehearsed]) {
    let x = 0;
    for (const { words, role } of legend) {
      const space = Math.ceil(textWidth(words, 11)) + 14;
      items.push(textItem(words, x, y, space, role, 11));
      x += space;
    }
    width = Math.max(width, x);
    if (x > 0) y += 18;
  }
  return { width, height: y - 12, items };
}
