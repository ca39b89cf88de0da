import { expect, test } from 'vitest';
import { rowsByDo } from '../../server/src/core/execution/catalogue';
import type { EffectRow } from '../../server/src/core/execution/catalogue-row';
import type { Actor, EffectEvent } from '../../server/src/core/execution/effects';
import { type KeyNames, Ledger, token } from '../../server/src/core/execution/ledger';
import type { Pointer, Value } from '../../server/src/core/execution/values';

const actor = (instance: number, during = 'post_patch'): Actor => ({
  instance,
  during,
  function: 'callback',
  place: { file: 'a.c', start: 0, end: 0 },
});
const pointer = (block: number, path = ''): Pointer => ({ k: 'pointer', block, path });
const unknown = (id: string): Value => ({ k: 'unknown', id });

function row(name: string): EffectRow {
  const found = rowsByDo(name)[0];
  if (!found) throw new Error(name);
  return found;
}

class Listener {
  readonly events: EffectEvent[] = [];
  effect(event: EffectEvent): void {
    this.events.push(event);
  }
  get kinds(): string[] {
    return this.events.map((event) => event.k);
  }
}

const names: KeyNames = { value: token, instance: (instance) => `m${instance}` };

function notifier(block: number, instance: number): Parameters<Ledger['done']>[1] {
  return {
    row: row('register_module_notifier'),
    identity: [pointer(block)],
    key: 'acme_nb',
    by: actor(instance),
    holds: [instance],
  };
}

test('what is done is in force until it is undone', () => {
  const host = new Listener();
  const ledger = new Ledger();
  const effect = ledger.done(host, notifier(1, 1));
  expect(ledger.effects()).toEqual([effect]);
  expect(effect).toMatchObject({ key: 'acme_nb', count: 1, certainty: 'must', holds: [1] });
  ledger.undo(host, effect, actor(1, 'pre_unpatch'));
  expect(ledger.effects()).toEqual([]);
  expect(host.kinds).toEqual(['done', 'undone']);
});

test('the same object registered twice is one effect and an event', () => {
  const host = new Listener();
  const ledger = new Ledger();
  ledger.done(host, notifier(1, 1));
  ledger.done(host, notifier(1, 1), -17);
  expect(ledger.effects()).toHaveLength(1);
  expect(host.kinds).toEqual(['done', 'repeated']);
  expect(host.events[1]).toMatchObject({ result: -17 });
});

test("another version's notifier block is another effect, under the same name for people", () => {
  const ledger = new Ledger();
  const host = new Listener();
  ledger.done(host, notifier(1, 1));
  ledger.done(host, notifier(2, 2));
  expect(ledger.effects().map((effect) => [effect.key, effect.by.instance])).toEqual([
    ['acme_nb', 1],
    ['acme_nb', 2],
  ]);
});

test('counts go up and down, and end at zero', () => {
  const host = new Listener();
  const ledger = new Ledger();
  const deed = {
    row: row('static_branch_inc'),
    identity: [pointer(9)],
    key: 'net_key',
    by: actor(1),
    holds: [],
  };
  ledger.done(host, deed);
  const twice = ledger.done(host, { ...deed, by: actor(2) });
  expect(twice.count).toBe(2);
  ledger.undo(host, twice, actor(2));
  expect(ledger.effects().map((effect) => effect.count)).toEqual([1]);
  const once = ledger.effects()[0];
  if (once) ledger.undo(host, once, actor(2));
  expect(ledger.effects()).toEqual([]);
  expect(host.kinds).toEqual(['done', 'repeated', 'undone']);
});

test('a plain write is undone by writing the original back, known or unknown', () => {
  for (const original of [7, unknown('console_loglevel')]) {
    const host = new Listener();
    const ledger = new Ledger();
    const write = (old: Value, value: Value): void =>
      ledger.wrote(host, {
        pointer: pointer(5),
        key: 'console_loglevel',
        old,
        value,
        by: actor(1),
        holds: [],
      });
    write(original, 15);
    expect(ledger.effects()).toMatchObject([{ key: 'console_loglevel', original, value: 15 }]);
    write(15, 10);
    expect(ledger.effects()).toMatchObject([{ original, value: 10 }]);
    write(10, original);
    expect(ledger.effects()).toEqual([]);
    expect(host.kinds).toEqual(['done', 'repeated', 'undone']);
  }
});

test('the second save of an original saves the changed value: writing that back restores nothing', () => {
  const host = new Listener();
  const ledger = new Ledger();
  const write = (instance: number, old: Value, value: Value): void =>
    ledger.wrote(host, { pointer: pointer(5), key: 'x', old, value, by: actor(instance), holds: [] });
  write(1, 7, 15);
  write(2, 15, 15);
  write(2, 15, 15);
  expect(ledger.effects()).toMatchObject([{ original: 7, value: 15, by: { instance: 1 } }]);
});

test('a known number over an unknown original may have restored it', () => {
  const host = new Listener();
  const ledger = new Ledger();
  const write = (old: Value, value: Value): void =>
    ledger.wrote(host, { pointer: pointer(5), key: 'x', old, value, by: actor(1), holds: [] });
  write(unknown('x'), 1);
  expect(ledger.effects()[0]?.certainty).toBe('must');
  write(1, 0);
  expect(ledger.effects()[0]?.certainty).toBe('may');
});

test('a write of the value that stands there is no side effect', () => {
  const ledger = new Ledger();
  const host = new Listener();
  ledger.wrote(host, { pointer: pointer(5), key: 'x', old: 3, value: 3, by: actor(1), holds: [] });
  expect(ledger.effects()).toEqual([]);
  expect(host.kinds).toEqual([]);
});

test('a pointer into a module that is written into the kernel is a use-after-free to come', () => {
  const ledger = new Ledger();
  const value: Value = { k: 'function', name: 'klpp_connect', instance: 1 };
  const old = unknown('tcp_prot.connect');
  ledger.wrote(new Listener(), {
    pointer: pointer(5),
    key: 'tcp_prot.connect',
    old,
    value,
    by: actor(1),
    holds: [1],
  });
  expect(ledger.effects()[0]?.row.hazards[0]).toBe('use-after-free');
  expect(ledger.effects()[0]?.holds).toEqual([1]);
});

test('a clone and its original go their own ways', () => {
  const host = new Listener();
  const ledger = new Ledger();
  const first = ledger.done(host, notifier(1, 1));
  const clone = ledger.clone();
  clone.undo(host, first, actor(1));
  ledger.done(host, notifier(2, 2));
  expect(clone.effects()).toEqual([]);
  expect(ledger.effects()).toHaveLength(2);
  const again = clone.clone();
  again.done(host, notifier(3, 3));
  expect(clone.effects()).toEqual([]);
  expect(again.effects()).toHaveLength(1);
});

test('equal ledgers have equal keys, whatever order and ids', () => {
  const host = new Listener();
  const [a, b] = [new Ledger(), new Ledger()];
  a.done(host, notifier(1, 1));
  a.done(host, notifier(2, 2));
  const gone = b.done(host, notifier(7, 7));
  b.undo(host, gone, actor(7));
  b.done(host, notifier(2, 2));
  b.done(host, notifier(1, 1));
  expect(a.key(names)).toBe(b.key(names));
  b.done(host, notifier(3, 3));
  expect(a.key(names)).not.toBe(b.key(names));
});

test('only provably equal values have equal tokens', () => {
  expect(token(unknown('a'))).toBe(token(unknown('a')));
  expect(token(unknown('a'))).not.toBe(token(unknown('b')));
  expect(token(5n)).toBe(token(5));
  expect(token(pointer(1, '[1]'))).not.toBe(token(pointer(1, '[2]')));
  expect(token({ k: 'string', text: 'xab', offset: 1 })).toBe(token({ k: 'string', text: 'ab', offset: 0 }));
});
