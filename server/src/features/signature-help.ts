import { CALLBACK_KINDS, type CallbackKind } from '../core/kernel/types';
import type { Span } from '../core/place';
import type { Analysis } from './analysis';
import { cursorIn } from './c-cursor';
import { SIGNATURES, WHEN } from './completion-c';
import { callbacksOf } from './mentions';

export interface Signature {
  readonly label: string;
  /** Markdown. */
  readonly documentation: string;
  /** The parameter in `label`, offsets from 0. */
  readonly parameter: Span;
}

/**
 * How a callback must look: where it is given in its table, and in the parameter list of a function that is one. Null
 * everywhere else: an editor shows only one answer, and others know the rest of C.
 */
export function signatureHelp(analysis: Analysis, file: string, offset: number): Signature | null {
  if (file === analysis.manifestFile) return null;
  const cursor = cursorIn(analysis.text(file), offset);
  if (!cursor) return null;
  const { call, structure, member } = cursor;
  if (structure === 'klp_callbacks' || structure === 'klp_object') {
    const callback = CALLBACK_KINDS.find((it) => it === member);
    return callback ? signature(callback, callback) : null;
  }
  if (!call) return null;
  for (const version of analysis.lineage.versions) {
    for (const { callback } of callbacksOf(version)) {
      const { definition, function: name } = callback;
      if (name !== call.name || definition?.file !== file || definition.revision !== undefined) continue;
      // In the definition itself, not in a call of the function.
      if (definition.end > offset || /[{;]/.test(analysis.text(file).slice(definition.end, offset))) continue;
      return signature(callback.callback, name);
    }
  }
  return null;
}

function signature(callback: CallbackKind, name: string): Signature {
  const label = SIGNATURES[callback].replace(callback, () => name);
  const start = label.indexOf('(') + 1;
  return { label, documentation: WHEN[callback], parameter: { start, end: label.length - 1 } };
}
