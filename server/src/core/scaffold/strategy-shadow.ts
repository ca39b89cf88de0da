import type { Expr } from '../csource/ir';
import type { ShadowUse } from '../execution/fact-types';
import { visitExpressions } from '../execution/ir-walk';
import type { LineageVersion } from '../lineage/lineage';
import { isIdentifier } from './c-text';
import { isZero } from './faulty-code';
import { ownMacros, structDefinitions, words } from './own-text';
import type { Patient, Refusal } from './patient';
import type { Remedy } from './remedy';

/** Ids of shadow variables that a version may allocate, also in its patched functions, with one place for each. */
export function allocatedIds(version: LineageVersion): ReadonlyMap<string, ShadowUse> {
  const ids = new Map<string, ShadowUse>();
  for (const use of version.facts?.shadow ?? []) {
    if (use.api !== 'klp_shadow_alloc' && use.api !== 'klp_shadow_get_or_alloc') continue;
    const id = normalId(use.id);
    if (!ids.has(id)) ids.set(id, use);
  }
  return ids;
}

/** Every id that a version touches through the shadow variable API. */
export function usedIds(version: LineageVersion): ReadonlySet<string> {
  return new Set((version.facts?.shadow ?? []).map((use) => normalId(use.id)));
}

/** Frees all shadow variables of one id, with the faulty version's destructor where it has one. */
export function shadowRemedy(patient: Patient, id: string, use: ShadowUse): Remedy | Refusal {
  const number = Number(id);
  if (!Number.isSafeInteger(number) && !isIdentifier(id)) return { because: 'its id is not a constant' };
  if (patient.capabilities.has('shadow-constructor') === 'no') {
    return {
      because: "this kernel's klp_shadow_free_all() takes no destructor; its cleanup is written by hand",
    };
  }
  const destructor = destructorOf(patient, id);
  if ('because' in destructor) return destructor;
  const written = Number.isSafeInteger(number)
    ? number < 10
      ? String(number)
      : `0x${number.toString(16)}`
    : id;
  const explanation =
    destructor.name === 'NULL'
      ? 'All of this id are freed; where there are none nothing happens.'
      : `All of this id are freed, with the destructor that ${patient.version.name} frees them with; where there are none nothing happens.`;
  return {
    strategy: 'shadow',
    what: `shadow variables ${written}`,
    version: patient.version,
    place: use.place,
    guard: { k: 'itself' },
    verb: 'free',
    object: `shadow ${written}`,
    declarations: [],
    body: [`klp_shadow_free_all(${written}, ${destructor.name});`],
    explanation,
    headers: destructor.headers,
    definitions: destructor.definitions,
    foreign: !Number.isSafeInteger(number) || destructor.definitions.size > 0,
    last: false,
  };
}

interface Destructor {
  readonly name: string;
  readonly definitions: ReadonlyMap<string, string>;
  readonly headers: readonly string[];
}

const NONE: Destructor = { name: 'NULL', definitions: new Map(), headers: [] };

/** The destructor that the faulty version frees this id with: copied, if it stands on its own. */
function destructorOf(patient: Patient, id: string): Destructor | Refusal {
  const found = new Map<string, Destructor | Refusal>();
  for (const { unit, name } of functionsOf(patient)) {
    const fn = patient.code.lower(unit, name);
    if (!fn) continue;
    visitExpressions(fn.body, (expr) => {
      if (expr.k !== 'call' || expr.callee.k !== 'name') return;
      const callee = expr.callee.name;
      const [idArgument, argument] =
        callee === 'klp_shadow_free'
          ? [expr.args[1], expr.args[2]]
          : callee === 'klp_shadow_free_all'
            ? [expr.args[0], expr.args[1]]
            : [];
      if (!idArgument || !argument || !sameId(idArgument, id)) return;
      const function_ = functionName(argument);
      if (isZero(argument)) found.set('NULL', NONE);
      else if (function_ === null)
        found.set('?', { because: 'its destructor is not named where it is freed' });
      else found.set(function_, copyFunction(patient, unit, function_));
    });
  }
  if (found.size > 1) return { because: `${patient.version.name} frees it with different destructors` };
  const [only] = found.values();
  return only ?? NONE;
}

type UnitOf = Patient['code']['units'][number];

function functionsOf(patient: Patient): { readonly unit: UnitOf; readonly name: string }[] {
  return patient.code.units.flatMap((unit) =>
    [...unit.unit.functions.keys()].map((name) => ({ unit, name })),
  );
}

function copyFunction(patient: Patient, unit: UnitOf, name: string): Destructor | Refusal {
  const ref = patient.code.resolve(unit, name);
  if (ref.k !== 'function') return { because: `its destructor ${name}() is not in the sources` };
  const item = ref.unit.unit.functions.get(name);
  const fn = patient.code.lower(ref.unit, name);
  if (!item || !fn) return { because: `its destructor ${name}() could not be read` };
  const at = patient.where(item.namePlace);
  const text = patient.text(item.place.file).slice(item.place.start, item.place.end).replace(/\r\n?/g, '\n');
  const macros = ownMacros(ref.unit.unit, patient.text);
  const used = words(text);
  for (const word of used) {
    if (word === name) continue;
    if (macros.has(word)) return { because: `its destructor ${name}() (${at}) uses the macro ${word}` };
  }
  if (fn.statics.length > 0) return { because: `its destructor ${name}() (${at}) has static data` };
  let own: string | null = null;
  visitExpressions(fn.body, (expr) => {
    if (expr.k === 'name' && patient.code.resolve(ref.unit, expr.name).k !== 'foreign') own ??= expr.name;
  });
  if (own !== null)
    return { because: `its destructor ${name}() (${at}) uses ${String(own)} of the faulty version` };
  const tags = [...text.matchAll(/\bstruct\s+([A-Za-z_]\w*)/g)].map((match) => match[1] ?? '');
  const structs = structDefinitions(tags, ref.unit.unit, patient.text);
  if ('because' in structs)
    return { because: `its destructor ${name}() (${at}) cannot be copied: ${String(structs.because)}` };
  const definitions = new Map(structs as ReadonlyMap<string, string>);
  definitions.set(name, /^\s*static\b/.test(text) ? text : `static ${text}`);
  return { name, definitions, headers: [] };
}

function functionName(expr: Expr): string | null {
  if (expr.k === 'name') return expr.name;
  return expr.k === 'cast' || (expr.k === 'unary' && expr.op === '&') ? functionName(expr.of) : null;
}

function sameId(expr: Expr, id: string): boolean {
  if (expr.k === 'cast') return sameId(expr.of, id);
  if (expr.k === 'int') return normalId(String(expr.value)) === id;
  return expr.k === 'name' && expr.name === id;
}

/** Equal for equal ids: the number in decimals, or the name of a constant. */
export function normalId(id: string): string {
  const number = /^(?:0x[0-9a-f]+|\d+)[ul]*$/i.test(id) ? Number(id.replace(/[ul]+$/i, '')) : Number.NaN;
  return Number.isSafeInteger(number) ? String(number) : id;
}
