import { KEYWORDS } from './annotations';
import { builtins } from './builtins';
import { stringType } from './conversions';
import { integer, unknown } from './expressions';
import type { Expr } from './ir';
import { CHARACTER, NAME, NUMBER, STRING } from './lexer';
import { characterValue, integerLiteral, literalText } from './literals';
import type { Lowering } from './lowering';
import { names } from './names';
import { INT, LONG, UNKNOWN_TYPE } from './types';

/** Reads a name, a literal or adjacent string literals. */
export function primary(l: Lowering): Expr {
  const from = l.at;
  const id = l.id[from] as number;
  switch (l.kind[from]) {
    case NAME: {
      if (l.kind[from + 1] === STRING && !KEYWORDS.has(id)) return strings(l);
      const builtin = builtins.get(id);
      if (builtin !== undefined) {
        const made = builtin(l, from);
        if (made !== null) return made;
      }
      if (KEYWORDS.has(id)) {
        l.at++;
        return unknown(l, from);
      }
      l.at++;
      return resolve(l, id, from);
    }
    case NUMBER: {
      l.at++;
      const literal = integerLiteral(names.text(id));
      if (literal === null) return unknown(l, from, { k: 'unknown', name: 'double' });
      return integer(literal.value, literal.type);
    }
    case CHARACTER:
      l.at++;
      return integer(characterValue(names.text(id)));
    case STRING:
      return strings(l);
    default:
      if (!l.ended) l.at++;
      return unknown(l, from);
  }
}

/** What a name means at this place. */
export function resolve(l: Lowering, id: number, from: number): Expr {
  const local = l.binding(id);
  if (local !== undefined) {
    switch (local.k) {
      case 'slot':
        return { k: 'local', slot: local.slot, type: l.locals[local.slot]?.type ?? UNKNOWN_TYPE };
      case 'static':
        return { k: 'name', name: local.name, type: local.type, at: l.place(from) };
      case 'enumerator':
        return integer(local.value);
      case 'extern':
        return { k: 'name', name: names.text(id), type: local.type, at: l.place(from) };
      default:
        return unknown(l, from);
    }
  }
  const value = l.scope.enumerator(id);
  if (value !== undefined) {
    const wide = value > 0x7fffffff || value < -0x80000000;
    return integer(value, wide ? LONG : INT);
  }
  return { k: 'name', name: names.text(id), type: l.scope.global(id) ?? UNKNOWN_TYPE, at: l.place(from) };
}

/**
 * Reads adjacent string literals. Names among them are macros that nothing here defines: they stand in the value
 * between U+E000 and U+E001, as KBUILD_MODNAME does.
 */
function strings(l: Lowering): Expr {
  let value = '';
  for (;;) {
    const kind = l.kind[l.at];
    if (kind === STRING) value += literalText(names.text(l.id[l.at] as number));
    else if (kind === NAME && !KEYWORDS.has(l.id[l.at] as number)) {
      value += `\ue000${names.text(l.id[l.at] as number)}\ue001`;
    } else break;
    l.at++;
  }
  return { k: 'string', value, type: stringType(value.length) };
}
