/** The verdict of every pair as a grid: one tab stop, arrow keys move, Enter or a click selects. */
import type { PanelModel } from '../../server/src/features/panel-model';
import { describeCell } from './describe';
import { element, put, putText, revealIn } from './dom';
import { shown } from './shown-text';
import type { Pair } from './stack-layout';
import { cellSign, cellsOf, rehearsalLegend, VERDICT_SIGNS, VERDICTS } from './words';

export class MatrixView {
  readonly node = element('div', { class: 'matrix-part' });
  #table = element('table', { role: 'grid', class: 'matrix', 'aria-labelledby': 'matrix-title' });
  #box = element('div', { class: 'scroll' });
  #rehearsed = element('p', { class: 'legend' });
  #names: readonly string[] = [];
  #cells: HTMLTableCellElement[][] = [];
  /** What each cell says: a cell that says the same is not touched. */
  #said = new WeakMap<Element, string>();
  #at = { row: 0, column: 0 };

  constructor(select: (from: string, to: string) => void) {
    const legend = element('ul', { class: 'legend', 'aria-label': 'What the signs mean' });
    for (const verdict of VERDICTS)
      legend.append(element('li', { class: verdict }, `${VERDICT_SIGNS[verdict]} ${verdict}`));
    legend.append(element('li', {}, '? may'));
    const title = element('h2', { id: 'matrix-title' }, 'Every transition');
    this.node.append(title, this.#box, legend, this.#rehearsed);
    this.#box.append(this.#table);
    const choose = (cell: Element | null): void => {
      const row = Number(cell?.getAttribute('data-row'));
      const column = Number(cell?.getAttribute('data-column'));
      if (cell === null || !cell.hasAttribute('data-row') || cell.hasAttribute('aria-disabled')) return;
      this.#focus(row, column, false);
      const from = row === 0 ? 'none' : this.#names[row - 1];
      const to = this.#names[column];
      if (from !== undefined && to !== undefined) select(from, to);
    };
    this.#table.addEventListener('click', (event) => choose(cellAt(event.target)));
    this.#table.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') choose(cellAt(event.target));
      else if (!this.#move(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** Shows the verdicts of `model`; a table of the same versions is changed in place. */
  update(model: PanelModel): void {
    const names = model.versions.map((version) => version.version);
    if (names.length !== this.#names.length || names.some((name, i) => name !== this.#names[i]))
      this.#build(names);
    putText(this.#rehearsed, rehearsalLegend(model).join(', '));
    const cells = cellsOf(model);
    this.#cells.forEach((row, r) => {
      const from = r === 0 ? 'none' : (names[r - 1] ?? '');
      row.forEach((cell, c) => {
        const entry = cells(from, names[c] ?? '');
        const says = JSON.stringify(entry) ?? '';
        if (this.#said.get(cell) === says) return;
        this.#said.set(cell, says);
        if (entry === undefined) {
          putText(cell, '');
          put(cell, 'aria-disabled', 'true');
          put(cell, 'class', 'empty');
          put(cell, 'aria-label', from === names[c] ? 'the same version' : 'no verdict');
          put(cell, 'title', null);
          return;
        }
        putText(cell, cellSign(entry));
        put(cell, 'aria-disabled', null);
        put(cell, 'class', entry.verdict);
        put(cell, 'aria-label', describeCell(entry));
        put(cell, 'title', describeCell(entry));
      });
    });
  }

  /** Marks the pair that is shown; with `reveal` it is scrolled into view inside the table. */
  select(pair: Pair | null, reveal: boolean): void {
    const row = pair === null ? -1 : pair.from === 'none' ? 0 : this.#names.indexOf(pair.from) + 1;
    const column = pair === null ? -1 : this.#names.indexOf(pair.to);
    for (const cell of this.#table.querySelectorAll('[aria-selected="true"]'))
      put(cell, 'aria-selected', 'false');
    const cell = this.#cells[pair?.from !== 'none' && row === 0 ? -1 : row]?.[column];
    if (cell === undefined) return;
    put(cell, 'aria-selected', 'true');
    this.#focus(row, column, false);
    if (reveal) this.#reveal(cell);
  }

  #build(names: readonly string[]): void {
    this.#names = names;
    this.#cells = [];
    const top = element('tr', {}, element('td', { class: 'corner' }, 'from \\ to'));
    for (const name of names)
      top.append(element('th', { scope: 'col', title: `to ${shown(name)}` }, `→ ${shown(name, 12)}`));
    const body = element('tbody');
    ['none', ...names].forEach((from, r) => {
      const row = element(
        'tr',
        {},
        element('th', { scope: 'row', title: `from ${shown(from)}` }, shown(from, 12)),
      );
      const cells = names.map((_, c) =>
        element('td', {
          role: 'gridcell',
          tabindex: -1,
          'aria-selected': 'false',
          'data-row': r,
          'data-column': c,
        }),
      );
      row.append(...cells);
      body.append(row);
      this.#cells.push(cells);
    });
    this.#table.replaceChildren(element('thead', {}, top), body);
    this.#at = { row: 0, column: 0 };
    this.#focus(0, 0, false);
  }

  #focus(row: number, column: number, take: boolean): void {
    const cell = this.#cells[row]?.[column];
    if (cell === undefined) return;
    const before = this.#cells[this.#at.row]?.[this.#at.column];
    if (before !== undefined) put(before, 'tabindex', '-1');
    put(cell, 'tabindex', '0');
    this.#at = { row, column };
    if (take) {
      cell.focus({ preventScroll: true });
      this.#reveal(cell);
    }
  }

  #reveal(cell: Element): void {
    const corner = this.#table.querySelector('.corner');
    revealIn(this.#box, cell, (corner?.clientHeight ?? 0) + 2, (corner?.clientWidth ?? 0) + 2);
  }

  #move(event: KeyboardEvent): boolean {
    const { row, column } = this.#at;
    const lastRow = this.#cells.length - 1;
    const lastColumn = this.#names.length - 1;
    const to = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [event.ctrlKey ? 0 : row, 0],
      End: [event.ctrlKey ? lastRow : row, lastColumn],
    }[event.key];
    if (to === undefined) return false;
    const [r = 0, c = 0] = to;
    this.#focus(Math.min(lastRow, Math.max(0, r)), Math.min(lastColumn, Math.max(0, c)), true);
    return true;
  }
}

function cellAt(target: EventTarget | null): Element | null {
  return target instanceof Element ? target.closest('td') : null;
}
