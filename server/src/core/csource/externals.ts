import {
  type Declarator,
  readDeclarator,
  readSpecifiers,
  type Specifiers,
  skipAnnotations,
} from './declarations';
import type { Lowering } from './lowering';
import { names } from './names';

/** One declarator at file scope. */
export interface External {
  readonly id: number;
  readonly name: string;
  readonly specifiers: Specifiers;
  readonly declarator: Declarator;
  readonly annotations: readonly string[];
  readonly form: 'function' | 'prototype' | 'variable' | 'typedef';
  readonly initialised: boolean;
}

/** Told of each declarator, before its body or initialiser is stepped over; true to leave the rest unread. */
export type Visit = (external: External) => boolean;

/**
 * Reads external declarations. Structs, enumerators and typedefs become known in the scope on the way. The token
 * at hand at a visit is the `{` of a body or the first one behind `=`; `cut` says that bodies and initialisers are
 * left out of the tokens.
 */
export function readExternals(l: Lowering, cut: boolean, visit: Visit): void {
  while (!l.ended) {
    const before = l.at;
    if (l.take(59) || l.take(125)) continue;
    const specifiers = readSpecifiers(l);
    if (specifiers.found || l.at > before || l.punctuator(1) === 40) {
      if (readDeclarators(l, specifiers, cut, visit)) return;
    } else if (l.punctuator() === 123 || l.punctuator() === 40) l.skipBalanced();
    if (l.at === before) l.at++;
  }
}

function readDeclarators(l: Lowering, specifiers: Specifiers, cut: boolean, visit: Visit): boolean {
  while (!l.ended && l.punctuator() !== 59) {
    const from = l.at;
    const declarator = readDeclarator(l, specifiers.type);
    const annotations = [...specifiers.annotations];
    skipAnnotations(l, annotations);
    if (declarator.id === 0) {
      l.skipTo(44, 123);
      if (l.punctuator() === 123) l.skipBalanced();
      if (l.at === from) l.at++;
      return false;
    }
    const isFunction = declarator.type.k === 'function';
    // A macro call that nothing explains is no implicitly typed function.
    const known = specifiers.found || !isFunction;
    const body = isFunction && (l.punctuator() === 123 || (cut && l.ended));
    const initialised = !isFunction && l.take(61);
    const form = specifiers.typedef ? 'typedef' : body ? 'function' : isFunction ? 'prototype' : 'variable';
    const external: External = {
      id: declarator.id,
      name: names.text(declarator.id),
      specifiers,
      declarator,
      annotations,
      form,
      initialised,
    };
    if (form === 'typedef') l.scope.typedefs.set(declarator.id, declarator.type);
    else if ((known || body) && visit(external)) return true;
    if (body) {
      if (l.punctuator() === 123) l.skipBalanced();
      return false;
    }
    if (initialised) l.skipTo(44);
    if (l.punctuator() === 58) l.skipTo(44);
    if (!l.take(44)) {
      if (l.punctuator() !== 59) l.skipTo();
      break;
    }
  }
  l.take(59);
  return false;
}
