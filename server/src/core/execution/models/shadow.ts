import type { ApiContext, ApiModel } from '../api';
import type { ShadowEntry } from '../api-state';
import { SHADOW } from '../catalogue-synthetic';
import { token } from '../ledger';
import type { Value } from '../values';
import { argument, isNull, nameOf, numberOf, truth } from './arguments';

/** klp_shadow_*() of kernel/livepatch/shadow.c: one hash for the whole kernel, by object and id. */

function allocate(context: ApiContext, warn: boolean): Value {
  const [id, size, , constructor, data] = [1, 2, 3, 4, 5].map((index) => argument(context, index)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const object = objectOf(context);
  const there = context.state.shadow(object, id);
  const key = keyOf(context, object, id);
  if (there) {
    if (!warn) return there.data;
    context.fault('warn', `duplicate shadow variable ${key}`);
    return 0;
  }
  if (context.failure() !== null) return 0;
  const memory = context.allocate({ zeroed: true, label: `shadow variable ${key}` });
  if (!isNull(constructor)) {
    const result = context.invoke(constructor, [object, memory, data], 'constructor');
    const known = truth(result);
    if (known ?? !context.decide(`constructor of ${key}`, true)) {
      const number = numberOf(id);
      const shown = number === null ? nameOf(context, id) : number.toString(16);
      const address = context.placeholder;
      context.log(
        `livepatch: Failed to construct shadow variable <${address}, ${shown}> (${context.describe(result)})`,
      );
      context.free(memory);
      return 0;
    }
  }
  const bytes = numberOf(size);
  context.state.addShadow({ object, id, data: memory, size, by: context.call.actor.instance });
  context.state.ledger.done(context.host, {
    row: SHADOW,
    identity: [object, id],
    handle: memory,
    key,
    by: context.call.actor,
    holds: context.machine.instancesBehind(object),
    ...(bytes === null ? {} : { size: bytes }),
  });
  return memory;
}

function free(context: ApiContext, entry: ShadowEntry, destructor: Value): void {
  const { ledger } = context.state;
  context.state.removeShadow(entry);
  if (!isNull(destructor)) context.invoke(destructor, [entry.object, entry.data], 'destructor');
  context.free(entry.data);
  const effect = ledger.find(SHADOW.family, [entry.object, entry.id]);
  if (effect) ledger.undo(context.host, effect, context.call.actor, true);
}

/** Shadow variables hang from an address: a struct and its first member are one object. */
function objectOf(context: ApiContext): Value {
  return context.machine.sameAddress(argument(context, 0));
}

function keyOf(context: ApiContext, object: Value, id: Value): string {
  const number = numberOf(id);
  const shown = number === null ? nameOf(context, id) : `0x${number.toString(16)}`;
  return `<${isNull(object) ? 'NULL' : nameOf(context, object)}, ${shown}>`;
}

export const SHADOW_MODELS: Readonly<Record<string, ApiModel>> = {
  klp_shadow_get: (context) => context.state.shadow(objectOf(context), argument(context, 1))?.data ?? 0,
  klp_shadow_alloc: (context) => allocate(context, true),
  klp_shadow_get_or_alloc: (context) => allocate(context, false),
  klp_shadow_free: (context) => {
    const entry = context.state.shadow(objectOf(context), argument(context, 1));
    if (entry) free(context, entry, argument(context, 2));
    return 0;
  },
  klp_shadow_free_all: (context) => {
    const id = token(argument(context, 0));
    for (const entry of context.state.shadows()) {
      if (token(entry.id) === id) free(context, entry, argument(context, 1));
    }
    return 0;
  },
};
