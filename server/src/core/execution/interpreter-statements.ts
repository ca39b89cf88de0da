import type { Expr, Stmt } from '../csource/ir';
import type { Frame } from './frames';
import type { Interpreter } from './interpreter';
import { compute, convert } from './interpreter-arithmetic';
import { atOf, evaluate, evaluateAs } from './interpreter-expressions';
import { writeInitialiser } from './interpreter-initialisers';
import { iterate } from './interpreter-iterators';
import type { Value } from './values';

/** How a statement ended. */
export const NORMAL = 0;
export const BREAK = 1;
export const CONTINUE = 2;
export const RETURN = 3;
/** `frame.target` says where to. */
export const GOTO = 4;
export type Completion = 0 | 1 | 2 | 3 | 4;

/** Labels and case labels in a list of statements, nested ones included, with the index of the statement that holds them. */
type Labels = ReadonlyMap<string | Stmt, number>;
const labelMaps = new WeakMap<readonly Stmt[], Labels>();

function labelsOf(body: readonly Stmt[]): Labels {
  let labels = labelMaps.get(body);
  if (labels === undefined) {
    const found = new Map<string | Stmt, number>();
    body.forEach((stmt, i) => collectLabels(stmt, i, found));
    labels = found;
    labelMaps.set(body, labels);
  }
  return labels;
}

function collectLabels(stmt: Stmt, index: number, into: Map<string | Stmt, number>): void {
  const nested = (body: readonly Stmt[], cases: boolean): void => {
    for (const label of labelsOf(body).keys()) if (cases || typeof label === 'string') into.set(label, index);
  };
  switch (stmt.k) {
    case 'label':
      into.set(stmt.name, index);
      return;
    case 'case':
      into.set(stmt, index);
      return;
    case 'if':
      nested(stmt.then, true);
      nested(stmt.otherwise, true);
      return;
    case 'loop':
    case 'block':
      nested(stmt.body, true);
      return;
    case 'iterate':
      nested(stmt.body, true);
      return;
    case 'switch':
      nested(stmt.body, false);
      return;
    default:
  }
}

/** Runs statements; with `frame.target` set, only from the statement on that holds it. */
export function run(it: Interpreter, f: Frame, body: readonly Stmt[]): Completion {
  let i = 0;
  if (f.target !== null) {
    const start = labelsOf(body).get(f.target);
    if (start === undefined) return GOTO;
    i = start;
  }
  while (i < body.length) {
    const completion = execute(it, f, body[i] as Stmt);
    if (completion === GOTO) {
      const target = f.target === null ? undefined : labelsOf(body).get(f.target);
      if (target === undefined) return GOTO;
      i = target;
      continue;
    }
    if (completion !== NORMAL) return completion;
    i++;
  }
  return NORMAL;
}

/** Runs the body of a statement expression; its value is that of its last expression statement. */
export function runBody(it: Interpreter, f: Frame, body: readonly Stmt[]): Value {
  const last = body.length - 1;
  for (let i = 0; i < last; i++) {
    const completion = execute(it, f, body[i] as Stmt);
    if (completion !== NORMAL) return leaveExpression(f, completion);
  }
  const final = body[last];
  if (final?.k === 'expression') return evaluate(it, f, final.value);
  if (final?.k === 'block') return runBody(it, f, final.body);
  if (final !== undefined) {
    const completion = execute(it, f, final);
    if (completion !== NORMAL) return leaveExpression(f, completion);
  }
  return 0;
}

/** A return, break or goto out of a statement expression: thrown, since expressions have no completion. */
export class LeftExpression {
  constructor(readonly completion: Completion) {}
}

function leaveExpression(_f: Frame, completion: Completion): never {
  throw new LeftExpression(completion);
}

function execute(it: Interpreter, f: Frame, s: Stmt): Completion {
  it.step();
  const entering = f.target !== null;
  switch (s.k) {
    case 'expression':
      return guarded(it, f, s.value);
    case 'declare':
      return declare(it, f, s);
    case 'if': {
      if (entering) {
        if (labelsOf(s.then).has(f.target as string | Stmt)) return run(it, f, s.then);
        return run(it, f, s.otherwise);
      }
      let taken: boolean;
      try {
        taken = it.truth(evaluate(it, f, s.test), f, atOf(s.test) < 0 ? s.at : atOf(s.test));
      } catch (thrown) {
        return completionOf(thrown);
      }
      return run(it, f, taken ? s.then : s.otherwise);
    }
    case 'return': {
      if (s.value === null) return RETURN;
      try {
        f.result = evaluateAs(it, f, s.value, f.ir?.returns ?? s.value.type);
      } catch (thrown) {
        return completionOf(thrown);
      }
      return RETURN;
    }
    case 'block':
      return run(it, f, s.body);
    case 'loop':
      try {
        return loop(it, f, s, entering);
      } catch (thrown) {
        return completionOf(thrown);
      }
    case 'iterate':
      return iterate(it, f, s);
    case 'switch':
      return entering ? endSwitch(run(it, f, s.body)) : choose(it, f, s);
    case 'case':
      if (f.target === s) f.target = null;
      return NORMAL;
    case 'label':
      if (f.target === s.name) f.target = null;
      return NORMAL;
    case 'goto':
      f.target = s.name;
      return GOTO;
    case 'break':
      return BREAK;
    case 'continue':
      return CONTINUE;
    case 'unknown':
      it.host.unknown({ kind: 'unread', text: s.text, place: it.place(f, s.at) });
      return NORMAL;
  }
}

function guarded(it: Interpreter, f: Frame, e: Expr): Completion {
  try {
    evaluate(it, f, e);
  } catch (thrown) {
    return completionOf(thrown);
  }
  return NORMAL;
}

export function completionOf(thrown: unknown): Completion {
  if (thrown instanceof LeftExpression) return thrown.completion;
  throw thrown;
}

function declare(it: Interpreter, f: Frame, s: Extract<Stmt, { k: 'declare' }>): Completion {
  const type = f.localType(s.slot);
  try {
    if (f.info?.boxed[s.slot]) {
      let block = f.boxes[s.slot] ?? 0;
      if (block === 0) {
        block = it.stackBlock(f, f.ir?.locals[s.slot]?.name ?? '', type);
        f.boxes[s.slot] = block;
        f.blocks.push(block);
      } else if (s.init === null && !it.trace?.replaying) {
        const known = it.memory.block(block);
        if (known !== undefined) it.memory.fill(known, '', 'unknown');
      }
      if (s.init !== null) writeInitialiser(it, f, null, block, '', type, s.init);
      return NORMAL;
    }
    if (s.init === null) {
      f.slots[s.slot] = undefined;
      return NORMAL;
    }
    const init = s.init.k === 'value' ? s.init : s.init.elements[0]?.init;
    if (init?.k === 'value')
      f.slots[s.slot] = convert(it, evaluate(it, f, init.value), type, init.value.type);
    else f.slots[s.slot] = 0;
  } catch (thrown) {
    return completionOf(thrown);
  }
  return NORMAL;
}

function loop(it: Interpreter, f: Frame, s: Extract<Stmt, { k: 'loop' }>, entering: boolean): Completion {
  let skipTest = entering || s.form === 'do';
  for (let n = 0; ; n++) {
    if (n >= it.turns) {
      it.loopLeft('a loop ran', f, s.at);
      return NORMAL;
    }
    it.step();
    if (
      !skipTest &&
      s.test !== null &&
      !it.truth(evaluate(it, f, s.test), f, atOf(s.test) < 0 ? s.at : atOf(s.test))
    )
      return NORMAL;
    skipTest = false;
    const completion = run(it, f, s.body);
    if (completion === BREAK) return NORMAL;
    if (completion === RETURN || completion === GOTO) return completion;
    if (s.step !== null) evaluate(it, f, s.step);
  }
}

function endSwitch(completion: Completion): Completion {
  return completion === BREAK ? NORMAL : completion;
}

type Case = Extract<Stmt, { k: 'case' }>;
const caseLists = new WeakMap<readonly Stmt[], readonly Case[]>();

function casesOf(body: readonly Stmt[]): readonly Case[] {
  let cases = caseLists.get(body);
  if (cases === undefined) {
    const found: Case[] = [];
    for (const label of labelsOf(body).keys())
      if (typeof label === 'object' && label.k === 'case') found.push(label);
    cases = found;
    caseLists.set(body, cases);
  }
  return cases;
}

function choose(it: Interpreter, f: Frame, s: Extract<Stmt, { k: 'switch' }>): Completion {
  try {
    const type =
      s.on.type.k === 'int' && s.on.type.bits < 32
        ? ({ k: 'int', bits: 32, signed: true } as const)
        : s.on.type;
    const value = evaluateAs(it, f, s.on, type);
    let otherwise: Case | null = null;
    let taken: Case | null = null;
    for (const c of casesOf(s.body)) {
      if (c.from === null) {
        otherwise = c;
        continue;
      }
      const from = evaluateAs(it, f, c.from, type);
      const test =
        c.to === null
          ? compute(it, '==', value, from, type, null)
          : within(
              it,
              f,
              compute(it, '>=', value, from, type, null),
              compute(it, '<=', value, evaluateAs(it, f, c.to, type), type, null),
              s.at,
            );
      if (it.truth(test, f, s.at)) {
        taken = c;
        break;
      }
    }
    taken ??= otherwise;
    if (taken === null) return NORMAL;
    f.target = taken;
    return endSwitch(run(it, f, s.body));
  } catch (thrown) {
    return completionOf(thrown);
  }
}

function within(it: Interpreter, f: Frame, low: Value, high: Value, at: number): Value {
  return it.truth(low, f, at) ? high : 0;
}
