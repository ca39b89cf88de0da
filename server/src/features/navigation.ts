import type { Place } from '../core/place';
import type { Analysis } from './analysis';
import { type Mention, mentionsAt, mentionsOf, partners } from './mentions';

/**
 * Where what stands at an offset (UTF-16, from 0) leads to. From a use to the entry in the manifest, from there to the
 * klp_patch and back; from a callback's entry to its function, and from there to its undo and to the same callback in
 * other versions; from a state to the table that declares it, from a shadow variable to its allocations.
 */
export function definition(analysis: Analysis, file: string, offset: number): Place[] {
  const here = mentionsAt(analysis, file, offset);
  return places(here.flatMap((mention) => leadsTo(analysis, mention))).filter(
    (place) => !here.some((mention) => same(mention.place, place)),
  );
}

/** Every place of the lineage that speaks of the same thing, for a callback also those of its undo. */
export function references(
  analysis: Analysis,
  file: string,
  offset: number,
  withDeclaration: boolean,
): Place[] {
  const found = mentionsAt(analysis, file, offset).flatMap((at) => [
    ...family(analysis, at),
    ...undoOf(analysis, at),
  ]);
  return places(found.filter(({ role }) => withDeclaration || (role !== 'name' && role !== 'declares')));
}

function leadsTo(analysis: Analysis, at: Mention): readonly Mention[] {
  const all = family(analysis, at);
  const others = all.filter((it) => it.version !== at.version && it.role === 'declares');
  const own = all.filter((it) => it.version === at.version && it.role === 'declares');
  switch (at.kind) {
    case 'version': {
      const role = at.role === 'uses' ? 'name' : at.role === 'patch' ? 'module' : 'patch';
      return all.filter((it) => it.role === role);
    }
    case 'target':
      return all.filter((it) => it.role === 'declares');
    case 'callback':
      if (at.role === 'entry') return own;
      return [...undoOf(analysis, at).filter((it) => it.role === 'declares'), ...others];
    case 'state': {
      if (at.role === 'declares') return others;
      if (at.api !== 'klp_get_prev_state') return own.length > 0 ? own : others;
      const older = others.filter((it) => (it.version?.index ?? 0) < (at.version?.index ?? 0));
      return older.length > 0 ? older : others;
    }
    case 'shadow':
      return [...own, ...others];
  }
}

function family(analysis: Analysis, at: Mention): Mention[] {
  return mentionsOf(analysis).filter((it) => it.kind === at.kind && it.id === at.id);
}

/** What undoes a callback of one version, and what it undoes. */
function undoOf(analysis: Analysis, { kind, id, callback, version }: Mention): Mention[] {
  if (kind !== 'callback' || !callback || !version) return [];
  const object = id.slice(0, id.lastIndexOf(' '));
  const wanted = new Set([...partners(analysis, version, callback)].map((other) => `${object} ${other}`));
  return mentionsOf(analysis).filter(
    (it) => it.kind === 'callback' && it.version === version && wanted.has(it.id),
  );
}

/** Without those in texts of a git revision, which no editor has open, and each once. */
function places(mentions: readonly Mention[]): Place[] {
  const found: Place[] = [];
  for (const { place } of mentions)
    if (place.revision === undefined && !found.some((known) => same(known, place))) found.push(place);
  return found;
}

function same(a: Place, b: Place): boolean {
  return a.file === b.file && a.start === b.start && a.end === b.end;
}
