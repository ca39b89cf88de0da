import type { Actor, Effect } from '../execution/effects';
import type { UnitImage } from '../execution/program';
import type { StateId } from '../kernel/types';
import { ownUndo } from '../lineage/own-undo';
import { conditionsFor } from './conditions';
import type { Found } from './faulty-code';
import { structDefinitions } from './own-text';
import { type Answer, type Patient, type Refusal, stateGuard, whatOf } from './patient';
import { isPortable, type Portable, type Unportable } from './portable';
import type { Guard, Remedy, Strategy } from './remedy';
import { argumentOf, report } from './strategy-files';

/** A statement of the faulty version in the words of another module. */
interface Statement {
  readonly text: string;
  readonly parts: readonly Portable[];
  readonly unit: UnitImage;
  /** The catalogued function that it calls; null for an assignment. */
  readonly callee: string | null;
  /** Under which conditions the faulty version does it, each in C; empty for always. */
  readonly conditions: readonly string[];
}

/**
 * Undoes an effect as the faulty version itself would when it is disabled, if everything that its statement names can
 * be reached from another module: constants, the kernel's names, and what hangs from its state entries.
 */
export function undoRemedy(patient: Patient, effect: Effect): Answer {
  const actor = ownUndo(patient.transitions, patient.version, effect);
  if (!actor) return null;
  const found = patient.code.at(actor.place, actor.function);
  if (!found)
    return { because: `its undo in ${actor.function}() (${patient.where(actor.place)}) could not be read` };
  const { unit, fn, expr } = found;
  const say = (inner: typeof expr): Portable | Unportable => patient.translator.translate(unit, fn, inner);
  const when = conditionsOf(patient, found, actor);
  if ('because' in when) return when;
  let statement: Statement;
  if (expr.k === 'call') {
    if (expr.callee.k !== 'name' || patient.code.resolve(unit, expr.callee.name).k !== 'foreign') {
      return { because: `its undo (${patient.where(actor.place)}) is no plain call of the kernel` };
    }
    const parts = expr.args.map(say);
    const wrong = parts.find((part) => !isPortable(part));
    if (wrong && !isPortable(wrong)) return wrong;
    const args = parts.filter(isPortable);
    const text = `${expr.callee.name}(${args.map((part) => asArgument(part.text)).join(', ')});`;
    statement = {
      text,
      parts: [...args, ...when.parts],
      unit,
      callee: expr.callee.name,
      conditions: when.texts,
    };
  } else if (expr.k === 'assign') {
    const target = say(expr.target);
    if (!isPortable(target)) return target;
    const value = say(expr.value);
    if (!isPortable(value)) return value;
    statement = {
      text: `${target.text} ${expr.op} ${value.text};`,
      parts: [target, value, ...when.parts],
      unit,
      callee: null,
      conditions: when.texts,
    };
  } else return { because: `its undo (${patient.where(actor.place)}) is of a kind that is not copied` };
  return remedyOf(
    patient,
    effect,
    statement,
    `as ${patient.version.name} undoes it in ${actor.function}() when it is disabled`,
  );
}

/** What v2's own undo hangs on; that the state and its data are there is what the guard asks anyway. */
function conditionsOf(
  patient: Patient,
  { unit, fn, expr }: Found,
  actor: Actor,
): { readonly texts: readonly string[]; readonly parts: readonly Portable[] } | Refusal {
  const facts = patient.version.facts;
  const roots = new Set<string>();
  for (const object of facts?.patch?.objects ?? []) {
    for (const item of object.callbacks) if (item.callback === actor.during) roots.add(item.function);
  }
  if (actor.during === 'exit' && facts?.exit) roots.add(facts.exit.name);
  const at = patient.where(actor.place);
  const conditions = conditionsFor(patient.code, unit, fn, expr, roots);
  if (conditions === null)
    return {
      because: `its undo (${at}) stands in a loop or is reached in a way that could not be followed`,
      final: true,
    };
  const texts: string[] = [];
  const parts: Portable[] = [];
  for (const condition of conditions) {
    const test = patient.translator.translate(condition.unit, condition.fn, condition.test);
    if (!isPortable(test)) {
      return {
        because: `its undo (${at}) hangs on a condition that another module cannot ask: ${test.because}`,
        final: true,
      };
    }
    if (/^!?(?:\([\w *]+\))?(?:prev(?:->data)?|saved)(?: [!=]= NULL)?$/.test(test.text)) continue;
    parts.push(test);
    texts.push(
      condition.holds
        ? test.text
        : test.level === 2 && test.text.startsWith('!')
          ? test.text.slice(1)
          : test.level > 1
            ? `!${test.text}`
            : `!(${test.text})`,
    );
  }
  return { texts, parts };
}

/** Undoes an effect by the arguments that it was made with, if another module can name them all. */
export function pairRemedy(patient: Patient, effect: Effect): Answer {
  const { row } = effect;
  let refusal: Refusal | null = null;
  for (const undo of row.undo) {
    if (
      undo.handle ||
      row.synthetic ||
      patient.capabilities.api(undo.since ?? null, undo.until ?? null) === 'no'
    )
      continue;
    const places = undo.identity.map((part) => ('arg' in part && part.member === undefined ? part.arg : -1));
    if (places.some((place, index) => place !== index) || places.length > row.identity.length) continue;
    const parts = places.map((_, index) => argumentOf(patient, effect, row.identity[index]));
    const wrong = parts.find((part) => 'because' in part);
    if (wrong && 'because' in wrong) {
      refusal ??= { because: String(wrong.because) };
      continue;
    }
    const args = parts as readonly Portable[];
    const unit = patient.code.at(effect.by.place, effect.by.function)?.unit;
    if (!unit) continue;
    const statement: Statement = {
      text: `${undo.name}(${args.map((part) => asArgument(part.text)).join(', ')});`,
      parts: args,
      unit,
      callee: undo.name,
      conditions: [],
    };
    const answer = remedyOf(patient, effect, statement, 'by the arguments that it was made with');
    if (answer !== null && 'strategy' in answer) return answer;
    if (answer !== null) refusal ??= answer;
  }
  return refusal;
}

function remedyOf(patient: Patient, effect: Effect, statement: Statement, how: string): Remedy | Refusal {
  const { row } = effect;
  const ids = new Set<StateId>();
  for (const part of statement.parts) if (part.state !== null) ids.add(part.state);
  if (ids.size > 1) return { because: 'its undo reads two states at once' };
  const [id] = ids;
  const data = statement.parts.some((part) => part.data);
  const shadows = new Set(statement.parts.flatMap((part) => part.shadow ?? []));
  if (shadows.size > 1) return { because: 'its undo reads two shadow variables at once' };
  const [shadow] = shadows;
  const shared =
    shadow === undefined ? undefined : [...patient.shared].find((it) => shadow.endsWith(`, ${it})`));
  if (shared !== undefined)
    return { because: `its undo reads the shadow variable ${shared}, which the good version uses too` };
  const guard = guardFor(
    patient,
    statement,
    row.undo.find((call) => call.name === statement.callee)?.absent === 'harmless',
    id ?? null,
    data,
    shadow !== undefined,
  );
  if (!('k' in guard)) return guard;
  const structs = structDefinitions(
    statement.parts.flatMap((part) => part.structs),
    statement.unit.unit,
    patient.text,
  );
  if ('because' in structs) return { because: String(structs.because) };
  const memory = row.key === 'heap';
  const freed = statement.parts[0]?.text.replace(/^\([\w *]+\)/, '');
  const clears = memory && freed === 'prev->data';
  const strategy: Strategy =
    shadow !== undefined && id === undefined
      ? 'shadow'
      : row.key === 'value' || row.key === 'count'
        ? 'value'
        : id === undefined
          ? 'name'
          : 'state';
  const undo = row.undo.find((call) => call.name === statement.callee);
  return {
    strategy,
    what: memory ? `memory behind state ${String(id ?? '')}` : whatOf(effect),
    version: patient.version,
    place: effect.by.place,
    guard,
    object: memory ? `state ${String(id ?? '')} data` : effect.key,
    verb: memory ? 'free' : row.key === 'value' ? 'restore' : 'undo',
    declarations: shadow === undefined ? [] : [`void *saved = ${shadow};`],
    body: underConditions(shadow === undefined ? statement.conditions : ['saved', ...statement.conditions], [
      statement.text,
      ...(clears ? ['prev->data = NULL;'] : []),
      ...(memory
        ? []
        : [report(effect, patient, row.key === 'value' || row.key === 'count' ? 'restored' : 'removed')]),
    ]),
    explanation: `It is undone ${how}${id === undefined ? '' : `, with what the state ${String(id)} hands over`}${shadow === undefined ? '' : ', with what its shadow variable holds; where there is none nothing is done'}.`,
    headers: [...headersOf(undo?.header ?? row.header), ...(memory ? [] : ['linux/printk.h'])],
    definitions: new Map([
      ...(structs as ReadonlyMap<string, string>),
      ...externs(patient, statement.parts, statement.unit),
    ]),
    foreign: statement.parts.some((part) => part.names.length > 0) || row.header === '',
    last: memory,
  };
}

/** Lines of a body, in an `if` where they hang on something. */
function underConditions(conditions: readonly string[], lines: readonly string[]): readonly string[] {
  if (conditions.length === 0) return lines;
  const [only] = conditions;
  const test = conditions.length === 1 ? (only ?? '') : conditions.map((text) => `(${text})`).join(' && ');
  const inner = lines.map((line) => `\t${line}`);
  return [`if (${test})${lines.length > 1 ? ' {' : ''}`, ...inner, ...(lines.length > 1 ? ['}'] : [])];
}

/** Declarations that the faulty version itself wrote for names of the kernel that no header offers. */
export function externs(
  patient: Patient,
  parts: readonly Portable[],
  { unit }: UnitImage,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of parts.flatMap((part) => part.names)) {
    const item = unit.variables.get(name);
    if (!item?.extern) continue;
    const text = patient
      .text(item.place.file)
      .slice(item.place.start, item.place.end)
      .replace(/\r\n?/g, '\n');
    // In a diff it may be the kernel's own definition that stands there.
    if (!/^\s*extern\b/.test(text)) continue;
    found.set(name, text.endsWith(';') ? text : `${text};`);
  }
  return found;
}

function guardFor(
  patient: Patient,
  statement: Statement,
  harmless: boolean,
  id: StateId | null,
  data: boolean,
  shadow: boolean,
): Guard | Refusal {
  const guard = stateGuard(patient, id, data);
  if (guard) return guard;
  if (id !== null) {
    return {
      because: `its undo reads the state ${String(id)}, which the good version declares too: whose data stands there cannot be told`,
    };
  }
  if (harmless || shadow) return { k: 'itself' };
  const done = statement.callee === null ? 'writing it back' : `calling ${statement.callee}()`;
  return {
    because: patient.hasStates
      ? `${patient.version.name} declares no klp_state of its own that would tell whether it was installed, and ${done} would be wrong where it was not`
      : `nothing tells whether ${patient.version.name} was installed (a livepatch from diffs has no klp_state), and ${done} would be wrong where it was not`,
  };
}

function asArgument(text: string): string {
  return /^\(void \*\)0$/.test(text) ? 'NULL' : text;
}

/** `asm/nmi.h [U]` and the like: only what is a header's name. */
function headersOf(header: string): string[] {
  return /^[\w./-]+\.h$/.test(header) ? [header] : [];
}
