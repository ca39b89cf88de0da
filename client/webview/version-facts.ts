/** What a version's card says, as short labels. The page and the picture show the same ones. */
import type { PanelSource, PanelVersion } from '../../server/src/features/panel-model';
import { count, objectName } from './words';

/** A name that leads to its source. */
export interface FactPart {
  readonly text: string;
  readonly source: PanelSource | null;
}

export interface Fact {
  readonly text: string;
  readonly tone: 'plain' | 'effect' | 'installed';
  readonly source: PanelSource | null;
  /** The label is `head` and these, each with a source of its own. */
  readonly head?: string;
  readonly parts?: readonly FactPart[];
  /** What the label counts; the page unfolds it. */
  readonly folded?: readonly FactPart[];
}

/** The labels of one version, in the order they are shown. */
export function versionFacts(version: PanelVersion): Fact[] {
  const facts: Fact[] = [];
  const add = (text: string, source: PanelSource | null = null, tone: Fact['tone'] = 'plain'): void => {
    facts.push({ text, tone, source });
  };
  if (version.installed !== null) add(version.installed, null, 'installed');
  add(version.replace === null ? 'replace: not known' : version.replace ? 'replace' : 'no replace');
  const calling = version.objects.filter((object) => object.callbacks.length > 0);
  if (calling.length === 0 && version.complete) add('no callbacks');
  for (const object of calling) {
    const head = `${objectName(object.name)}: `;
    const parts = object.callbacks.map((one) => ({ text: one.callback, source: one.source }));
    const text = head + parts.map((part) => part.text).join(', ');
    facts.push({ text, tone: 'plain', source: parts[0]?.source ?? null, head, parts });
  }
  for (const state of version.states) add(`state ${state.id}, version ${state.version}`, state.source);
  for (const shadow of version.shadow) add(`shadow ${shadow.id}`, shadow.source);
  for (const effect of version.effects) add(`${effect.noun} ${effect.key}`, effect.source, 'effect');
  facts.push(functionsFact(version));
  if (version.givesBack.length > 0)
    facts.push({
      text: `gives back ${version.givesBack.length}`,
      tone: 'plain',
      source: null,
      folded: version.givesBack.map((one) => ({
        text: `${objectName(one.object)}: ${one.function}, back to the kernel's own`,
        source: null,
      })),
    });
  if (!version.complete) add('not all of it could be read');
  return facts;
}

/** `5 functions, 1 new` and their names. */
function functionsFact(version: PanelVersion): Fact {
  const folded: FactPart[] = [];
  let added = 0;
  for (const object of version.objects)
    for (const fn of object.functions) {
      if (fn.change === 'added') added += 1;
      const change = fn.change === 'added' ? ', new here' : '';
      folded.push({ text: `${objectName(object.name)}: ${fn.old} → ${fn.new}${change}`, source: fn.source });
    }
  const all = count(folded.length, 'function');
  const text = added > 0 && added < folded.length ? `${all}, ${added} new` : all;
  return { text, tone: 'plain', source: null, folded };
}
