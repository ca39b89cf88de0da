/** The kernel log of the run; the lines of the cursor's moment are marked and kept in view inside the box. */
import type { PanelTransition } from '../../server/src/features/panel-model';
import { element, put } from './dom';
import { shown } from './shown-text';

/** Lines beyond this are counted, not shown. */
const MOST_LINES = 2000;

export class LogView {
  readonly node = element('ol', { class: 'log', tabindex: 0, 'aria-labelledby': 'log-title' });
  #lines: { readonly node: HTMLLIElement; readonly moment: number }[] = [];

  constructor(goTo: (moment: number) => void) {
    this.node.addEventListener('click', (event) => {
      const line = event.target instanceof Element ? event.target.closest('li[data-moment]') : null;
      if (line !== null && String(document.getSelection() ?? '') === '')
        goTo(Number(line.getAttribute('data-moment')));
    });
  }

  update(transition: PanelTransition): void {
    this.#lines = transition.log.slice(0, MOST_LINES).map((line) => ({
      node: element('li', { class: line.kind, 'data-moment': line.moment }, shown(line.text, 1000)),
      moment: line.moment,
    }));
    const hidden = transition.log.length - this.#lines.length;
    this.node.replaceChildren(...this.#lines.map((line) => line.node));
    if (hidden > 0) this.node.append(element('li', { class: 'more' }, `… and ${hidden} more lines`));
    if (transition.log.length === 0)
      this.node.append(element('li', { class: 'more' }, 'The kernel prints nothing.'));
  }

  setCursor(moment: number): void {
    let first: HTMLLIElement | null = null;
    for (const line of this.#lines) {
      const current = line.moment === moment;
      put(line.node, 'aria-current', current ? 'step' : null);
      line.node.classList.toggle('later', line.moment > moment);
      if (current) first ??= line.node;
    }
    if (first === null) return;
    const top = first.offsetTop - this.node.offsetTop;
    if (top < this.node.scrollTop || top > this.node.scrollTop + this.node.clientHeight - 24)
      this.node.scrollTop = Math.max(0, top - 24);
  }
}
