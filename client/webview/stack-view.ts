/** The stack as cards; between neighbours one button per direction. Cards that did not change are kept. */
import type { PanelCell, PanelModel, PanelSource, PanelVersion } from '../../server/src/features/panel-model';
import { describeCell } from './describe';
import { element, put, putText, revealIn, sourceLink, svgElement } from './dom';
import { drawItems } from './drawing';
import { PAGE_THEME } from './paint';
import { shown } from './shown-text';
import type { Pair } from './stack-layout';
import { type Fact, type FactPart, versionFacts } from './version-facts';
import { type Cells, cellsOf, rehearsalWords, verdictShort, verdictWords, versionSubtitle } from './words';

export interface StackActions {
  open(source: PanelSource): void;
  select(from: string, to: string): void;
}

/** Entries of one list on a card; more are counted. */
const MOST_ENTRIES = 300;

export class StackView {
  readonly node = element('ol', { class: 'stack', reversed: true, 'aria-label': 'Versions, newest first' });
  #actions: StackActions;
  #cards = new Map<string, HTMLLIElement>();
  #rows = new Map<string, HTMLLIElement>();
  #ground = element('li', { class: 'ground' });

  constructor(actions: StackActions) {
    this.#actions = actions;
  }

  /** Shows `model`; the cards of versions that stayed the same keep their nodes, with focus and unfolded lists. */
  update(model: PanelModel): void {
    const cells = cellsOf(model);
    const cards = new Map<string, HTMLLIElement>();
    const nodes: HTMLLIElement[] = [];
    for (let i = model.versions.length - 1; i >= 0; i--) {
      const version = model.versions[i];
      if (version === undefined) continue;
      const key = JSON.stringify(version);
      const card = cards.has(key) ? this.#card(version) : (this.#cards.get(key) ?? this.#card(version));
      cards.set(key, card);
      nodes.push(card, this.#between(cells, model.versions[i - 1]?.version ?? 'none', version.version));
    }
    this.#cards = cards;
    putText(this.#ground, `kernel ${shown(model.kernel)}, not patched`);
    this.#place([...nodes, this.#ground]);
    for (const [key, row] of this.#rows) if (row.parentNode === null) this.#rows.delete(key);
  }

  /** Puts the nodes in order; those that stand where they should are not touched, so that focus stays. */
  #place(nodes: readonly HTMLLIElement[]): void {
    const keep = new Set<Node>(nodes);
    const focused = document.activeElement?.getAttribute('data-step') ?? null;
    for (let i = this.node.childNodes.length - 1; i >= 0; i--) {
      const old = this.node.childNodes[i];
      if (old !== undefined && !keep.has(old)) old.remove();
    }
    nodes.forEach((node, i) => {
      if (this.node.childNodes[i] !== node) this.node.insertBefore(node, this.node.childNodes[i] ?? null);
    });
    if (focused !== null && document.activeElement === document.body)
      for (const step of this.#steps()) if (step.getAttribute('data-step') === focused) step.focus();
  }

  #steps(): HTMLButtonElement[] {
    return [...this.#rows.values()].flatMap((row) => [...row.children] as HTMLButtonElement[]);
  }

  /** Marks the pair that is shown; with `reveal` its card and arrow are scrolled into view. */
  select(pair: Pair | null, reveal: boolean): void {
    for (const card of this.#cards.values()) {
      const name = card.getAttribute('data-version');
      const end = pair === null ? '' : name === pair.from ? 'from' : name === pair.to ? 'to' : '';
      card.classList.toggle('end', end !== '');
      const word = card.querySelector('.end-word');
      if (word !== null) putText(word, end);
    }
    const key = pair === null ? '' : stepKey(pair.from, pair.to);
    for (const node of this.#steps()) {
      const isShown = node.getAttribute('data-step') === key;
      put(node, 'aria-pressed', String(isShown));
      const word = node.querySelector('.shown');
      if (word !== null) putText(word, isShown ? '◂ shown' : '');
      if (isShown && reveal) revealIn(this.node, node);
    }
    if (pair === null || !reveal) return;
    for (const end of [pair.to, pair.from])
      for (const card of this.#cards.values())
        if (card.getAttribute('data-version') === end) revealIn(this.node, card);
  }

  #card(version: PanelVersion): HTMLLIElement {
    const name = sourceLink(version.version, version.source, this.#actions.open, 'name');
    const head = element(
      'div',
      { class: 'head' },
      element('h3', {}, name),
      element('span', { class: 'end-word' }),
    );
    head.append(element('span', { class: `badge ${version.status}` }, version.status));
    const card = element('li', { class: `card ${version.status}`, 'data-version': version.version }, head);
    const subtitle = versionSubtitle(version);
    if (subtitle !== '') card.append(element('p', { class: 'note' }, shown(subtitle, 600)));
    card.append(element('p', { class: 'module' }, shown(version.module)));
    const facts = element('ul', { class: 'facts' });
    for (const fact of versionFacts(version).slice(0, MOST_ENTRIES)) facts.append(this.#fact(fact));
    card.append(facts);
    return card;
  }

  #fact(fact: Fact): HTMLLIElement {
    const item = element('li', { class: fact.tone === 'plain' ? 'chip' : `chip ${fact.tone}` });
    if (fact.folded !== undefined && fact.folded.length > 0) {
      const list = element('ul', {}, ...this.#parts(fact.folded).map((part) => element('li', {}, part)));
      item.classList.add('unfolds');
      item.append(element('details', {}, element('summary', {}, shown(fact.text)), list));
    } else if (fact.parts !== undefined) {
      item.append(shown(fact.head ?? ''));
      this.#parts(fact.parts).forEach((part, i) => {
        item.append(...(i === 0 ? [part] : [', ', part]));
      });
    } else item.append(sourceLink(fact.text, fact.source, this.#actions.open));
    return item;
  }

  #parts(parts: readonly FactPart[]): Node[] {
    const nodes: Node[] = parts
      .slice(0, MOST_ENTRIES)
      .map((part) => sourceLink(part.text, part.source, this.#actions.open));
    if (parts.length > MOST_ENTRIES)
      nodes.push(document.createTextNode(`and ${parts.length - MOST_ENTRIES} more`));
    return nodes;
  }

  /** The buttons between two neighbours. Kept as they are while both verdicts stay the same. */
  #between(cells: Cells, below: string, above: string): HTMLLIElement {
    const up = cells(below, above);
    const down = cells(above, below);
    const key = JSON.stringify([below, above, up ?? null, down ?? null]);
    const row = this.#rows.get(key) ?? element('li', { class: 'between' });
    if (row.childElementCount === 0) {
      if (up !== undefined) row.append(this.#step(up, 30, 3));
      if (down !== undefined) row.append(this.#step(down, 2, 29));
    }
    this.#rows.set(key, row);
    return row;
  }

  #step(cell: PanelCell, y1: number, y2: number): HTMLButtonElement {
    const picture = svgElement({
      tag: 'svg',
      attributes: { width: '16', height: '32', viewBox: '0 0 16 32', 'aria-hidden': 'true' },
      children: drawItems(
        [{ k: 'line', role: `arrow-${cell.verdict}`, x1: 8, x2: 8, y1, y2, arrow: true }],
        PAGE_THEME,
        '',
      ),
    });
    const more = cell.certainty === 'may' ? ` (${verdictWords(cell.verdict, 'may')})` : '';
    const seen = cell.rehearsed === null ? '' : `. ${rehearsalWords(cell.rehearsed)}`;
    const node = element(
      'button',
      {
        type: 'button',
        class: `step ${cell.verdict}`,
        'aria-pressed': 'false',
        'data-step': stepKey(cell.from, cell.to),
        title: describeCell(cell),
      },
      picture,
      element('span', { class: 'unseen' }, `${shown(cell.from)} to ${shown(cell.to)}: `),
      element('span', { class: 'words' }, verdictShort(cell)),
      element('span', { class: 'shown' }),
      element('span', { class: 'unseen' }, `${more}. ${shown(cell.because)}${seen}`),
    );
    node.addEventListener('click', () => this.#actions.select(cell.from, cell.to));
    return node;
  }
}

function stepKey(from: string, to: string): string {
  return JSON.stringify([from, to]);
}
