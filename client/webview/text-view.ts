/** The same as the time line, in words: a list of moments, each with what happens in it. */
import type { PanelSource, PanelTransition } from '../../server/src/features/panel-model';
import { describeMoments } from './describe';
import { element, put, sourceLink } from './dom';

export class TextView {
  readonly node = element('ol', { class: 'moments', 'aria-label': 'The run, moment by moment' });
  #open: (source: PanelSource) => void;

  constructor(open: (source: PanelSource) => void) {
    this.#open = open;
  }

  update(transition: PanelTransition): void {
    this.node.replaceChildren(
      ...describeMoments(transition).map((moment) => {
        const title = element('span', { class: 'title' }, moment.title);
        const item = element('li', {}, title);
        if (moment.step !== null && moment.step !== moment.title)
          item.prepend(element('span', { class: 'step-name' }, moment.step), ' ');
        if (moment.entries.length > 0) {
          const list = element('ul');
          for (const { text, source } of moment.entries)
            list.append(element('li', {}, sourceLink(text, source, this.#open)));
          item.append(list);
        }
        return item;
      }),
    );
  }

  setCursor(moment: number): void {
    [...this.node.children].forEach((item, i) => {
      put(item, 'aria-current', i === moment ? 'step' : null);
    });
  }
}
