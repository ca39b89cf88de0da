import type { Effect } from '../execution/effects';
import { structDefinitions } from './own-text';
import { type Patient, type Refusal, stateGuard, whatOf } from './patient';
import { isPortable } from './portable';
import type { Guard, Remedy } from './remedy';
import { report } from './strategy-files';
import { externs } from './strategy-undo';

/** A value that a person gives for what a faulty version changed: an integer or the name of a constant. */
export const GIVEN_VALUE = /^(?:-?(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]{0,3}|[A-Za-z_]\w*)$/;

/**
 * Writes back the value that the author gave. A state of the faulty version tells that it was there; without one the
 * value that it wrote does, if that is a constant: another one that stands there is somebody else's and stays.
 */
export function givenRemedy(patient: Patient, effect: Effect, value: string): Remedy | Refusal {
  const found = patient.code.at(effect.by.place, effect.by.function);
  if (!found || found.expr.k !== 'assign')
    return { because: 'a value was given for it, but it is not written by a plain assignment', final: true };
  const target = patient.translator.translate(found.unit, found.fn, found.expr.target);
  if (!isPortable(target)) return { ...target, final: true };
  const structs = structDefinitions(target.structs, found.unit.unit, patient.text);
  if ('because' in structs) return { because: String(structs.because), final: true };
  const guard: Guard = stateGuard(patient, target.state, target.data) ?? { k: 'itself' };
  const theirs = typeof effect.value === 'number' ? String(effect.value) : null;
  const { name } = patient.version;
  if (guard.k === 'itself' && (theirs === null || target.state !== null))
    return {
      because: `${name} declares no klp_state of its own and writes no constant, so nothing tells whether it was installed`,
      final: true,
    };
  const told =
    guard.k === 'state'
      ? `its state tells that ${name} was there`
      : `done only where ${target.text} is ${theirs}, as ${name} leaves it: nothing else tells that it was there`;
  const lines = [`${target.text} = ${value};`, report(effect, patient, 'restored')];
  return {
    strategy: 'value',
    what: whatOf(effect),
    version: patient.version,
    place: effect.by.place,
    guard,
    verb: 'restore',
    object: effect.key,
    declarations: [],
    body: [
      ...(guard.k === 'state'
        ? lines
        : [`if (${target.text} == ${theirs}) {`, ...lines.map((line) => `\t${line}`), '}']),
    ],
    explanation: `It becomes ${value}, a value that was given when this version was generated; ${told}.`,
    headers: ['linux/printk.h'],
    definitions: new Map([
      ...(structs as ReadonlyMap<string, string>),
      ...externs(patient, [target], found.unit),
    ]),
    foreign: true,
    last: false,
    given: effect.key,
  };
}
