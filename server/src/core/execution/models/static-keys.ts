import type { ApiContext, ApiModel } from '../api';
import type { Catalogue } from '../catalogue';
import { token } from '../ledger';
import { isPointer, isUnknown, type Pointer, type Value } from '../values';
import { argument, isNull, nameOf } from './arguments';
import { undo } from './effects-model';

/**
 * linux/jump_label.h. A key of the kernel has a state that nothing here knows: it is a named unknown until somebody
 * switches it, and back in that state when the switch was undone. A module's own key dies with it.
 */
const COUNT = '.key.enabled.counter';

/** static_branch_…() gets the wrapper, static_key_…() the key inside it. */
function keyOf(value: Value): Pointer | null {
  if (!isPointer(value)) return null;
  return value.path.endsWith('.key') ? { ...value, path: value.path.slice(0, -'.key'.length) } : value;
}

function state(context: ApiContext): Value {
  const key = keyOf(argument(context, 0));
  if (!key) return context.load(argument(context, 0));
  const count = context.peek(context.at(key, COUNT));
  if (isUnknown(count)) return { k: 'unknown', id: `${nameOf(context, key)} is enabled` };
  return isNull(count) ? 0 : 1;
}

function isOwn(context: ApiContext, key: Pointer): boolean {
  return context.machine.memoryKind(key) !== 'kernel';
}

function switchKey(catalogue: Catalogue, on: boolean): ApiModel {
  return (context) => {
    const key = keyOf(argument(context, 0));
    if (!key) {
      context.load(argument(context, 0));
      return 0;
    }
    const cell = context.at(key, COUNT);
    const old = context.peek(cell);
    const value = on ? 1 : 0;
    const row = catalogue.rowsByDo(context.call.name)[0];
    const { ledger } = context.state;
    const earlier = row && ledger.find(row.family, [key]);
    context.poke(cell, value);
    if (isOwn(context, key) || !row) return 0;
    if (earlier?.value !== undefined && token(earlier.value) !== token(value)) {
      ledger.undo(context.host, earlier, context.call.actor, true);
      if (earlier.original !== undefined) context.poke(cell, earlier.original);
    } else if (earlier || token(old) !== token(value)) {
      ledger.done(context.host, {
        row,
        identity: [key],
        key: nameOf(context, key),
        by: context.call.actor,
        holds: [],
        original: old,
        value,
      });
    }
    return 0;
  };
}

function count(catalogue: Catalogue, up: boolean): ApiModel {
  return (context) => {
    const key = keyOf(argument(context, 0));
    if (!key) {
      context.load(argument(context, 0));
      return 0;
    }
    const cell = context.at(key, COUNT);
    const old = context.peek(cell);
    if (isOwn(context, key)) {
      if (typeof old === 'number') {
        if (old === 0 && !up)
          context.fault('warn', `${context.call.name}(${context.describe(key)}) on a count of zero`);
        context.poke(cell, Math.max(0, old + (up ? 1 : -1)));
      }
      return 0;
    }
    const { ledger } = context.state;
    const row = catalogue.rowsByDo('static_branch_inc')[0];
    if (!row) return 0;
    if (up) {
      const identity = [key];
      const first = ledger.find(row.family, identity) === undefined;
      const label = nameOf(context, key);
      ledger.done(context.host, {
        row: { ...row, do: context.call.name },
        identity,
        key: label,
        by: context.call.actor,
        holds: [],
        ...(first ? { original: old } : {}),
      });
      context.poke(cell, typeof old === 'number' ? old + 1 : 1);
      return 0;
    }
    const earlier = ledger.find(row.family, [key]);
    if (!earlier) return undo(context, catalogue.rowsByUndo(context.call.name));
    ledger.undo(context.host, earlier, context.call.actor);
    if (earlier.count > 1) context.poke(cell, typeof old === 'number' ? old - 1 : old);
    else if (earlier.original !== undefined) context.poke(cell, earlier.original);
    return 0;
  };
}

export function staticKeyModels(catalogue: Catalogue): Readonly<Record<string, ApiModel>> {
  const models: Record<string, ApiModel> = {};
  for (const suffix of ['', '_cpuslocked']) {
    for (const prefix of ['static_branch', 'static_key']) {
      models[`${prefix}_enable${suffix}`] = switchKey(catalogue, true);
      models[`${prefix}_disable${suffix}`] = switchKey(catalogue, false);
    }
    models[`static_branch_inc${suffix}`] = count(catalogue, true);
    models[`static_branch_dec${suffix}`] = count(catalogue, false);
    models[`static_key_slow_inc${suffix}`] = count(catalogue, true);
    models[`static_key_slow_dec${suffix}`] = count(catalogue, false);
  }
  for (const name of [
    'static_branch_likely',
    'static_branch_unlikely',
    'static_branch_maybe',
    'static_key_enabled',
  ]) {
    models[name] = state;
  }
  models['static_key_false'] = state;
  models['static_key_true'] = state;
  models['static_key_count'] = (context) => {
    const key = keyOf(argument(context, 0));
    return key ? context.peek(context.at(key, COUNT)) : 0;
  };
  return models;
}
