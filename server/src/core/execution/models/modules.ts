import type { ApiContext, ApiModel } from '../api';
import type { Catalogue } from '../catalogue';
import type { EffectRow } from '../catalogue-row';
import type { Value } from '../values';
import { argument, isNull } from './arguments';

/** Module references. NULL stands for vmlinux, which is always there. */

function take(context: ApiContext, row: EffectRow | undefined, module: Value, forced: boolean): Value {
  if (isNull(module)) return 1;
  if (!forced && context.failure() !== null) return 0;
  const instance = context.machine.moduleOf(module);
  if (instance === null) return context.unknown(`${context.call.name}(${context.describe(module)})`);
  if (!context.host.moduleGet(instance) && !forced) return 0;
  if (row) {
    context.state.ledger.done(context.host, {
      row,
      identity: [context.machine.modulePointer(instance)],
      key: context.host.moduleName(instance),
      by: context.call.actor,
      holds: [instance],
    });
  }
  return 1;
}

function put(context: ApiContext, row: EffectRow | undefined, module: Value): void {
  if (isNull(module)) return;
  const instance = context.machine.moduleOf(module);
  if (instance === null || !row) return;
  const { ledger } = context.state;
  const effect = ledger.find(row.family, [context.machine.modulePointer(instance)]);
  if (effect) {
    ledger.undo(context.host, effect, context.call.actor);
    context.host.modulePut(instance);
    return;
  }
  const name = context.host.moduleName(instance);
  ledger.undoneWithout(context.host, row, name, context.call.actor);
  context.fault('refcount-underflow', `module_put() of ${name} without a reference of its own`);
}

export function moduleModels(catalogue: Catalogue): Readonly<Record<string, ApiModel>> {
  const row = catalogue.rowsByDo('__module_get')[0];
  const tried = catalogue.rowsByDo('try_module_get')[0];
  return {
    try_module_get: (context) => take(context, tried, argument(context, 0), false),
    __module_get: (context) => {
      take(context, row, argument(context, 0), true);
      return 0;
    },
    module_put: (context) => {
      put(context, row, argument(context, 0));
      return 0;
    },
    module_name: (context) => {
      const instance = context.machine.moduleOf(argument(context, 0));
      return instance === null
        ? { k: 'string', text: 'kernel', offset: 0 }
        : { k: 'string', text: context.host.moduleName(instance), offset: 0 };
    },
    find_module: (context) => {
      const name = context.string(argument(context, 0));
      if (name === null) return context.unknown('find_module');
      const instance = context.host.moduleByName(name);
      return instance === null ? 0 : context.machine.modulePointer(instance);
    },
    module_is_live: (context) => {
      const instance = context.machine.moduleOf(argument(context, 0));
      return instance === null ? 1 : context.host.moduleState(instance) === 'going' ? 0 : 1;
    },
    module_refcount: (context) => context.unknown('module_refcount'),
  };
}
