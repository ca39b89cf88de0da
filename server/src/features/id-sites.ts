import { lex, NAME, NUMBER } from '../core/csource/lexer';
import type { Unit } from '../core/csource/unit';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Place } from '../core/place';
import type { Analysis } from './analysis';

/** Which argument is the id, from 0, of the functions of include/linux/livepatch.h (and kpatch's older names). */
export const ID_ARGUMENTS: Readonly<Record<string, { readonly kind: IdKind; readonly argument: number }>> = {
  klp_get_state: { kind: 'state', argument: 1 },
  klp_get_prev_state: { kind: 'state', argument: 0 },
  klp_shadow_get: { kind: 'shadow', argument: 1 },
  klp_shadow_alloc: { kind: 'shadow', argument: 1 },
  klp_shadow_get_or_alloc: { kind: 'shadow', argument: 1 },
  klp_shadow_free: { kind: 'shadow', argument: 1 },
  klp_shadow_free_all: { kind: 'shadow', argument: 0 },
  kpatch_shadow_alloc: { kind: 'shadow', argument: 1 },
  kpatch_shadow_get: { kind: 'shadow', argument: 1 },
  kpatch_shadow_free: { kind: 'shadow', argument: 1 },
};

export type IdKind = 'state' | 'shadow';

/** One place in the C where the id of a state or a shadow variable is written. */
export interface IdSite {
  readonly kind: IdKind;
  /** Equal for equal ids: a number in decimal, or the name of a constant that nothing at hand resolves. */
  readonly id: string;
  /** As written; `place` holds exactly this. */
  readonly text: string;
  readonly place: Place;
  /** A state in the table, or an allocation of a shadow variable. */
  readonly declares: boolean;
  /** `.states` for an entry of the table, else the function that is called. */
  readonly api: string;
  readonly version: LineageVersion;
}

/** Every id of a state or shadow variable that the sources of the lineage write, in the order of the versions. */
export function idSites(analysis: Analysis): IdSite[] {
  return analysis.lineage.versions.flatMap((version) => sitesOf(analysis, version));
}

function sitesOf(analysis: Analysis, version: LineageVersion): IdSite[] {
  const { facts } = version;
  if (!facts) return [];
  const units = analysis.unitsOf(version);
  const found: IdSite[] = [];
  const add = (place: Place, api: string, kind: IdKind, argument: number, known: string | null): void => {
    // Of a git revision only the places are at hand, not the text.
    if (place.revision !== undefined) return;
    const text = analysis.text(place.file).slice(place.start, place.end);
    const at = api === '.states' ? entryId(text) : argumentAt(text, argument);
    if (!at) return;
    const written = text.slice(at.start, at.end);
    const id = known ?? resolve(written, units);
    const span = { ...place, start: place.start + at.start, end: place.start + at.end };
    const declares = api === '.states' || api.includes('alloc');
    found.push({ kind, id, text: written, place: span, declares, api, version });
  };
  for (const state of facts.patch?.states ?? [])
    add(state.place, '.states', 'state', 0, resolve(String(state.id), []));
  const shadow = new Map(facts.shadow.map((use) => [`${use.place.file} ${use.place.start}`, use.id]));
  for (const { callee, place } of facts.calls) {
    const where = Object.hasOwn(ID_ARGUMENTS, callee) ? ID_ARGUMENTS[callee] : undefined;
    if (!where) continue;
    const known = where.kind === 'shadow' ? shadow.get(`${place.file} ${place.start}`) : undefined;
    add(place, callee, where.kind, where.argument, known === undefined ? null : resolve(known, []));
  }
  return found;
}

/** The id that a text writes: numbers in decimal, constants by their value in these units. */
function resolve(written: string, units: readonly Unit[]): string {
  const number = /^(0[xX][\da-fA-F]+|\d+)[uUlL]*$/.exec(written)?.[1];
  if (number !== undefined) return BigInt(/^0\d/.test(number) ? `0o${number.slice(1)}` : number).toString();
  for (const unit of units) {
    const value = unit.enumerator(written);
    if (value !== undefined) return String(value);
    const macro = unit.macro(written);
    if (macro && macro.parameters === null && macro.body !== written)
      return resolve(macro.body.trim(), units);
  }
  return written;
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where argument `index` of the call in `text` stands. */
function argumentAt(text: string, index: number): Stretch | null {
  const tokens = lex(text);
  let depth = 0;
  let at = 0;
  let from = -1;
  let to = -1;
  for (let i = 0; i < tokens.count; i++) {
    const start = tokens.start[i] ?? 0;
    const c = text[start] ?? '';
    if (depth > 0 && '([{'.includes(c)) depth++;
    else if (c === '(') {
      depth = 1;
      continue;
    } else if (')]}'.includes(c) && --depth === 0) break;
    if (depth === 1 && c === ',') at++;
    else if (depth > 0 && at === index) {
      if (from < 0) from = start;
      to = tokens.end[i] ?? start;
    }
  }
  return from < 0 ? null : { start: from, end: to };
}

/** Where the id stands in an element of the table of states: behind `.id =`, or what comes first. */
function entryId(text: string): Stretch | null {
  const named = /\.\s*id\s*=\s*([^,}]*[^,}\s])/.exec(text);
  const first = named ?? /^\s*(?:\{\s*)?([^.,{}\s][^,{}]*)(?:[,}]|$)/.exec(text);
  const id = first?.[1]?.trimEnd();
  if (!first || !id) return null;
  const start = first.index + first[0].indexOf(id, named ? first[0].indexOf('=') : 0);
  return { start, end: start + id.length };
}

/** The name or number at an offset of a C text (its end counts), or null. */
export function wordAt(text: string, offset: number): Stretch | null {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const to = text.indexOf('\n', offset);
  const tokens = lex(text.slice(from, to < 0 ? undefined : to));
  for (let i = 0; i < tokens.count; i++) {
    const start = from + (tokens.start[i] ?? 0);
    const end = from + (tokens.end[i] ?? 0);
    const isWord = tokens.kind[i] === NAME || tokens.kind[i] === NUMBER;
    if (isWord && start <= offset && offset <= end) return { start, end };
  }
  return null;
}
