import type { Expr } from '../csource/ir';
import type { Frame } from './frames';

/** An expression as C would write it, more or less: the name of the unknown that it is. */
export function expressionText(f: Frame, e: Expr, depth = 0): string {
  if (depth > 6) return '…';
  const text = (x: Expr): string => expressionText(f, x, depth + 1);
  switch (e.k) {
    case 'int':
      return String(e.value);
    case 'string':
      return JSON.stringify(e.value.length > 40 ? `${e.value.slice(0, 40)}…` : e.value);
    case 'local':
      return f.ir?.locals[e.slot]?.name ?? '?';
    case 'name':
      return e.name;
    case 'call':
      return `${text(e.callee)}(${e.args.map(text).join(', ')})`;
    case 'member':
      return `${text(e.of)}${e.arrow ? '->' : '.'}${e.name}`;
    case 'index':
      return `${text(e.of)}[${text(e.index)}]`;
    case 'unary':
      return `${e.op}${text(e.of)}`;
    case 'step':
      return e.prefix ? `${e.op}${text(e.of)}` : `${text(e.of)}${e.op}`;
    case 'binary':
    case 'logical':
      return `(${text(e.left)} ${e.op} ${text(e.right)})`;
    case 'assign':
      return `${text(e.target)} ${e.op} ${text(e.value)}`;
    case 'cast':
      return text(e.of);
    case 'container':
      return `container_of(${text(e.of)}, ${e.path})`;
    case 'unknown':
      return e.text;
    case 'conditional':
      return `${text(e.test)} ? … : …`;
    case 'comma':
      return text(e.second);
    case 'sizeof':
      return 'sizeof(…)';
    case 'offsetof':
      return `offsetof(…, ${e.path})`;
    default:
      return '(…)';
  }
}
