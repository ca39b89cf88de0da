/** What the callbacks do, as a tree: the callback, its side effects, and who undoes each; every name leads to its source. */
import type {
  PanelDeed,
  PanelDeeds,
  PanelSource,
  PanelTransition,
} from '../../server/src/features/panel-model';
import { deedsTitle, NO_DEEDS } from './describe';
import { element, put, sourceLink } from './dom';
import { shown } from './shown-text';

/** Callbacks beyond this are counted, not shown. */
const MOST = 300;

export class DeedsView {
  readonly node = element('ul', { class: 'deeds', 'aria-labelledby': 'deeds-title' });
  #open: (source: PanelSource) => void;
  #items: { readonly node: HTMLLIElement; readonly moments: ReadonlySet<number> }[] = [];

  constructor(open: (source: PanelSource) => void) {
    this.#open = open;
  }

  update({ callbacks, lanes }: PanelTransition): void {
    this.#items = callbacks.slice(0, MOST).map((one) => {
      const marks = lanes.flatMap((lane) =>
        lane.k === 'callbacks' && lane.version === one.version && lane.object === one.object
          ? lane.marks.filter((mark) => mark.callback === one.callback)
          : [],
      );
      const skipped = marks.some((mark) => mark.state === 'skipped');
      return { node: this.#callback(one, skipped), moments: new Set(marks.map((mark) => mark.moment)) };
    });
    this.node.replaceChildren(...this.#items.map((item) => item.node));
    const rest = callbacks.length - this.#items.length;
    if (callbacks.length === 0)
      this.node.append(element('li', { class: 'quiet' }, 'There are no callbacks.'));
    if (rest > 0) this.node.append(element('li', { class: 'quiet' }, `and ${rest} more`));
  }

  /** Marks the callback that the moment is about. */
  setCursor(moment: number): void {
    for (const { node, moments } of this.#items)
      put(node, 'aria-current', moments.has(moment) ? 'step' : null);
  }

  #callback(one: PanelDeeds, skipped: boolean): HTMLLIElement {
    const title = element(
      'span',
      { class: skipped ? 'skipped' : '' },
      sourceLink(deedsTitle(one), one.source, this.#open),
    );
    const deeds = one.deeds.slice(0, MOST).map((deed) => this.#deed(deed));
    if (deeds.length === 0) deeds.push(element('li', { class: 'quiet' }, NO_DEEDS));
    return element('li', {}, title, skipped ? ' skipped here' : '', element('ul', {}, ...deeds));
  }

  #deed({ does, noun, key, certainty, source, undoneBy, left }: PanelDeed): HTMLLIElement {
    const item = element(
      'li',
      {},
      `${does} `,
      sourceLink(`${shown(noun)} ${shown(key)}`, source, this.#open),
    );
    if (certainty === 'may') item.append(' (perhaps)');
    if (does === 'undoes') return item;
    const undone = element('li', {}, `undone by ${undoneBy.length === 0 ? 'nobody' : ''}`);
    undoneBy.forEach((by, i) => {
      undone.append(i === 0 ? '' : ', ', sourceLink(by.callback, by.source, this.#open));
    });
    const list = element('ul', {}, undone);
    if (left !== null) list.append(element('li', {}, 'left over: ', element('strong', {}, shown(left))));
    item.append(list);
    return item;
  }
}
