import type { ApiContext, ApiModel } from '../api';
import { token } from '../ledger';
import type { Value } from '../values';
import { argument } from './arguments';

/** Functions that find by name what somebody else made. */

/**
 * A file that a module here made and nobody removed is found. Of any other name the likely answer is that it is not
 * there: the caller asks for what a livepatch left behind.
 */
function lookUp(context: ApiContext, family: string, name: string | null, parent: Value): Value {
  if (name === null) return context.unknown(context.call.name);
  const parentToken = token(parent);
  for (const effect of context.state.ledger.inForce(new Set([family]))) {
    const [made, folder] = effect.identity;
    if (typeof made !== 'object' || made.k !== 'string' || made.text !== name) continue;
    if (folder !== undefined && token(folder) === parentToken) return effect.handle ?? context.opaque(name);
  }
  return context.decide(`${context.call.name}("${name}") finds nothing`, true)
    ? 0
    : context.unknown(`${context.call.name}("${name}")`);
}

export const LOOKUP_MODELS: Readonly<Record<string, ApiModel>> = {
  debugfs_lookup: (context) =>
    lookUp(context, 'debugfs', context.string(argument(context, 0)), argument(context, 1)),
  kallsyms_lookup_name: (context) => {
    const name = context.string(argument(context, 0));
    return name === null
      ? context.unknown('kallsyms_lookup_name')
      : context.machine.kernelSymbol(name, 'variable');
  },
  symbol_get: (context) => argument(context, 0),
  __symbol_get: (context) => {
    const name = context.string(argument(context, 0));
    return name === null ? context.unknown('__symbol_get') : context.machine.kernelSymbol(name, 'variable');
  },
};
