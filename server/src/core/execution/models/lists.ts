import type { ApiContext, ApiModel } from '../api';
import type { EffectRow } from '../catalogue-row';
import { token } from '../ledger';
import { isPointer, isUnknown, type Pointer, type Value } from '../values';
import { argument, isNull, nameOf } from './arguments';

/**
 * linux/list.h. An entry of a module that goes into a list of the kernel itself is a side effect, and the list leads to
 * it from then on. To take an entry of the kernel out, and to put it back, is not seen.
 */

const LIST_ENTRY: EffectRow = {
  family: 'kernel list',
  do: 'list_add',
  undo: ['list_del', 'list_del_init', 'list_del_rcu'].map((name) => ({ name, identity: [{ arg: 0 }] })),
  header: 'linux/list.h',
  key: 'pointer',
  identity: [{ arg: 0 }],
  holds: [0],
  hazards: ['use-after-free'],
  fails: 'never',
  repeated: 'corrupts',
  synthetic: true,
  noun: 'list entry',
};

const LIST_ENTRIES: ReadonlySet<string> = new Set([LIST_ENTRY.family]);

const NEXT = '.next';
const PREV = '.prev';
/** LIST_POISON1 and LIST_POISON2 of linux/poison.h on x86-64, as far as a number can show them. */
const POISON_NEXT = 0xdead000000000100n;
const POISON_PREV = 0xdead000000000122n;

function link(context: ApiContext, from: Value, member: string): Value {
  if (!isPointer(from)) return context.load(from);
  const value = context.load(context.at(from, member));
  // A head in zeroed memory that nothing initialised counts as empty.
  return isNull(value) ? from : value;
}

function setLink(context: ApiContext, at: Value, member: string, to: Value): void {
  if (isPointer(at)) context.store(context.at(at, member), to);
}

function inKernel(context: ApiContext, head: Value): boolean {
  return isUnknown(head) || context.machine.memoryKind(head) === 'kernel';
}

/** As link() and setLink(), for what the kernel reads and writes by itself. */
function peekLink(context: ApiContext, from: Value, member: string): Value {
  return isPointer(from) ? context.peek(context.at(from, member)) : from;
}

function pokeLink(context: ApiContext, at: Value, member: string, to: Value): void {
  if (isPointer(at)) context.poke(context.at(at, member), to);
}

function insert(context: ApiContext, entry: Value, head: Value, tail: boolean): void {
  if (!isPointer(entry)) {
    context.load(entry);
    return;
  }
  if (inKernel(context, head)) {
    const isNew = !context.state.ledger.find(LIST_ENTRY.family, [entry]);
    if (!wasTakenOut(context, entry))
      context.state.ledger.done(context.host, {
        row: LIST_ENTRY,
        identity: [entry],
        key: nameOf(context, entry),
        by: context.call.actor,
        holds: context.machine.instancesBehind(entry),
      });
    if (isNew) between(context, entry, head, tail, peekLink, pokeLink);
    return;
  }
  between(context, entry, head, tail, link, setLink);
}

/** Links the entry in behind the head, or in front of it. */
function between(
  context: ApiContext,
  entry: Value,
  head: Value,
  tail: boolean,
  read: typeof link,
  write: typeof setLink,
): void {
  const after = tail ? read(context, head, PREV) : head;
  const before = tail ? head : read(context, head, NEXT);
  write(context, before, PREV, entry);
  write(context, entry, NEXT, before);
  write(context, entry, PREV, after);
  write(context, after, NEXT, entry);
}

/** Whether this is an object of the kernel that was in a list before: to put it back is no effect. */
function wasTakenOut(context: ApiContext, entry: Pointer): boolean {
  if (!inKernel(context, entry)) return false;
  const next = peekLink(context, entry, NEXT);
  return next === POISON_NEXT || token(next) === token(entry);
}

/** Unlinks; `then` says what the entry's own pointers become. */
function remove(context: ApiContext, entry: Value, then: 'poison' | 'self' | 'keep'): void {
  const { ledger } = context.state;
  const effect = ledger.find(LIST_ENTRY.family, [entry]);
  if (effect) ledger.undo(context.host, effect, context.call.actor, true);
  else if (inKernel(context, entry)) ledger.doubt(ledger.inForce(LIST_ENTRIES)); // It may be any of them.
  if (!isPointer(entry)) {
    context.load(entry);
    return;
  }
  if (effect || inKernel(context, entry)) {
    const next = peekLink(context, entry, NEXT);
    const prev = peekLink(context, entry, PREV);
    pokeLink(context, next, PREV, prev);
    pokeLink(context, prev, NEXT, next);
    if (then !== 'keep') {
      pokeLink(context, entry, NEXT, then === 'self' ? entry : POISON_NEXT);
      pokeLink(context, entry, PREV, then === 'self' ? entry : POISON_PREV);
    }
    return;
  }
  const next = context.load(context.at(entry, NEXT));
  const prev = context.load(context.at(entry, PREV));
  if (next === POISON_NEXT)
    context.fault('double-free', `list_del(${context.describe(entry)}) of an entry that is in no list`);
  setLink(context, next, PREV, prev);
  setLink(context, prev, NEXT, next);
  if (then === 'self') initialise(context, entry);
  else if (then === 'poison') {
    setLink(context, entry, NEXT, POISON_NEXT);
    setLink(context, entry, PREV, POISON_PREV);
  }
}

function initialise(context: ApiContext, head: Pointer): void {
  setLink(context, head, NEXT, head);
  setLink(context, head, PREV, head);
}

function empty(context: ApiContext, head: Value): Value {
  if (!isPointer(head)) return context.load(head);
  const next = context.load(context.at(head, NEXT));
  if (isUnknown(next)) return { k: 'unknown', id: `list_empty(${next.id})` };
  return isNull(next) || token(next) === token(head) ? 1 : 0;
}

const doing =
  (act: (context: ApiContext, first: Value, second: Value) => void): ApiModel =>
  (context) => {
    act(context, argument(context, 0), argument(context, 1));
    return 0;
  };

const hlistAdd = doing((context, node, head) => {
  if (!isPointer(node) || !isPointer(head)) return;
  const first = context.load(context.at(head, '.first'));
  setLink(context, node, NEXT, first);
  setLink(context, node, '.pprev', context.at(head, '.first'));
  if (isPointer(first)) setLink(context, first, '.pprev', context.at(node, NEXT));
  setLink(context, head, '.first', node);
});

const hlistDelete = doing((context, node) => {
  if (!isPointer(node)) return;
  const next = context.load(context.at(node, NEXT));
  const back = context.load(context.at(node, '.pprev'));
  if (isPointer(back)) context.store(back, next);
  if (isPointer(next)) setLink(context, next, '.pprev', back);
  setLink(context, node, NEXT, 0);
  setLink(context, node, '.pprev', 0);
});

const add = doing((context, entry, head) => insert(context, entry, head, false));
const addTail = doing((context, entry, head) => insert(context, entry, head, true));
const del = doing((context, entry) => remove(context, entry, 'poison'));

export const LIST_MODELS: Readonly<Record<string, ApiModel>> = {
  INIT_LIST_HEAD: doing((context, head) =>
    isPointer(head) ? initialise(context, head) : void context.load(head),
  ),
  INIT_HLIST_HEAD: doing((context, head) => setLink(context, head, '.first', 0)),
  list_add: add,
  list_add_rcu: add,
  list_add_tail: addTail,
  list_add_tail_rcu: addTail,
  list_del: del,
  list_del_rcu: del,
  list_del_init: doing((context, entry) => remove(context, entry, 'self')),
  __list_del_entry: doing((context, entry) => remove(context, entry, 'keep')),
  __list_del: doing((context, prev) => remove(context, peekLink(context, prev, NEXT), 'keep')),
  list_move: doing((context, entry, head) => {
    remove(context, entry, 'keep');
    insert(context, entry, head, false);
  }),
  list_move_tail: doing((context, entry, head) => {
    remove(context, entry, 'keep');
    insert(context, entry, head, true);
  }),
  list_empty: (context) => empty(context, argument(context, 0)),
  list_empty_careful: (context) => empty(context, argument(context, 0)),
  list_is_last: (context) =>
    token(link(context, argument(context, 0), NEXT)) === token(argument(context, 1)) ? 1 : 0,
  hlist_add_head: hlistAdd,
  hlist_add_head_rcu: hlistAdd,
  hlist_del: hlistDelete,
  hlist_del_rcu: hlistDelete,
  hlist_del_init: hlistDelete,
  hlist_empty: (context) => {
    const head = argument(context, 0);
    const first = isPointer(head) ? context.load(context.at(head, '.first')) : context.load(head);
    return isUnknown(first) ? { k: 'unknown', id: `hlist_empty(${first.id})` } : isNull(first) ? 1 : 0;
  },
};
