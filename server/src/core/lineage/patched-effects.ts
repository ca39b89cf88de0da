import type { Expr, FunctionIr } from '../csource/ir';
import { placeIn } from '../csource/item-places';
import type { CType, StructType } from '../csource/types';
import type { Unit } from '../csource/unit';
import type { Catalogue } from '../execution/catalogue';
import type { EffectRow } from '../execution/catalogue-row';
import type { LivepatchFacts, ShadowUse } from '../execution/fact-types';
import { statementsIn, visitExpression, visitExpressions } from '../execution/ir-walk';
import { addressed, type FunctionNode, type KernelCall } from '../execution/reach';
import type { Place } from '../place';
import type { LineageVersion } from './lineage';
import { functionsOf } from './version-functions';

/**
 * What the patched functions of a version may do at any time while it is enabled. They are not run: these are the
 * catalogued calls in all that a new_func reaches.
 */
export interface PatchedEffect {
  readonly k: 'allocates' | 'finds' | 'frees' | 'does' | 'undoes';
  readonly callee: string;
  /** The catalogue rows of the call; none for the shadow variable API. */
  readonly rows: readonly EffectRow[];
  /** Shadow variables only: the id as facts write it, the size and the type of what it holds where they are known. */
  readonly shadow: ShadowContent | null;
  readonly function: string;
  readonly place: Place;
  /** The patched functions that reach it, as `patched@object:old:sympos`. */
  readonly patched: readonly string[];
}

export interface ShadowContent {
  readonly id: string;
  /** NULL or a variable's address: one for all; an object of its own for each; every object (free_all). */
  readonly object: 'one' | 'each' | 'all';
  readonly size: number | null;
  /** The struct or scalar that the result's pointer points to, written as in C; null where nothing says it. */
  readonly type: string | null;
  /** Its members with their types, in order, where the sources define it. */
  readonly layout: string | null;
}

const SHADOW_KINDS: ReadonlyMap<string, PatchedEffect['k']> = new Map([
  ['klp_shadow_alloc', 'allocates'],
  ['klp_shadow_get_or_alloc', 'allocates'],
  ['klp_shadow_get', 'finds'],
  ['klp_shadow_free', 'frees'],
  ['klp_shadow_free_all', 'frees'],
  ['kpatch_shadow_alloc', 'allocates'],
  ['kpatch_shadow_get', 'finds'],
  ['kpatch_shadow_free', 'frees'],
]);

/** The may effects of a version while it is enabled, in the order of its sources. */
export function patchedEffects(version: LineageVersion, catalogue: Catalogue): readonly PatchedEffect[] {
  return known(version, catalogue).patched;
}

/** The same for what any of its code may do: init, exit, callbacks, patched functions, work. */
export function allEffects(version: LineageVersion, catalogue: Catalogue): readonly PatchedEffect[] {
  return known(version, catalogue).all;
}

interface Reached {
  readonly all: readonly PatchedEffect[];
  readonly patched: readonly PatchedEffect[];
}

/** Rules ask for pairs of versions: each version is looked through once for equal facts. */
const REACHED = new WeakMap<Catalogue, WeakMap<LivepatchFacts, Reached>>();
const NONE: Reached = { all: [], patched: [] };

function known(version: LineageVersion, catalogue: Catalogue): Reached {
  const { facts } = version;
  if (!facts) return NONE;
  let ofCatalogue = REACHED.get(catalogue);
  if (!ofCatalogue) REACHED.set(catalogue, (ofCatalogue = new WeakMap()));
  let reached = ofCatalogue.get(facts);
  if (!reached) {
    const patched = effectsReached(version, catalogue, 'patched');
    reached = { all: effectsReached(version, catalogue, null), patched };
    ofCatalogue.set(facts, reached);
  }
  return reached;
}

function effectsReached(
  version: LineageVersion,
  catalogue: Catalogue,
  origin: string | null,
): PatchedEffect[] {
  const found: PatchedEffect[] = [];
  for (const { node, from } of functionsOf(version)) {
    if (origin !== null && !from.has(origin)) continue;
    let patched: string[] | undefined;
    let types: Map<Place, CType> | undefined;
    for (const call of node.calls) {
      const { callee, place } = call;
      const kind = SHADOW_KINDS.get(callee);
      const does = kind ? [] : catalogue.rowsByDo(callee);
      const undoes = kind ? [] : catalogue.rowsByUndo(callee);
      if (!kind && does.length === 0 && undoes.length === 0) continue;
      patched ??= [...from].filter((name) => name.startsWith('patched@'));
      const shared = { callee, function: node.name, place, patched };
      if (kind) {
        const use = version.facts?.shadow.find((item) => samePlace(item.place, place));
        types ??= resultTypes(node);
        const shadow = use && content(use, call, types.get(place), node.unit);
        if (shadow) found.push({ ...shared, k: kind, rows: [], shadow });
        continue;
      }
      if (does.length > 0) found.push({ ...shared, k: 'does', rows: does, shadow: null });
      else found.push({ ...shared, k: 'undoes', rows: undoes.map(({ row }) => row), shadow: null });
    }
  }
  return found;
}

function content(use: ShadowUse, call: KernelCall, type: CType | undefined, unit: Unit): ShadowContent {
  const held = type?.k === 'pointer' ? type.to : undefined;
  const layout = held?.k === 'struct' ? unit.struct(held.tag) : undefined;
  return {
    id: use.id,
    object: call.callee === 'klp_shadow_free_all' ? 'all' : isOne(call.args[0]) ? 'one' : 'each',
    size: use.size,
    type: held && held.k !== 'void' ? written(held) : null,
    layout: layout ? layoutOf(layout, unit, 0) : null,
  };
}

function isOne(object: Expr | undefined): boolean {
  if (object?.k === 'cast') return isOne(object.of);
  return object !== undefined && (object.k === 'int' || (object.k === 'unary' && addressed(object) !== null));
}

/** Of every call whose result goes into a variable the type of that variable, by the call's place. */
function resultTypes(node: FunctionNode): Map<Place, CType> {
  const found = new Map<Place, CType>();
  const { ir } = node;
  const note = (value: Expr, type: CType | undefined): void => {
    if (type && value.k === 'call') found.set(placeIn(ir.positions, value.at), type);
    else if (value.k === 'cast') note(value.of, value.type.k === 'pointer' ? value.type : type);
  };
  for (const stmt of statementsIn(ir.body)) {
    if (stmt.k === 'declare' && stmt.init?.k === 'value') note(stmt.init.value, ir.locals[stmt.slot]?.type);
  }
  visitExpressions(ir.body, (expr) => {
    if (expr.k === 'assign' && expr.op === '=') note(expr.value, typeOfTarget(expr.target, ir));
    if (expr.k === 'unary' && expr.op === '*')
      visitExpression(expr.of, (inner) => inner.k === 'cast' && note(inner, undefined));
  });
  return found;
}

function typeOfTarget(target: Expr, ir: FunctionIr): CType | undefined {
  return target.k === 'local' ? ir.locals[target.slot]?.type : target.type;
}

function samePlace(a: Place, b: Place): boolean {
  return a.file === b.file && a.start === b.start;
}

/** A type as C writes it, as far as telling two of them apart asks for. */
export function written(type: CType): string {
  switch (type.k) {
    case 'void':
      return 'void';
    case 'int':
      return type.bool ? 'bool' : `${type.signed ? 's' : 'u'}${type.bits}`;
    case 'pointer':
      return `${written(type.to)} *`;
    case 'array':
      return `${written(type.of)}[${type.length ?? ''}]`;
    case 'struct':
      return `struct ${type.tag}`;
    case 'function':
      return `${written(type.returns)} ()`;
    case 'unknown':
      return type.name;
  }
}

const MAX_DEPTH = 4;

function layoutOf(type: StructType, unit: Unit, depth: number): string {
  const fields = type.fields.map((field) => {
    const inner = field.type.k === 'struct' && depth < MAX_DEPTH ? unit.struct(field.type.tag) : undefined;
    const held = inner ? layoutOf(inner, unit, depth + 1) : written(field.type);
    return `${held} ${field.name}${field.bits === undefined ? '' : `:${field.bits}`}`;
  });
  return `${type.union ? 'union' : 'struct'}{${fields.join(';')}}`;
}
