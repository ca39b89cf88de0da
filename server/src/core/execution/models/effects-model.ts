import type { InstanceId } from '../../kernel/types';
import { ERRNO } from '../../kernel/types';
import type { ApiContext, ApiModel } from '../api';
import type { Catalogue, UndoRow } from '../catalogue';
import type { CallPart, EffectRow, UndoCall } from '../catalogue-row';
import type { Effect } from '../effects';
import { errorPointer } from '../integers';
import { token } from '../ledger';
import { isPointer, isUnknown, type Value } from '../values';
import { argument, errnoOf, isNull, nameOf } from './arguments';
import { isUnread, partOf } from './parts';

/** Numbers that the kernel hands out by itself (a dynamic hotplug state, an IDA number) start here. */
const FIRST_NUMBER = 200;

/** The model of a function that is the do or the undo of catalogue rows, and nothing more. */
export function effectModel(name: string, catalogue: Catalogue): ApiModel | undefined {
  const row = catalogue.rowsByDo(name)[0];
  const undos = catalogue.rowsByUndo(name);
  if (!row && undos.length === 0) return undefined;
  return (context) => {
    if (!row) return undo(context, undos);
    if (undos.length > 0 && isWritingBack(context, row)) return undo(context, undos);
    return perform(context, row);
  };
}

/** Does the row: the result that its failure form and a requested failure call for, and a ledger entry. */
export function perform(context: ApiContext, row: EffectRow): Value {
  const { ledger } = context.state;
  const errno = context.failure();
  if (errno !== null) return failed(row, errno);
  const early = row.identity.some((part) => 'result' in part)
    ? null
    : identityOf(context, row.identity, undefined);
  const label = labelOf(context, row, early?.[0]);
  if (row.repeated === 'errno' || row.unique) {
    const earlier =
      (early && ledger.find(row.family, early)) ?? (row.unique ? sameLabel(context, row, label) : undefined);
    if (earlier) {
      const refused = row.repeatedErrno ?? ERRNO.EEXIST;
      ledger.repeated(context.host, earlier, context.call.actor, -refused);
      return failed(row, refused);
    }
  }
  const result = succeeded(context, row, label);
  const identity = early ?? identityOf(context, row.identity, result);
  for (const part of row.identity) writeBack(context, part, row);
  const written = row.key === 'value' ? argument(context, 1) : undefined;
  ledger.done(context.host, {
    row,
    identity: row.identity.some((part) => 'arg' in part && part.member === '')
      ? identityOf(context, row.identity, result)
      : identity,
    ...(isPointer(result) || row.identity.some((part) => 'result' in part) ? { handle: result } : {}),
    ...(written === undefined ? {} : { value: written }),
    key: label,
    by: context.call.actor,
    holds: holdsOf(context, row.holds),
  });
  return result;
}

/** Undoes what the call names. Its value: 0, an errno, or for work whether it was pending. */
export function undo(context: ApiContext, undos: readonly UndoRow[]): Value {
  const { name, actor } = context.call;
  const { ledger } = context.state;
  const families = new Set(undos.map((found) => found.row.family));
  const candidates = ledger.inForce(families).filter((effect) => undoOf(effect.row, name));
  const hits: Effect[] = [];
  for (const effect of candidates.toReversed()) {
    const call = undoOf(effect.row, name);
    if (!call || !names(context, call, effect)) continue;
    hits.push(effect);
    if (call.handle || call.identity.length === effect.identity.length) break;
  }
  for (const effect of hits) {
    ledger.undo(context.host, effect, actor);
    if (undoOf(effect.row, name)?.recursive) undoBelow(context, effect);
  }
  const first = undos[0];
  if (!first) return 0;
  if (hits.length > 0) return first.row.fails === 'false' ? 1 : 0;
  return nothingToUndo(context, first, candidates);
}

function nothingToUndo(
  context: ApiContext,
  { row, undo: call }: UndoRow,
  candidates: readonly Effect[],
): Value {
  const given = call.handle
    ? [partOf(context, call.handle, undefined)]
    : identityOf(context, call.identity, undefined);
  const first = given[0];
  if (first !== undefined && (isNull(first) || errnoOf(first) !== null)) {
    const pointerExpected = row.key !== 'name' && row.key !== 'value' && row.key !== 'count';
    if (!call.acceptsNull && pointerExpected && row.fails !== 'errno') {
      context.fault('null-dereference', `${context.call.name}(${context.describe(first)})`);
    }
    if (call.acceptsNull || pointerExpected) return 0;
  }
  if (given.some((value) => isUnknown(value) && !value.symbolic)) {
    context.state.ledger.doubt(candidates);
    return row.fails === 'errno' ? 0 : context.unknown(context.call.name);
  }
  if (call.absent === 'harmless') return 0;
  context.state.ledger.undoneWithout(context.host, row, labelOfValues(context, given), context.call.actor);
  return call.absent === 'errno' ? -ERRNO.ENOENT : 0;
}

/** Everything whose folder was `effect`'s object goes with it. */
function undoBelow(context: ApiContext, effect: Effect): void {
  const { ledger } = context.state;
  const folder = effect.handle ?? effect.identity[0];
  if (folder === undefined) return;
  const folderToken = token(folder);
  for (const below of ledger.effects()) {
    const parent = below.row.parent === undefined ? undefined : below.identity[below.row.parent];
    if (parent === undefined || below.id === effect.id || token(parent) !== folderToken) continue;
    ledger.undo(context.host, below, context.call.actor, true);
    undoBelow(context, below);
  }
}

function undoOf(row: EffectRow, name: string): UndoCall | undefined {
  return row.undo.find((call) => call.name === name);
}

function names(context: ApiContext, call: UndoCall, effect: Effect): boolean {
  if (call.handle) {
    const handle = effect.handle ?? effect.identity[0];
    return handle !== undefined && token(partOf(context, call.handle, undefined)) === token(handle);
  }
  return identityOf(context, call.identity, undefined).every((value, index) => {
    const known = effect.identity[index];
    return known !== undefined && token(value) === token(known);
  });
}

function identityOf(context: ApiContext, parts: readonly CallPart[], result: Value | undefined): Value[] {
  return parts.map((part) => partOf(context, part, result));
}

/** A function that is do and undo at once (wrmsr, static_call_update): the second call of two puts something back. */
function isWritingBack(context: ApiContext, row: EffectRow): boolean {
  const earlier = context.state.ledger.find(row.family, identityOf(context, row.identity, undefined));
  if (!earlier) return false;
  if (row.holds.length > 0) return holdsOf(context, row.holds).length === 0;
  return earlier.value === undefined || token(earlier.value) !== token(argument(context, 1));
}

function labelOf(context: ApiContext, row: EffectRow, first: Value | undefined): string {
  const part = row.label;
  if (part && 'arg' in part) {
    const value = partOf(context, part, undefined);
    // Some calls got or lost an argument in front of the name (class_create's owner went with 6.4).
    const next = isUnread(part, value) ? partOf(context, { ...part, arg: part.arg + 1 }, undefined) : value;
    return labelOfValues(context, [typeof next === 'object' && next.k === 'string' ? next : value]);
  }
  if (first !== undefined) return labelOfValues(context, [first]);
  return `${row.do} in ${context.call.actor.function}`;
}

function labelOfValues(context: ApiContext, values: readonly Value[]): string {
  const first = values[0] ?? 0;
  return typeof first === 'object' && first.k === 'string'
    ? first.text.slice(first.offset)
    : nameOf(context, first);
}

function sameLabel(context: ApiContext, row: EffectRow, label: string): Effect | undefined {
  return context.state.ledger.inForce(new Set([row.family])).find((effect) => effect.key === label);
}

/** The instances that the kernel can reach through these arguments. */
export function holdsOf(context: ApiContext, holds: readonly number[]): InstanceId[] {
  const found = new Set<InstanceId>();
  for (const index of holds) {
    for (const instance of context.machine.instancesBehind(argument(context, index))) found.add(instance);
  }
  return [...found];
}

function succeeded(context: ApiContext, row: EffectRow, label: string): Value {
  // get_task_struct(), get_net(), igrab(): the object itself.
  if (row.key === 'reference' && row.fails !== 'false' && row.fails !== 'errno') return argument(context, 0);
  switch (row.fails) {
    case 'null':
    case 'errptr':
      return context.opaque(label);
    case 'false':
      return 1;
    default:
      return row.identity.some((part) => 'result' in part) ? nextNumber(context, row) : 0;
  }
}

export function failed(row: EffectRow, errno: number): Value {
  if (row.fails === 'errptr') return errorPointer(errno);
  return row.fails === 'errno' ? -errno : 0;
}

/** alloc_chrdev_region() and the like hand their number out through a pointer. */
function writeBack(context: ApiContext, part: CallPart, row: EffectRow): void {
  if (!('arg' in part) || part.member !== '') return;
  const target = argument(context, part.arg);
  if (isPointer(target)) context.poke(target, nextNumber(context, row));
}

/** The lowest number that no effect of the family has. */
function nextNumber(context: ApiContext, row: EffectRow): number {
  const effects = context.state.ledger.inForce(new Set([row.family]));
  // One more than can be taken: one is free.
  const taken = new Uint8Array(4 * effects.length + 1);
  for (const { identity } of effects) {
    for (const value of identity) {
      const index = typeof value === 'number' ? value - FIRST_NUMBER : -1;
      if (index >= 0 && index < taken.length) taken[index] = 1;
    }
  }
  return FIRST_NUMBER + taken.indexOf(0);
}
