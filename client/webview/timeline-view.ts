/** The time line on the page: the scene of timeline-layout.ts, and a cursor that is moved by keyboard or pointer. */
import type { PanelSource, PanelTransition } from '../../server/src/features/panel-model';
import { element, put, svgElement } from './dom';
import { drawItems, hatchPattern } from './drawing';
import { PAGE_THEME } from './paint';
import { shown } from './shown-text';
import { layoutTimeline, type Timeline } from './timeline-layout';

export interface TimelineActions {
  open(source: PanelSource): void;
  /** The person wants to see this moment, from 0. */
  moment(moment: number): void;
}

export class TimelineView {
  readonly node = element('div', { class: 'timeline scroll' });
  #actions: TimelineActions;
  #transition: PanelTransition | null = null;
  #timeline: Timeline | null = null;
  #cursor: SVGElement | null = null;
  #band: SVGElement | null = null;
  #width = 0;

  constructor(actions: TimelineActions) {
    this.#actions = actions;
    let frame = 0;
    new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.#resize());
    }).observe(this.node);
  }

  update(transition: PanelTransition): void {
    this.#transition = transition;
    this.#draw();
  }

  /** Moves the cursor; scrolls sideways so that it is in view. Nothing else is drawn again. */
  setCursor(moment: number): void {
    const { columns } = this.#timeline ?? {};
    if (columns === undefined || this.#cursor === null) return;
    const x = columns.left + columns.width * moment;
    put(this.#band as SVGElement, 'x', String(x));
    const title = shown(this.#transition?.moments[moment]?.title ?? '');
    put(this.#cursor, 'aria-valuenow', String(moment + 1));
    put(this.#cursor, 'aria-valuetext', `${moment + 1} of ${columns.count}: ${title}`);
    const view = this.node;
    if (x < view.scrollLeft + columns.left) view.scrollLeft = Math.max(0, x - columns.left);
    else if (x + columns.width > view.scrollLeft + view.clientWidth)
      view.scrollLeft = x + columns.width - view.clientWidth;
  }

  focusCursor(): void {
    this.#cursor?.focus();
  }

  #resize(): void {
    if (Math.abs(this.node.clientWidth - this.#width) >= 2) {
      const at = Number(this.#cursor?.getAttribute('aria-valuenow') ?? '1') - 1;
      this.#draw();
      this.setCursor(at);
    }
  }

  #draw(): void {
    const transition = this.#transition;
    if (transition === null) return;
    this.#width = this.node.clientWidth;
    const timeline = layoutTimeline(transition, { width: Math.max(280, this.#width - 2), cursor: null });
    const held = this.node.contains(document.activeElement) && document.activeElement === this.#cursor;
    const svg = svgElement({
      tag: 'svg',
      attributes: {
        width: String(timeline.width),
        height: String(timeline.height),
        viewBox: `0 0 ${timeline.width} ${timeline.height}`,
        role: 'group',
        'aria-label': `Time line from ${shown(transition.from)} to ${shown(transition.to)}`,
      },
      children: [{ tag: 'defs', attributes: {}, children: [hatchPattern(PAGE_THEME, 'timeline-hatch')] }],
    });
    this.#timeline = timeline;
    svg.append(this.#makeCursor(timeline));
    for (const drawing of drawItems(timeline.items, PAGE_THEME, 'timeline-hatch'))
      svg.append(
        svgElement(drawing, (node, target, name) => {
          if (target.k === 'moment') return;
          node.classList.add('hot');
          node.addEventListener('click', (event) => {
            event.stopPropagation();
            this.#actions.open(target.source);
          });
          // A label repeats the mark beside it: one tab stop for both.
          if (drawing.tag === 'text') return;
          put(node, 'role', 'button');
          put(node, 'tabindex', '0');
          put(node, 'aria-label', `${name}: open source`);
          node.addEventListener('keydown', (event) => {
            if (event.key !== 'Enter' && event.key !== ' ') return;
            event.preventDefault();
            this.#actions.open(target.source);
          });
        }),
      );
    svg.addEventListener('click', (event) => {
      const { left, width, count } = timeline.columns;
      const moment = Math.floor((event.clientX - svg.getBoundingClientRect().left - left) / width);
      if (moment >= 0 && moment < count) this.#actions.moment(moment);
    });
    this.#timeline = timeline;
    this.node.replaceChildren(svg);
    if (held) this.#cursor?.focus();
  }

  #makeCursor(timeline: Timeline): SVGElement {
    const { columns } = timeline;
    this.#band = svgElement({
      tag: 'rect',
      attributes: {
        class: 'band',
        x: String(columns.left),
        y: String(columns.top),
        width: String(columns.width),
        height: String(timeline.height - columns.top - 1),
        rx: '3',
      },
    });
    this.#cursor = svgElement({
      tag: 'g',
      attributes: {
        class: 'cursor',
        role: 'slider',
        tabindex: '0',
        'aria-label': 'Moment of the run',
        'aria-valuemin': '1',
        'aria-valuemax': String(columns.count),
        'aria-valuenow': '1',
        'aria-orientation': 'horizontal',
      },
    });
    this.#cursor.append(this.#band);
    return this.#cursor;
  }
}
