/** What differs between the two versions of a transition, as a list whose items lead to their sources. */
import type { PanelModel, PanelSource } from '../../server/src/features/panel-model';
import { element, sourceLink } from './dom';
import { type Difference, versionDiff } from './version-diff';

const SIGNS = { added: '+', removed: '−', changed: '~' } as const;
/** Longer lists say how much more there is. */
const MOST = 300;

export class DiffView {
  readonly node = element('details', { class: 'diff' });
  #open: (source: PanelSource) => void;
  #drawn = '';

  constructor(open: (source: PanelSource) => void) {
    this.#open = open;
  }

  /** Compares `from` (`none`: no livepatch) with `to`; hidden where the model has not both. */
  update(model: PanelModel, from: string, to: string): void {
    const named = (name: string) => model.versions.find((one) => one.version === name);
    const older = named(from) ?? null;
    const newer = named(to);
    this.node.hidden = newer === undefined || (older === null && from !== 'none');
    if (newer === undefined || this.node.hidden) return;
    const differences = versionDiff(older, newer);
    const complete = newer.complete && older?.complete !== false;
    const key = JSON.stringify([from, to, complete, differences]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const counted = differences.length === 0 ? 'nothing' : String(differences.length);
    const unread = complete ? '' : ' · not all of it could be read';
    const rest = differences.length - MOST;
    this.node.replaceChildren(
      element('summary', {}, `What differs: ${counted}${unread}`),
      element('ul', {}, ...differences.slice(0, MOST).map((one) => this.#item(one))),
      ...(rest > 0 ? [element('p', { class: 'quiet' }, `and ${rest} more`)] : []),
    );
  }

  #item({ change, text, source }: Difference): HTMLLIElement {
    const name = sourceLink(text, source, this.#open);
    const sign = element('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[change]);
    return element('li', { class: change }, sign, ` ${change} `, name);
  }
}
