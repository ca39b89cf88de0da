import type { Expander } from './expand';
import {
  AND_AND,
  CHARACTER,
  EQUAL,
  GREATER_EQUAL,
  LESS_EQUAL,
  NAME,
  NOT_EQUAL,
  NUMBER,
  OR_OR,
  PUNCTUATOR,
  SHIFT_LEFT,
  SHIFT_RIGHT,
} from './lexer';
import { characterValue, integerLiteral } from './literals';
import type { MacroTable, Token } from './macro-table';
import { names } from './names';

const DEFINED = names.id('defined');
const TRUE = names.id('true');
const ONE = names.id('1');
const ZERO = names.id('0');

/**
 * The value of an `#if` expression, given the tokens behind `#if`. Names that are no macros count as 0. What is no
 * expression counts as false.
 */
export function evaluateCondition(
  line: readonly Token[],
  macros: MacroTable,
  expander: Expander,
  sequence: number,
): boolean {
  const ready: Token[] = [];
  for (let i = 0; i < line.length; i++) {
    const token = line[i] as Token;
    if (token.kind === NAME && token.id === DEFINED) {
      let name = line[i + 1];
      if (name !== undefined && isPunctuator(name, 40)) {
        name = line[i + 2];
        i += 3;
      } else i++;
      const yes = name !== undefined && macros.at(name.id, sequence) !== null;
      ready.push({ ...token, kind: NUMBER, id: yes ? ONE : ZERO });
    } else ready.push(token);
  }
  const reader = new Condition(expander.expandList(ready, sequence));
  return reader.value() !== 0n;
}

function isPunctuator(token: Token | undefined, id: number): boolean {
  return token !== undefined && token.kind === PUNCTUATOR && token.id === id;
}

const LEVELS = new Map<number, number>([
  [OR_OR, 1],
  [AND_AND, 2],
  [124, 3],
  [94, 4],
  [38, 5],
  [EQUAL, 6],
  [NOT_EQUAL, 6],
  [60, 7],
  [62, 7],
  [LESS_EQUAL, 7],
  [GREATER_EQUAL, 7],
  [SHIFT_LEFT, 8],
  [SHIFT_RIGHT, 8],
  [43, 9],
  [45, 9],
  [42, 10],
  [47, 10],
  [37, 10],
]);

const MAX_DEPTH = 100;

class Condition {
  private at = 0;
  private depth = 0;

  constructor(private readonly line: readonly Token[]) {}

  value(): bigint {
    const value = this.conditional();
    return this.at < this.line.length ? 0n : value;
  }

  private take(id: number): boolean {
    if (!isPunctuator(this.line[this.at], id)) return false;
    this.at++;
    return true;
  }

  private conditional(): bigint {
    if (++this.depth > MAX_DEPTH) return 0n;
    const test = this.binary(1);
    let value = test;
    if (this.take(63)) {
      const then = this.conditional();
      this.take(58);
      const otherwise = this.conditional();
      value = test !== 0n ? then : otherwise;
    }
    this.depth--;
    return value;
  }

  private binary(lowest: number): bigint {
    let left = this.unary();
    for (;;) {
      const token = this.line[this.at];
      const level = token !== undefined && token.kind === PUNCTUATOR ? LEVELS.get(token.id) : undefined;
      if (token === undefined || level === undefined || level < lowest) return left;
      this.at++;
      left = apply(token.id, left, this.binary(level + 1));
    }
  }

  private unary(): bigint {
    let negations = '';
    for (; ; this.at++) {
      const token = this.line[this.at];
      if (token === undefined || token.kind !== PUNCTUATOR) break;
      if (token.id !== 33 && token.id !== 45 && token.id !== 126 && token.id !== 43) break;
      negations = String.fromCharCode(token.id) + negations;
    }
    let value = this.primary();
    for (const op of negations) {
      if (op === '!') value = value === 0n ? 1n : 0n;
      else if (op === '-') value = BigInt.asIntN(64, -value);
      else if (op === '~') value = ~value;
    }
    return value;
  }

  private primary(): bigint {
    const token = this.line[this.at];
    if (token === undefined) return 0n;
    if (isPunctuator(token, 40)) {
      this.at++;
      const value = this.conditional();
      this.take(41);
      return value;
    }
    this.at++;
    if (token.kind === NUMBER) return BigInt(integerLiteral(names.text(token.id))?.value ?? 0);
    if (token.kind === CHARACTER) return BigInt(characterValue(names.text(token.id)));
    if (token.kind !== NAME) {
      this.at = this.line.length + 1;
      return 0n;
    }
    // __has_include(...) and other questions to the compiler that nothing here answers.
    if (isPunctuator(this.line[this.at], 40)) this.skipParentheses();
    return token.id === TRUE ? 1n : 0n;
  }

  private skipParentheses(): void {
    let level = 0;
    for (; this.at < this.line.length; this.at++) {
      if (isPunctuator(this.line[this.at], 40)) level++;
      else if (isPunctuator(this.line[this.at], 41) && --level === 0) break;
    }
    this.at++;
  }
}

function apply(op: number, a: bigint, b: bigint): bigint {
  const truth = (yes: boolean): bigint => (yes ? 1n : 0n);
  switch (op) {
    case OR_OR:
      return truth(a !== 0n || b !== 0n);
    case AND_AND:
      return truth(a !== 0n && b !== 0n);
    case 124:
      return a | b;
    case 94:
      return a ^ b;
    case 38:
      return a & b;
    case EQUAL:
      return truth(a === b);
    case NOT_EQUAL:
      return truth(a !== b);
    case 60:
      return truth(a < b);
    case 62:
      return truth(a > b);
    case LESS_EQUAL:
      return truth(a <= b);
    case GREATER_EQUAL:
      return truth(a >= b);
    case SHIFT_LEFT:
      return b < 0n || b > 63n ? 0n : BigInt.asIntN(64, a << b);
    case SHIFT_RIGHT:
      return b < 0n || b > 63n ? 0n : a >> b;
    case 43:
      return BigInt.asIntN(64, a + b);
    case 45:
      return BigInt.asIntN(64, a - b);
    case 42:
      return BigInt.asIntN(64, a * b);
    case 47:
      return b === 0n ? 0n : a / b;
    default:
      return b === 0n ? 0n : a % b;
  }
}
