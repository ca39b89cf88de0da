/** One transition: its verdict and what can be done, what runs and what does not, what stays behind, the kernel log. */
import type { PanelModel, PanelSource, PanelTransition } from '../../server/src/features/panel-model';
import { DeedsView } from './deeds-view';
import { DiffView } from './diff-view';
import { button, element, prose, put, putText, sourceLink } from './dom';
import { LogView } from './log-view';
import { shown } from './shown-text';
import type { Pair } from './stack-layout';
import { TextView } from './text-view';
import { TimelineView } from './timeline-view';
import { originWords, VERDICT_SIGNS, verdictTitle } from './words';

export interface TransitionActions {
  open(source: PanelSource): void;
  select(from: string, to: string): void;
  act(command: string, args: readonly string[]): void;
  cursor(moment: number): void;
}

export class TransitionView {
  readonly node = element('section', { class: 'transition', 'aria-label': 'Transition' });
  #actions: TransitionActions;
  #from = element('select', { id: 'from' });
  #to = element('select', { id: 'to' });
  #step = element('span', { class: 'at', 'aria-live': 'off' });
  #verdict = element('div', { class: 'verdict', role: 'status' });
  #leftovers = element('div', { class: 'leftovers' });
  #logTitle = element('h2', { id: 'log-title' }, 'Kernel log');
  #timeline: TimelineView;
  #text: TextView;
  #log: LogView;
  #diff: DiffView;
  #deeds: DeedsView;
  #model: PanelModel | null = null;
  #body: HTMLDivElement;
  #transition: PanelTransition | null = null;
  /** What is on the page, so that an edit that changes nothing here redraws nothing. */
  #drawn = '';
  #cursor = 0;

  constructor(actions: TransitionActions) {
    this.#actions = actions;
    const goTo = (moment: number): void => this.setCursor(moment);
    this.#timeline = new TimelineView({ open: actions.open, moment: goTo });
    this.#text = new TextView(actions.open);
    this.#log = new LogView(goTo);
    this.#diff = new DiffView(actions.open);
    this.#deeds = new DeedsView(actions.open);
    const steps = element(
      'div',
      { class: 'steps', role: 'group', 'aria-label': 'Step through the run' },
      this.#step,
      button('|◀', () => goTo(0), { 'aria-label': 'First moment', title: 'First moment (Home)' }),
      button('◀', () => goTo(this.#cursor - 1), {
        'aria-label': 'Moment before',
        title: 'Moment before (Left)',
      }),
      button('▶', () => goTo(this.#cursor + 1), {
        'aria-label': 'Next moment',
        title: 'Next moment (Right)',
      }),
      button('▶|', () => goTo(Number.MAX_SAFE_INTEGER), {
        'aria-label': 'Last moment',
        title: 'Last moment (End)',
      }),
    );
    const choice = element(
      'div',
      { class: 'choice', role: 'group', 'aria-label': 'Which transition' },
      element('label', { for: 'from' }, 'from'),
      this.#from,
      element('label', { for: 'to' }, 'to'),
      this.#to,
      button('⇄', () => this.#swap(), { 'aria-label': 'Swap from and to', title: 'Swap from and to' }),
    );
    this.#from.addEventListener('change', () => this.#chosen(this.#from, this.#to));
    this.#to.addEventListener('change', () => this.#chosen(this.#to, this.#from));
    const run = element('div', { class: 'run' }, this.#timeline.node, this.#text.node);
    this.#body = element(
      'div',
      { class: 'body' },
      this.#verdict,
      this.#diff.node,
      element('h2', {}, 'What runs, what does not'),
      run,
      this.#leftovers,
      element('h2', { id: 'deeds-title' }, 'What the callbacks do'),
      this.#deeds.node,
      this.#logTitle,
      this.#log.node,
    );
    this.node.append(element('div', { class: 'bar' }, choice, steps), this.#body);
    this.node.addEventListener('keydown', (event) => this.#key(event));
  }

  get cursor(): number {
    return this.#cursor;
  }

  get shown(): PanelTransition | null {
    return this.#transition;
  }

  /** Fills the two choices from the versions of `model`. */
  updateModel(model: PanelModel): void {
    this.#model = model;
    this.#drawDiff();
    const names = model.versions.map((version) => version.version);
    for (const [select, values] of [
      [this.#from, ['none', ...names]],
      [this.#to, names],
    ] as const) {
      const same =
        select.options.length === values.length &&
        values.every((name, i) => select.options[i]?.value === name);
      if (same) continue;
      const labels = values.map((name) => (name === 'none' ? 'no livepatch' : shown(name, 40)));
      select.replaceChildren(...values.map((value, i) => element('option', { value }, labels[i] ?? '')));
    }
    this.#body.hidden = this.#transition === null;
  }

  /** Says what is going to be shown, before its run has been worked out. */
  select(pair: Pair | null): void {
    if (pair === null) return;
    this.#from.value = pair.from;
    this.#to.value = pair.to;
    const waiting = this.#transition?.from !== pair.from || this.#transition.to !== pair.to;
    put(this.#body, 'aria-busy', waiting ? 'true' : null);
  }

  update(transition: PanelTransition, cursor: number): void {
    put(this.#body, 'aria-busy', null);
    const key = JSON.stringify(transition);
    if (key === this.#drawn) {
      if (cursor !== this.#cursor) this.#place(cursor);
      return;
    }
    this.#drawn = key;
    this.#transition = transition;
    this.#body.hidden = false;
    this.#drawVerdict(transition);
    this.#drawDiff();
    this.#timeline.update(transition);
    this.#text.update(transition);
    this.#drawLeftovers(transition);
    this.#deeds.update(transition);
    putText(this.#logTitle, `Kernel log · ${originWords(transition)}`);
    this.#log.update(transition);
    this.#place(cursor);
  }

  /** Moves to a moment, from 0; values outside the run stop at its ends. */
  setCursor(moment: number): void {
    this.#place(moment);
    this.#actions.cursor(this.#cursor);
  }

  setTextView(on: boolean): void {
    this.#timeline.node.hidden = on;
    this.#text.node.hidden = !on;
  }

  #place(moment: number): void {
    const transition = this.#transition;
    if (transition === null) return;
    const last = Math.max(0, transition.moments.length - 1);
    this.#cursor = Math.min(last, Math.max(0, moment));
    const title = shown(transition.moments[this.#cursor]?.title ?? '');
    this.#step.replaceChildren(
      `step ${this.#cursor + 1} of ${last + 1}`,
      element('span', { class: 'moment-title' }, title === '' ? '' : ` · ${title}`),
    );
    this.#timeline.setCursor(this.#cursor);
    this.#text.setCursor(this.#cursor);
    this.#log.setCursor(this.#cursor);
    this.#deeds.setCursor(this.#cursor);
  }

  #key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLSelectElement || event.ctrlKey || event.altKey || event.metaKey) return;
    const to = {
      ArrowLeft: this.#cursor - 1,
      ArrowRight: this.#cursor + 1,
      Home: 0,
      End: Number.MAX_SAFE_INTEGER,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.setCursor(to);
  }

  #swap(): void {
    const from = this.#to.value;
    const to = this.#from.value;
    if (to !== 'none' && from !== '') this.#actions.select(from, to);
  }

  /** A version is not its own successor: choosing the same on both sides turns the other side away. */
  #chosen(changed: HTMLSelectElement, other: HTMLSelectElement): void {
    if (changed.value === other.value) {
      const free = [...other.options]
        .map((option) => option.value)
        .filter((value) => value !== changed.value);
      const before = changed === this.#from ? this.#transition?.from : this.#transition?.to;
      const next = before !== undefined && free.includes(before) ? before : free[free.length - 1];
      if (next === undefined) return;
      other.value = next;
    }
    this.#actions.select(this.#from.value, this.#to.value);
  }

  #drawDiff(): void {
    if (this.#model !== null && this.#transition !== null)
      this.#diff.update(this.#model, this.#transition.from, this.#transition.to);
  }

  #drawVerdict(transition: PanelTransition): void {
    this.#verdict.className = `verdict ${transition.verdict}`;
    const title = `${VERDICT_SIGNS[transition.verdict]} ${verdictTitle(transition.verdict, transition.certainty)}.`;
    const sentence = element(
      'p',
      {},
      element('strong', {}, title),
      ' ',
      ...prose(shown(transition.sentence, 2000)),
    );
    const parts: Node[] = [sentence];
    if (transition.unknown.length > 0) {
      const list = element(
        'ul',
        {},
        ...transition.unknown.slice(0, 100).map((reason) => element('li', {}, shown(reason, 400))),
      );
      parts.push(
        element('details', {}, element('summary', {}, `Not known: ${transition.unknown.length}`), list),
      );
    }
    if (transition.actions.length > 0) {
      const actions = element('div', { class: 'actions' });
      transition.actions.slice(0, 8).forEach((action, i) => {
        const act = (): void => this.#actions.act(action.command, action.arguments);
        actions.append(button(shown(action.title, 80), act, { class: i === 0 ? 'primary' : '' }));
      });
      parts.push(actions);
    }
    this.#verdict.replaceChildren(...parts);
  }

  #drawLeftovers(transition: PanelTransition): void {
    const list = element('ul');
    for (const left of transition.leftovers.slice(0, 200)) {
      const what = `${shown(left.effect)} ${shown(left.key)}`;
      const name = sourceLink(what, left.source, this.#actions.open);
      const certain = left.certainty === 'may' ? ', perhaps' : '';
      list.append(
        element(
          'li',
          {},
          name,
          ` of ${shown(left.version)}: `,
          element('strong', {}, shown(left.hazard)),
          certain,
        ),
      );
    }
    const nothing = transition.verdict === 'refused' ? 'The load was refused.' : 'Nothing stays behind.';
    this.#leftovers.replaceChildren(
      element('h2', {}, 'What stays behind'),
      transition.leftovers.length === 0 ? element('p', { class: 'quiet' }, nothing) : list,
    );
  }
}
