import type { LineageVersion } from '../core/lineage/lineage';
import { transitionSteps } from '../core/lineage/run';
import { VERDICTS } from '../core/lineage/verdict';
import { formatStep } from '../core/manifest/steps';
import type { Place } from '../core/place';
import type { Analysis } from './analysis';
import { callbacksOf } from './mentions';
import { type Replaced, replacedBy, replacedText } from './replaced';

/** A line of text above the code, with what a click on it does. */
export interface Lens {
  readonly place: Place;
  readonly title: string;
  readonly command:
    | { readonly id: 'livepatch.showStack' }
    | { readonly id: 'livepatch.simulate'; readonly steps: string }
    | { readonly id: 'livepatch.explainTransition'; readonly from: string; readonly to: string };
}

/** Above each klp_patch and each callback function of a C file: what a replacement makes of them. */
export function codeLenses(analysis: Analysis, file: string): Lens[] {
  const found: Lens[] = [];
  const isHere = (place: Place): boolean => place.file === file && place.revision === undefined;
  for (const version of analysis.lineage.versions) {
    for (const { place } of version.facts?.patches ?? [])
      if (isHere(place)) found.push(...patchLenses(analysis, version, place));
    const seen = new Set<number>();
    let replaced: readonly Replaced[] | null = null;
    for (const { object, callback } of callbacksOf(version)) {
      const { definition } = callback;
      if (!definition || !isHere(definition) || seen.has(definition.start)) continue;
      seen.add(definition.start);
      replaced ??= replacedBy(analysis, version);
      const skipping = replaced.filter(({ skipped }) =>
        skipped.some((it) => it.object === object && it.callback === callback.callback),
      );
      const first = skipping[0];
      const what = `${version.name} ${callback.callback}${object === null ? '' : ` of ${object}`}`;
      found.push(
        first
          ? {
              place: definition,
              title: `${what}: skipped when replaced by ${skipping.map(({ by }) => by.name).join(', ')}`,
              command: { id: 'livepatch.explainTransition', from: version.name, to: first.by.name },
            }
          : { place: definition, title: what, command: { id: 'livepatch.showStack' } },
      );
    }
  }
  return found;
}

function patchLenses(analysis: Analysis, version: LineageVersion, place: Place): Lens[] {
  const all = replacedBy(analysis, version);
  const worst = all.reduce<Replaced | null>((known, it) => (known && !isWorse(it, known) ? known : it), null);
  const steps = transitionSteps(analysis.lineage, worst ? version.name : null, (worst?.by ?? version).name);
  return [
    ...(worst
      ? [
          {
            place,
            title: replacedText(worst),
            command: { id: 'livepatch.explainTransition', from: version.name, to: worst.by.name },
          } as const,
        ]
      : []),
    { place, title: 'show in stack', command: { id: 'livepatch.showStack' } },
    {
      place,
      title: 'simulate',
      command: { id: 'livepatch.simulate', steps: steps.map(formatStep).join('; ') },
    },
  ];
}

function isWorse(a: Replaced, b: Replaced): boolean {
  const by = VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict);
  return by > 0 || (by === 0 && a.leftovers > b.leftovers);
}
