import type { Expr, Stmt } from '../csource/ir';
import type { CType } from '../csource/types';
import { VOID } from '../csource/types';
import type { Frame } from './frames';
import type { Interpreter } from './interpreter';
import { equal } from './interpreter-arithmetic';
import { assignTo } from './interpreter-assignments';
import { evaluate } from './interpreter-expressions';
import { PAST_END, place } from './interpreter-places';
import { containerOf } from './interpreter-pointers';
import { BREAK, type Completion, completionOf, GOTO, NORMAL, RETURN, run } from './interpreter-statements';
import { isPointer, type Pointer, type Value } from './values';

type Iterate = Extract<Stmt, { k: 'iterate' }>;

const LINK: CType = { k: 'pointer', to: VOID };

/** Runs an iteration macro with its body. */
export function iterate(it: Interpreter, f: Frame, s: Iterate): Completion {
  if (f.target !== null) return run(it, f, s.body); // a goto into the body: once
  try {
    const plan = planOf(it, f, s);
    if (plan === null) return once(it, f, s);
    return plan();
  } catch (thrown) {
    return completionOf(thrown);
  }
}

function planOf(it: Interpreter, f: Frame, s: Iterate): (() => Completion) | null {
  const name = s.macro;
  const entry =
    /^(h?list|llist)_for_each_entry(?:_(safe|rcu|reverse|continue|from|safe_reverse|continue_rcu|continue_reverse|from_reverse|from_rcu|srcu|lockless|notrace|rcu_notrace|rcu_bh))*$/.exec(
      name,
    );
  if (entry !== null) return () => entries(it, f, s, name);
  if (/^(h?list)_for_each(_safe|_prev|_rcu|_prev_safe)?$/.test(name)) return () => links(it, f, s, name);
  if (/^hash_for_each(_possible)?(_safe|_rcu)*$/.test(name)) return () => table(it, f, s, name);
  if (/^klp_for_each_(object|func)(_static)?$/.test(name)) return () => records(it, f, s, name);
  if (name === 'scoped_guard' || name === 'guard') return () => endLoop(run(it, f, s.body));
  return null;
}

/** An iteration over something unknown: the body runs once, unless the decision falls the other way. */
function once(it: Interpreter, f: Frame, s: Iterate): Completion {
  const place = it.place(f, s.at);
  it.host.unknown({ kind: 'unread', text: s.macro, place });
  const condition = it.unknowns.fresh(
    `${s.macro}(…) finds something`,
    { k: 'int', bits: 32, signed: true },
    1,
  );
  if (!it.truth(condition, f, s.at)) return NORMAL;
  const first = s.args[0];
  if (first !== undefined && (first.k === 'local' || first.k === 'name')) {
    assignTo(it, f, first, it.unknowns.fresh(`element of ${s.macro}`, first.type), s.at);
  }
  return endLoop(run(it, f, s.body));
}

function endLoop(completion: Completion): Completion {
  return completion === RETURN || completion === GOTO ? completion : NORMAL;
}

/** A link in a list: what the cell behind a node holds. */
function follow(it: Interpreter, f: Frame, node: Value, member: string, at: number): Value {
  const pointer = it.deref(node, f, at);
  if (pointer === null || pointer.k === 'string') return 0;
  return it.load({ k: 'pointer', block: pointer.block, path: `${pointer.path}.${member}` }, LINK, f, at);
}

function sameNode(it: Interpreter, a: Value, b: Value): boolean {
  return typeof a === 'object' && typeof b === 'object' ? equal(it, a, b) : a === b;
}

function entries(it: Interpreter, f: Frame, s: Iterate, name: string): Completion {
  const isSafe = name.includes('_safe');
  const isHlist = name.startsWith('hlist') || name.startsWith('llist');
  const backward = name.includes('_reverse');
  const memberIndex = Number(Object.keys(s.names)[0] ?? -1);
  const member = s.names[memberIndex];
  const pos = s.args[0];
  const headArg = s.args[memberIndex - 1];
  if (member === undefined || pos === undefined) return once(it, f, s);
  const continues = name.includes('_continue') || name.includes('_from');
  const carry = isSafe ? s.args[1] : undefined;
  const next = backward ? 'prev' : 'next';
  let node: Value;
  let head: Value = 0;
  if (continues) {
    const current = nodeOf(evaluate(it, f, pos), member);
    if (current === null) return once(it, f, s);
    if (!isHlist && headArg !== undefined) head = evaluate(it, f, headArg);
    node = name.includes('_continue') ? follow(it, f, current, next, s.at) : current;
  } else {
    if (headArg === undefined) return once(it, f, s);
    head = evaluate(it, f, headArg);
    if (name.startsWith('llist')) node = head;
    else node = follow(it, f, head, isHlist ? 'first' : next, s.at);
  }
  for (let n = 0; ; n++) {
    if (isHlist ? node === 0 : sameNode(it, node, head)) {
      // Past the end the cursor is computed from the head itself.
      if (!isHlist && isPointer(head)) setCursor(it, f, pos, head, member, s.at);
      else assignTo(it, f, pos, 0, s.at);
      return NORMAL;
    }
    if (!isPointer(node)) return node === 0 ? brokenList(it, f, s) : unknownEntry(it, f, s, pos, n);
    if (n >= it.turns) return spent(it, f, s);
    setCursor(it, f, pos, node, member, s.at);
    let following: Value | null = null;
    if (isSafe) {
      following = follow(it, f, node, next, s.at);
      if (carry !== undefined && isPointer(following) && !isHlist)
        setCursor(it, f, carry, following, member, s.at);
      else if (carry !== undefined) assignTo(it, f, carry, following, s.at);
    }
    const completion = run(it, f, s.body);
    if (completion === BREAK) return NORMAL;
    if (completion === RETURN || completion === GOTO) return completion;
    node = following ?? follow(it, f, node, next, s.at);
  }
}

function nodeOf(entry: Value, member: string): Pointer | null {
  return isPointer(entry) ? { k: 'pointer', block: entry.block, path: `${entry.path}.${member}` } : null;
}

function setCursor(it: Interpreter, f: Frame, pos: Expr, node: Pointer, member: string, at: number): void {
  const found = containerOf(node, member);
  // A list head has nothing around it: its address stands for what would be.
  assignTo(it, f, pos, found ?? { k: 'pointer', block: node.block, path: node.path + PAST_END }, at);
}

function brokenList(it: Interpreter, f: Frame, s: Iterate): Completion {
  it.fault('null-dereference', 'a list that was never initialised', f, s.at);
  return NORMAL;
}

/** The rest of a list that cannot be followed: one more round with an unknown element, if the decision says so. */
function unknownEntry(it: Interpreter, f: Frame, s: Iterate, pos: Expr, n: number): Completion {
  const place = it.place(f, s.at);
  it.host.unknown({ kind: 'unknown-branch', text: `${s.macro} over an unknown list`, place });
  const condition = it.unknowns.fresh(
    `${s.macro}(…) finds something`,
    { k: 'int', bits: 32, signed: true },
    n === 0 ? 1 : 0,
  );
  if (!it.truth(condition, f, s.at)) return NORMAL;
  assignTo(it, f, pos, it.unknowns.fresh(`element of ${s.macro}`, pos.type), s.at);
  return endLoop(run(it, f, s.body));
}

function spent(it: Interpreter, f: Frame, s: Iterate): Completion {
  it.loopLeft(`${s.macro} ran`, f, s.at);
  return NORMAL;
}

/** list_for_each(pos, head) and hlist_for_each: the cursor is the node itself. */
function links(it: Interpreter, f: Frame, s: Iterate, name: string): Completion {
  const isSafe = name.includes('_safe');
  const isHlist = name.startsWith('hlist');
  const pos = s.args[0];
  const headArg = s.args[isSafe ? 2 : 1];
  if (pos === undefined || headArg === undefined) return once(it, f, s);
  const next = name.includes('_prev') ? 'prev' : 'next';
  const head = evaluate(it, f, headArg);
  let node = follow(it, f, head, isHlist ? 'first' : next, s.at);
  for (let n = 0; ; n++) {
    assignTo(it, f, pos, node, s.at);
    if (isHlist ? node === 0 : sameNode(it, node, head)) return NORMAL;
    if (!isPointer(node)) return node === 0 ? brokenList(it, f, s) : unknownEntry(it, f, s, pos, n);
    if (n >= it.turns) return spent(it, f, s);
    const following = isSafe ? follow(it, f, node, next, s.at) : null;
    if (following !== null && s.args[1] !== undefined) assignTo(it, f, s.args[1], following, s.at);
    const completion = run(it, f, s.body);
    if (completion === BREAK) return NORMAL;
    if (completion === RETURN || completion === GOTO) return completion;
    node = following ?? follow(it, f, node, next, s.at);
  }
}

/** hash_for_each over an array of hlist heads; hash_for_each_possible looks at all of them. */
function table(it: Interpreter, f: Frame, s: Iterate, name: string): Completion {
  const possible = name.includes('_possible');
  const isSafe = name.includes('_safe');
  const memberIndex = Number(Object.keys(s.names)[0] ?? -1);
  const member = s.names[memberIndex];
  const tableArg = s.args[0];
  const pos = possible ? s.args[1] : s.args[isSafe ? 3 : 2];
  if (member === undefined || tableArg === undefined || pos === undefined) return once(it, f, s);
  const base = place(it, f, tableArg);
  const block = base?.k === 'pointer' ? it.memory.block(base.block) : undefined;
  if (base?.k !== 'pointer' || block === undefined) return once(it, f, s);
  const buckets = [...(it.memory.cell(block, base.path)?.children?.keys() ?? [])];
  for (const bucket of buckets) {
    let node: Value = it.load(
      { k: 'pointer', block: base.block, path: `${base.path}${bucket}.first` },
      LINK,
      f,
      s.at,
    );
    for (let n = 0; isPointer(node) && n < it.turns; n++) {
      setCursor(it, f, pos, node, member, s.at);
      const following: Value = follow(it, f, node, 'next', s.at);
      const completion = run(it, f, s.body);
      if (completion === BREAK) return NORMAL;
      if (completion === RETURN || completion === GOTO) return completion;
      node = isSafe ? following : follow(it, f, node, 'next', s.at);
    }
  }
  return NORMAL;
}

/** klp_for_each_object(patch, obj) and klp_for_each_func(obj, func): arrays that end with a zero entry. */
function records(it: Interpreter, f: Frame, s: Iterate, name: string): Completion {
  const [owner, cursor] = s.args;
  if (owner === undefined || cursor === undefined) return once(it, f, s);
  const isObject = name.includes('object');
  const first = follow(it, f, evaluate(it, f, owner), isObject ? 'objs' : 'funcs', s.at);
  if (!isPointer(first)) return first === 0 ? NORMAL : once(it, f, s);
  for (let n = 0; n < it.turns; n++) {
    const record = it.compute('+', first, n, cursor.type);
    const ends = isObject ? ['funcs', 'name'] : ['old_name', 'new_func', 'old_sympos'];
    if (ends.every((member) => follow(it, f, record, member, s.at) === 0)) return NORMAL;
    assignTo(it, f, cursor, record, s.at);
    const completion = run(it, f, s.body);
    if (completion === BREAK) return NORMAL;
    if (completion === RETURN || completion === GOTO) return completion;
  }
  return spent(it, f, s);
}
