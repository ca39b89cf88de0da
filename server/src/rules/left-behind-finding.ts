import { isDiffDialect } from '../core/csource/dialects/diffs';
import type { Hazard } from '../core/execution/catalogue-row';
import { isDraft } from '../core/lineage/lineage';
import type { Severity } from '../core/place';
import type { RuleContext } from './context';
import { duringWords, undoneBy } from './effect-story';
import { type Placed, replacePlace } from './placement';
import type { Finding, RelatedPlace } from './rule';
import { consequence, heldConsequence, listed, namesOf, theEffect, uncertainty } from './wording';

/** A finding about a side effect that stays behind after an upgrade, for the rules that differ in the hazard only. */
export function leftBehindFinding(
  context: RuleContext,
  placed: Placed,
  what: { readonly code: string; readonly severity: Severity; readonly hazard: Hazard },
): Finding {
  const { effect, from, to, stands, certainty } = placed;
  const undo = undoneBy(context, from, effect);
  const tos = namesOf(to);
  const chain = placed.at === 'successor' && to.length > 1;
  const replaced = chain
    ? `replaced by ${to[0]?.name ?? ''} and that by ${to[1]?.name ?? ''}`
    : `replaced by ${tos}`;
  const skipped = undo
    ? `${from.name}'s ${duringWords(undo)}, which undoes ${theEffect(effect)}, is not called when ${from.name} is ${replaced}`
    : `Nothing of ${from.name} undoes ${theEffect(effect)} when ${from.name} is ${replaced}`;
  const why = certainty === 'may' ? uncertainty(placed.run) : '';
  const held = what.hazard === 'use-after-free' && placed.dangling === null;
  const follows = held
    ? heldConsequence(from.module, certainty)
    : consequence(effect, what.hazard, from.module, certainty);
  const message = `${skipped}: it ${follows}.${why} ${advice(placed)}`;

  const related: RelatedPlace[] = [];
  if (placed.at === 'successor') {
    const message = `${from.name}: ${theEffect(effect)} is made here, in ${duringWords(effect.by)}`;
    related.push({ message, place: effect.by.place });
  }
  if (undo) {
    const message = `${from.name}: undone here, in ${duringWords(undo)}, which a replacement does not call`;
    related.push({ message, place: undo.place });
  }
  if (placed.at === 'effect') {
    for (const version of to) {
      const place = replacePlace(context, version);
      if (place) related.push({ message: `${version.name} replaces ${from.name} here`, place });
    }
  }
  return {
    code: what.code,
    severity: what.severity,
    message,
    certainty,
    place: placed.place,
    versions: [stands.name, ...[from, ...to].filter((version) => version !== stands).map((v) => v.name)],
    related,
    run: placed.steps,
    fixes: [],
    cause: `${from.name}:${effect.row.family}:${effect.key}@${stands.name}`,
  };
}

function advice(placed: Placed): string {
  const { from, to, stands } = placed;
  if (placed.at === 'successor') return `Undo it in ${stands.name}'s post_patch, or take it over there.`;
  if (isDraft(from)) {
    const drafts = to.filter(isDraft).map((version) => version.name);
    const means = isDiffDialect(from.dialect) ? 'a shadow variable' : 'a state, a shadow variable';
    return drafts.length > 0
      ? `Let ${listed(drafts)} undo it in post_patch or take it over; ${means} or its name can hand it on.`
      : `Hand it on by ${means} or its name, so that a successor can take it over or undo it.`;
  }
  return 'No version of the lineage can be changed to answer this: the next one has to undo it in its post_patch.';
}
